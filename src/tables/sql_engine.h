// tables/sql_engine.h: one statement, run by DuckDB. What sql.cc knows of it.
//
// Threads: open() and connect(): any. A session: run() on one thread at a time; interrupt(): any.
#pragma once

#include <memory>

#include "base/result.h"
#include "tables/sql.h"

namespace nilo::tables {

class SqlSession {
 public:
  virtual ~SqlSession() = default;
  // Errors as Sql::query says; an interrupted statement is deadline_exceeded. internal: the engine
  // is broken and must be made anew.
  virtual Result<Answer> run(const SqlRequest& request) = 0;
  // Ends the running statement soon. DuckDB forgets it when it comes between planning and
  // execution, so say it again until run() returns.
  virtual void interrupt() = 0;
};

class SqlEngine {
 public:
  // `tables` must outlive the engine.
  static Result<std::unique_ptr<SqlEngine>> open(const Tables& tables, const SqlOptions& options,
                                                 Logger& logger);
  virtual ~SqlEngine() = default;
  // The engine must outlive the session.
  virtual Result<std::unique_ptr<SqlSession>> connect() = 0;
};

}  // namespace nilo::tables
