// Any bytes as stack files, the second one behind a line "---": never a crash, and every mistake
// can be shown. SQL texts know where they stand; options of panels are JSON.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "stack/stack.h"
#include "value/json.h"

using nilo::stack::Text;

namespace {

void check_places(const Text& text, const nilo::stack::SourceFiles& files) {
  if (text.empty()) return;
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t at = 0; at < text.value.size() && at < 1000; ++at) {
    const unsigned char byte = static_cast<unsigned char>(text.value[at]);
    if ((byte & 0xc0) == 0x80) continue;  // inside of a character
    const nilo::stack::Place place = text.place_of(line, column);
    NILO_ASSERT(place == text.place_at(at));
    // Where nothing is escaped, the file has the same byte there.
    for (const auto& file : files) {
      if (file.name != place.file) continue;
      const std::size_t in_file = nilo::stack::byte_of(file.text, place.line, place.column);
      NILO_ASSERT(in_file < file.text.size());
      const char found = file.text[in_file];
      NILO_ASSERT(found == text.value[at] || found == '\\' || found == '\r');
    }
    column = byte == '\n' ? 1 : column + 1;
    line += byte == '\n' ? 1 : 0;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  nilo::stack::SourceFiles files;
  const std::size_t cut = bytes.find("\n---\n");
  files.push_back({"nilo.toml", std::string(bytes.substr(0, cut))});
  if (cut != std::string_view::npos) {
    files.push_back({"nilo.d/a.toml", std::string(bytes.substr(cut + 5))});
  }
  const nilo::stack::Loaded loaded = nilo::stack::parse(std::move(files));
  const std::string words = render(loaded.diagnostics, loaded.files, true);
  NILO_ASSERT(words.empty() == loaded.ok());
  NILO_ASSERT(render_json(loaded.diagnostics, loaded.files).empty() == loaded.ok());
  for (const auto& rule : loaded.stack.rules) check_places(rule.sql, loaded.files);
  for (const auto& table : loaded.stack.tables) {
    for (const Text& text : table.derived) check_places(text, loaded.files);
    NILO_ASSERT(table.schema.columns.size() == table.schema.stored_count() + table.derived.size());
  }
  nilo::JsonDocument json;
  for (const auto& page : loaded.stack.pages) {
    for (const auto& panel : page.panels) NILO_ASSERT(json.parse(panel.options_json));
  }
  return 0;
}
