#include "value/schema.h"

#include <algorithm>

namespace nilo {

std::size_t TableSchema::stored_count() const {
  return static_cast<std::size_t>(std::count_if(
      columns.begin(), columns.end(), [](const Column& column) { return !column.is_derived(); }));
}

std::optional<std::size_t> TableSchema::find(std::string_view column_name) const {
  const auto at = std::find_if(columns.begin(), columns.end(),
                               [&](const Column& column) { return column.name == column_name; });
  if (at == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(at - columns.begin());
}

}  // namespace nilo
