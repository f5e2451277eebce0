#include <utility>

#include "api/handlers.h"
#include "api/json_body.h"

namespace nilo::api {
namespace {

using tables::Answer;
using tables::SqlParameter;
using tables::SqlRequest;

Result<SqlParameter> sql_parameter(std::string_view name, const JsonNode& node) {
  switch (node.kind()) {
    case JsonKind::null:
      return SqlParameter::of(name, Value::null());
    case JsonKind::boolean:
      return SqlParameter::of(name, Value::boolean(node.is_true()));
    case JsonKind::string:
      return SqlParameter::of(name, Value::text(node.text()));
    case JsonKind::number: {
      const std::string text(node.text());
      const bool is_whole = text.find_first_of(".eE") == std::string::npos;
      const Parameter parameter{.name = std::string(name),
                                .type = is_whole ? Type::int64 : Type::float64};
      return read_argument(parameter, text);
    }
    default:
      return Error{
          ErrorCode::invalid_argument,
          "parameter '" + std::string(name) + "' must be a number, text, true, false or null"};
  }
}

Result<SqlRequest> read_sql(std::string_view body) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(document, body, {"sql", "params"}));
  SqlRequest request;
  request.sql = TRY(text_member(*root, "sql"));
  if (request.sql.empty()) {
    return Error{ErrorCode::invalid_argument, "'sql' is required",
                 R"x(send {"sql": "SELECT * FROM latest('tank_levels')"})x"};
  }
  const JsonNode* const params = root->find("params");
  if (params != nullptr && !params->is_object()) {
    return Error{ErrorCode::invalid_argument, "'params' must be an object"};
  }
  if (params == nullptr) return request;
  for (const JsonMember& member : params->members()) {
    request.parameters.push_back(TRY(sql_parameter(member.key, member.value)));
  }
  return request;
}

// "no row for device_id = 9"
Error no_row(const std::vector<SqlParameter>& arguments, const net::NameValues& query) {
  std::string message = "no row";
  for (const SqlParameter& argument : arguments) {
    message += (&argument == arguments.data() ? " for " : ", ") + argument.name + " = ";
    message += net::find_value(query, argument.name).value_or(std::string_view{});
  }
  return {ErrorCode::not_found, std::move(message)};
}

net::HttpResponse endpoint_answer(const Answer& answer, bool many) {
  std::string out;
  if (!many && answer.row_count() == 1) {
    tables::append_row_object(out, answer, 0);
    return json_response(std::move(out));
  }
  out = "[";
  for (std::size_t row = 0; row < answer.row_count(); ++row) {
    if (row > 0) out += ',';
    tables::append_row_object(out, answer, row);
  }
  return json_response(out + "]");
}

}  // namespace

void run_sql(const Context& context, Call& call) {
  Result<SqlRequest> request = read_sql(call.request.body);
  if (!request) return call.respond(error_response(request.error()));
  const bool as_csv = call.request.header("accept").find("text/csv") != std::string_view::npos;
  context.backend.sql(std::move(*request),
                      [respond = call.respond, as_csv](const Result<Answer>& answer) {
                        if (!answer) return respond(error_response(answer.error()));
                        if (!as_csv) return respond(json_response(tables::to_json(*answer)));
                        net::HttpResponse response;
                        response.content_type = "text/csv; charset=utf-8; header=present";
                        response.body = tables::to_csv(*answer);
                        respond(std::move(response));
                      });
}

void answer_endpoint(const Context& context, const EndpointSpec& endpoint, const Call& call) {
  SqlRequest request{endpoint.sql, call.arguments};
  context.backend.sql(
      std::move(request), [call, many = endpoint.many](const Result<Answer>& answer) {
        if (!answer) return call.respond(error_response(answer.error()));
        if (answer->row_count() == 0 && !many) {
          return call.respond(error_response(no_row(call.arguments, call.request.query)));
        }
        call.respond(endpoint_answer(*answer, many));
      });
}

}  // namespace nilo::api
