// mqtt/test_packets.h: packets for tests, short to write and short to read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mqtt/codec.h"
#include "mqtt/fake_host.h"

namespace nilo::mqtt {

inline constexpr Version kV3 = Version::v3_1_1;
inline constexpr Version kV5 = Version::v5;

inline std::string publish(Version version, std::string_view topic, std::string_view payload,
                           Qos qos, std::uint16_t packet_id = 0, bool retain = false) {
  Publish packet;
  packet.topic = topic;
  packet.payload = payload;
  packet.qos = qos;
  packet.packet_id = packet_id;
  packet.retain = retain;
  std::string bytes;
  encode(bytes, version, packet);
  return bytes;
}

inline std::string subscribe(Version version, SubscribeEntry entry, std::uint32_t identifier = 0) {
  Properties properties;
  if (identifier != 0) properties.set(Property::subscription_identifier, identifier);
  std::string bytes;
  encode(bytes, version, 1, properties, std::vector<SubscribeEntry>{entry});
  return bytes;
}

inline std::string ack(Version version, PacketType type, std::uint16_t packet_id) {
  std::string bytes;
  encode(bytes, version, type, Ack{packet_id, Reason::success, {}});
  return bytes;
}

// The packets in `bytes`, each as one word and what matters of it.
inline std::string told(Version version, std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    Frame frame;
    std::size_t needed = 0;
    if (read_frame(bytes, kPacketSizeMax, frame, needed) != Framing::complete) return out + "?";
    bytes.remove_prefix(frame.size);
    if (!out.empty()) out += ", ";
    Publish message;
    Disconnect goodbye;
    if (frame.type == PacketType::publish && !decode(frame, version, message)) {
      out += std::string(message.topic) + "=" + std::string(message.payload) + " q" +
             std::to_string(static_cast<int>(message.qos));
      if (message.packet_id != 0) out += " #" + std::to_string(message.packet_id);
      if (message.dup) out += " dup";
      if (message.retain) out += " retained";
    } else if (frame.type == PacketType::disconnect && !decode(frame, version, goodbye)) {
      out += "goodbye " + std::string(text_of(goodbye.reason));
    } else {
      out += to_hex(
          std::string(1, static_cast<char>(static_cast<unsigned>(frame.type) << 4 | frame.flags)));
      out += ":" + to_hex(frame.body);
    }
  }
  return out;
}

inline const SubscribeEntry kAll{"#", Qos::at_least_once};

// 3.1.1, of client "a".
inline Connect with_keep_alive(std::uint16_t seconds) {
  Connect packet;
  packet.version = kV3;
  packet.client_id = "a";
  packet.keep_alive_s = seconds;
  return packet;
}

// Of client "tank", to the topic "gone".
inline Connect with_will(Version version, std::uint32_t delay_s, std::uint32_t expiry_s) {
  Connect packet;
  packet.version = version;
  packet.client_id = "tank";
  packet.clean_start = false;
  packet.has_will = true;
  packet.will.topic = "gone";
  packet.will.payload = "tank";
  packet.will.qos = Qos::at_least_once;
  if (version == kV5) {
    packet.properties.set(Property::session_expiry, expiry_s);
    packet.will.properties.set(Property::will_delay, delay_s);
  }
  return packet;
}

}  // namespace nilo::mqtt
