#include "app/mqtt_limits.h"

#include <gtest/gtest.h>

#include <chrono>

#include "mqtt/codec.h"

namespace nilo::app {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(MqttLimits, AreTheBrokersWhereTheStackSaysNothing) {
  const mqtt::Limits limits = limits_of({});
  EXPECT_EQ(limits.receive_max, mqtt::Limits().receive_max);
  EXPECT_EQ(limits.session_expiry_max_s, mqtt::Limits().session_expiry_max_s);
  EXPECT_TRUE(limits.reasons);
}

TEST(MqttLimits, AreWhatTheStackSays) {
  stack::MqttSettings settings;
  settings.keep_alive_max = milliseconds(1500);
  settings.receive_max = 20;
  settings.topic_alias_max = 0;
  settings.packet_size_max_bytes = 1000;
  settings.reasons = false;
  const mqtt::Limits limits = limits_of(settings);
  EXPECT_EQ(limits.keep_alive_max_s, 2u);
  EXPECT_EQ(limits.receive_max, 20u);
  EXPECT_EQ(limits.topic_alias_max, 0u);
  EXPECT_EQ(limits.packet_size_max, 1000u);
  EXPECT_FALSE(limits.reasons);
}

TEST(MqttLimits, AreAtMostWhatAPacketCanSay) {
  stack::MqttSettings settings;
  settings.keep_alive_max = hours(24 * 365);
  settings.session_expiry_max = hours(24 * 365 * 200);
  settings.packet_size_max_bytes = 1'000'000'000'000;
  const mqtt::Limits limits = limits_of(settings);
  EXPECT_EQ(limits.keep_alive_max_s, 65'535u);
  EXPECT_EQ(limits.session_expiry_max_s, 0xffffffffu);
  EXPECT_EQ(limits.packet_size_max, mqtt::kPacketSizeMax);
}

}  // namespace
}  // namespace nilo::app
