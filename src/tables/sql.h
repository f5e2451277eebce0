// tables/sql.h: questions in SQL (DuckDB's dialect, close to PostgreSQL), answered read-only.
//
// Every table is a view of its name: its columns and `received`. latest('t') is a table function:
// the latest row of each key. Times are TIMESTAMP in UTC; json columns are text.
//
// In/out:  SqlRequest -> Answer, on a small pool of its own.
// Threads: query() from any thread; the callback runs on a pool thread, or on the caller's when
//          the request is refused at once.
// Limits:  SqlOptions; reaching one is an error that names it, never a shortened answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "tables/answer.h"
#include "tables/tables.h"

namespace nilo::tables {

// A Value that owns its text.
struct SqlParameter {
  std::string name;  // without "$"
  Type type = Type::null;
  std::int64_t number = 0;  // int64, timestamp, boolean
  double float64 = 0;
  std::string text{};  // text, json

  static SqlParameter of(std::string_view name, const Value& value);
};

struct SqlRequest {
  std::string sql;
  std::vector<SqlParameter> parameters{};  // for $name in the statement; all must be used
};

struct SqlOptions {
  std::string library{};  // path of libduckdb.so
  std::size_t memory_max = std::size_t{256} * 1024 * 1024;
  std::int64_t time_max_us = 10'000'000;  // waiting in the queue does not count
  std::size_t row_max = 100'000;
  std::size_t thread_count = 2;
  std::size_t queue_max = 64;  // requests waiting; more are refused
};

class Sql {
 public:
  using Done = std::function<void(Result<Answer>)>;

  // Loads nothing yet: the library is opened by the first query. `tables` and `logger` outlive
  // this; tables must be declared before the first query.
  static std::unique_ptr<Sql> make(const Tables& tables, SqlOptions options, Logger& logger);
  // Interrupts what runs; what waits is answered `unavailable`.
  virtual ~Sql() = default;

  // Calls `done` exactly once.
  // invalid_argument: not SQL (with DuckDB's words and place), no such table, a missing or unknown
  // parameter, two statements; permission_denied: a statement that would write, or touch files or
  // settings; deadline_exceeded; too_large: more than row_max rows or kAnswerSizeMax bytes;
  // resource_exhausted: memory_max, or the queue is full; unavailable: the library cannot be
  // loaded, or the server stops.
  virtual void query(SqlRequest request, Done done) = 0;
};

}  // namespace nilo::tables
