// stack/source.h: the files of a stack as text, and places in them.
//
// Units: lines and columns count from 1; columns and sizes count characters (code points), as
//        editors show them. Limits: kFilesMax files of kFileSizeMax bytes.
// Threads: values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nilo::stack {

inline constexpr std::size_t kFilesMax = 100;
inline constexpr std::size_t kFileSizeMax = 1024 * 1024;

// `size` characters beginning at line:column. Line 0: the file as a whole (or a folder).
struct Place {
  std::string file{};  // as in SourceFile::name
  std::size_t line = 0;
  std::size_t column = 0;
  std::size_t size = 1;

  bool operator==(const Place&) const = default;
};

// "nilo.d/tanks.toml:7:1", or the file alone when there is no line.
std::string to_string(const Place& place);

struct SourceFile {
  std::string name;  // relative to the stack's folder: "nilo.toml", "nilo.d/tanks.toml"
  std::string text;
};
using SourceFiles = std::vector<SourceFile>;

// A text written in a file, such as SQL: its value, and where each of its characters stands.
struct Text {
  std::string value{};
  Place place{};             // first character of the text (behind the opening quotes)
  std::string literal{};     // what stands between the quotes, escapes and all
  bool has_escapes = false;  // a backslash in `literal` is one

  bool empty() const { return value.empty(); }

  // The place of the character at line:column of `value`, both from 1, the column in BYTES of that
  // line (as parsers of `value` count). Exact, escapes included. Beyond the end: the end.
  Place place_of(std::size_t line, std::size_t column, std::size_t size = 1) const;
};

}  // namespace nilo::stack
