// Any bytes as a packet of any version: decoding never reads outside them, and what decodes and is
// encoded again decodes to the same bytes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "mqtt/codec.h"

namespace nilo::mqtt {
namespace {

Frame frame_of(std::string_view bytes) {
  Frame frame;
  std::size_t needed = 0;
  NILO_ASSERT(read_frame(bytes, kPacketSizeMax, frame, needed) == Framing::complete);
  return frame;
}

// encode(decode(x)) is a fixed point.
template <typename Decode, typename Encode>
void check(const Frame& frame, Decode decode_one, Encode encode_one) {
  if (!decode_one(frame)) return;
  std::string once;
  encode_one(once);
  const std::string copy = once;
  NILO_ASSERT(decode_one(frame_of(copy)));
  std::string twice;
  encode_one(twice);
  NILO_ASSERT(once == twice);
}

template <typename Packet>
void check_plain(const Frame& frame, Version version) {
  Packet packet;
  check(
      frame, [&](const Frame& one) { return !decode(one, version, packet); },
      [&](std::string& out) { encode(out, version, packet); });
}

template <typename Packet>
void check_typed(const Frame& frame, Version version) {
  Packet packet;
  check(
      frame, [&](const Frame& one) { return !decode(one, version, packet); },
      [&](std::string& out) { encode(out, version, frame.type, packet); });
}

void check_lists(const Frame& frame, Version version) {
  Subscribe subscribe;
  if (frame.type == PacketType::subscribe && !decode(frame, version, subscribe)) {
    SubscribeEntry entry;
    for (std::string_view rest = subscribe.entries; next_entry(rest, entry);) {
      NILO_ASSERT(!entry.filter.empty());
    }
  }
  Unsubscribe unsubscribe;
  if (frame.type == PacketType::unsubscribe && !decode(frame, version, unsubscribe)) {
    std::string_view filter;
    for (std::string_view rest = unsubscribe.filters; next_filter(rest, filter);) {
      NILO_ASSERT(!filter.empty());
    }
  }
}

void check_packet(const Frame& frame, Version version) {
  switch (frame.type) {
    case PacketType::connect: {
      Connect packet;
      return check(
          frame, [&](const Frame& one) { return !decode(one, packet); },
          [&](std::string& out) { encode(out, packet); });
    }
    case PacketType::connack:
      return check_plain<Connack>(frame, version);
    case PacketType::publish:
      return check_plain<Publish>(frame, version);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      return check_typed<Ack>(frame, version);
    case PacketType::suback:
    case PacketType::unsuback:
      return check_typed<Suback>(frame, version);
    case PacketType::disconnect:
      return check_plain<Disconnect>(frame, version);
    case PacketType::auth: {
      Auth packet;
      return check(
          frame, [&](const Frame& one) { return !decode(one, version, packet); },
          [&](std::string& out) { encode(out, packet); });
    }
    default:
      return check_lists(frame, version);
  }
}

}  // namespace
}  // namespace nilo::mqtt

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nilo::mqtt;
  if (size == 0) return 0;
  constexpr Version kVersions[] = {Version::v3_1, Version::v3_1_1, Version::v5};
  const Version version = kVersions[data[0] % 3];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (bytes.empty()) return 0;
  if (const auto client_id = peek_client_id(bytes)) NILO_ASSERT(client_id->size() <= size);
  Frame frame;
  std::size_t needed = 0;
  if (read_frame(bytes, 1 << 20, frame, needed) == Framing::complete) check_packet(frame, version);
  return 0;
}
