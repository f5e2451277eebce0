// api/topic_list.h: the filters that a token or a certificate is limited to, in JSON.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "value/json.h"

namespace nilo::api {

inline constexpr std::size_t kTopicsMax = 32;

// invalid_argument: no list of filters. too_large: more than kTopicsMax.
Result<std::vector<std::string>> read_topics(const JsonNode& list);
// ["water1/#"]
void append_topics(std::string& out, const std::vector<std::string>& topics);

}  // namespace nilo::api
