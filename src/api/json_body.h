// api/json_body.h: a request's body as a JSON object whose members are known.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "value/json.h"

namespace nilo::api {

// The object in `body`, valid as long as `document` and `body`.
// invalid_argument: not JSON (says at which byte), no object, a member that is none of `names`.
Result<const JsonNode*> object_body(JsonDocument& document, std::string_view body,
                                    std::initializer_list<std::string_view> names);

// A member that must be text; empty if it is not there.
Result<std::string> text_member(const JsonNode& object, std::string_view name);

// A member that must be a whole number of days, 1 to kDaysMax; in microseconds. nullopt: it is not
// there.
inline constexpr std::int64_t kDaysMax = 36'500;
Result<std::optional<std::int64_t>> days_member(const JsonNode& object, std::string_view name);

}  // namespace nilo::api
