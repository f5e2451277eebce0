#include "app/topic_scope.h"

#include <algorithm>

#include "bus/topic_filter.h"

namespace nilo::app {

namespace {

class TopicScope final : public Scope {
 public:
  explicit TopicScope(const std::vector<std::string>& topics) {
    for (const std::string& text : topics) {
      // One that cannot be read lets nothing through: they were checked when they were taken.
      if (auto filter = bus::TopicFilter::parse(text)) filters_.push_back(std::move(*filter));
    }
  }
  bool may_publish(std::string_view topic) const override {
    return std::any_of(filters_.begin(), filters_.end(),
                       [&](const bus::TopicFilter& filter) { return filter.matches(topic); });
  }
  bool may_subscribe(std::string_view wanted) const override {
    return std::any_of(filters_.begin(), filters_.end(),
                       [&](const bus::TopicFilter& filter) { return filter.covers(wanted); });
  }
  bool may_receive(std::string_view topic) const override { return may_publish(topic); }
  std::string why_not(Act /*act*/, std::string_view /*topic*/) const override {
    return "the login is limited to other topics";
  }

 private:
  std::vector<bus::TopicFilter> filters_;
};

}  // namespace

std::vector<std::string> topics_in(std::string_view lines) {
  std::vector<std::string> topics;
  std::string_view rest = lines;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    topics.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return topics;
}

std::shared_ptr<const Scope> topic_scope(std::string_view lines) {
  if (lines.empty()) return nullptr;
  return std::make_shared<TopicScope>(topics_in(lines));
}

}  // namespace nilo::app
