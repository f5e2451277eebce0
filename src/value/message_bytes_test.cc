#include "value/message_bytes.h"

#include <gtest/gtest.h>

namespace nilo {
namespace {

Message full_message() {
  Message message;
  message.topic = "water1/pub";
  message.payload = std::string("\0\xff{}", 4);
  message.qos = Qos::exactly_once;
  message.retain = true;
  message.received_us = -5;
  message.client_id = "tank-1";
  message.principal = "barn";
  message.source_ip = "::1";
  message.properties = {true,
                        60,
                        true,
                        "application/json",
                        "answer/here",
                        std::string(1, '\0'),
                        {{"a", "1"}, {"a", "2"}}};
  return message;
}

void expect_same(const Message& a, const Message& b) {
  EXPECT_EQ(a.topic, b.topic);
  EXPECT_EQ(a.payload, b.payload);
  EXPECT_EQ(a.qos, b.qos);
  EXPECT_EQ(a.retain, b.retain);
  EXPECT_EQ(a.received_us, b.received_us);
  EXPECT_EQ(a.client_id, b.client_id);
  EXPECT_EQ(a.principal, b.principal);
  EXPECT_EQ(a.source_ip, b.source_ip);
  EXPECT_EQ(a.properties.payload_is_utf8, b.properties.payload_is_utf8);
  EXPECT_EQ(a.properties.has_expiry, b.properties.has_expiry);
  EXPECT_EQ(a.properties.expiry_s, b.properties.expiry_s);
  EXPECT_EQ(a.properties.content_type, b.properties.content_type);
  EXPECT_EQ(a.properties.response_topic, b.properties.response_topic);
  EXPECT_EQ(a.properties.correlation_data, b.properties.correlation_data);
  EXPECT_EQ(a.properties.user, b.properties.user);
}

TEST(MessageBytes, ComeBackAsTheyWere) {
  for (const Message& message : {full_message(), Message{}}) {
    std::string bytes;
    put_message(bytes, message.view());
    ByteReader in(bytes);
    expect_same(get_message(in), message);
    EXPECT_TRUE(in.ok());
    EXPECT_TRUE(in.at_end());
  }
}

TEST(MessageBytes, AreRefusedWhenCutAnywhere) {
  std::string bytes;
  put_message(bytes, full_message().view());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    get_message(in);
    EXPECT_FALSE(in.ok()) << size;
  }
}

}  // namespace
}  // namespace nilo
