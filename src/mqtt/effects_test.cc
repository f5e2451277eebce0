#include "mqtt/effects.h"

#include <gtest/gtest.h>

namespace nilo::mqtt {
namespace {

// The body of the only effect of a record.
template <typename Write>
std::string body_of(EffectKind kind, Write write) {
  std::string bytes;
  RecordWriter record(bytes, 0);
  write(record);
  RecordReader reader(bytes);
  Effect effect;
  EXPECT_TRUE(reader.next(effect));
  EXPECT_EQ(effect.kind, kind);
  const std::string body(effect.body);
  EXPECT_FALSE(reader.next(effect));
  return body;
}

// No prefix and no longer form of `body` is taken for the whole.
template <typename Read>
void expect_exact(const std::string& body, Read read) {
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(read(std::string(body, 0, size))) << size;
  }
  EXPECT_TRUE(read(body));
  EXPECT_FALSE(read(body + '\0'));
}

TEST(SessionEffects, SessionComesBack) {
  const std::string body = body_of(EffectKind::session, [](RecordWriter& record) {
    append_session(record, {301, 0xffffffff, "tank-1"});
  });
  SessionEffect effect;
  expect_exact(body, [&](const std::string& bytes) { return read_session(bytes, effect); });
  ASSERT_TRUE(read_session(body, effect));
  EXPECT_EQ(effect.number, 301u);
  EXPECT_EQ(effect.expiry_s, 0xffffffffu);
  EXPECT_EQ(effect.client_id, "tank-1");
}

TEST(SessionEffects, SessionComesBackWithItsOwner) {
  const std::string body = body_of(EffectKind::session, [](RecordWriter& record) {
    append_session(record, {301, 60, "tank-1", "barn"});
  });
  SessionEffect effect;
  ASSERT_TRUE(read_session(body, effect));
  EXPECT_EQ(effect.client_id, "tank-1");
  EXPECT_EQ(effect.owner, "barn");
  const std::size_t without = body.size() - std::string_view(
                                                "\x04"
                                                "barn")
                                                .size();
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(read_session(std::string(body, 0, size), effect), size == without) << size;
  }
  EXPECT_FALSE(read_session(body + '\0', effect));
}

TEST(SessionEffects, SessionEndComesBack) {
  const std::string body = body_of(EffectKind::session_end,
                                   [](RecordWriter& record) { append_session_end(record, 12345); });
  SessionNumber number = 0;
  expect_exact(body, [&](const std::string& bytes) { return read_session_end(bytes, number); });
  ASSERT_TRUE(read_session_end(body, number));
  EXPECT_EQ(number, 12345u);
}

TEST(SessionEffects, SubscribeAndUnsubscribeComeBack) {
  const SubscribeEffect in{7, {"a/#", Qos::exactly_once, true, true, 2}, 500};
  const std::string body =
      body_of(EffectKind::subscribe, [&](RecordWriter& record) { append_subscribe(record, in); });
  SubscribeEffect out;
  expect_exact(body, [&](const std::string& bytes) { return read_subscribe(bytes, out); });
  ASSERT_TRUE(read_subscribe(body, out));
  EXPECT_EQ(out.number, 7u);
  EXPECT_EQ(out.entry.filter, "a/#");
  EXPECT_EQ(out.entry.qos, Qos::exactly_once);
  EXPECT_TRUE(out.entry.no_local && out.entry.retain_as_published);
  EXPECT_EQ(out.entry.retain_handling, 2);
  EXPECT_EQ(out.identifier, 500u);

  const std::string removal = body_of(
      EffectKind::unsubscribe, [](RecordWriter& record) { append_unsubscribe(record, 7, "a/#"); });
  SessionNumber number = 0;
  std::string_view filter;
  expect_exact(removal,
               [&](const std::string& bytes) { return read_unsubscribe(bytes, number, filter); });
  ASSERT_TRUE(read_unsubscribe(removal, number, filter));
  EXPECT_EQ(number, 7u);
  EXPECT_EQ(filter, "a/#");
}

TEST(SessionEffects, QueuedComesBackWithItsProperties) {
  Message in;
  in.topic = "water1/pub";
  in.payload = std::string("\0\x01{}", 4);
  in.client_id = "tank-1";
  in.received_us = 1'800'000'000'000'000;
  in.properties.has_expiry = true;
  in.properties.expiry_s = 60;
  in.properties.payload_is_utf8 = true;
  in.properties.content_type = "text/plain";
  in.properties.response_topic = "answer";
  in.properties.correlation_data = "42";
  in.properties.user = {{"a", "1"}, {"a", "2"}};
  const std::vector<Delivery> to = {{3, Qos::at_least_once, false, {}},
                                    {70'001,
                                     Qos::exactly_once,
                                     true,
                                     {1, 268'435'455},
                                     std::make_shared<const std::string>("$share/g/t")}};
  const std::string body = body_of(
      EffectKind::queued, [&](RecordWriter& record) { append_queued(record, in.view(), to); });
  Message out;
  std::vector<Delivery> deliveries;
  ASSERT_TRUE(read_queued(body, out, deliveries));
  EXPECT_EQ(out.topic, in.topic);
  EXPECT_EQ(out.payload, in.payload);
  EXPECT_EQ(out.client_id, in.client_id);
  EXPECT_EQ(out.received_us, in.received_us);
  EXPECT_EQ(out.properties.expiry_s, 60u);
  EXPECT_TRUE(out.properties.has_expiry && out.properties.payload_is_utf8);
  EXPECT_EQ(out.properties.content_type, "text/plain");
  EXPECT_EQ(out.properties.response_topic, "answer");
  EXPECT_EQ(out.properties.correlation_data, "42");
  EXPECT_EQ(out.properties.user, in.properties.user);
  ASSERT_EQ(deliveries.size(), 2u);
  EXPECT_EQ(deliveries[0].session, 3u);
  EXPECT_EQ(deliveries[0].qos, Qos::at_least_once);
  EXPECT_EQ(deliveries[1].session, 70'001u);
  EXPECT_EQ(deliveries[1].qos, Qos::exactly_once);
  EXPECT_TRUE(deliveries[1].retain);
  EXPECT_EQ(deliveries[1].identifiers, to[1].identifiers);
  EXPECT_EQ(deliveries[0].share, nullptr);
  ASSERT_NE(deliveries[1].share, nullptr);
  EXPECT_EQ(*deliveries[1].share, "$share/g/t");
}

TEST(SessionEffects, QueuedWithoutPropertiesIsExact) {
  Message in;
  in.topic = "t";
  const std::vector<Delivery> to = {{3, Qos::at_least_once, false, {}}};
  const std::string body = body_of(
      EffectKind::queued, [&](RecordWriter& record) { append_queued(record, in.view(), to); });
  std::vector<Delivery> deliveries;
  expect_exact(body, [&](const std::string& bytes) {
    Message out;
    return read_queued(bytes, out, deliveries);
  });
}

TEST(SessionEffects, QueuedIsAsInTheExampleOfItsPage) {
  Message in;
  in.topic = "t";
  in.payload = "x";
  in.qos = Qos::at_least_once;
  const std::vector<Delivery> to = {{3, Qos::at_least_once, false, {}}};
  const std::string body = body_of(
      EffectKind::queued, [&](RecordWriter& record) { append_queued(record, in.view(), to); });
  EXPECT_EQ(body, std::string("\x01\x03\x01\x00\x01\0\0\0\0\0\0\0\0\x01t\x01x\0\0\0", 20));
}

TEST(SessionEffects, DeliveredOfOlderVersionsIsRead) {
  SessionNumber number = 0;
  std::vector<Seq> out;
  ASSERT_TRUE(read_delivered(std::string("\x05\xc8\x01\x02\x13"), number, out));
  EXPECT_EQ(number, 5u);
  EXPECT_EQ(out, (std::vector<Seq>{100, 101, 91}));
}

TEST(SessionEffects, SettledComesBackInAnyOrder) {
  const std::vector<Position> in = {{100, 0}, {101, 2}, {101, 0}, {90, 0}, {1'000'000'000'000, 1}};
  const std::string body =
      body_of(EffectKind::settled, [&](RecordWriter& record) { append_settled(record, 5, in); });
  SessionNumber number = 0;
  std::vector<Position> out;
  ASSERT_TRUE(read_settled(body, number, out));
  EXPECT_EQ(number, 5u);
  EXPECT_EQ(out, in);
}

TEST(SessionEffects, NumberedIsAsInTheExampleOfItsPage) {
  const std::vector<Numbered> in = {{7, {1042, 0}}, {8, {1043, 1}}};
  const std::string body =
      body_of(EffectKind::numbered, [&](RecordWriter& record) { append_numbered(record, 3, in); });
  EXPECT_EQ(body, std::string("\x03\x07\0\xa4\x10\0\x08\0\x02\x01", 10));
  SessionNumber number = 0;
  std::vector<Numbered> out;
  ASSERT_TRUE(read_numbered(body, number, out));
  EXPECT_EQ(number, 3u);
  EXPECT_EQ(out, in);
  EXPECT_FALSE(read_numbered(body.substr(0, 9), number, out));
}

TEST(SessionEffects, PacketIdentifiersComeBack) {
  const std::vector<std::uint16_t> in = {1, 65'535, 300};
  const std::string body =
      body_of(EffectKind::released, [&](RecordWriter& record) { append_released(record, 9, in); });
  EXPECT_EQ(body, std::string("\x09\x01\0\xff\xff\x2c\x01", 7));
  EXPECT_EQ(body, body_of(EffectKind::confirmed,
                          [&](RecordWriter& record) { append_confirmed(record, 9, in); }));
  SessionNumber number = 0;
  std::vector<std::uint16_t> out;
  ASSERT_TRUE(read_packet_ids(body, number, out));
  EXPECT_EQ(number, 9u);
  EXPECT_EQ(out, in);
  EXPECT_FALSE(read_packet_ids(body.substr(0, 6), number, out));
  const std::string one =
      body_of(EffectKind::received, [&](RecordWriter& record) { append_received(record, 9, 2); });
  ASSERT_TRUE(read_packet_ids(one, number, out));
  EXPECT_EQ(out, (std::vector<std::uint16_t>{2}));
}

}  // namespace
}  // namespace nilo::mqtt
