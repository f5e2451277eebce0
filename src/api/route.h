// api/route.h: one path of the API: what it takes, who may ask, who answers.
//
// Routing, checking of parameters, 404, 405 and the OpenAPI document all come from this.
// Threads: immutable once made.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"
#include "tables/sql.h"
#include "value/principal.h"
#include "value/value.h"

namespace nilo::api {

enum class Access : std::uint8_t {
  open,    // anybody
  viewer,  // viewers and admins
  device,  // devices and admins
  admin,
};
bool is_allowed(Access access, Role role);

struct Parameter {
  std::string name;
  Type type = Type::text;
  std::string summary{};
  bool required = false;
  std::int64_t min = INT64_MIN;  // of int64
  std::int64_t max = INT64_MAX;
  std::vector<std::string> choices{};  // of text
};

// A request on its way to its handler. Movable, so that an answer may come later.
struct Call {
  net::HttpRequest request;
  Principal principal;  // name empty: anonymous
  std::vector<tables::SqlParameter> arguments;
  net::Respond respond;

  // nullptr: not given.
  const tables::SqlParameter* argument(std::string_view name) const;
  std::optional<std::string_view> text(std::string_view name) const;
  std::optional<std::int64_t> number(std::string_view name) const;  // int64, boolean, timestamp
};

// JSON Schema texts for the OpenAPI document; empty = no body.
struct BodyDoc {
  std::string content_type{};
  std::string schema{};
};

struct Route {
  std::string method;
  std::string path;  // "/api/v1/tables/{table}": a name in braces is one level, a text parameter;
                     // "{topic*}", at the end, is all that is left, with its '/'
  std::string summary;
  Access access = Access::viewer;
  std::vector<Parameter> parameters{};  // of the query
  BodyDoc takes{};
  BodyDoc gives{};
  std::function<void(Call)> handler{};
};

// Does `path` (decoded) belong to `route`? Then appends the parameters of the path to `arguments`.
bool match_path(std::string_view route, std::string_view path,
                std::vector<tables::SqlParameter>& arguments);
// Names in braces, in order.
std::vector<std::string_view> path_parameters(std::string_view route);

// `text` as a value of `parameter`.
// invalid_argument: "Invalid limit format, expected a number", out of range, not a choice.
Result<tables::SqlParameter> read_argument(const Parameter& parameter, std::string_view text);

// Checks the query against `parameters` and appends the values to `arguments`.
// invalid_argument: as read_argument; "device_id is required"; an unknown name (with the nearest
// one), one given twice.
Result<void> read_query(const std::vector<Parameter>& parameters, const net::NameValues& query,
                        std::vector<tables::SqlParameter>& arguments);

}  // namespace nilo::api
