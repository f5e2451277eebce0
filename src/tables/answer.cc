#include "tables/answer.h"

#include <cmath>

namespace nilo::tables {

void Answer::add(const Value& cell) {
  switch (cell.type()) {
    case Type::text:
      cells_.push_back(Value::text(texts_.copy(cell.as_text())));
      break;
    case Type::json:
      cells_.push_back(Value::json(texts_.copy(cell.as_text())));
      break;
    default:
      cells_.push_back(cell);
  }
}

void append_columns_json(std::string& out, const Answer& answer) {
  out += '[';
  for (const AnswerColumn& column : answer.columns()) {
    if (out.back() != '[') out += ',';
    out += R"({"name":)";
    append_json_string(out, column.name);
    out += R"(,"type":)";
    append_json_string(out, column.type);
    if (!column.unit.empty()) {
      out += R"(,"unit":)";
      append_json_string(out, column.unit);
    }
    out += '}';
  }
  out += ']';
}

void append_rows_json(std::string& out, const Answer& answer) {
  out += '[';
  for (std::size_t row = 0; row < answer.row_count(); ++row) {
    out += row == 0 ? "[" : ",[";
    for (std::size_t column = 0; column < answer.columns().size(); ++column) {
      if (column > 0) out += ',';
      append_json(out, answer.cell(row, column));
    }
    out += ']';
  }
  out += ']';
}

void append_row_object(std::string& out, const Answer& answer, std::size_t row) {
  out += '{';
  for (std::size_t column = 0; column < answer.columns().size(); ++column) {
    if (column > 0) out += ',';
    append_json_string(out, answer.columns()[column].name);
    out += ':';
    append_json(out, answer.cell(row, column));
  }
  out += '}';
}

std::string to_json(const Answer& answer) {
  std::string out = R"({"columns":)";
  append_columns_json(out, answer);
  out += R"(,"rows":)";
  append_rows_json(out, answer);
  out += '}';
  return out;
}

namespace {

void append_csv_text(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of("\",\r\n") == std::string_view::npos;
  if (plain) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_csv(std::string& out, const Value& cell) {
  switch (cell.type()) {
    case Type::null:
      return;
    case Type::text:
    case Type::json:
      append_csv_text(out, cell.as_text());
      return;
    case Type::timestamp:
      out += iso_time(cell.as_int64());
      return;
    case Type::float64:
      if (std::isfinite(cell.as_float64())) append_json(out, cell);
      return;
    default:
      append_json(out, cell);
  }
}

}  // namespace

std::string to_csv(const Answer& answer) {
  std::string out;
  const std::size_t width = answer.columns().size();
  for (std::size_t column = 0; column < width; ++column) {
    if (column > 0) out += ',';
    append_csv_text(out, answer.columns()[column].name);
  }
  out += "\r\n";
  for (std::size_t row = 0; row < answer.row_count(); ++row) {
    for (std::size_t column = 0; column < width; ++column) {
      if (column > 0) out += ',';
      append_csv(out, answer.cell(row, column));
    }
    out += "\r\n";
  }
  return out;
}

}  // namespace nilo::tables
