// Any text as a statement, and what compiles against a few messages.
#include <cstddef>
#include <cstdint>
#include <string>

#include "rules/scratch.h"
#include "rules/statement.h"

namespace {

constexpr std::string_view kPayloads[] = {
    R"({"a":1,"b":{"c":2.50},"s":"x","list":[1,"2",{"n":3}],"n":null,"t":true,"value":1E400})",
    "not JSON",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nilo::rules;
  static Scratch scratch;
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  for (const char* version : {"2016-03-23", "2015-10-08"}) {
    const auto compiled = Statement::compile(sql, {.version = version});
    if (const auto* mistakes = std::get_if<std::vector<Mistake>>(&compiled)) {
      if (mistakes->empty() || mistakes->size() > kMistakesMax) __builtin_trap();
      continue;
    }
    for (const std::string_view payload : kPayloads) {
      nilo::MessageView message;
      message.topic = "water2/pub";
      message.payload = payload;
      message.client_id = "sensor";
      const auto& statement = std::get<Statement>(compiled);
      if (statement.evaluate(message, scratch) != Outcome::matched) continue;
      std::string out;
      nilo::ignore(scratch.append_json(out));
      if (const auto outputs = scratch.outputs(); outputs && !statement.selects_all()) {
        if (outputs->size() != statement.output_names().size()) __builtin_trap();
      }
    }
  }
  return 0;
}
