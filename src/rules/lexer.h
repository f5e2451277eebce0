// rules/lexer.h: SQL text -> words.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/statement.h"

namespace nilo::rules {

enum class TokenKind : std::uint8_t {
  word,      // a name or keyword
  variable,  // @name; text without the '@'
  string,    // text between the quotes, doubled quotes not yet undone
  number,    // digits[.digits][E[+|-]digits]
  symbol,    // one of + - * / % = <> < <= > >= ( ) [ ] { } , : .
  end,
};

// Where a word stands: bytes from the begin of the SQL text.
struct Place {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct Token {
  TokenKind kind = TokenKind::end;
  Place place;
  std::string_view text;
};

// The words of `sql`, the last one of kind `end`. Views into `sql`. False: `mistake` says why not.
bool split_into_tokens(std::string_view sql, std::vector<Token>& tokens, Mistake& mistake);

// Words are compared without regard to (ASCII) case.
bool equals_word(std::string_view text, std::string_view word);

// A mistake at `place` of `sql`: counts lines and characters.
Mistake mistake_at(std::string_view sql, Place place, std::string message, std::string hint = {});

}  // namespace nilo::rules
