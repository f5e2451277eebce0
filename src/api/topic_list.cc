#include "api/topic_list.h"

#include "bus/topic_filter.h"
#include "value/value.h"

namespace nilo::api {

Result<std::vector<std::string>> read_topics(const JsonNode& list) {
  if (!list.is_array()) {
    return Error{ErrorCode::invalid_argument, "'topics' must be a list of filters"};
  }
  std::vector<std::string> topics;
  for (const JsonNode& topic : list.elements()) {
    const std::string text(topic.is_string() ? topic.text() : "");
    TRY(bus::TopicFilter::parse(text));
    if (text.find('\n') != std::string::npos) {
      return Error{ErrorCode::invalid_argument, "a topic here has no line breaks"};
    }
    topics.push_back(text);
  }
  if (topics.size() <= kTopicsMax) return topics;
  return Error{ErrorCode::too_large, "a device is limited to at most 32 topics",
               "use wildcards, such as water1/#"};
}

void append_topics(std::string& out, const std::vector<std::string>& topics) {
  out += '[';
  for (const std::string& topic : topics) {
    append_json_string(out.back() == '[' ? out : out += ',', topic);
  }
  out += ']';
}

}  // namespace nilo::api
