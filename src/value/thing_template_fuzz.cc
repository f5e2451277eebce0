// Any bytes as the id of a thing, and as the text cells of a key: no crash, what is found is what
// was put in, and every id can stand in a selector's thing.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/utf8.h"
#include "value/key.h"
#include "value/thing_template.h"

using nilo::ThingTemplate;
using nilo::Type;
using nilo::Value;

namespace {

struct Pattern {
  std::string_view text;
  std::vector<Type> key;
};

nilo::TableSchema schema_of(const std::vector<Type>& key) {
  nilo::TableSchema schema;
  for (const Type type : key) {
    schema.columns.push_back(
        {.name = std::string(1, static_cast<char>('a' + schema.columns.size())), .type = type});
  }
  schema.partition_count = key.size();
  return schema;
}

ThingTemplate made(const Pattern& pattern) {
  auto made = ThingTemplate::parse(pattern.text, schema_of(pattern.key));
  NILO_ASSERT(made);
  return std::move(*made);
}

std::string key_text(const std::vector<Value>& cells) {
  std::string out;
  append_key_text(out, cells);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::vector<Pattern> patterns{
      {"tank-{a}", {Type::int64}},
      {"{b}-{a}x", {Type::text, Type::float64}},
      {"{a}{b}{c}", {Type::text, Type::boolean, Type::json}},
      {"{a}/{b}", {Type::timestamp, Type::text}},
  };
  for (const Pattern& pattern : patterns) {
    const auto key = made(pattern).key_of(bytes);
    NILO_ASSERT(!key || bytes.size() <= nilo::kThingIdSizeMax);
  }

  // Backwards there is one way only, where no other column follows.
  const std::vector<Value> cells{Value::text(bytes)};
  const ThingTemplate pump = made({"pump-{a}.level", {Type::text}});
  const std::string id = pump.id_of(cells);
  if (!id.empty()) NILO_ASSERT(pump.key_of(id) == key_text(cells));
  const std::string begin_of_id(bytes.substr(0, 20));
  const std::vector<Value> two{Value::int64(static_cast<std::int64_t>(size)),
                               Value::text(begin_of_id)};
  const ThingTemplate slot = made({"{a}:{b}", {Type::int64, Type::text}});
  NILO_ASSERT(slot.key_of(slot.id_of(two)) == key_text(two));
  NILO_ASSERT(!nilo::is_utf8(bytes) || nilo::is_utf8(id));

  // A template is text of a person, but text all the same.
  const std::size_t line = bytes.find('\n');
  const auto own = ThingTemplate::parse(bytes.substr(0, line), schema_of({Type::text}));
  if (own && line != std::string_view::npos) (void)own->key_of(bytes.substr(line + 1));
  return 0;
}
