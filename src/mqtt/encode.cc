#include "mqtt/codec.h"
#include "mqtt/wire.h"

namespace nilo::mqtt {
namespace {

// Writes the fixed header now and its length when the body is complete.
class PacketWriter {
 public:
  PacketWriter(std::string& out, PacketType type, std::uint8_t flags)
      : length_(start(out, type, flags)) {}
  void finish() { length_.finish(); }

 private:
  static std::string& start(std::string& out, PacketType type, std::uint8_t flags) {
    put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags));
    return out;
  }
  LengthPrefix length_;
};

void encode_properties(std::string& out, Version version, const Properties& properties) {
  if (version != Version::v5) return;
  if (properties.empty()) {
    put_u8(out, 0);
  } else {
    properties.encode(out);
  }
}

std::uint8_t connect_flags(const Connect& packet) {
  unsigned flags = packet.clean_start ? 0x02u : 0;
  if (packet.has_will) {
    flags |= 0x04u | static_cast<unsigned>(packet.will.qos) << 3;
    if (packet.will.retain) flags |= 0x20u;
  }
  if (packet.has_password) flags |= 0x40u;
  if (packet.has_user_name) flags |= 0x80u;
  return static_cast<std::uint8_t>(flags);
}

// The reason and the properties, both left out where they say nothing.
void encode_reason(std::string& out, Reason reason, const Properties& properties) {
  if (reason == Reason::success && properties.empty()) return;
  put_u8(out, static_cast<std::uint8_t>(reason));
  if (!properties.empty()) properties.encode(out);
}

}  // namespace

void encode(std::string& out, const Connect& packet) {
  PacketWriter writer(out, PacketType::connect, 0);
  put_text(out, packet.version == Version::v3_1 ? "MQIsdp" : "MQTT");
  put_u8(out, static_cast<std::uint8_t>(packet.version));
  put_u8(out, connect_flags(packet));
  put_u16(out, packet.keep_alive_s);
  encode_properties(out, packet.version, packet.properties);
  put_text(out, packet.client_id);
  if (packet.has_will) {
    encode_properties(out, packet.version, packet.will.properties);
    put_text(out, packet.will.topic);
    put_text(out, packet.will.payload);
  }
  if (packet.has_user_name) put_text(out, packet.user_name);
  if (packet.has_password) put_text(out, packet.password);
  writer.finish();
}

void encode(std::string& out, Version version, const Connack& packet) {
  PacketWriter writer(out, PacketType::connack, 0);
  put_u8(out, packet.session_present ? 1 : 0);
  put_u8(out, version == Version::v5 ? static_cast<std::uint8_t>(packet.reason)
                                     : connack_code(packet.reason));
  encode_properties(out, version, packet.properties);
  writer.finish();
}

void encode(std::string& out, Version version, const Publish& packet) {
  unsigned flags = static_cast<unsigned>(packet.qos) << 1;
  if (packet.dup) flags |= 0x08u;
  if (packet.retain) flags |= 0x01u;
  PacketWriter writer(out, PacketType::publish, static_cast<std::uint8_t>(flags));
  put_text(out, packet.topic);
  if (packet.qos != Qos::at_most_once) put_u16(out, packet.packet_id);
  encode_properties(out, version, packet.properties);
  out.append(packet.payload);
  writer.finish();
}

void encode(std::string& out, Version version, PacketType type, const Ack& packet) {
  PacketWriter writer(out, type, type == PacketType::pubrel ? 2 : 0);
  put_u16(out, packet.packet_id);
  if (version == Version::v5) encode_reason(out, packet.reason, packet.properties);
  writer.finish();
}

void encode(std::string& out, Version version, std::uint16_t packet_id,
            const Properties& properties, const std::vector<SubscribeEntry>& entries) {
  PacketWriter writer(out, PacketType::subscribe, 2);
  put_u16(out, packet_id);
  encode_properties(out, version, properties);
  for (const SubscribeEntry& entry : entries) {
    put_text(out, entry.filter);
    auto options = static_cast<unsigned>(entry.qos);
    if (version == Version::v5) {
      if (entry.no_local) options |= 0x04u;
      if (entry.retain_as_published) options |= 0x08u;
      options |= static_cast<unsigned>(entry.retain_handling) << 4;
    }
    put_u8(out, static_cast<std::uint8_t>(options));
  }
  writer.finish();
}

void encode(std::string& out, Version version, std::uint16_t packet_id,
            const Properties& properties, const std::vector<std::string_view>& filters) {
  PacketWriter writer(out, PacketType::unsubscribe, 2);
  put_u16(out, packet_id);
  encode_properties(out, version, properties);
  for (const std::string_view filter : filters) put_text(out, filter);
  writer.finish();
}

void encode(std::string& out, Version version, PacketType type, const Suback& packet) {
  PacketWriter writer(out, type, 0);
  put_u16(out, packet.packet_id);
  encode_properties(out, version, packet.properties);
  out.append(packet.reasons);
  writer.finish();
}

void encode(std::string& out, Version version, const Disconnect& packet) {
  PacketWriter writer(out, PacketType::disconnect, 0);
  if (version == Version::v5) encode_reason(out, packet.reason, packet.properties);
  writer.finish();
}

void encode(std::string& out, const Auth& packet) {
  PacketWriter writer(out, PacketType::auth, 0);
  encode_reason(out, packet.reason, packet.properties);
  writer.finish();
}

void encode_empty(std::string& out, PacketType type) { PacketWriter(out, type, 0).finish(); }

}  // namespace nilo::mqtt
