#include "tables/duckdb_result.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace nilo::tables {

namespace {

using OwnedType = DuckDbOwned<duckdb_logical_type>;

// The word of a type in answers; nullopt: not supported.
std::optional<std::string> word_of_type(const DuckDb& duck, duckdb_logical_type type) {
  switch (duck.get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN:
      return "bool";
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
      return "int";
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
      return "double";
    case DUCKDB_TYPE_DECIMAL:
      return fmt::format("decimal({},{})", duck.decimal_width(type), duck.decimal_scale(type));
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "timestamp";
    case DUCKDB_TYPE_DATE:
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_INTERVAL:
    case DUCKDB_TYPE_ENUM:
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_SQLNULL:
      return "text";
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_MAP:
      return "json";
    default:
      return std::nullopt;
  }
}

// What a type is made of, in order: element; members; key and value.
std::vector<duckdb_logical_type> children_of(const DuckDb& duck, duckdb_logical_type type) {
  std::vector<duckdb_logical_type> out;
  switch (duck.get_type_id(type)) {
    case DUCKDB_TYPE_LIST:
      out = {duck.list_type_child_type(type)};
      break;
    case DUCKDB_TYPE_ARRAY:
      out = {duck.array_type_child_type(type)};
      break;
    case DUCKDB_TYPE_MAP:
      out = {duck.map_type_key_type(type), duck.map_type_value_type(type)};
      break;
    case DUCKDB_TYPE_STRUCT:
      for (idx_t i = 0; i < duck.struct_type_child_count(type); ++i) {
        out.push_back(duck.struct_type_child_type(type, i));
      }
      break;
    default:
      break;
  }
  return out;
}

bool is_supported(const DuckDb& duck, duckdb_logical_type type) {
  bool all = word_of_type(duck, type).has_value();
  for (const duckdb_logical_type child : children_of(duck, type)) {
    const OwnedType owned(duck.destroy_logical_type, child);
    all = all && is_supported(duck, child);
  }
  return all;
}

// Reads the cells of one vector, and of the vectors in it.
class VectorReader {
 public:
  // Takes `type` over. `name`: of a member of a struct.
  VectorReader(const DuckDb& duck, duckdb_logical_type type, duckdb_vector vector,
               std::string name = {})
      : duck_(duck),
        type_(duck.destroy_logical_type, type),
        name_(std::move(name)),
        id_(duck.get_type_id(type)),
        data_(duck.vector_get_data(vector)),
        validity_(duck.vector_get_validity(vector)) {
    const auto children = children_of(duck, type);
    for (std::size_t i = 0; i < children.size(); ++i) add_child(vector, i, children[i]);
    if (id_ == DUCKDB_TYPE_ARRAY) array_size_ = duck.array_type_array_size(type);
  }

  // Text lives until the next call.
  Value cell(std::size_t row) {
    if (is_null(row)) return Value::null();
    switch (id_) {
      case DUCKDB_TYPE_BOOLEAN:
        return Value::boolean(at<bool>(row));
      case DUCKDB_TYPE_TINYINT:
        return Value::int64(at<std::int8_t>(row));
      case DUCKDB_TYPE_SMALLINT:
        return Value::int64(at<std::int16_t>(row));
      case DUCKDB_TYPE_INTEGER:
        return Value::int64(at<std::int32_t>(row));
      case DUCKDB_TYPE_BIGINT:
        return Value::int64(at<std::int64_t>(row));
      case DUCKDB_TYPE_UTINYINT:
        return Value::int64(at<std::uint8_t>(row));
      case DUCKDB_TYPE_USMALLINT:
        return Value::int64(at<std::uint16_t>(row));
      case DUCKDB_TYPE_UINTEGER:
        return Value::int64(at<std::uint32_t>(row));
      case DUCKDB_TYPE_UBIGINT:
        return whole({at<std::uint64_t>(row), 0});
      case DUCKDB_TYPE_HUGEINT:
        return whole(at<duckdb_hugeint>(row));
      case DUCKDB_TYPE_FLOAT:
        return Value::float64(shortest(at<float>(row)));
      case DUCKDB_TYPE_DOUBLE:
        return Value::float64(at<double>(row));
      default:
        return time_or_text(row);
    }
  }

  // The cell as JSON, for what lies in lists and structs.
  void append(std::string& out, std::size_t row) {
    const bool is_nested = !children_.empty() && !is_null(row);
    is_nested ? append_nested(out, row) : append_json(out, cell(row));
  }

 private:
  void add_child(duckdb_vector vector, std::size_t i, duckdb_logical_type type) {
    duckdb_vector child = nullptr;
    std::string name;
    if (id_ == DUCKDB_TYPE_STRUCT) {
      child = duck_.struct_vector_get_child(vector, i);
      name = take_text(duck_, duck_.struct_type_child_name(type_.get(), i));
    }
    if (id_ == DUCKDB_TYPE_LIST) child = duck_.list_vector_get_child(vector);
    if (id_ == DUCKDB_TYPE_ARRAY) child = duck_.array_vector_get_child(vector);
    if (id_ == DUCKDB_TYPE_MAP) {  // a list of structs of key and value
      child = duck_.struct_vector_get_child(duck_.list_vector_get_child(vector), i);
    }
    children_.push_back(std::make_unique<VectorReader>(duck_, type, child, std::move(name)));
  }

  template <typename T>
  const T& at(std::size_t row) const {
    return static_cast<const T*>(data_)[row];
  }
  bool is_null(std::size_t row) const {
    return validity_ != nullptr && !duck_.validity_row_is_valid(validity_, row);
  }

  Value time_or_text(std::size_t row) {
    constexpr std::int64_t kUsPerS = 1'000'000;
    constexpr std::int64_t kUsPerMs = 1'000;
    switch (id_) {
      case DUCKDB_TYPE_TIMESTAMP:
      case DUCKDB_TYPE_TIMESTAMP_TZ:
        return Value::timestamp(at<std::int64_t>(row));
      case DUCKDB_TYPE_TIMESTAMP_S:
        return scaled_time(at<std::int64_t>(row), kUsPerS);
      case DUCKDB_TYPE_TIMESTAMP_MS:
        return scaled_time(at<std::int64_t>(row), kUsPerMs);
      case DUCKDB_TYPE_TIMESTAMP_NS:
        return Value::timestamp(at<std::int64_t>(row) / kUsPerMs);
      case DUCKDB_TYPE_DATE:
        return Value::text(printed(duck_.create_date(at<duckdb_date>(row))));
      case DUCKDB_TYPE_TIME:
        return Value::text(printed(duck_.create_time(at<duckdb_time>(row))));
      case DUCKDB_TYPE_INTERVAL:
        return Value::text(printed(duck_.create_interval(at<duckdb_interval>(row))));
      case DUCKDB_TYPE_DECIMAL:
        return Value::json(printed(duck_.create_decimal(decimal(row))));
      case DUCKDB_TYPE_VARCHAR: {
        const auto& text = at<duckdb_string_t>(row).value;
        const char* bytes = text.inlined.length <= 12 ? text.inlined.inlined : text.pointer.ptr;
        return Value::text({bytes, text.inlined.length});
      }
      case DUCKDB_TYPE_ENUM:
        text_ = take_text(duck_, duck_.enum_dictionary_value(type_.get(), enum_number(row)));
        return Value::text(text_);
      default:
        break;
    }
    text_.clear();
    append_nested(text_, row);
    return Value::json(text_);
  }

  // DuckDB's infinite times are the ends of int64: no finite time, so null.
  static Value scaled_time(std::int64_t number, std::int64_t scale) {
    std::int64_t us = 0;
    return __builtin_mul_overflow(number, scale, &us) ? Value::null() : Value::timestamp(us);
  }

  std::string_view printed(duckdb_value value) {
    const DuckDbOwned<duckdb_value> owned(duck_.destroy_value, value);
    text_ = take_text(duck_, duck_.get_varchar(value));
    return text_;
  }

  Value whole(duckdb_hugeint number) {
    const bool fits = number.upper == (static_cast<std::int64_t>(number.lower) < 0 ? -1 : 0);
    if (fits) return Value::int64(static_cast<std::int64_t>(number.lower));
    return Value::json(printed(duck_.create_hugeint(number)));
  }

  // 0.1f is shown as 0.1, not as the double nearest to it.
  static double shortest(float number) {
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    double out = 0;
    std::from_chars(digits, end, out);
    return out;
  }

  duckdb_decimal decimal(std::size_t row) const {
    const auto small = [](std::int64_t number) {
      return duckdb_hugeint{static_cast<std::uint64_t>(number), number < 0 ? -1 : 0};
    };
    duckdb_decimal out{duck_.decimal_width(type_.get()), duck_.decimal_scale(type_.get()), {}};
    switch (duck_.decimal_internal_type(type_.get())) {
      case DUCKDB_TYPE_SMALLINT:
        out.value = small(at<std::int16_t>(row));
        break;
      case DUCKDB_TYPE_INTEGER:
        out.value = small(at<std::int32_t>(row));
        break;
      case DUCKDB_TYPE_BIGINT:
        out.value = small(at<std::int64_t>(row));
        break;
      default:
        out.value = at<duckdb_hugeint>(row);
    }
    return out;
  }

  std::uint32_t enum_number(std::size_t row) const {
    switch (duck_.enum_internal_type(type_.get())) {
      case DUCKDB_TYPE_UTINYINT:
        return at<std::uint8_t>(row);
      case DUCKDB_TYPE_USMALLINT:
        return at<std::uint16_t>(row);
      default:
        return at<std::uint32_t>(row);
    }
  }

  void append_nested(std::string& out, std::size_t row) {
    if (id_ == DUCKDB_TYPE_STRUCT) {
      append_struct(out, row);
      return;
    }
    duckdb_list_entry range{row * array_size_, array_size_};
    if (id_ != DUCKDB_TYPE_ARRAY) range = at<duckdb_list_entry>(row);
    const bool is_map = id_ == DUCKDB_TYPE_MAP;
    out += is_map ? '{' : '[';
    for (std::size_t i = range.offset; i < range.offset + range.length; ++i) {
      if (i > range.offset) out += ',';
      if (is_map) append_map_key(out, i);
      children_.back()->append(out, i);
    }
    out += is_map ? '}' : ']';
  }

  // JSON's keys are text, a map's may be anything.
  void append_map_key(std::string& out, std::size_t row) {
    std::string key;
    children_.front()->append(key, row);
    key.starts_with('"') ? out.append(key) : (append_json_string(out, key), out);
    out += ':';
  }

  void append_struct(std::string& out, std::size_t row) {
    out += '{';
    for (const auto& child : children_) {
      if (child != children_.front()) out += ',';
      append_json_string(out, child->name_);
      out += ':';
      child->append(out, row);
    }
    out += '}';
  }

  const DuckDb& duck_;
  const OwnedType type_;
  const std::string name_;
  const duckdb_type id_;
  const void* const data_;
  std::uint64_t* const validity_;
  std::size_t array_size_ = 0;
  std::vector<std::unique_ptr<VectorReader>> children_;
  std::string text_;
};

}  // namespace

Result<std::vector<AnswerColumn>> columns_of(const DuckDb& duck, duckdb_result& result) {
  std::vector<AnswerColumn> out;
  for (idx_t i = 0; i < duck.column_count(&result); ++i) {
    const OwnedType type(duck.destroy_logical_type, duck.column_logical_type(&result, i));
    const char* name = duck.column_name(&result, i);
    if (!is_supported(duck, type.get())) {
      return Error{ErrorCode::unsupported,
                   fmt::format("column {} has a type that cannot be shown", name),
                   "cast it, for instance to VARCHAR"};
    }
    out.push_back({name, *word_of_type(duck, type.get())});
  }
  return out;
}

void add_chunk(const DuckDb& duck, duckdb_result& result, duckdb_data_chunk chunk, Answer& answer) {
  const std::size_t width = answer.columns().size();
  std::vector<std::unique_ptr<VectorReader>> readers;
  for (idx_t i = 0; i < width; ++i) {
    readers.push_back(std::make_unique<VectorReader>(duck, duck.column_logical_type(&result, i),
                                                     duck.data_chunk_get_vector(chunk, i)));
  }
  const idx_t rows = duck.data_chunk_get_size(chunk);
  for (idx_t row = 0; row < rows; ++row) {
    for (const auto& reader : readers) answer.add(reader->cell(row));
  }
}

}  // namespace nilo::tables
