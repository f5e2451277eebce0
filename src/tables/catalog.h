// tables/catalog.h: the numbers of tables and columns on disk.
//
// Rows name their table and columns by number. A number stays with its name for ever, whatever
// becomes of the stack, so that old rows stay readable; numbers count 1, 2, 3, ... for tables, and
// for the columns of each table. The log tells them (effect `catalog`); the keyed state has a copy
// for when the log has been trimmed.
//
// Threads: none of its own; guarded by its owner.
// Limits:  kCatalogNumberMax tables, and columns of a table, over all time.
// Format:  docs/formats/catalog.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace nilo::tables {

inline constexpr std::uint32_t kCatalogNumberMax = 65'535;

struct CatalogEntry {
  std::uint32_t table_id = 0;
  std::uint32_t column_id = 0;  // 0: the entry names the table
  std::string name;
};

// The body of effect `catalog`, and its value in the keyed state.
void append_catalog_entry(std::string& out, const CatalogEntry& entry);
// corrupt: not such bytes, or a number out of range.
Result<CatalogEntry> parse_catalog_entry(std::string_view body);

class Catalog {
 public:
  // True: it was new. corrupt: the number or the name is taken by another.
  Result<bool> add(const CatalogEntry& entry);

  // 0: none yet. `table_id` 0 means tables, otherwise columns of that table.
  std::uint32_t find(std::uint32_t table_id, std::string_view name) const;

  // The number of a name that has none: the next one. Adds it. Asserted: kCatalogNumberMax.
  CatalogEntry give(std::uint32_t table_id, std::string_view name);

 private:
  struct Names {
    std::unordered_map<std::string, std::uint32_t> numbers;
    std::vector<bool> taken;  // by number
  };
  Names& names_of(std::uint32_t table_id);

  std::vector<Names> names_ = std::vector<Names>(1);  // [0]: tables; [id]: columns of table id
};

}  // namespace nilo::tables
