#include "api/json_body.h"

#include <algorithm>

#include "api/route.h"
#include "base/nearest.h"
#include "base/time_units.h"
#include "base/utf8.h"

namespace nilo::api {

// A member of a JSON object that must be text; empty if it is not there.
Result<std::string> text_member(const JsonNode& object, std::string_view name) {
  const JsonNode* const node = object.find(name);
  if (node == nullptr) return std::string();
  if (node->is_string()) return std::string(node->text());
  return Error{ErrorCode::invalid_argument, "'" + std::string(name) + "' must be text"};
}

Result<std::optional<std::int64_t>> days_member(const JsonNode& object, std::string_view name) {
  const JsonNode* const days = object.find(name);
  if (days == nullptr) return std::optional<std::int64_t>();
  const Parameter parameter{
      .name = std::string(name), .type = Type::int64, .min = 1, .max = kDaysMax};
  const std::string text(days->is_number() ? days->text() : "");
  return std::optional(TRY(read_argument(parameter, text)).number * kDayUs);
}

// The object in the body; every member must be one of `names`.
Result<const JsonNode*> object_body(JsonDocument& document, std::string_view body,
                                    std::initializer_list<std::string_view> names) {
  const JsonNode* const root = TRY(document.parse(body));
  if (!root->is_object()) return Error{ErrorCode::invalid_argument, "the body must be an object"};
  for (const JsonMember& member : root->members()) {
    if (std::find(names.begin(), names.end(), member.key) != names.end()) continue;
    const std::string_view near = nearest(member.key, names);
    std::string hint = near.empty() ? "" : "did you mean '" + std::string(near) + "'?";
    return Error{ErrorCode::invalid_argument, "unknown member '" + std::string(member.key) + "'",
                 std::move(hint)};
  }
  return root;
}

}  // namespace nilo::api
