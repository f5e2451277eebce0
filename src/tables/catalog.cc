#include "tables/catalog.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"

namespace nilo::tables {

namespace {
constexpr std::size_t kShownSizeMax = 80;
}

void append_catalog_entry(std::string& out, const CatalogEntry& entry) {
  put_varint(out, entry.table_id);
  put_varint(out, entry.column_id);
  put_bytes(out, entry.name);
}

Result<CatalogEntry> parse_catalog_entry(std::string_view body) {
  ByteReader in(body);
  const std::uint64_t table_id = in.varint();
  const std::uint64_t column_id = in.varint();
  const std::string_view name = in.bytes();
  const bool sound = in.ok() && in.at_end() && table_id > 0 && table_id <= kCatalogNumberMax &&
                     column_id <= kCatalogNumberMax && !name.empty();
  if (!sound) return Error{ErrorCode::corrupt, "damaged catalog entry"};
  return CatalogEntry{static_cast<std::uint32_t>(table_id), static_cast<std::uint32_t>(column_id),
                      std::string(name)};
}

Catalog::Names& Catalog::names_of(std::uint32_t table_id) {
  if (names_.size() <= table_id) names_.resize(table_id + 1);
  return names_[table_id];
}

Result<bool> Catalog::add(const CatalogEntry& entry) {
  const bool is_table = entry.column_id == 0;
  const std::uint32_t number = is_table ? entry.table_id : entry.column_id;
  Names& names = names_of(is_table ? 0 : entry.table_id);
  const bool is_taken = number < names.taken.size() && names.taken[number];
  const auto at = names.numbers.find(entry.name);
  if (is_taken && at != names.numbers.end() && at->second == number) return false;
  if (is_taken || at != names.numbers.end()) {
    return Error{ErrorCode::corrupt,
                 fmt::format("the catalog has two meanings for `{}`, number {} of {}",
                             printable(entry.name, kShownSizeMax), number,
                             is_table ? "the tables"
                                      : fmt::format("the columns of table {}", entry.table_id)),
                 "this log and this state do not belong together"};
  }
  if (names.taken.size() <= number) names.taken.resize(number + 1);
  names.taken[number] = true;
  names.numbers.emplace(entry.name, number);
  return true;
}

std::uint32_t Catalog::find(std::uint32_t table_id, std::string_view name) const {
  if (table_id >= names_.size()) return 0;
  const auto& numbers = names_[table_id].numbers;
  const auto at = numbers.find(std::string(name));
  return at == numbers.end() ? 0 : at->second;
}

CatalogEntry Catalog::give(std::uint32_t table_id, std::string_view name) {
  const auto next = static_cast<std::uint32_t>(
      std::max<std::size_t>(1, names_of(table_id).taken.size()));  // numbers are never given twice
  NILO_ASSERT(next <= kCatalogNumberMax);
  CatalogEntry entry{table_id == 0 ? next : table_id, table_id == 0 ? 0 : next, std::string(name)};
  const auto added = add(entry);
  NILO_ASSERT(added && *added);
  return entry;
}

}  // namespace nilo::tables
