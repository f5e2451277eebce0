// Codec: every packet and property there and back; every way to cut or stretch one is refused.
#include "mqtt/codec.h"

#include <gtest/gtest.h>

#include <functional>

#include "mqtt/fake_host.h"
#include "mqtt/ring.h"

namespace nilo::mqtt {
namespace {

const std::vector<Version> kVersions = {Version::v3_1, Version::v3_1_1, Version::v5};

Frame frame_of(std::string_view bytes) {
  Frame frame;
  std::size_t needed = 0;
  EXPECT_EQ(read_frame(bytes, kPacketSizeMax, frame, needed), Framing::complete);
  EXPECT_EQ(frame.size, bytes.size());
  return frame;
}

struct Named {
  Property id;
  bool is_text;
};
constexpr Named kAll[] = {{Property::payload_format, false},
                          {Property::message_expiry, false},
                          {Property::content_type, true},
                          {Property::response_topic, true},
                          {Property::correlation_data, true},
                          {Property::session_expiry, false},
                          {Property::assigned_client_id, true},
                          {Property::server_keep_alive, false},
                          {Property::authentication_method, true},
                          {Property::authentication_data, true},
                          {Property::request_problem_information, false},
                          {Property::will_delay, false},
                          {Property::request_response_information, false},
                          {Property::response_information, true},
                          {Property::server_reference, true},
                          {Property::reason_string, true},
                          {Property::receive_maximum, false},
                          {Property::topic_alias_maximum, false},
                          {Property::topic_alias, false},
                          {Property::maximum_qos, false},
                          {Property::retain_available, false},
                          {Property::maximum_packet_size, false},
                          {Property::wildcard_available, false},
                          {Property::subscription_identifiers_available, false},
                          {Property::shared_available, false}};

// The packets in which one property of each kind is allowed, from table 2-4.
int allowed_count(Property id, bool is_text) {
  int count = 0;
  for (int packet = 0; packet < 16; ++packet) {
    Properties out;
    if (is_text) {
      out.set(id, std::string_view("t"));
    } else {
      out.set(id, 1);
    }
    std::string bytes;
    out.encode(bytes);
    std::string_view rest = bytes;
    Properties in;
    if (in.decode(rest, static_cast<PacketType>(packet))) continue;
    ++count;
    EXPECT_TRUE(rest.empty());
    EXPECT_TRUE(in.has(id));
    if (is_text) {
      EXPECT_EQ(in.text(id), "t");
    } else {
      EXPECT_EQ(in.number(id, 0), 1u);
    }
  }
  return count;
}

TEST(Properties, EachGoesThereAndBackInThePacketsThatMayHaveIt) {
  const std::vector<int> expected = {2, 2, 2, 2, 2, 3, 1, 1, 3, 3, 1, 1, 1,
                                     1, 2, 9, 2, 2, 1, 1, 1, 2, 1, 1, 1};
  ASSERT_EQ(expected.size(), std::size(kAll));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(allowed_count(kAll[i].id, kAll[i].is_text), expected[i])
        << "property " << static_cast<int>(kAll[i].id);
  }
}

TEST(Properties, ThoseThatRepeatKeepTheirOrder) {
  std::string section;
  append_user_property(section, "a", "1");
  append_subscription_identifier(section, 268'435'455);
  append_user_property(section, "a", "2");
  append_subscription_identifier(section, 1);
  Properties out;
  out.set(Property::content_type, std::string_view("text/plain"));
  out.set_repeated(section);
  std::string bytes;
  out.encode(bytes);
  std::string_view rest = bytes;
  Properties in;
  ASSERT_FALSE(in.decode(rest, PacketType::publish));
  std::size_t at = 0;
  std::string_view name;
  std::string_view value;
  std::string seen;
  while (in.next_user(at, name, value)) seen += std::string(name) + "=" + std::string(value) + " ";
  EXPECT_EQ(seen, "a=1 a=2 ");
  at = 0;
  std::uint32_t identifier = 0;
  std::vector<std::uint32_t> identifiers;
  while (in.next_subscription_identifier(at, identifier)) identifiers.push_back(identifier);
  EXPECT_EQ(identifiers, (std::vector<std::uint32_t>{268'435'455, 1}));
}

TEST(Properties, RefusalsSayWhy) {
  struct Case {
    const char* hex;
    Reason reason;
  };
  const Case cases[] = {
      {"02 01 02", Reason::protocol_error},              // payload format 2
      {"03 23 00 00", Reason::topic_alias_invalid},      // alias 0
      {"02 0B 00", Reason::malformed_packet},            // subscription identifier 0
      {"06 23 00 01 23 00 01", Reason::protocol_error},  // twice
      {"04 08 00 01 23", Reason::protocol_error},        // response topic '#'
      {"03 21 00 14", Reason::protocol_error},           // receive maximum in a PUBLISH
      {"02 00 01", Reason::malformed_packet},            // property 0
      {"02 7F 01", Reason::malformed_packet},            // property 127
      {"03 80 80 01", Reason::malformed_packet},         // an overlong number
      {"05 03 00 02 C3 28", Reason::malformed_packet},   // not UTF-8
      {"05 23 00 01", Reason::malformed_packet},         // longer than the packet
  };
  for (const Case& one : cases) {
    const std::string bytes = from_hex(one.hex);
    std::string_view rest = bytes;
    Properties in;
    EXPECT_EQ(in.decode(rest, PacketType::publish).reason, one.reason) << one.hex;
  }
}

// One of each packet, as full as it gets, with the function that decodes it.
struct Sample {
  std::string name;
  std::string bytes;
  std::function<Fault(const Frame&)> decode;
};

template <typename Packet>
std::function<Fault(const Frame&)> decoder(Version version) {
  return [version](const Frame& frame) {
    Packet packet;
    return decode(frame, version, packet);
  };
}

std::string user_section() {
  std::string section;
  append_user_property(section, "key", "value");
  return section;
}

Sample connect_sample(Version version) {
  const std::string section = user_section();
  Connect packet;
  packet.version = version;
  packet.client_id = "tank-1";
  packet.keep_alive_s = 600;
  packet.has_user_name = packet.has_password = packet.has_will = true;
  packet.user_name = "anna";
  packet.password = std::string_view("se\0cret", 7);
  packet.will.topic = "gone";
  packet.will.payload = "now";
  packet.will.qos = Qos::at_least_once;
  packet.will.retain = true;
  if (version == Version::v5) {
    packet.properties.set(Property::session_expiry, 3600);
    packet.properties.set_repeated(section);
    packet.will.properties.set(Property::will_delay, 5);
  }
  Sample sample{"CONNECT", {}, [](const Frame& frame) {
                  Connect out;
                  return decode(frame, out);
                }};
  encode(sample.bytes, packet);
  return sample;
}

std::vector<Sample> samples(Version version) {
  const std::string section = user_section();
  const auto with_user = [&](auto packet) {
    if (version == Version::v5) packet.properties.set_repeated(section);
    return packet;
  };
  std::vector<Sample> all = {connect_sample(version)};
  const auto add = [&](std::string name,
                       std::function<Fault(const Frame&)> decode) -> std::string& {
    all.push_back({std::move(name), {}, std::move(decode)});
    return all.back().bytes;
  };
  encode(add("CONNACK", decoder<Connack>(version)), version,
         with_user(Connack{true, Reason::success, {}}));
  Publish publish;
  publish.topic = "water1/pub";
  publish.payload = "{}";
  publish.qos = Qos::exactly_once;
  publish.packet_id = 7;
  encode(add("PUBLISH", decoder<Publish>(version)), version, with_user(publish));
  for (const PacketType type :
       {PacketType::puback, PacketType::pubrec, PacketType::pubrel, PacketType::pubcomp}) {
    encode(add("PUB" + std::to_string(static_cast<int>(type)), decoder<Ack>(version)), version,
           type, with_user(Ack{7, Reason::success, {}}));
  }
  const Properties none;
  encode(add("SUBSCRIBE", decoder<Subscribe>(version)), version, 7, none,
         std::vector<SubscribeEntry>{{"a/+", Qos::at_least_once}, {"#", Qos::exactly_once}});
  encode(add("SUBACK", decoder<Suback>(version)), version, PacketType::suback,
         with_user(Suback{7, {}, "\x01"}));
  encode(add("UNSUBSCRIBE", decoder<Unsubscribe>(version)), version, 7, none,
         std::vector<std::string_view>{"a/+", "#"});
  encode(add("DISCONNECT", decoder<Disconnect>(version)), version,
         with_user(Disconnect{Reason::success, {}}));
  if (version == Version::v5) {
    encode(add("AUTH", decoder<Auth>(version)), with_user(Auth{Reason::reauthenticate, {}}));
  }
  return all;
}

TEST(Codec, EverySampleDecodes) {
  for (const Version version : kVersions) {
    for (const Sample& sample : samples(version)) {
      const Fault fault = sample.decode(frame_of(sample.bytes));
      EXPECT_FALSE(fault) << sample.name << ": " << fault.why;
    }
  }
}

TEST(Codec, EveryPrefixOfAPacketWaitsAndSaysHowLong) {
  for (const Version version : kVersions) {
    for (const Sample& sample : samples(version)) {
      for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
        Frame frame;
        std::size_t needed = 0;
        const std::string_view prefix(sample.bytes.data(), size);
        ASSERT_EQ(read_frame(prefix, kPacketSizeMax, frame, needed), Framing::partial);
        ASSERT_GT(needed, size);
        ASSERT_LE(needed, sample.bytes.size());
      }
    }
  }
}

// What may follow a shorter body: a payload, a list of reasons, optional reasons and properties.
bool may_be_cut(const std::string& name) {
  return name == "PUBLISH" || name == "SUBACK" || name.starts_with("PUB") || name == "DISCONNECT" ||
         name == "AUTH";
}

TEST(Codec, ABodyThatEndsEarlyIsRefused) {
  for (const Version version : kVersions) {
    for (const Sample& sample : samples(version)) {
      const Frame whole = frame_of(sample.bytes);
      int accepted = 0;
      for (std::size_t size = 0; size < whole.body.size(); ++size) {
        // A copy of just these bytes, so that the sanitizer sees a read beyond.
        const std::string body(whole.body.substr(0, size));
        if (!sample.decode({whole.type, whole.flags, body, size})) ++accepted;
      }
      EXPECT_LE(accepted, may_be_cut(sample.name) ? 4 : 1) << sample.name;
    }
  }
}

TEST(Codec, AByteTooManyIsRefused) {
  for (const Version version : kVersions) {
    for (const Sample& sample : samples(version)) {
      const Frame whole = frame_of(sample.bytes);
      const std::string body = std::string(whole.body) + '\0';
      const bool is_open_ended = sample.name == "PUBLISH" || sample.name == "SUBACK";
      if (is_open_ended) continue;
      EXPECT_TRUE(sample.decode({whole.type, whole.flags, body, body.size()})) << sample.name;
    }
  }
}

TEST(Codec, WrongHeaderFlagsAreRefused_MQTT_2_1_3_1) {
  for (const Version version : {Version::v3_1_1, Version::v5}) {
    for (const Sample& sample : samples(version)) {
      if (sample.name == "PUBLISH") continue;
      const Frame good = frame_of(sample.bytes);
      for (std::uint8_t flags = 0; flags < 16; ++flags) {
        if (flags == good.flags) continue;
        EXPECT_EQ(sample.decode({good.type, flags, good.body, good.size}).reason,
                  Reason::malformed_packet)
            << sample.name;
      }
    }
  }
}

TEST(Codec, ConnectComesBackAsItWas) {
  for (const Version version : kVersions) {
    const Sample sample = connect_sample(version);
    Connect out;
    ASSERT_FALSE(decode(frame_of(sample.bytes), out));
    EXPECT_EQ(out.version, version);
    EXPECT_TRUE(out.clean_start);
    EXPECT_EQ(out.keep_alive_s, 600);
    EXPECT_EQ(out.client_id, "tank-1");
    EXPECT_EQ(out.user_name, "anna");
    EXPECT_EQ(out.password, std::string_view("se\0cret", 7));
    EXPECT_TRUE(out.has_will);
    EXPECT_EQ(out.will.topic, "gone");
    EXPECT_EQ(out.will.payload, "now");
    EXPECT_EQ(out.will.qos, Qos::at_least_once);
    EXPECT_TRUE(out.will.retain);
    EXPECT_EQ(out.properties.number(Property::session_expiry, 0),
              version == Version::v5 ? 3600u : 0);
    EXPECT_EQ(out.will.properties.number(Property::will_delay, 0), version == Version::v5 ? 5u : 0);
  }
}

TEST(Codec, SubscribeComesBackAsItWas) {
  const std::vector<SubscribeEntry> entries = {{"a/+", Qos::at_least_once, true, true, 2},
                                               {"#", Qos::exactly_once, false, false, 0}};
  Properties properties;
  properties.set(Property::subscription_identifier, 9);
  std::string bytes;
  encode(bytes, Version::v5, 4660, properties, entries);
  Subscribe out;
  ASSERT_FALSE(decode(frame_of(bytes), Version::v5, out));
  EXPECT_EQ(out.packet_id, 4660);
  EXPECT_EQ(out.properties.number(Property::subscription_identifier, 0), 9u);
  std::string_view rest = out.entries;
  SubscribeEntry entry;
  ASSERT_TRUE(next_entry(rest, entry));
  EXPECT_EQ(entry.filter, "a/+");
  EXPECT_EQ(entry.qos, Qos::at_least_once);
  EXPECT_TRUE(entry.no_local && entry.retain_as_published);
  EXPECT_EQ(entry.retain_handling, 2);
  ASSERT_TRUE(next_entry(rest, entry));
  EXPECT_EQ(entry.filter, "#");
  EXPECT_FALSE(next_entry(rest, entry));
}

TEST(Frame, ALengthOverTheLimitIsRefusedBeforeItsBytesArrive) {
  Frame frame;
  std::size_t needed = 0;
  const std::string huge = from_hex("30 FF FF FF 7F");  // 268,435,455 bytes
  EXPECT_EQ(read_frame(huge, 1024, frame, needed), Framing::too_large);
  EXPECT_EQ(read_frame(huge, kPacketSizeMax, frame, needed), Framing::partial);
  const std::string ten = from_hex("30 08 00 01 70 00 00 00 00 00");
  EXPECT_EQ(read_frame(ten, 10, frame, needed), Framing::complete);
  EXPECT_EQ(read_frame(ten, 9, frame, needed), Framing::too_large);
}

TEST(Frame, ALengthOfFiveBytesIsMalformed) {
  Frame frame;
  std::size_t needed = 0;
  EXPECT_EQ(read_frame(from_hex("30 80 80 80 80 01"), kPacketSizeMax, frame, needed),
            Framing::malformed);
}

TEST(PeekClientId, WaitsForTheWholePacketAndGivesUpOnOthers) {
  const std::string bytes = connect_sample(Version::v5).bytes;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(peek_client_id(std::string_view(bytes).substr(0, size)), std::nullopt);
  }
  EXPECT_EQ(peek_client_id(bytes), "tank-1");
  EXPECT_EQ(peek_client_id(bytes + "more"), "tank-1");
  EXPECT_EQ(peek_client_id(from_hex("30")), "");
  EXPECT_EQ(peek_client_id(from_hex("10 FF FF FF 7F")), "");
  EXPECT_EQ(peek_client_id(from_hex("10 02 00 00")), "");
}

TEST(HomeLoop, IsTheSameEachTimeAndUsesAllLoops) {
  std::vector<int> counts(4);
  for (int i = 0; i < 1000; ++i) {
    const std::string client_id = "sensor-" + std::to_string(i);
    ++counts[home_loop(client_id, 4)];
    EXPECT_EQ(home_loop(client_id, 4), home_loop(client_id, 4));
  }
  for (const int count : counts) EXPECT_GT(count, 150);
}

TEST(Reason, EachErrorHasWordsAndAnOldReturnCode) {
  EXPECT_EQ(text_of(Reason::session_taken_over), "session taken over");
  EXPECT_EQ(text_of(static_cast<Reason>(0x77)), "unknown reason");
  EXPECT_EQ(connack_code(Reason::unsupported_protocol_version), 1);
  EXPECT_EQ(connack_code(Reason::client_identifier_not_valid), 2);
  EXPECT_EQ(connack_code(Reason::quota_exceeded), 3);
  EXPECT_EQ(connack_code(Reason::bad_user_name_or_password), 4);
  EXPECT_EQ(connack_code(Reason::not_authorized), 5);
}

TEST(Ring, KeepsOrderWhileItWrapsAndGrows) {
  Ring<int> ring;
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 3; ++i) ring.push_back(next_in++);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(ring.front(), next_out++);
      ring.pop_front();
    }
  }
  ASSERT_EQ(ring.size(), 100u);
  for (std::size_t i = 0; i < ring.size(); ++i) EXPECT_EQ(ring[i], next_out + static_cast<int>(i));
}

}  // namespace
}  // namespace nilo::mqtt
