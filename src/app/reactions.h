// app/reactions.h: a stack, compiled: what happens with a message, and to which tables.
//
// In/out:  what src/stack read -> rules ready to run and tables ready to be declared, or more
//          mistakes in the same list, each at its place in the file.
// Threads: immutable once made; all loops share it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bus/topic_filter.h"
#include "rules/statement.h"
#include "stack/stack.h"
#include "tables/tables.h"

namespace nilo::app {

struct Rule {
  std::string name;
  bus::TopicFilter filter;
  rules::Statement statement;
  std::string table;         // empty: nothing is put
  std::vector<int> columns;  // output i -> stored column, -1: none. Empty if selects_all().
  std::optional<stack::Republish> republish;
};

struct Reactions {
  std::vector<Rule> rules;
  std::vector<tables::TableDeclaration> tables;  // the stack's and our own
};

// Appends what it finds to `loaded.diagnostics`; the result may be used only if there are none.
Reactions compile(stack::Loaded& loaded);

}  // namespace nilo::app
