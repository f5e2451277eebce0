// tables/duckdb_library.h: DuckDB's C functions, found at run time.
//
// The library is 70 MB and its start costs 20 ms and 33 MiB, so it is opened when SQL is first
// asked for. This is the only file that includes duckdb.h; it is included by tables/duckdb_*.cc.
// Source: DuckDB C API 1.4 (the header's version), unchanged in 1.5.
#pragma once

#include <duckdb.h>

#include <string>

#include "base/result.h"

// The functions we use, without "duckdb_".
#define NILO_DUCKDB_FUNCTIONS(X)                 \
  X(array_type_array_size)                       \
  X(array_type_child_type)                       \
  X(array_vector_get_child)                      \
  X(bind_add_result_column)                      \
  X(bind_boolean)                                \
  X(bind_double)                                 \
  X(bind_get_extra_info)                         \
  X(bind_get_parameter)                          \
  X(bind_int64)                                  \
  X(bind_null)                                   \
  X(bind_parameter_index)                        \
  X(bind_set_bind_data)                          \
  X(bind_set_cardinality)                        \
  X(bind_set_error)                              \
  X(bind_timestamp)                              \
  X(bind_varchar_length)                         \
  X(close)                                       \
  X(column_count)                                \
  X(column_logical_type)                         \
  X(column_name)                                 \
  X(connect)                                     \
  X(create_config)                               \
  X(create_data_chunk)                           \
  X(create_date)                                 \
  X(create_decimal)                              \
  X(create_hugeint)                              \
  X(create_interval)                             \
  X(create_logical_type)                         \
  X(create_table_function)                       \
  X(create_time)                                 \
  X(data_chunk_get_size)                         \
  X(data_chunk_get_vector)                       \
  X(data_chunk_set_size)                         \
  X(decimal_internal_type)                       \
  X(decimal_scale)                               \
  X(decimal_width)                               \
  X(destroy_config)                              \
  X(destroy_data_chunk)                          \
  X(destroy_extracted)                           \
  X(destroy_logical_type)                        \
  X(destroy_pending)                             \
  X(destroy_prepare)                             \
  X(destroy_result)                              \
  X(destroy_table_function)                      \
  X(destroy_value)                               \
  X(disconnect)                                  \
  X(enum_dictionary_value)                       \
  X(enum_internal_type)                          \
  X(execute_pending)                             \
  X(extract_statements)                          \
  X(extract_statements_error)                    \
  X(fetch_chunk)                                 \
  X(free)                                        \
  X(function_get_bind_data)                      \
  X(function_get_init_data)                      \
  X(function_set_error)                          \
  X(get_type_id)                                 \
  X(get_varchar)                                 \
  X(init_get_bind_data)                          \
  X(init_get_column_count)                       \
  X(init_get_column_index)                       \
  X(init_set_error)                              \
  X(init_set_init_data)                          \
  X(init_set_max_threads)                        \
  X(interrupt)                                   \
  X(is_null_value)                               \
  X(library_version)                             \
  X(list_type_child_type)                        \
  X(list_vector_get_child)                       \
  X(logical_type_get_alias)                      \
  X(map_type_key_type)                           \
  X(map_type_value_type)                         \
  X(nparams)                                     \
  X(open_ext)                                    \
  X(parameter_name)                              \
  X(pending_error)                               \
  X(pending_prepared_streaming)                  \
  X(prepare_error)                               \
  X(prepare_extracted_statement)                 \
  X(prepared_statement_type)                     \
  X(query)                                       \
  X(register_table_function)                     \
  X(result_error)                                \
  X(set_config)                                  \
  X(struct_type_child_count)                     \
  X(struct_type_child_name)                      \
  X(struct_type_child_type)                      \
  X(struct_vector_get_child)                     \
  X(table_function_add_parameter)                \
  X(table_function_set_bind)                     \
  X(table_function_set_extra_info)               \
  X(table_function_set_function)                 \
  X(table_function_set_init)                     \
  X(table_function_set_name)                     \
  X(table_function_supports_projection_pushdown) \
  X(vector_assign_string_element_len)            \
  X(vector_ensure_validity_writable)             \
  X(vector_get_data)                             \
  X(vector_get_validity)                         \
  X(validity_row_is_valid)                       \
  X(validity_set_row_invalid)

namespace nilo::tables {

struct DuckDb {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a member cannot be declared in parentheses
#define NILO_DUCKDB_POINTER(name) decltype(&::duckdb_##name) name = nullptr;
  NILO_DUCKDB_FUNCTIONS(NILO_DUCKDB_POINTER)
#undef NILO_DUCKDB_POINTER

  // The first call opens the library for the life of the process (it keeps thread-local state);
  // later ones give the same, whatever `path`. Any thread.
  // unavailable: no such file, or a function is missing in it.
  static Result<const DuckDb*> load(const std::string& path);
  // What load() gave, for DuckDB's calls into us, which carry nothing to find it by. Asserted.
  static const DuckDb& loaded();
};

// Owns one of the C API's handles: `destroy` is a member of DuckDb.
template <typename Handle>
class DuckDbOwned {
 public:
  using Destroy = void (*)(Handle*);
  explicit DuckDbOwned(Destroy destroy, Handle handle = {}) : destroy_(destroy), handle_(handle) {}
  ~DuckDbOwned() { destroy_(&handle_); }
  DuckDbOwned(const DuckDbOwned&) = delete;
  DuckDbOwned& operator=(const DuckDbOwned&) = delete;

  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Destroy destroy_;
  Handle handle_;
};

// Copies a text the C API gave away.
std::string take_text(const DuckDb& duck, char* text);

}  // namespace nilo::tables
