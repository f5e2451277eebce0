// tables/head_scan.h: scans over what a table has in memory.
#pragma once

#include <memory>

#include "tables/scan.h"
#include "tables/table.h"

namespace nilo::tables {

// Every reading that is there now; the latest rows if the table has no sort key.
std::unique_ptr<Scan> scan_of(const Table& table);
// The latest row of each key.
std::unique_ptr<Scan> scan_latest_of(const Table& table);

}  // namespace nilo::tables
