// value/schema.h: what a table looks like.
//
// A table has a key: one or more partition columns, then usually a time (timestamp) as sort key.
// With a sort key every reading is kept; without one each new row replaces the last of its key.
// Every table also has the column `received` (timestamp, the server's clock), which is not listed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "value/value.h"

namespace nilo {

inline constexpr std::size_t kColumnsMax = 100;
inline constexpr std::string_view kReceivedColumn = "received";

// How a number turns into a timestamp.
enum class TimeUnit : std::uint8_t { us, ms, s };

constexpr std::int64_t us_per(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::us:
      return 1;
    case TimeUnit::ms:
      return 1'000;
    case TimeUnit::s:
      return 1'000'000;
  }
  return 1;
}

struct Column {
  std::string name{};
  Type type = Type::float64;
  std::string unit{};                 // for people: "cm", "%"
  TimeUnit time_unit = TimeUnit::ms;  // for timestamps given as numbers
  std::optional<double> min{};
  std::optional<double> max{};
  std::vector<double> invalid{};  // readings that are none, such as 0 for an echo time-out
  int decimals = -1;              // derived columns: rounded to this many; -1 = as computed
  std::string derived_sql{};      // empty = stored; otherwise computed from the stored columns
  bool is_derived() const { return !derived_sql.empty(); }
};

struct TableSchema {
  std::string name;
  // Stored columns first: partition columns, then the sort key if any, then the others; derived
  // columns last. Positions in this vector are "column numbers" everywhere in the program.
  std::vector<Column> columns;
  std::size_t partition_count = 1;
  bool has_sort_key = false;
  bool is_private = false;  // the program's own: not listed, and no SQL sees it
  std::string thing;        // template "tank-{device_id}", or empty

  std::size_t sort_column() const { return partition_count; }  // only if has_sort_key
  std::size_t stored_count() const;
  std::optional<std::size_t> find(std::string_view column_name) const;
};

}  // namespace nilo
