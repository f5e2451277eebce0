// Statements are kept from doing harm in four ways, each enough for most:
//   1. only statements of a reading kind are run (SELECT, EXPLAIN and what DuckDB turns into them);
//   2. they run in a read-only transaction, which also binds what EXPLAIN ANALYZE executes;
//   3. no files, no network, no extensions, and the configuration is locked;
//   4. each has a connection of its own, so that nothing of one is seen by the next.
#include <fmt/format.h>

#include <array>
#include <optional>

#include "tables/duckdb_library.h"
#include "tables/duckdb_result.h"
#include "tables/duckdb_scan.h"
#include "tables/sql_engine.h"

namespace nilo::tables {

namespace {

constexpr std::size_t kSqlSizeMax = std::size_t{64} * 1024;

Error not_reading(std::string_view why) {
  return {ErrorCode::permission_denied, fmt::format("SQL here only reads: {}", why),
          "publish a message to change a table"};
}

// DuckDB's messages begin with their kind: "Parser Error: syntax error at ...".
Error error_of(std::string_view message) {
  struct Kind {
    std::string_view prefix;
    ErrorCode code;
  };
  static constexpr std::array kKinds{
      Kind{"INTERRUPT Error", ErrorCode::deadline_exceeded},
      Kind{"Out of Memory Error", ErrorCode::resource_exhausted},
      Kind{"Permission Error", ErrorCode::permission_denied},
      Kind{"Not implemented Error", ErrorCode::unsupported},
      Kind{"INTERNAL Error", ErrorCode::internal},
      Kind{"FATAL Error", ErrorCode::internal},
      Kind{"TransactionContext Error", ErrorCode::permission_denied},
  };
  for (const Kind& kind : kKinds) {
    if (!message.starts_with(kind.prefix)) continue;
    if (kind.code != ErrorCode::resource_exhausted) return {kind.code, std::string(message)};
    // The lines that follow advise to change settings of DuckDB.
    return {kind.code, std::string(message.substr(0, message.find('\n'))),
            "ask for fewer rows or groups at once; `memory` in [sql] sets the limit"};
  }
  return {ErrorCode::invalid_argument, std::string(message)};
}

Error error_of(const char* message) {
  return error_of(std::string_view(message == nullptr ? "no reason given" : message));
}

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const DuckDb& duck, duckdb_database database) {
    auto out = std::make_unique<Connection>(duck);
    if (duck.connect(database, out->handle_.out()) == DuckDBSuccess) return out;
    return Error{ErrorCode::resource_exhausted, "DuckDB refused a connection"};
  }
  explicit Connection(const DuckDb& duck) : duck_(duck), handle_(duck.disconnect) {}

  duckdb_connection get() const { return handle_.get(); }

  // For statements of our own.
  Result<void> run(const std::string& sql) {
    DuckDbOwned<duckdb_result> result(duck_.destroy_result);
    if (duck_.query(get(), sql.c_str(), result.out()) == DuckDBSuccess) return {};
    return error_of(duck_.result_error(result.out()));
  }

 private:
  const DuckDb& duck_;
  DuckDbOwned<duckdb_connection> handle_;
};

class DuckDbSession final : public SqlSession {
 public:
  DuckDbSession(const DuckDb& duck, std::unique_ptr<Connection> connection, std::size_t row_max)
      : duck_(duck), connection_(std::move(connection)), row_max_(row_max) {}

  Result<Answer> run(const SqlRequest& request) override;
  void interrupt() override { duck_.interrupt(connection_->get()); }

 private:
  using Statement = DuckDbOwned<duckdb_prepared_statement>;

  Result<void> prepare(const std::string& sql, Statement& statement);
  Result<void> bind(const SqlRequest& request, duckdb_prepared_statement statement);
  Result<void> bind_one(const SqlParameter& parameter, duckdb_prepared_statement statement);
  Result<Answer> fetch(duckdb_prepared_statement statement);

  const DuckDb& duck_;
  const std::unique_ptr<Connection> connection_;
  const std::size_t row_max_;
};

Result<Answer> DuckDbSession::run(const SqlRequest& request) {
  if (request.sql.size() > kSqlSizeMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("the statement has {} bytes", request.sql.size()),
                 fmt::format("at most {}", kSqlSizeMax)};
  }
  if (request.sql.find('\0') != std::string::npos) {
    return Error{ErrorCode::invalid_argument, "the statement contains a zero byte"};
  }
  TRY(connection_->run("BEGIN TRANSACTION READ ONLY"));
  Statement statement(duck_.destroy_prepare);
  TRY(prepare(request.sql, statement));
  TRY(bind(request, statement.get()));
  return fetch(statement.get());
}

Result<void> DuckDbSession::prepare(const std::string& sql, Statement& statement) {
  DuckDbOwned<duckdb_extracted_statements> extracted(duck_.destroy_extracted);
  const idx_t count = duck_.extract_statements(connection_->get(), sql.c_str(), extracted.out());
  if (count == 0) {
    const char* message = duck_.extract_statements_error(extracted.get());
    if (message != nullptr) return error_of(message);
    return Error{ErrorCode::invalid_argument, "there is no statement"};
  }
  if (count > 1) {
    return Error{ErrorCode::invalid_argument, fmt::format("there are {} statements", count),
                 "one statement a request"};
  }
  const bool is_prepared = duck_.prepare_extracted_statement(connection_->get(), extracted.get(), 0,
                                                             statement.out()) == DuckDBSuccess;
  if (!is_prepared) return error_of(duck_.prepare_error(statement.get()));
  switch (duck_.prepared_statement_type(statement.get())) {
    case DUCKDB_STATEMENT_TYPE_SELECT:
    case DUCKDB_STATEMENT_TYPE_EXPLAIN:
      return {};
    default:
      return not_reading("SELECT, WITH, EXPLAIN, DESCRIBE, SHOW and SUMMARIZE");
  }
}

Result<void> DuckDbSession::bind(const SqlRequest& request, duckdb_prepared_statement statement) {
  for (const SqlParameter& parameter : request.parameters) TRY(bind_one(parameter, statement));
  for (idx_t i = 1; i <= duck_.nparams(statement); ++i) {
    const char* given = duck_.parameter_name(statement, i);
    const std::string name = given == nullptr ? "" : given;
    duck_.free(const_cast<char*>(given));
    const auto is_it = [&](const SqlParameter& parameter) { return parameter.name == name; };
    const auto& parameters = request.parameters;
    if (std::none_of(parameters.begin(), parameters.end(), is_it)) {
      return Error{ErrorCode::invalid_argument, fmt::format("parameter ${} has no value", name),
                   "give it in `params`"};
    }
  }
  return {};
}

Result<void> DuckDbSession::bind_one(const SqlParameter& parameter,
                                     duckdb_prepared_statement statement) {
  idx_t index = 0;
  if (duck_.bind_parameter_index(statement, &index, parameter.name.c_str()) != DuckDBSuccess) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the statement has no parameter ${}", parameter.name)};
  }
  const auto state = [&] {
    switch (parameter.type) {
      case Type::null:
        return duck_.bind_null(statement, index);
      case Type::int64:
        return duck_.bind_int64(statement, index, parameter.number);
      case Type::boolean:
        return duck_.bind_boolean(statement, index, parameter.number != 0);
      case Type::timestamp:
        return duck_.bind_timestamp(statement, index, {parameter.number});
      case Type::float64:
        return duck_.bind_double(statement, index, parameter.float64);
      case Type::text:
      case Type::json:
        return duck_.bind_varchar_length(statement, index, parameter.text.data(),
                                         parameter.text.size());
    }
    return DuckDBError;
  }();
  if (state == DuckDBSuccess) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("parameter ${} is not a value DuckDB takes", parameter.name)};
}

// Rows are taken as they come, so that a statement that gives too many ends early.
Result<Answer> DuckDbSession::fetch(duckdb_prepared_statement statement) {
  DuckDbOwned<duckdb_pending_result> pending(duck_.destroy_pending);
  if (duck_.pending_prepared_streaming(statement, pending.out()) != DuckDBSuccess) {
    return error_of(duck_.pending_error(pending.get()));
  }
  DuckDbOwned<duckdb_result> result(duck_.destroy_result);
  if (duck_.execute_pending(pending.get(), result.out()) != DuckDBSuccess) {
    return error_of(duck_.result_error(result.out()));
  }
  Answer answer(TRY(columns_of(duck_, *result.out())));
  while (true) {
    const DuckDbOwned<duckdb_data_chunk> chunk(duck_.destroy_data_chunk,
                                               duck_.fetch_chunk(*result.out()));
    if (chunk.get() == nullptr) break;
    if (duck_.data_chunk_get_size(chunk.get()) + answer.row_count() > row_max_) {
      return Error{ErrorCode::too_large, fmt::format("the answer has more than {} rows", row_max_),
                   "add a LIMIT, or aggregate"};
    }
    add_chunk(duck_, *result.out(), chunk.get(), answer);
    if (answer.size() > kAnswerSizeMax) {
      return Error{ErrorCode::too_large,
                   fmt::format("the answer has more than {} MiB", kAnswerSizeMax / (1024 * 1024)),
                   "ask for fewer rows or columns"};
    }
  }
  if (const char* message = duck_.result_error(result.out())) return error_of(message);
  return answer;
}

class DuckDbEngine final : public SqlEngine {
 public:
  DuckDbEngine(const DuckDb& duck, std::size_t row_max)
      : duck_(duck), row_max_(row_max), database_(duck.close) {}

  Result<void> start(const Tables& tables, const SqlOptions& options);
  Result<std::unique_ptr<SqlSession>> connect() override {
    auto connection = TRY(Connection::open(duck_, database_.get()));
    return std::unique_ptr<SqlSession>(
        std::make_unique<DuckDbSession>(duck_, std::move(connection), row_max_));
  }

 private:
  Result<void> open_database(const SqlOptions& options);

  const DuckDb& duck_;
  const std::size_t row_max_;
  DuckDbOwned<duckdb_database> database_;
};

Result<void> DuckDbEngine::open_database(const SqlOptions& options) {
  DuckDbOwned<duckdb_config> config(duck_.destroy_config);
  if (duck_.create_config(config.out()) != DuckDBSuccess) {
    return Error{ErrorCode::resource_exhausted, "DuckDB made no configuration"};
  }
  const std::string memory = fmt::format("{}B", options.memory_max);
  const std::pair<const char*, const char*> settings[] = {
      {"memory_limit", memory.c_str()},
      {"threads", "1"},  // a statement runs on its pool thread
      {"temp_directory", ""},
      {"enable_external_access", "false"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
  };
  for (const auto& [name, value] : settings) {
    if (duck_.set_config(config.get(), name, value) != DuckDBSuccess) {
      return Error{ErrorCode::unavailable, fmt::format("DuckDB has no setting {}", name)};
    }
  }
  char* message = nullptr;
  const auto state = duck_.open_ext(":memory:", database_.out(), config.get(), &message);
  const std::string reason = take_text(duck_, message);
  if (state != DuckDBSuccess) {
    return Error{ErrorCode::unavailable, fmt::format("DuckDB did not start: {}", reason)};
  }
  return {};
}

Result<void> DuckDbEngine::start(const Tables& tables, const SqlOptions& options) {
  TRY(open_database(options));
  auto connection = TRY(Connection::open(duck_, database_.get()));
  if (!register_scans(duck_, connection->get(), tables)) {
    return Error{ErrorCode::internal, "DuckDB refused our table functions"};
  }
  for (const TableInfo& table : tables.list()) {
    TRY(connection->run(fmt::format("CREATE VIEW {} AS FROM nilo_rows({})",
                                    quoted(table.schema->name, '"'),
                                    quoted(table.schema->name, '\''))));
  }
  return connection->run("SET lock_configuration = true");
}

}  // namespace

Result<std::unique_ptr<SqlEngine>> SqlEngine::open(const Tables& tables, const SqlOptions& options,
                                                   Logger& logger) {
  const DuckDb* duck = TRY(DuckDb::load(options.library));
  auto engine = std::make_unique<DuckDbEngine>(*duck, options.row_max);
  TRY(engine->start(tables, options));
  logger.info("sql.started", {{"duckdb", duck->library_version()}});
  return std::unique_ptr<SqlEngine>(std::move(engine));
}

}  // namespace nilo::tables
