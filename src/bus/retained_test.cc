#include "bus/retained.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace nilo::bus {
namespace {

using testing::ElementsAre;

MessagePtr message_of(std::string topic, std::string payload = "x") {
  auto message = std::make_shared<Message>();
  message->topic = std::move(topic);
  message->payload = std::move(payload);
  message->retain = true;
  return message;
}

class RetainedTest : public testing::Test {
 protected:
  std::vector<std::string> topics(std::string_view filter, std::size_t count_max = 1000) const {
    std::vector<std::string> out;
    for (const auto& message : retained.matching(*TopicFilter::parse(filter), count_max)) {
      out.push_back(message->topic);
    }
    return out;
  }

  FakeClock clock{1'763'000'000'000'000};
  Retained retained{clock};
};

TEST_F(RetainedTest, KeepsTheLastMessageOfATopic) {
  retained.set(message_of("a", "1"));
  retained.set(message_of("a", "2"));
  const auto found = retained.matching(*TopicFilter::parse("a"), 10);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->payload, "2");
  EXPECT_EQ(retained.count(), 1u);
}

TEST_F(RetainedTest, IsClearedByAnEmptyPayload_MQTT_3_3_1_6) {
  retained.set(message_of("a"));
  retained.set(message_of("a", ""));
  EXPECT_EQ(retained.count(), 0u);
  EXPECT_EQ(retained.size(), 0u);
}

TEST_F(RetainedTest, FindsWhatAFilterHears) {
  for (const char* topic : {"a", "a/b", "a/b/c", "ab", "b/b", "$sys/x", "/"}) {
    retained.set(message_of(topic));
  }
  EXPECT_THAT(topics("a"), ElementsAre("a"));
  EXPECT_THAT(topics("x"), ElementsAre());
  EXPECT_THAT(topics("a/#"), ElementsAre("a", "a/b", "a/b/c"));
  EXPECT_THAT(topics("+/b"), ElementsAre("a/b", "b/b"));
  EXPECT_THAT(topics("#"), ElementsAre("/", "a", "a/b", "a/b/c", "ab", "b/b"));
  EXPECT_THAT(topics("$sys/#"), ElementsAre("$sys/x"));
  EXPECT_THAT(topics("#", 2), ElementsAre("/", "a"));
}

TEST_F(RetainedTest, HidesAMessageThatHasExpired) {
  Message message = *message_of("a");
  message.received_us = clock.wall_us();
  message.properties.has_expiry = true;
  message.properties.expiry_s = 10;
  retained.set(std::make_shared<Message>(message));
  clock.advance_us(9'999'999);
  EXPECT_THAT(topics("#"), ElementsAre("a"));
  retained.drop_expired();
  EXPECT_EQ(retained.count(), 1u);
  clock.advance_us(1);
  EXPECT_THAT(topics("#"), ElementsAre());
  retained.for_each([](const Message&) { ADD_FAILURE(); });
  retained.drop_expired();
  EXPECT_EQ(retained.count(), 0u);
  EXPECT_EQ(retained.size(), 0u);
}

TEST_F(RetainedTest, IsRebuiltFromItsEffects) {
  std::string record;
  RecordWriter writer(record, 0);
  Retained::write_effect(writer, message_of("a", "1")->view());
  Retained::write_effect(writer, message_of("b", "2")->view());
  Retained::write_effect(writer, message_of("a", "")->view());
  RecordReader reader(record);
  for (Effect effect; reader.next(effect);) {
    ASSERT_EQ(effect.kind, EffectKind::retained);
    EXPECT_TRUE(retained.apply(effect.body));
    for (std::size_t size = 0; size < effect.body.size(); ++size) {
      Retained other(clock);
      EXPECT_FALSE(other.apply(effect.body.substr(0, size)));
      EXPECT_EQ(other.count(), 0u);
    }
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_THAT(topics("#"), ElementsAre("b"));
}

TEST_F(RetainedTest, RefusesTopicsOverTheCountLimit) {
  Retained small(clock, {2, 1 << 20});
  small.set(message_of("a"));
  EXPECT_TRUE(small.check(message_of("b")->view()));
  small.set(message_of("b"));
  const auto refused = small.check(message_of("c")->view());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(small.check(message_of("a", "new")->view()));
  EXPECT_TRUE(small.check(message_of("c", "")->view()));
}

TEST_F(RetainedTest, RefusesBytesOverTheSizeLimit) {
  retained.set(message_of("a", "xx"));
  Retained small(clock, {10, retained.size()});
  EXPECT_TRUE(small.check(message_of("a", "xx")->view()));
  EXPECT_FALSE(small.check(message_of("a", "xxx")->view()));
  small.set(message_of("a", "x"));
  EXPECT_TRUE(small.check(message_of("a", "xx")->view())) << "it replaces the old one";
  EXPECT_FALSE(small.check(message_of("b", "x")->view()));
}

TEST_F(RetainedTest, IsReadWhileItIsWritten) {
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i)
      retained.set(message_of(std::to_string(i % 50), i % 3 ? "x" : ""));
  });
  for (int i = 0; i < 200; ++i) EXPECT_LE(topics("+").size(), 50u);
  writer.join();
}

}  // namespace
}  // namespace nilo::bus
