#include "rules/lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace nilo::rules {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c; }
// The first byte of a character: not 10xxxxxx.
bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

struct Confused {
  std::string_view written;
  std::string_view hint;
};
// What people bring along from other languages.
constexpr Confused kConfused[] = {
    {"!=", "write <>"},
    {"==", "write ="},
    {"||", "write + or concat(a, b)"},
    {"&&", "write AND"},
    {"--", "the language has no comments; write a - (-b) for a difference"},
    {"/*", "the language has no comments"},
    {";", "leave the semicolon out"},
    {"!", "write NOT"},
    {"`", "write get(*, 'name') for a name that is no plain word"},
};

class Lexer {
 public:
  Lexer(std::string_view sql, std::vector<Token>& tokens, Mistake& mistake)
      : sql_(sql), tokens_(tokens), mistake_(mistake) {}

  bool run() {
    while (true) {
      at_ = std::min(sql_.find_first_not_of(" \t\r\n\f\v", at_), sql_.size());
      if (at_ == sql_.size()) {
        push(TokenKind::end, at_, at_);
        return true;
      }
      if (!token()) return false;
    }
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }
  void push(TokenKind kind, std::size_t from, std::size_t to) {
    tokens_.push_back({kind,
                       {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)},
                       sql_.substr(from, to - from)});
  }
  bool fail(std::size_t from, std::size_t to, std::string message, std::string hint) {
    const Place place{static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)};
    mistake_ = mistake_at(sql_, place, std::move(message), std::move(hint));
    return false;
  }
  void skip_name() {
    while (at_ < sql_.size() && is_name_part(sql_[at_])) ++at_;
  }

  bool token() {
    const std::size_t from = at_;
    const char c = peek();
    if (is_name_start(c)) {
      skip_name();
      push(TokenKind::word, from, at_);
      return true;
    }
    if (c == '@') return variable();
    if (c == '\'' || c == '"') return string(c);
    if (is_digit(c)) return number();
    return symbol();
  }

  bool variable() {
    const std::size_t from = at_++;
    skip_name();
    const std::string_view name = sql_.substr(from + 1, at_ - from - 1);
    const auto is_allowed = [](char c) { return is_name_part(c) && c != '$' && (c & 0x80) == 0; };
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_allowed)) {
      return fail(from, at_, "a variable's name is made of letters, digits and _",
                  "write it as @name");
    }
    if (name.size() > kVariableNameSizeMax) {
      return fail(
          from, at_,
          fmt::format("this variable's name is longer than {} characters", kVariableNameSizeMax),
          "choose a shorter one");
    }
    push(TokenKind::variable, from, at_);
    tokens_.back().text = name;
    return true;
  }

  bool string(char quote) {
    const std::size_t from = at_++;
    while (true) {
      at_ = sql_.find(quote, at_);
      if (at_ == std::string_view::npos) {
        return fail(from, from + 1, "this text has no closing quote",
                    fmt::format("close it with {}", quote));
      }
      if (peek(1) != quote) break;
      at_ += 2;
    }
    ++at_;
    push(TokenKind::string, from, at_);
    tokens_.back().text = sql_.substr(from + 1, at_ - from - 2);
    return true;
  }

  bool digits() {
    const std::size_t from = at_;
    while (is_digit(peek())) ++at_;
    return at_ != from;
  }

  bool number() {
    const std::size_t from = at_;
    digits();
    bool good = true;
    if (peek() == '.') {
      ++at_;
      good = digits();
    }
    if (good && (peek() == 'e' || peek() == 'E')) {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      good = digits();
    }
    if (!good || is_name_start(peek())) {
      skip_name();
      return fail(from, at_, fmt::format("`{}` is not a number", sql_.substr(from, at_ - from)),
                  "write numbers as 12, 0.5 or 1.5E-3");
    }
    push(TokenKind::number, from, at_);
    return true;
  }

  bool symbol() {
    static constexpr std::string_view kSymbols[] = {"<>", "<=", ">=", "+", "-", "*", "/",
                                                    "%",  "=",  "<",  ">", "(", ")", "[",
                                                    "]",  "{",  "}",  ",", ":", "."};
    const std::string_view rest = sql_.substr(at_);
    for (const Confused& confused : kConfused) {
      if (!rest.starts_with(confused.written)) continue;
      return fail(at_, at_ + confused.written.size(),
                  fmt::format("`{}` is not part of the language", confused.written),
                  std::string(confused.hint));
    }
    for (const std::string_view text : kSymbols) {
      if (!rest.starts_with(text)) continue;
      push(TokenKind::symbol, at_, at_ + text.size());
      at_ += text.size();
      return true;
    }
    return fail(at_, at_ + 1,
                fmt::format("`{}` is not part of the language", printable(rest.substr(0, 1), 8)),
                "");
  }

  std::string_view sql_;
  std::vector<Token>& tokens_;
  Mistake& mistake_;
  std::size_t at_ = 0;
};

}  // namespace

bool split_into_tokens(std::string_view sql, std::vector<Token>& tokens, Mistake& mistake) {
  return Lexer(sql, tokens, mistake).run();
}

bool equals_word(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

Mistake mistake_at(std::string_view sql, Place place, std::string message, std::string hint) {
  Mistake out;
  const std::string_view before = sql.substr(0, place.offset);
  out.line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const std::string_view line = before.substr(before.rfind('\n') + 1);
  const std::string_view marked = sql.substr(place.offset, place.size);
  const auto characters = [](std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
  };
  out.column = 1 + characters(line);
  out.size = characters(marked);
  out.message = std::move(message);
  out.hint = std::move(hint);
  return out;
}

}  // namespace nilo::rules
