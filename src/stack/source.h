// stack/source.h: the files of a stack as text, and places in them.
//
// Units:   lines and columns count from 1; columns and sizes count characters (code points), as
//          editors show them.
// Threads: values.
// Limits:  kFilesMax files of kFileSizeMax bytes.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace nilo::stack {

inline constexpr std::size_t kFilesMax = 100;
inline constexpr std::size_t kFileSizeMax = 1024 * 1024;

inline constexpr std::size_t kToLineEnd = std::numeric_limits<std::size_t>::max();

// `size` characters beginning at line:column, at most to the end of the line.
// Line 0: the file as a whole, or a folder.
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

// UTF-8 characters in `text`.
std::size_t count_characters(std::string_view text);

// The byte of `text` at which line:column stands; the end of the line, or of the text, if beyond.
std::size_t byte_of(std::string_view text, std::size_t line, std::size_t column);

// Behind the TOML string literal that begins with the quote at `at` ("...", '...', and either
// tripled); the end of `text` if it is never closed.
std::size_t literal_end(std::string_view text, std::size_t at);

// A text written in a file, such as SQL: its value, and where each of its characters stands.
struct Text {
  std::string value{};
  Place place{};             // of the first character, behind the opening quotes
  std::string literal{};     // what stands between the quotes
  bool has_escapes = false;  // a backslash in `literal` begins an escape

  bool empty() const { return value.empty(); }

  // Where line:column of `value` (both from 1, columns in characters) stands in the file, exactly,
  // escapes included. Beyond the end: the end.
  Place place_of(std::size_t line, std::size_t column, std::size_t size = 1) const;
  // The same for a byte of `value`.
  Place place_at(std::size_t byte, std::size_t size = 1) const;
};

// The string at `place` of `file`, whose value the TOML parser found to be `value`.
Text text_at(const SourceFile& file, const Place& place, std::string value);

}  // namespace nilo::stack
