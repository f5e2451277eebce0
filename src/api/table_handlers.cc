#include "api/handlers.h"
#include "base/nearest.h"

namespace nilo::api {
namespace {

using tables::RowPage;
using tables::RowQuery;
using tables::TableInfo;

// {"name":...,"rows":...,"keys":...,"bytes":...,"columns":[...]}
void append_table(std::string& out, const TableInfo& table) {
  const TableSchema& schema = *table.schema;
  out += R"({"name":)";
  append_json_string(out, schema.name);
  out += ",\"rows\":" + std::to_string(table.rows) + ",\"keys\":" + std::to_string(table.keys) +
         ",\"bytes\":" + std::to_string(table.bytes) + ",\"columns\":[";
  const std::size_t key_count = schema.partition_count + (schema.has_sort_key ? 1 : 0);
  for (std::size_t at = 0; at < schema.columns.size(); ++at) {
    const Column& column = schema.columns[at];
    out += at == 0 ? R"({"name":)" : R"(,{"name":)";
    append_json_string(out, column.name);
    out.append(R"(,"type":")").append(word_of(column.type)).append("\"");
    if (at < key_count) out += R"(,"key":true)";
    if (column.is_derived()) out += R"(,"derived":true)";
    if (!column.unit.empty()) {
      out += R"(,"unit":)";
      append_json_string(out, column.unit);
    }
    if (column.min) append_json(out += R"(,"min":)", Value::float64(*column.min));
    if (column.max) append_json(out += R"(,"max":)", Value::float64(*column.max));
    out += '}';
  }
  out += "]}";
}

}  // namespace

void list_tables(const Context& context, Call& call) {
  std::string out = R"({"tables":[)";
  for (const TableInfo& table : context.backend.tables()) {
    if (out.back() != '[') out += ',';
    append_table(out, table);
  }
  call.respond(json_response(out + "]}"));
}

void show_table(const Context& context, Call& call) {
  const std::string_view name = *call.text("table");
  const std::vector<TableInfo> all = context.backend.tables();
  std::vector<std::string_view> names;
  for (const TableInfo& table : all) {
    names.push_back(table.schema->name);
    if (names.back() != name) continue;
    std::string out;
    append_table(out, table);
    return call.respond(json_response(std::move(out)));
  }
  const std::string_view near = nearest(name, names);
  call.respond(error_response({ErrorCode::not_found, "no table '" + std::string(name) + "'",
                               near.empty() ? "all tables are at /api/v1/tables"
                                            : "did you mean '" + std::string(near) + "'?"}));
}

// `read`: Backend::rows or ::latest, which have the same question and the same answer.
void show_page(const ReadPage& read, const Call& call) {
  RowQuery query;
  query.table = *call.text("table");
  query.key = call.text("key");
  query.from_us = call.number("from");
  query.to_us = call.number("to");
  query.limit = static_cast<std::size_t>(call.number("limit").value_or(1000));
  query.newest_first = call.text("order") == "newest";
  query.cursor = call.text("cursor").value_or(std::string_view{});
  const Result<RowPage> page = read(query);
  if (!page) return call.respond(error_response(page.error()));
  std::string out = tables::to_json(page->rows);
  out.pop_back();  // goes on in the same object
  out += R"(,"next":)";
  append_json(out, page->next_cursor.empty() ? Value::null() : Value::text(page->next_cursor));
  out += ",\"seq\":" + std::to_string(page->seq) + "}";
  call.respond(json_response(std::move(out)));
}

}  // namespace nilo::api
