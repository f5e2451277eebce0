// mqtt/codec.h: bytes to packets and back, both versions, without a copy.
//
// In/out:  bytes -> frames -> packet structs (views); packet structs -> bytes.
// Threads: pure functions.
// Limits:  the caller says how large a packet may be, and it is refused as soon as its length is
//          known, before anything is kept.
// Source:  MQTT 5.0 and 3.1.1, chapters 2 and 3. 3.1 differs only in its protocol name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/packet.h"

namespace nilo::mqtt {

// The largest packet there can be: 268,435,455 bytes behind a header of five.
inline constexpr std::size_t kPacketSizeMax = 268'435'460;

// One packet, still closed.
struct Frame {
  PacketType type{};
  std::uint8_t flags = 0;  // the low four bits of its first byte
  std::string_view body{};
  std::size_t size = 0;  // of the whole packet, header included
};

enum class Framing : std::uint8_t { complete, partial, malformed, too_large };

// Looks at the packet `bytes` begins with. partial: `needed` is the number of bytes, counted from
// the packet's first, without which there is no point in looking again.
Framing read_frame(std::string_view bytes, std::size_t size_max, Frame& frame, std::size_t& needed);

// Each checks all of the packet: flags, lengths, text, properties, no byte left over. The views
// live as long as the frame's bytes. The version is CONNECT's own; it is set as far as it could
// be read even when the rest is refused.
Fault decode(const Frame& frame, Connect& out);
Fault decode(const Frame& frame, Version version, Connack& out);
Fault decode(const Frame& frame, Version version, Publish& out);
Fault decode(const Frame& frame, Version version, Ack& out);
Fault decode(const Frame& frame, Version version, Subscribe& out);
Fault decode(const Frame& frame, Version version, Suback& out);
Fault decode(const Frame& frame, Version version, Unsubscribe& out);
Fault decode(const Frame& frame, Version version, Disconnect& out);
Fault decode(const Frame& frame, Version version, Auth& out);
// PINGREQ and PINGRESP: nothing but the header.
Fault decode_empty(const Frame& frame);

// Walk a checked packet; `rest` starts as Subscribe::entries or Unsubscribe::filters.
bool next_entry(std::string_view& rest, SubscribeEntry& entry);
bool next_filter(std::string_view& rest, std::string_view& filter);

// Append the packet to `out`. Texts of at most 65,535 bytes (asserted).
void encode(std::string& out, const Connect& packet);
void encode(std::string& out, Version version, const Connack& packet);
void encode(std::string& out, Version version, const Publish& packet);
// `type`: puback, pubrec, pubrel or pubcomp.
void encode(std::string& out, Version version, PacketType type, const Ack& packet);
void encode(std::string& out, Version version, std::uint16_t packet_id,
            const Properties& properties, const std::vector<SubscribeEntry>& entries);
void encode(std::string& out, Version version, std::uint16_t packet_id,
            const Properties& properties, const std::vector<std::string_view>& filters);
// `type`: suback or unsuback.
void encode(std::string& out, Version version, PacketType type, const Suback& packet);
void encode(std::string& out, Version version, const Disconnect& packet);
void encode(std::string& out, const Auth& packet);
void encode_empty(std::string& out, PacketType type);

// The client id in the first packet of a connection, so that the transport can move the socket to
// the loop that owns this client before a Broker sees it. nullopt: more bytes are needed. Empty:
// none given, or no CONNECT at all (any Broker will do to say so).
std::optional<std::string_view> peek_client_id(std::string_view bytes);

// The loop that owns a client, of `loop_count`.
std::uint32_t home_loop(std::string_view client_id, std::uint32_t loop_count);

}  // namespace nilo::mqtt
