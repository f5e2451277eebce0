#include "app/sys_topics.h"

#include <fmt/format.h>

#include <memory>

#include "base/time_units.h"
#include "base/version.h"

namespace nilo::app {

SysTopics::SysTopics(const Clock& clock, const std::vector<std::pair<std::string, Read>>& numbers)
    : clock_(clock), began_us_(clock.steady_us()) {
  topics_.push_back({"$SYS/broker/version", [] { return fmt::format("nilometer {}", kVersion); }});
  topics_.push_back({"$SYS/broker/uptime", [this] {
                       const std::int64_t uptime_us = clock_.steady_us() - began_us_;
                       return fmt::format("{} seconds", uptime_us / kSecondUs);
                     }});
  for (const auto& [name, read] : numbers) {
    topics_.push_back({"$SYS/broker/" + name, [read = read] { return std::to_string(read()); }});
  }
}

MessagePtr SysTopics::message_of(const Topic& topic) const {
  auto message = std::make_shared<Message>();
  message->topic = topic.name;
  message->payload = topic.value();
  message->retain = true;
  message->received_us = clock_.wall_us();
  return message;
}

std::vector<MessagePtr> SysTopics::matching(const bus::TopicFilter& filter) const {
  std::vector<MessagePtr> out;
  for (const Topic& topic : topics_) {
    if (filter.matches(topic.name)) out.push_back(message_of(topic));
  }
  return out;
}

void SysTopics::publish(const bus::Router& router, Post& post) const {
  std::vector<bus::Match> matches;
  std::vector<bus::GroupPtr> groups;
  for (const Topic& topic : topics_) {
    matches.clear();
    groups.clear();
    router.match(topic.name, matches, groups);
    if (matches.empty() && groups.empty()) continue;
    const MessagePtr message = message_of(topic);
    for (const bus::Match& match : matches) {
      const auto delivery = mqtt::delivery_of(match, message->view(), 0);
      if (delivery) post.deliver(match.target, *delivery, message, {});
    }
    for (const bus::GroupPtr& group : groups) {
      const mqtt::Addressed chosen = mqtt::delivery_of(*group, message->view());
      post.deliver(chosen.target, chosen.delivery, message, {});
    }
  }
}

}  // namespace nilo::app
