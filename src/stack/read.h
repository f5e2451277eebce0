// stack/read.h: one function per section of a stack file.
//
// Each takes the section as it stands in one file, appends what it declares to reading.stack, and
// tells of every mistake. What can only be known when all files are read is checked by
// check_stack(). Threads: one.
#pragma once

#include "stack/section.h"

namespace nilo::stack {

inline constexpr std::size_t kDeclaredMax = 1000;  // tables; rules; ...

void read_things(const Member& section, Reading& reading);     // [things]
void read_tables(const Member& section, Reading& reading);     // [table.NAME]
void read_rules(const Member& section, Reading& reading);      // [rule.NAME]
void read_endpoints(const Member& section, Reading& reading);  // [endpoint.NAME]
void read_listeners(const Member& section, Reading& reading);  // [listener.NAME]
void read_settings(const Member& section, Reading& reading);   // [server] [tables] [sql]
void read_alerts(const Member& section, Reading& reading);     // [alert.NAME]
void read_mail(const Member& section, Reading& reading);       // [mail]
void read_site(const Member& section, Reading& reading);       // [site]
void read_pages(const Member& section, Reading& reading);      // [[page]]
void read_policies(const Member& section, Reading& reading);   // [policy.NAME]

// Across files: the tables that rules name, the types of endpoints' parameters, what selectors
// name.
void check_stack(Reading& reading);
void check_selector(const SelectorUse& use, Reading& reading);
void check_policies(Reading& reading);

// Is `member` a new `[word.NAME]`, `word` being table, rule, endpoint ...? Tells if not: it is
// no table, NAME does not have its form, it was declared before, or `count` are there already.
bool declares(std::string_view word, const Member& member, std::size_t count, Reading& reading);

std::string lower_case(std::string_view text);  // ASCII

}  // namespace nilo::stack
