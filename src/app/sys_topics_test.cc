#include "app/sys_topics.h"

#include <gtest/gtest.h>

#include <map>

namespace nilo::app {
namespace {

class Letters final : public Post {
 public:
  void deliver(bus::Target target, const mqtt::Delivery& delivery, const MessagePtr& message,
               const Position& at) override {
    EXPECT_EQ(at.seq, 0u);
    EXPECT_EQ(delivery.qos, Qos::at_most_once);
    got[target.session][message->topic] = message->payload;
  }
  void run_on_loop(std::function<void()> task) override { task(); }

  std::map<std::uint64_t, std::map<std::string, std::string>> got;
};

bus::TopicFilter filter_of(std::string_view text) { return *bus::TopicFilter::parse(text); }

TEST(SysTopics, ReachOnlyWhoListensToThem) {
  FakeClock clock(1'800'000'000'000'000);
  const SysTopics topics(clock, {{"clients/total", [] { return 7; }}});
  bus::Router router;
  router.subscribe({0, 1}, filter_of("#"), {});
  router.subscribe({0, 2}, filter_of("$SYS/#"), {Qos::exactly_once});
  router.subscribe({0, 3}, filter_of("$SYS/broker/clients/+"), {});
  clock.advance_us(90'500'000);
  Letters letters;
  topics.publish(router, letters);
  EXPECT_EQ(letters.got.size(), 2u);
  EXPECT_EQ(letters.got[2]["$SYS/broker/clients/total"], "7");
  EXPECT_EQ(letters.got[2]["$SYS/broker/uptime"], "90 seconds");
  EXPECT_EQ(letters.got[2]["$SYS/broker/version"].substr(0, 10), "nilometer ");
  EXPECT_EQ(letters.got[3].size(), 1u);
}

TEST(SysTopics, AreThereForANewSubscriber) {
  FakeClock clock(1'800'000'000'000'000);
  std::uint64_t clients = 1;
  const SysTopics topics(clock, {{"clients/total", [&] { return clients; }}});
  clients = 2;
  const auto now = topics.matching(filter_of("$SYS/broker/clients/#"));
  ASSERT_EQ(now.size(), 1u);
  EXPECT_EQ(now[0]->payload, "2");
  EXPECT_TRUE(now[0]->retain);
  EXPECT_TRUE(topics.matching(filter_of("#")).empty());
}

}  // namespace
}  // namespace nilo::app
