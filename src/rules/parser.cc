#include "rules/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace nilo::rules {

namespace {

constexpr std::string_view kReserved[] = {"SELECT", "FROM", "WHERE", "AS",   "AND", "OR",  "NOT",
                                          "CASE",   "WHEN", "THEN",  "ELSE", "END", "NULL"};
// Words of other dialects that people try.
constexpr std::string_view kForeign[] = {"LIKE",  "IN",    "BETWEEN", "IS",
                                         "GROUP", "ORDER", "JOIN",    "LIMIT"};

struct BinaryOp {
  std::string_view symbol;
  Op op;
};
constexpr BinaryOp kComparisons[] = {{"=", Op::equal},   {"<>", Op::unequal},
                                     {"<", Op::less},    {"<=", Op::less_equal},
                                     {">", Op::greater}, {">=", Op::greater_equal}};
constexpr BinaryOp kSums[] = {{"+", Op::add}, {"-", Op::subtract}};
constexpr BinaryOp kProducts[] = {{"*", Op::multiply}, {"/", Op::divide}, {"%", Op::remainder}};

bool is_reserved(std::string_view word) {
  return std::any_of(std::begin(kReserved), std::end(kReserved),
                     [word](std::string_view reserved) { return equals_word(word, reserved); });
}

// A quoted text without its quotes, doubled quotes undone.
std::string unquoted(const Token& token, std::string_view sql) {
  const char quote = sql[token.place.offset];
  std::string out;
  for (std::size_t i = 0; i < token.text.size(); ++i) {
    out += token.text[i];
    if (token.text[i] == quote) ++i;
  }
  return out;
}

// Recursive descent. Every function returns nothing (nullptr, false) after the first mistake.
class Parser {
 public:
  Parser(std::string_view sql, std::vector<Mistake>& mistakes) : sql_(sql), mistakes_(mistakes) {}

  bool statement(Program& program) {
    if (!begin()) return false;
    if (take_word("SET") && !variables(program)) return false;
    if (!is_word("SELECT")) return fail("a statement begins with SELECT (or SET)");
    return select(program.select, true) && at_end("after the statement");
  }

  NodePtr lone_expression() {
    if (!begin()) return nullptr;
    NodePtr node = expression();
    return node && at_end("after the expression") ? std::move(node) : nullptr;
  }

 private:
  // Counts how deeply parentheses, calls and nested SELECTs are inside each other.
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) { ++parser_.nesting_; }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool is_too_deep() const { return parser_.nesting_ > kNestingMax; }

   private:
    Parser& parser_;
  };

  bool begin() {
    if (sql_.size() > kStatementSizeMax) {
      return fail_at(
          {}, fmt::format("{} bytes of SQL, the limit is {}", sql_.size(), kStatementSizeMax));
    }
    if (!is_utf8(sql_)) return fail_at({}, "the SQL text is not UTF-8");
    Mistake mistake;
    if (split_into_tokens(sql_, tokens_, mistake)) return true;
    mistakes_.push_back(std::move(mistake));
    return false;
  }

  // --- looking at words
  const Token& token() const { return tokens_[at_]; }
  const Token& token_after() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  bool is_word(std::string_view word) const { return is_word(token(), word); }
  static bool is_word(const Token& token, std::string_view word) {
    return token.kind == TokenKind::word && equals_word(token.text, word);
  }
  bool is_symbol(std::string_view symbol) const { return is_symbol(token(), symbol); }
  static bool is_symbol(const Token& token, std::string_view symbol) {
    return token.kind == TokenKind::symbol && token.text == symbol;
  }
  bool take_word(std::string_view word) {
    if (!is_word(word)) return false;
    ++at_;
    return true;
  }
  bool take_symbol(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    ++at_;
    return true;
  }

  // --- complaining
  bool fail_at(Place place, std::string message, std::string hint = {}) {
    mistakes_.push_back(mistake_at(sql_, place, std::move(message), std::move(hint)));
    return false;
  }
  bool fail(std::string expected, std::string hint = {}) {
    const std::string found = token().kind == TokenKind::end
                                  ? std::string("the text ends")
                                  : fmt::format("this is `{}`", printable(token().text, 40));
    return fail_at(token().place, fmt::format("{}; {}", expected, found), std::move(hint));
  }
  bool at_end(std::string_view where) {
    if (token().kind == TokenKind::end) return true;
    for (const std::string_view word : kForeign) {
      if (is_word(word)) {
        return fail_at(token().place, fmt::format("`{}` is not part of the language", word),
                       foreign_hint(word));
      }
    }
    if (is_symbol("[")) {
      return fail_at(token().place, "elements are not written with brackets",
                     "write get(array, 0)");
    }
    return fail(fmt::format("nothing may come {}", where));
  }
  static std::string foreign_hint(std::string_view word) {
    if (word == "LIKE") return "use regexp_matches(text, 'expression') or startswith()";
    if (word == "IN") return "write a = 1 OR a = 2";
    if (word == "BETWEEN") return "write a >= 1 AND a <= 2";
    if (word == "IS") return "use isNull(a) or isUndefined(a)";
    return "a rule sees one message at a time; ask the table instead";
  }
  bool expect_symbol(std::string_view symbol, std::string_view where) {
    if (take_symbol(symbol)) return true;
    return fail(fmt::format("expected `{}` {}", symbol, where));
  }

  // --- statement level
  bool variables(Program& program) {
    do {
      const Token name = token();
      if (name.kind != TokenKind::variable) return fail("expected a variable", "SET @name = ...");
      ++at_;
      if (!expect_symbol("=", "after the variable")) return false;
      NodePtr value = expression();
      if (!value) return false;
      program.variables.push_back({std::string(name.text), std::move(value), name.place});
    } while (take_symbol(","));
    return true;
  }

  bool select(Select& out, bool outermost) {
    ++at_;  // SELECT
    out.is_value = is_value_keyword();
    if (out.is_value) {
      ++at_;
      Item item;
      item.place = token().place;
      item.value = argument();
      if (!item.value) return false;
      out.items.push_back(std::move(item));
    } else if (!items(out)) {
      return false;
    }
    if (is_word("FROM")) {
      ++at_;
      if (!(outermost ? filter(out) : source(out))) return false;
    } else if (!outermost) {
      return fail("expected FROM in a nested SELECT");
    }
    if (!take_word("WHERE")) return true;
    out.where = expression();
    return out.where != nullptr;
  }

  // VALUE is also a popular attribute name; it is the keyword only before something that begins
  // an expression and cannot continue one.
  bool is_value_keyword() const {
    if (!is_word("VALUE")) return false;
    const Token& next = token_after();
    switch (next.kind) {
      case TokenKind::string:
      case TokenKind::number:
      case TokenKind::variable:
        return true;
      case TokenKind::word:
        return !is_reserved(next.text) || is_word(next, "CASE") || is_word(next, "NOT") ||
               is_word(next, "NULL");
      case TokenKind::symbol:
        if (next.text == "*") {  // SELECT VALUE * FROM, not SELECT value * 2
          const Token& after = tokens_[std::min(at_ + 2, tokens_.size() - 1)];
          return after.kind == TokenKind::end || is_word(after, "FROM") || is_word(after, "WHERE");
        }
        return next.text == "(" || next.text == "{" || next.text == "[";
      case TokenKind::end:
        return false;
    }
    return false;
  }

  bool items(Select& out) {
    do {
      Item item;
      item.place = token().place;
      if (is_symbol("*")) {
        ++at_;
        item.is_all = true;
      } else {
        item.value = expression();
        if (!item.value || (take_word("AS") && !alias(item))) return false;
      }
      out.items.push_back(std::move(item));
    } while (take_symbol(","));
    return true;
  }

  bool alias(Item& item) {
    do {
      if (token().kind != TokenKind::word) {
        return fail("expected a name after AS",
                    token().kind == TokenKind::string ? "write it without quotes" : "");
      }
      item.path.emplace_back(token().text);
      ++at_;
    } while (take_symbol("."));
    return true;
  }

  bool filter(Select& out) {
    if (token().kind != TokenKind::string || sql_[token().place.offset] != '\'') {
      return fail("expected a topic filter in single quotes after FROM", "FROM 'sensors/+/data'");
    }
    out.filter = unquoted(token(), sql_);
    out.filter_place = token().place;
    ++at_;
    return true;
  }

  bool source(Select& out) {
    out.from = postfix();
    return out.from != nullptr;
  }

  // --- expressions, from loose to tight
  NodePtr node(Op op, Place place) {
    auto out = std::make_unique<Node>();
    out->op = op;
    out->place = place;
    return out;
  }

  // `parent` with one more child. nullptr: the child is missing, or the tree grew too high.
  NodePtr with(NodePtr parent, NodePtr child) {
    if (!parent || !child) return nullptr;
    parent->height = std::max(parent->height, child->height + 1);
    if (parent->height > kChainMax) {
      fail_at(parent->place,
              fmt::format("this expression has more than {} steps in a row", kChainMax),
              "split it with SET @part = ...");
      return nullptr;
    }
    parent->children.push_back(std::move(child));
    return parent;
  }

  NodePtr expression() {
    const Nesting nesting(*this);
    if (nesting.is_too_deep()) {
      fail_at(token().place, fmt::format("nested more than {} deep", kNestingMax),
              "split it with SET @part = ...");
      return nullptr;
    }
    NodePtr left = conjunction();
    while (left && is_word("OR")) {
      NodePtr both = node(Op::logical_or, token().place);
      ++at_;
      both = with(std::move(both), std::move(left));
      left = with(std::move(both), conjunction());
    }
    return left;
  }

  NodePtr conjunction() {
    NodePtr left = negation();
    while (left && is_word("AND")) {
      NodePtr both = node(Op::logical_and, token().place);
      ++at_;
      both = with(std::move(both), std::move(left));
      left = with(std::move(both), negation());
    }
    return left;
  }

  // NOT NOT a: a loop, so that a thousand of them cost no stack here.
  NodePtr negation() { return prefixed("NOT", TokenKind::word, Op::logical_not); }
  NodePtr unary() { return prefixed("-", TokenKind::symbol, Op::negate); }

  NodePtr prefixed(std::string_view prefix, TokenKind kind, Op op) {
    std::vector<Place> places;
    while (token().kind == kind && equals_word(token().text, prefix)) {
      places.push_back(token().place);
      ++at_;
    }
    NodePtr out = op == Op::logical_not ? binary(kComparisons, &Parser::sum) : postfix();
    for (; out && !places.empty(); places.pop_back()) {
      out = with(node(op, places.back()), std::move(out));
    }
    return out;
  }

  NodePtr sum() { return binary(kSums, &Parser::product); }
  NodePtr product() { return binary(kProducts, &Parser::unary); }

  template <std::size_t N>
  NodePtr binary(const BinaryOp (&ops)[N], NodePtr (Parser::*operand)()) {
    NodePtr left = (this->*operand)();
    while (left && token().kind == TokenKind::symbol) {
      const auto found = std::find_if(std::begin(ops), std::end(ops), [this](const BinaryOp& op) {
        return op.symbol == token().text;
      });
      if (found == std::end(ops)) break;
      NodePtr both = with(node(found->op, token().place), std::move(left));
      ++at_;
      left = with(std::move(both), (this->*operand)());
    }
    return left;
  }

  NodePtr postfix() {
    NodePtr out = primary();
    while (out && is_symbol(".")) {
      ++at_;
      if (token().kind != TokenKind::word) {
        fail("expected a name after the point", "names that are no plain words: get(a, 'b-c')");
        return nullptr;
      }
      NodePtr member = node(Op::member, token().place);
      member->text = token().text;
      ++at_;
      out = with(std::move(member), std::move(out));
    }
    return out;
  }

  NodePtr primary() {
    switch (token().kind) {
      case TokenKind::number:
        return number();
      case TokenKind::string: {
        NodePtr out = node(Op::literal, token().place);
        out->text = unquoted(token(), sql_);
        out->value = Datum::text(out->text);
        ++at_;
        return out;
      }
      case TokenKind::variable: {
        NodePtr out = node(Op::variable, token().place);
        out->text = token().text;
        ++at_;
        return out;
      }
      case TokenKind::word:
        return word();
      case TokenKind::symbol:
        if (is_symbol("(")) return parenthesised();
        if (is_symbol("{")) return object();
        if (is_symbol("[")) return array();
        break;
      case TokenKind::end:
        break;
    }
    fail("expected an expression", is_symbol("+") ? "leave the plus out" : "");
    return nullptr;
  }

  NodePtr number() {
    NodePtr out = node(Op::literal, token().place);
    out->text = token().text;
    const auto significant = [&out] {
      const std::string_view mantissa =
          std::string_view(out->text).substr(0, out->text.find_first_of("eE"));
      const std::size_t first = std::min(mantissa.find_first_not_of("0."), mantissa.size());
      const auto digits = mantissa.substr(first);
      return digits.size() -
             static_cast<std::size_t>(std::count(digits.begin(), digits.end(), '.'));
    };
    out->number = Decimal::parse(out->text);
    if (!out->number || significant() > Decimal::kDigitsMax) {
      fail("numbers have at most 34 digits and lie below 1E1000");
      return nullptr;
    }
    ++at_;
    return out;
  }

  NodePtr word() {
    const Token name = token();
    if (is_symbol(token_after(), "(") && !is_reserved(name.text)) return call();
    ++at_;
    const auto literal = [&](Datum value) {
      NodePtr out = node(Op::literal, name.place);
      out->value = value;
      return out;
    };
    if (equals_word(name.text, "TRUE")) return literal(Datum::boolean(true));
    if (equals_word(name.text, "FALSE")) return literal(Datum::boolean(false));
    if (equals_word(name.text, "NULL")) return literal(Datum::null());
    if (equals_word(name.text, "CASE")) return choose(name.place);
    if (is_reserved(name.text)) {
      --at_;
      fail("expected an expression",
           equals_word(name.text, "SELECT")
               ? "a nested SELECT stands in parentheses"
               : fmt::format("for an attribute of this name write get(*, '{}')", name.text));
      return nullptr;
    }
    NodePtr out = node(Op::name, name.place);
    out->text = name.text;
    return out;
  }

  NodePtr parenthesised() {
    const Place place = token().place;
    ++at_;
    if (!is_word("SELECT")) {
      NodePtr inner = expression();
      return inner && expect_symbol(")", "to close the parenthesis") ? std::move(inner) : nullptr;
    }
    const Nesting nesting(*this);
    NodePtr out = node(Op::nested, place);
    out->select = std::make_unique<Select>();
    if (nesting.is_too_deep()) {
      fail_at(place, fmt::format("nested more than {} deep", kNestingMax));
      return nullptr;
    }
    const bool whole =
        select(*out->select, false) && expect_symbol(")", "to close the nested SELECT");
    return whole ? std::move(out) : nullptr;
  }

  NodePtr object() {
    NodePtr out = node(Op::object, token().place);
    ++at_;
    if (take_symbol("}")) return out;
    do {
      if (token().kind != TokenKind::string) {
        fail("expected a key in quotes", "{'key': value}");
        return nullptr;
      }
      out->keys.push_back(unquoted(token(), sql_));
      ++at_;
      if (!expect_symbol(":", "after the key")) return nullptr;
      out = with(std::move(out), expression());
      if (!out) return nullptr;
    } while (take_symbol(","));
    return expect_symbol("}", "to close the object") ? std::move(out) : nullptr;
  }

  NodePtr array() {
    NodePtr out = node(Op::array, token().place);
    ++at_;
    if (take_symbol("]")) return out;
    do {
      out = with(std::move(out), expression());
      if (!out) return nullptr;
    } while (take_symbol(","));
    return expect_symbol("]", "to close the array") ? std::move(out) : nullptr;
  }

  NodePtr choose(Place place) {
    NodePtr out = node(Op::choose, place);
    if (is_word("WHEN")) {
      fail("CASE compares one value", "write CASE value WHEN 1 THEN 'one' ELSE 'other' END");
      return nullptr;
    }
    out = with(std::move(out), expression());
    if (out && !is_word("WHEN")) {
      fail("expected WHEN");
      return nullptr;
    }
    while (out && take_word("WHEN")) {
      out = with(std::move(out), expression());
      if (!out) return nullptr;
      if (!take_word("THEN")) {
        fail("expected THEN");
        return nullptr;
      }
      out = with(std::move(out), expression());
    }
    if (out && take_word("ELSE")) out = with(std::move(out), expression());
    if (!out) return nullptr;
    if (!take_word("END")) {
      fail("expected END to close CASE");
      return nullptr;
    }
    return out;
  }

  // A function's argument, or SELECT VALUE's: `*` may stand for the whole payload.
  NodePtr argument() {
    if (!is_symbol("*")) return expression();
    ++at_;
    return node(Op::payload, tokens_[at_ - 1].place);
  }

  NodePtr call() {
    NodePtr out = node(Op::call, token().place);
    out->text = token().text;
    at_ += 2;
    if (take_symbol(")")) return out;
    if (equals_word(out->text, "cast")) return cast(std::move(out));
    do {
      out = with(std::move(out), argument());
      if (!out) return nullptr;
    } while (take_symbol(","));
    return expect_symbol(")", "to close the call") ? std::move(out) : nullptr;
  }

  // cast(value AS type): the type's word waits in `text` for the checker.
  NodePtr cast(NodePtr out) {
    out->op = Op::cast;
    out = with(std::move(out), argument());
    if (!out) return nullptr;
    if (!take_word("AS")) {
      fail("expected AS and a type", "cast(value AS Int)");
      return nullptr;
    }
    if (token().kind != TokenKind::word) {
      fail("expected a type", "cast(value AS Int)");
      return nullptr;
    }
    out->text = token().text;
    out->place = token().place;
    ++at_;
    return expect_symbol(")", "to close the call") ? std::move(out) : nullptr;
  }

  std::string_view sql_;
  std::vector<Mistake>& mistakes_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t nesting_ = 0;
};

}  // namespace

bool parse_statement(std::string_view sql, Program& program, std::vector<Mistake>& mistakes) {
  return Parser(sql, mistakes).statement(program);
}

NodePtr parse_expression(std::string_view sql, std::vector<Mistake>& mistakes) {
  return Parser(sql, mistakes).lone_expression();
}

}  // namespace nilo::rules
