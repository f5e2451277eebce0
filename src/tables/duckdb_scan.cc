#include "tables/duckdb_scan.h"

#include <fmt/format.h>

#include <cstring>
#include <exception>
#include <memory>
#include <vector>

#include "tables/scan.h"

namespace nilo::tables {

namespace {

constexpr std::size_t kInlineSizeMax = 12;  // of duckdb_string_t

using OpenScan = std::unique_ptr<Scan> (Tables::*)(std::string_view table) const;

struct BindData {
  const Tables& tables;
  OpenScan open;
  std::string table;
};

struct ScanData {
  std::unique_ptr<Scan> scan;
  std::vector<std::size_t> columns;  // what each column of the output is
};

template <typename T>
void delete_as(void* object) {
  delete static_cast<T*>(object);
}

// Our exceptions (out of memory) must not pass through DuckDB's frames.
template <typename Info, typename SetError, typename F>
void guarded(Info info, SetError set_error, F&& f) {
  try {
    f();
  } catch (const std::exception& failure) {
    set_error(info, failure.what());
  }
}

duckdb_type duckdb_type_of(Type type) {
  switch (type) {
    case Type::int64:
      return DUCKDB_TYPE_BIGINT;
    case Type::float64:
      return DUCKDB_TYPE_DOUBLE;
    case Type::boolean:
      return DUCKDB_TYPE_BOOLEAN;
    case Type::timestamp:
      return DUCKDB_TYPE_TIMESTAMP;
    default:
      return DUCKDB_TYPE_VARCHAR;
  }
}

std::size_t width_of(Type type) { return type == Type::boolean ? 1 : 8; }

void add_column(const DuckDb& duck, duckdb_bind_info info, std::string_view name, Type type) {
  const DuckDbOwned<duckdb_logical_type> logical(duck.destroy_logical_type,
                                                 duck.create_logical_type(duckdb_type_of(type)));
  duck.bind_add_result_column(info, std::string(name).c_str(), logical.get());
}

template <OpenScan kOpen>
void bind(duckdb_bind_info info) {
  const DuckDb& duck = DuckDb::loaded();
  guarded(info, duck.bind_set_error, [&] {
    const auto& tables = *static_cast<const Tables*>(duck.bind_get_extra_info(info));
    const DuckDbOwned<duckdb_value> parameter(duck.destroy_value, duck.bind_get_parameter(info, 0));
    // DuckDB calls get_varchar() of a NULL an internal error.
    const std::string name = duck.is_null_value(parameter.get())
                                 ? "NULL"
                                 : take_text(duck, duck.get_varchar(parameter.get()));
    const auto scan = (tables.*kOpen)(name);
    if (scan == nullptr) {
      duck.bind_set_error(info, fmt::format("there is no table `{}`", name).c_str());
      return;
    }
    for (const Column& column : scan->schema().columns) {
      add_column(duck, info, column.name, column.type);
    }
    add_column(duck, info, kReceivedColumn, Type::timestamp);
    duck.bind_set_cardinality(info, scan->row_count(), false);
    duck.bind_set_bind_data(info, new BindData{tables, kOpen, name}, delete_as<BindData>);
  });
}

void init(duckdb_init_info info) {
  const DuckDb& duck = DuckDb::loaded();
  guarded(info, duck.init_set_error, [&] {
    const auto& bound = *static_cast<const BindData*>(duck.init_get_bind_data(info));
    auto data = std::make_unique<ScanData>();
    data->scan = (bound.tables.*bound.open)(bound.table);
    for (idx_t i = 0; i < duck.init_get_column_count(info); ++i) {
      data->columns.push_back(duck.init_get_column_index(info, i));
    }
    duck.init_set_max_threads(info, 1);
    duck.init_set_init_data(info, data.release(), delete_as<ScanData>);
  });
}

void put_texts(const DuckDb& duck, const TextCell* cells, std::size_t count, duckdb_vector out) {
  auto* strings = static_cast<duckdb_string_t*>(duck.vector_get_data(out));
  for (std::size_t row = 0; row < count; ++row) {
    const TextCell& cell = cells[row];
    if (cell.size > kInlineSizeMax) {
      duck.vector_assign_string_element_len(out, row, cell.data, cell.size);
      continue;
    }
    duckdb_string_t text{};
    text.value.inlined.length = cell.size;
    std::memcpy(text.value.inlined.inlined, cell.data, cell.size);
    strings[row] = text;
  }
}

void put_validity(const DuckDb& duck, const std::uint8_t* valid, std::size_t count,
                  duckdb_vector out) {
  if (std::memchr(valid, 0, count) == nullptr) return;
  duck.vector_ensure_validity_writable(out);
  std::uint64_t* mask = duck.vector_get_validity(out);
  for (std::size_t row = 0; row < count; ++row) {
    if (valid[row] == 0) duck.validity_set_row_invalid(mask, row);
  }
}

void put_column(const DuckDb& duck, const Scan& scan, std::size_t number, std::size_t count,
                duckdb_vector out) {
  const auto& columns = scan.schema().columns;
  // count(*) asks for a column that is none: only the number of rows matters.
  if (number > columns.size()) return;
  const Type type = number == columns.size() ? Type::timestamp : columns[number].type;
  const BlockColumn column = scan.column(number);
  if (type == Type::text || type == Type::json) {
    put_texts(duck, static_cast<const TextCell*>(column.values), count, out);
  } else {
    std::memcpy(duck.vector_get_data(out), column.values, count * width_of(type));
  }
  put_validity(duck, column.valid, count, out);
}

void scan_next(duckdb_function_info info, duckdb_data_chunk out) {
  const DuckDb& duck = DuckDb::loaded();
  guarded(info, duck.function_set_error, [&] {
    const auto& data = *static_cast<const ScanData*>(duck.function_get_init_data(info));
    const std::size_t count = data.scan->next();
    for (std::size_t i = 0; count > 0 && i < data.columns.size(); ++i) {
      put_column(duck, *data.scan, data.columns[i], count, duck.data_chunk_get_vector(out, i));
    }
    duck.data_chunk_set_size(out, count);
  });
}

bool register_scan(const DuckDb& duck, duckdb_connection connection, const Tables& tables,
                   const char* name, duckdb_table_function_bind_t bind_function) {
  const DuckDbOwned<duckdb_table_function> function(duck.destroy_table_function,
                                                    duck.create_table_function());
  const DuckDbOwned<duckdb_logical_type> text(duck.destroy_logical_type,
                                              duck.create_logical_type(DUCKDB_TYPE_VARCHAR));
  duck.table_function_set_name(function.get(), name);
  duck.table_function_add_parameter(function.get(), text.get());
  // DuckDB hands the pointer back as it is; bind() makes it const again.
  duck.table_function_set_extra_info(function.get(), const_cast<Tables*>(&tables), nullptr);
  duck.table_function_set_bind(function.get(), bind_function);
  duck.table_function_set_init(function.get(), init);
  duck.table_function_set_function(function.get(), scan_next);
  duck.table_function_supports_projection_pushdown(function.get(), true);
  return duck.register_table_function(connection, function.get()) == DuckDBSuccess;
}

}  // namespace

bool register_scans(const DuckDb& duck, duckdb_connection connection, const Tables& tables) {
  return register_scan(duck, connection, tables, "nilo_rows", bind<&Tables::scan>) &&
         register_scan(duck, connection, tables, "latest", bind<&Tables::scan_latest>);
}

}  // namespace nilo::tables
