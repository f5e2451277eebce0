// nilo sql: asks a running server in SQL.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>

#include "app/commands.h"
#include "app/remote.h"
#include "base/utf8.h"
#include "value/json.h"
#include "value/value.h"

namespace nilo::app {

namespace {

constexpr std::size_t kCellSizeMax = 60;

struct SqlCommandOptions {
  RemoteOptions remote;
  std::string sql{};
  bool json = false;
  bool csv = false;
};

struct Grid {
  std::vector<std::string> names;
  std::vector<bool> is_number;
  std::vector<std::vector<std::string>> rows;
};

std::string text_of(const JsonNode& node) {
  if (node.kind() == JsonKind::null) return "";
  if (node.is_string() || node.is_number()) return printable(node.text(), kCellSizeMax);
  std::string json;
  append_json(json, node);
  return printable(json, kCellSizeMax);
}

// {"columns":[{"name","type","unit"}],"rows":[[...]]}
Result<Grid> grid_of(std::string_view answer) {
  JsonDocument document;
  const JsonNode* root = TRY(document.parse(answer));
  const JsonNode* columns = root->find("columns");
  const JsonNode* rows = root->find("rows");
  if (columns == nullptr || rows == nullptr) {
    return Error{ErrorCode::internal, "the server's answer has no rows", "is this a nilo server?"};
  }
  Grid grid;
  for (const JsonNode& column : columns->elements()) {
    const JsonNode* name = column.find("name");
    const JsonNode* unit = column.find("unit");
    std::string head = name != nullptr ? text_of(*name) : "";
    if (unit != nullptr && !text_of(*unit).empty()) head += " (" + text_of(*unit) + ")";
    grid.names.push_back(std::move(head));
    grid.is_number.push_back(true);
  }
  for (const JsonNode& row : rows->elements()) {
    std::vector<std::string>& cells = grid.rows.emplace_back();
    for (const JsonNode& cell : row.elements()) {
      if (cells.size() < grid.names.size() && !cell.is_number() && cell.kind() != JsonKind::null) {
        grid.is_number[cells.size()] = false;
      }
      cells.push_back(text_of(cell));
    }
    cells.resize(grid.names.size());
  }
  return grid;
}

void print(const Grid& grid) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < grid.names.size(); ++i) {
    std::size_t width = grid.names[i].size();
    for (const auto& row : grid.rows) width = std::max(width, row[i].size());
    widths.push_back(width);
  }
  const auto print_row = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line += "  ";
      line += grid.is_number[i] ? fmt::format("{:>{}}", cells[i], widths[i])
                                : fmt::format("{:<{}}", cells[i], widths[i]);
    }
    fmt::print("{}\n", line);
  };
  print_row(grid.names);
  std::vector<std::string> rules;
  for (const std::size_t width : widths) rules.emplace_back(width, '-');
  print_row(rules);
  for (const auto& row : grid.rows) print_row(row);
  fmt::print(stderr, "{} row{}\n", grid.rows.size(), grid.rows.size() == 1 ? "" : "s");
}

Result<void> ask(const SqlCommandOptions& options) {
  std::string sql = options.sql;
  if (sql.empty()) sql.assign(std::istreambuf_iterator<char>(std::cin), {});
  std::string body = "{\"sql\":";
  append_json_string(body, sql);
  body += "}";
  const auto answer = TRY(call(options.remote, "POST", "/api/v1/sql", body,
                               options.csv ? "text/csv" : "application/json"));
  if (options.csv || options.json) {
    fmt::print("{}{}", answer.body, options.json ? "\n" : "");
    return {};
  }
  print(TRY(grid_of(answer.body)));
  return {};
}

}  // namespace

Command sql_command() {
  const auto options = std::make_shared<SqlCommandOptions>();
  return {"sql",
          "Asks in SQL (DuckDB's dialect, close to PostgreSQL). Only reads.",
          {"nilo sql \"SELECT * FROM latest('tank_levels')\"",
           "nilo sql \"SELECT time_bucket(INTERVAL '1 hour', time) AS hour, avg(percent)\n"
           "            FROM tank_levels WHERE device_id = 2 GROUP BY hour ORDER BY hour\" --csv"},
          with_http_options(
              {{"SQL", "one statement that reads; default: standard input", &options->sql},
               {"--json", "{\"columns\":[...],\"rows\":[[...]]}", &options->json},
               {"--csv", "with a header line", &options->csv}},
              options->remote),
          [options] { return exit_code_of(ask(*options)); }};
}

}  // namespace nilo::app
