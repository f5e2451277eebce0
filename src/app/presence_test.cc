#include "app/presence.h"

#include <gtest/gtest.h>

namespace nilo::app {
namespace {

using What = mqtt::Presence::What;

constexpr TimeUs kNowUs = 1'763'750'000'000'000;

class PresenceTest : public testing::Test {
 protected:
  mqtt::Presence presence(What what, mqtt::Presence::End end = {}) {
    return {what, 7, "pump", who_, "10.0.0.1", kNowUs, end, filters_};
  }

  const Principal who_{"barn"};
  const std::vector<std::string> filters_{"a/#", "b"};
};

TEST_F(PresenceTest, HasTheFieldsOfAws) {
  EXPECT_EQ(
      presence_payload(presence(What::connected), "barn", kNowUs + 1000),
      R"({"clientId":"pump","thingName":"barn","timestamp":1763750000001,"eventType":"connected",)"
      R"("sessionIdentifier":"6441f0c38fc00-7","principalIdentifier":"barn",)"
      R"("ipAddress":"10.0.0.1","versionNumber":1763750000000})");
  EXPECT_EQ(presence_payload(presence(What::subscribed), "barn", kNowUs),
            R"({"clientId":"pump","timestamp":1763750000000,"eventType":"subscribed",)"
            R"("sessionIdentifier":"6441f0c38fc00-7","principalIdentifier":"barn",)"
            R"("topics":["a/#","b"]})");
  const std::string gone =
      presence_payload(presence(What::disconnected, mqtt::Presence::End::keep_alive), "", kNowUs);
  EXPECT_TRUE(gone.ends_with(R"("clientInitiatedDisconnect":false,)"
                             R"("disconnectReason":"MQTT_KEEP_ALIVE_TIMEOUT"})"))
      << gone;
}

TEST_F(PresenceTest, HasWordsOfOurOwn) {
  EXPECT_EQ(own_presence_payload(presence(What::connected), kNowUs + 1000),
            R"({"client":"pump","state":"connected","since":"2025-11-21T18:33:20Z",)"
            R"("login":"barn","address":"10.0.0.1"})");
}

TEST_F(PresenceTest, HasATopicForEachClientThatCanHaveOne) {
  EXPECT_EQ(presence_topic(What::connected, "a/b"), "$aws/events/presence/connected/a/b");
  EXPECT_EQ(presence_topic(What::unsubscribed, "a"), "$aws/events/subscriptions/unsubscribed/a");
  EXPECT_EQ(own_presence_topic(What::disconnected, "a"), "$presence/a");
  EXPECT_EQ(own_presence_topic(What::subscribed, "a"), "");
  EXPECT_EQ(connect_failed_topic("a"), "$aws/events/presence/connect_failed/a");
  for (const char* const id : {"+", "a#", "a/+/b"}) {
    EXPECT_EQ(presence_topic(What::connected, id), "") << id;
    EXPECT_EQ(own_presence_topic(What::connected, id), "") << id;
    EXPECT_EQ(connect_failed_topic(id), "") << id;
  }
}

}  // namespace
}  // namespace nilo::app
