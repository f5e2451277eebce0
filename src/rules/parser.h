// rules/parser.h: SQL text -> tree, unchecked.
//
// Grammar (keywords in any case; docs/rules.md explains it):
//   statement  = [SET @v = expr {, @v = expr}] select
//   select     = SELECT (VALUE expr | item {, item}) [FROM source] [WHERE expr]
//   source     = 'topic filter' (outermost) | postfix (nested)
//   item       = * | expr [AS name {. name}]
//   expr       = and {OR and};  and = not {AND not};  not = {NOT} comparison
//   comparison = sum {(= | <> | < | <= | > | >=) sum}
//   sum        = product {(+ | -) product};  product = unary {(* | / | %) unary}
//   unary      = {-} postfix;  postfix = primary {. name}
//   primary    = number | text | TRUE | FALSE | NULL | name | @name | ( expr ) | ( select )
//              | { text : expr {, text : expr} } | [ expr {, expr} ] | case | function(args)
// Threads: pure functions.
// Limits:  kStatementSizeMax, kNestingMax, kChainMax (statement.h).
#pragma once

#include <string_view>
#include <vector>

#include "rules/statement.h"
#include "rules/syntax.h"

namespace nilo::rules {

// Fills `program`. False: `mistakes` has got one more, the first found.
bool parse_statement(std::string_view sql, Program& program, std::vector<Mistake>& mistakes);
NodePtr parse_expression(std::string_view sql, std::vector<Mistake>& mistakes);

}  // namespace nilo::rules
