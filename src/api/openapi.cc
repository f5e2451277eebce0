// Source: OpenAPI Specification 3.1.0.
#include "api/openapi.h"

#include <algorithm>
#include <map>

#include "api/schemas.h"

namespace nilo::api {
namespace {

std::string schema_of(const Parameter& parameter) {
  std::string out;
  switch (parameter.type) {
    case Type::int64:
      out = R"({"type":"integer","format":"int64")";
      if (parameter.min != INT64_MIN) out += ",\"minimum\":" + std::to_string(parameter.min);
      if (parameter.max != INT64_MAX) out += ",\"maximum\":" + std::to_string(parameter.max);
      return out + "}";
    case Type::float64:
      return R"({"type":"number"})";
    case Type::boolean:
      return R"({"type":"boolean"})";
    case Type::timestamp:
      return R"({"type":"string","format":"date-time"})";
    default:
      out = R"({"type":"string")";
      for (const std::string& choice : parameter.choices) {
        out += &choice == parameter.choices.data() ? R"(,"enum":[)" : ",";
        append_json_string(out, choice);
      }
      return out + (parameter.choices.empty() ? "}" : "]}");
  }
}

void append_parameter(std::string& out, std::string_view in, const Parameter& parameter) {
  if (out.back() != '[') out += ',';
  append_json_string(out += R"({"name":)", parameter.name);
  out.append(R"(,"in":")").append(in).append("\"");
  if (parameter.required) out += R"(,"required":true)";
  if (!parameter.summary.empty()) {
    append_json_string(out += R"(,"description":)", parameter.summary);
  }
  out += R"(,"schema":)" + schema_of(parameter) + "}";
}

void append_body(std::string& out, const BodyDoc& body) {
  append_json_string(out += R"("content":{)", body.content_type);
  out += R"(:{"schema":)" + body.schema + "}}";
}

void append_operation(std::string& out, const Route& route) {
  append_json_string(out += R"({"summary":)", route.summary);
  out += R"(,"parameters":[)";
  for (const std::string_view name : path_parameters(route.path)) {
    append_parameter(out, "path", {.name = std::string(name), .required = true});
  }
  for (const Parameter& parameter : route.parameters) append_parameter(out, "query", parameter);
  out += ']';
  if (!route.takes.schema.empty()) {
    append_body(out += R"(,"requestBody":{"required":true,)", route.takes);
    out += '}';
  }
  const bool has_answer = !route.gives.schema.empty();
  out.append(R"(,"responses":{")").append(has_answer ? "2XX" : "204");
  out += R"(":{"description":"Done")";
  if (has_answer) append_body(out += ',', route.gives);
  out +=
      R"(},"default":{"description":"What went wrong","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}})";
  if (route.access == Access::open) out += R"(,"security":[])";
  out += '}';
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char letter) { return static_cast<char>(letter | 0x20); });
  return text;
}

}  // namespace

std::string openapi_of(const std::vector<Route>& routes) {
  std::map<std::string_view, std::vector<const Route*>> by_path;
  for (const Route& route : routes) by_path[route.path].push_back(&route);

  std::string out =
      R"({"openapi":"3.1.0","info":{"title":"Nilometer","version":"1","description":"Readings in, rows out. Every error is an Error."},)"
      R"("security":[{"token":[]},{"password":[]}],"paths":{)";
  for (const auto& [path, operations] : by_path) {
    if (out.back() != '{') out += ',';
    std::string shown(path);
    std::erase(shown, '*');
    append_json_string(out, shown);
    out += ":{";
    for (const Route* const route : operations) {
      if (out.back() != '{') out += ',';
      append_json_string(out, lower_case(route->method));
      append_operation(out += ':', *route);
    }
    out += '}';
  }
  out +=
      R"(},"components":{"securitySchemes":{"token":{"type":"http","scheme":"bearer"},"password":{"type":"http","scheme":"basic"}},"schemas":)";
  return out.append(kComponentSchemas).append("}}");
}

}  // namespace nilo::api
