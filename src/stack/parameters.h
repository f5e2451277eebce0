// stack/parameters.h: what an endpoint's SQL says of itself, without understanding SQL.
//
// Source:  PostgreSQL's lexical rules as DuckDB follows them: '...' "..." -- /* */.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace nilo::stack {

struct ParameterUse {
  std::string_view name;  // of the SQL, without the `$`; digits for `$1`, empty for a lone `$`
  std::size_t at;         // the byte of the `$`
};

// Each `$name` outside of texts, quoted names and comments, in order.
std::vector<ParameterUse> find_parameters(std::string_view sql);

// Does `name` occur in `sql` as a word, quoted or not, in upper or lower case?
bool mentions(std::string_view sql, std::string_view name);

}  // namespace nilo::stack
