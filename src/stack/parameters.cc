#include "stack/parameters.h"

#include <algorithm>

namespace nilo::stack {
namespace {

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::size_t word_end(std::string_view sql, std::size_t at) {
  while (at < sql.size() && is_word_character(sql[at])) ++at;
  return at;
}

// Behind `closing`, sought from `from`; the end if it never comes.
std::size_t behind(std::string_view sql, std::string_view closing, std::size_t from) {
  const std::size_t at = sql.find(closing, std::min(from, sql.size()));
  return at == std::string_view::npos ? sql.size() : at + closing.size();
}

bool same_letters(char a, char b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return lower(a) == lower(b);
}

}  // namespace

std::vector<ParameterUse> find_parameters(std::string_view sql) {
  std::vector<ParameterUse> out;
  for (std::size_t at = 0; at < sql.size();) {
    const std::string_view rest = sql.substr(at);
    if (rest[0] == '\'' || rest[0] == '"') {  // a doubled quote ends one text and begins the next
      at = behind(sql, rest.substr(0, 1), at + 1);
    } else if (rest.starts_with("--")) {
      at = behind(sql, "\n", at);
    } else if (rest.starts_with("/*")) {
      at = behind(sql, "*/", at + 2);
    } else if (rest[0] == '$') {
      const std::size_t end = word_end(sql, at + 1);
      out.push_back({sql.substr(at + 1, end - at - 1), at});
      at = end;
    } else {  // a whole word, since `a$b` is one name
      at = std::max(word_end(sql, at), at + 1);
      while (at < sql.size() && sql[at] == '$' && is_word_character(sql[at - 1])) {
        at = word_end(sql, at + 1);
      }
    }
  }
  return out;
}

bool mentions(std::string_view sql, std::string_view name) {
  for (std::size_t at = 0; at < sql.size();) {
    const std::size_t end = word_end(sql, at);
    const std::string_view word = sql.substr(at, end - at);
    if (std::equal(word.begin(), word.end(), name.begin(), name.end(), same_letters)) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace nilo::stack
