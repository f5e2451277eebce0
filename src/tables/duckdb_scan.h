// tables/duckdb_scan.h: our tables as DuckDB table functions.
//
// nilo_rows('t') gives every row, latest('t') the latest of each key; both read only the columns
// a statement needs. DuckDB's C API has no filter pushdown: a WHERE is evaluated behind the scan.
// Threads: as DuckDB calls them; each scan is one thread's at a time.
#pragma once

#include "tables/duckdb_library.h"
#include "tables/tables.h"

namespace nilo::tables {

// False: the connection refused. `tables` must outlive the database.
bool register_scans(const DuckDb& duck, duckdb_connection connection, const Tables& tables);

}  // namespace nilo::tables
