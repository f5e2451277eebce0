#include "mqtt/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time_units.h"
#include "mqtt/message_properties.h"

namespace nilo::mqtt {
namespace {

constexpr std::size_t kIdCount = 65'536;
constexpr std::uint32_t kAliasMax = 16;

ErrorCode code_of(Reason reason) {
  switch (reason) {
    case Reason::bad_user_name_or_password:
      return ErrorCode::unauthenticated;
    case Reason::not_authorized:
    case Reason::banned:
      return ErrorCode::permission_denied;
    case Reason::quota_exceeded:
      return ErrorCode::resource_exhausted;
    case Reason::packet_too_large:
      return ErrorCode::too_large;
    case Reason::server_unavailable:
    case Reason::server_busy:
    case Reason::server_shutting_down:
      return ErrorCode::unavailable;
    default:
      return ErrorCode::invalid_argument;
  }
}

std::string reason_text(Reason reason, const Properties& properties) {
  const std::string_view why = properties.text(Property::reason_string);
  if (why.empty()) return std::string(text_of(reason));
  return fmt::format("{}: {}", text_of(reason), why);
}

}  // namespace

Client::Client(ClientOptions options, ClientHandler& handler, const Clock& clock)
    : options_(std::move(options)),
      handler_(handler),
      clock_(clock),
      in_use_(kIdCount),
      received_(kIdCount),
      keep_alive_s_(options_.keep_alive_s),
      sent_us_(clock.steady_us()) {}

void Client::start() {
  NILO_ASSERT(state_ == State::idle);
  Connect packet;
  packet.version = options_.version;
  packet.clean_start = options_.clean_start;
  packet.keep_alive_s = options_.keep_alive_s;
  packet.client_id = options_.client_id;
  packet.has_user_name = options_.user_name.has_value();
  packet.has_password = options_.password.has_value();
  if (packet.has_user_name) packet.user_name = *options_.user_name;
  if (packet.has_password) packet.password = *options_.password;
  std::string repeated;
  if (options_.will) {
    packet.has_will = true;
    packet.will.topic = options_.will->topic;
    packet.will.payload = options_.will->payload;
    packet.will.qos = options_.will->qos;
    packet.will.retain = options_.will->retain;
    set_properties(packet.will.properties, options_.will->properties, repeated);
  }
  packet.properties.set(Property::topic_alias_maximum, kAliasMax);
  if (options_.session_expiry_s != 0) {
    packet.properties.set(Property::session_expiry, options_.session_expiry_s);
  }
  encode(out_, packet);
  state_ = State::connecting;
}

void Client::receive(std::string_view bytes) {
  in_.append(bytes);
  std::string_view rest = in_;
  while (state_ == State::connecting || state_ == State::connected) {
    Frame frame;
    std::size_t needed = 0;
    const Framing framing =
        rest.empty() ? Framing::partial : read_frame(rest, options_.packet_size_max, frame, needed);
    if (framing == Framing::partial) break;
    if (framing != Framing::complete) {
      fail(ErrorCode::too_large, "the server sent a packet that is too large or has no length");
      break;
    }
    handle(frame);
    rest.remove_prefix(frame.size);
  }
  in_.erase(0, in_.size() - rest.size());
}

std::string Client::take_out() {
  if (!out_.empty()) sent_us_ = clock_.steady_us();
  return std::exchange(out_, {});
}

void Client::closed(std::string_view why) {
  fail(ErrorCode::unavailable, fmt::format("connection closed: {}", why));
}

void Client::tick() {
  if (state_ != State::connected || keep_alive_s_ == 0) return;
  const std::int64_t now_us = clock_.steady_us();
  if (ping_sent_us_ != 0) {
    if (now_us - ping_sent_us_ < keep_alive_s_ * kSecondUs) return;
    return fail(ErrorCode::deadline_exceeded, "the server does not answer PINGREQ");
  }
  // Three quarters, because ticks are coarse and the server counts from arrival.
  if (now_us - sent_us_ < keep_alive_s_ * kSecondUs * 3 / 4) return;
  encode_empty(out_, PacketType::pingreq);
  ping_sent_us_ = std::max<std::int64_t>(now_us, 1);
}

std::size_t Client::send_quota() const {
  if (state_ != State::connected) return 0;
  return receive_max_ - std::min(receive_max_, unanswered_count_);
}

Result<std::uint16_t> Client::publish(const MessageView& message) {
  NILO_ASSERT(state_ == State::connected);
  const bool is_answered = message.qos != Qos::at_most_once;
  if (is_answered && send_quota() == 0) {
    return Error{ErrorCode::resource_exhausted, "the server takes no more unanswered publishes"};
  }
  Publish packet;
  packet.qos = message.qos;
  packet.retain = message.retain;
  packet.topic = message.topic;
  packet.payload = message.payload;
  std::string repeated;
  if (options_.version == Version::v5 && message.properties != nullptr) {
    set_properties(packet.properties, *message.properties, repeated);
  }
  if (is_answered) packet.packet_id = next_packet_id();
  const std::size_t before = out_.size();
  encode(out_, options_.version, packet);
  if (send_size_max_ != 0 && out_.size() - before > send_size_max_) {
    out_.resize(before);
    return Error{ErrorCode::too_large,
                 fmt::format("the server takes packets of at most {} bytes", send_size_max_)};
  }
  if (is_answered) {
    in_use_[packet.packet_id] = true;
    ++unanswered_count_;
  }
  return packet.packet_id;
}

std::uint16_t Client::subscribe(const std::vector<SubscribeEntry>& entries) {
  NILO_ASSERT(state_ == State::connected && !entries.empty());
  const std::uint16_t packet_id = next_packet_id();
  in_use_[packet_id] = true;
  encode(out_, options_.version, packet_id, Properties(), entries);
  return packet_id;
}

std::uint16_t Client::unsubscribe(const std::vector<std::string_view>& filters) {
  NILO_ASSERT(state_ == State::connected && !filters.empty());
  const std::uint16_t packet_id = next_packet_id();
  in_use_[packet_id] = true;
  encode(out_, options_.version, packet_id, Properties(), filters);
  return packet_id;
}

void Client::disconnect() {
  if (state_ == State::connected) encode(out_, options_.version, Disconnect{});
  state_ = State::over;
}

void Client::handle(const Frame& frame) {
  ping_sent_us_ = 0;  // whatever comes, the server lives
  if ((state_ == State::connecting) != (frame.type == PacketType::connack)) {
    return fail(ErrorCode::invalid_argument, "the server sent a packet out of turn");
  }
  switch (frame.type) {
    case PacketType::connack:
      return handle_connack(frame);
    case PacketType::publish:
      return handle_publish(frame);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      return handle_ack(frame);
    case PacketType::suback:
    case PacketType::unsuback:
      return handle_suback(frame);
    case PacketType::pingresp:
      if (decode_empty(frame)) fail(ErrorCode::invalid_argument, "malformed PINGRESP");
      return;
    case PacketType::disconnect: {
      Disconnect packet;
      if (decode(frame, options_.version, packet)) packet.reason = Reason::unspecified_error;
      return fail(code_of(packet.reason),
                  "the server says goodbye: " + reason_text(packet.reason, packet.properties));
    }
    default:
      return fail(ErrorCode::invalid_argument, "the server sent a packet that is not a server's");
  }
}

void Client::handle_connack(const Frame& frame) {
  Connack packet;
  if (const Fault fault = decode(frame, options_.version, packet)) {
    return fail(ErrorCode::invalid_argument, fmt::format("malformed CONNACK: {}", fault.why));
  }
  if (is_error(packet.reason)) {
    return fail(code_of(packet.reason),
                "the server refuses: " + reason_text(packet.reason, packet.properties));
  }
  const Properties& properties = packet.properties;
  receive_max_ = properties.number(Property::receive_maximum, 65'535);
  send_size_max_ = properties.number(Property::maximum_packet_size, 0);
  keep_alive_s_ = static_cast<std::uint16_t>(
      properties.number(Property::server_keep_alive, options_.keep_alive_s));
  state_ = State::connected;
  handler_.on_connected(packet.session_present);
}

void Client::handle_publish(const Frame& frame) {
  Publish packet;
  if (const Fault fault = decode(frame, options_.version, packet)) {
    return fail(ErrorCode::invalid_argument, fmt::format("malformed PUBLISH: {}", fault.why));
  }
  if (packet.properties.has(Property::topic_alias)) {
    const std::size_t alias = packet.properties.number(Property::topic_alias, 0);
    if (alias > kAliasMax) return fail(ErrorCode::invalid_argument, "topic alias is too large");
    if (aliases_.size() < alias) aliases_.resize(alias);
    if (!packet.topic.empty()) aliases_[alias - 1] = packet.topic;
    packet.topic = aliases_[alias - 1];
    if (packet.topic.empty()) return fail(ErrorCode::invalid_argument, "unknown topic alias");
  }
  const bool is_repeated = packet.qos == Qos::exactly_once && received_[packet.packet_id];
  if (!is_repeated) {
    const MessageProperties properties = message_properties(packet.properties);
    MessageView view;
    view.topic = packet.topic;
    view.payload = packet.payload;
    view.qos = packet.qos;
    view.retain = packet.retain;
    if (!packet.properties.empty()) view.properties = &properties;
    handler_.on_message(view);
  }
  if (packet.qos == Qos::at_most_once) return;
  if (packet.qos == Qos::exactly_once) received_[packet.packet_id] = true;
  const PacketType answer =
      packet.qos == Qos::at_least_once ? PacketType::puback : PacketType::pubrec;
  encode(out_, options_.version, answer, Ack{packet.packet_id, Reason::success, {}});
}

void Client::handle_ack(const Frame& frame) {
  Ack packet;
  if (const Fault fault = decode(frame, options_.version, packet)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("malformed acknowledgement: {}", fault.why));
  }
  if (frame.type == PacketType::pubrel) {
    received_[packet.packet_id] = false;
    return encode(out_, options_.version, PacketType::pubcomp,
                  Ack{packet.packet_id, Reason::success, {}});
  }
  if (frame.type == PacketType::pubrec && !is_error(packet.reason)) {
    // Also for an id we do not know: then the server shall forget it, too [MQTT-4.3.3-4].
    return encode(out_, options_.version, PacketType::pubrel,
                  Ack{packet.packet_id, Reason::success, {}});
  }
  if (!in_use_[packet.packet_id] || unanswered_count_ == 0) return;
  in_use_[packet.packet_id] = false;
  --unanswered_count_;
  handler_.on_published(packet.packet_id, packet.reason);
}

void Client::handle_suback(const Frame& frame) {
  Suback packet;
  if (const Fault fault = decode(frame, options_.version, packet)) {
    return fail(ErrorCode::invalid_argument, fmt::format("malformed SUBACK: {}", fault.why));
  }
  in_use_[packet.packet_id] = false;
  if (frame.type == PacketType::unsuback) return;
  std::vector<Reason> reasons;
  for (const char reason : packet.reasons) {
    reasons.push_back(static_cast<Reason>(static_cast<std::uint8_t>(reason)));
  }
  handler_.on_subscribed(packet.packet_id, reasons);
}

void Client::fail(ErrorCode code, std::string message) {
  if (state_ == State::over) return;
  state_ = State::over;
  handler_.on_disconnected({code, std::move(message)});
}

// At most 65,535 are in use, so there is always a next one: publish() keeps the quota, and nobody
// sends that many subscriptions.
std::uint16_t Client::next_packet_id() {
  do {
    ++last_packet_id_;
  } while (last_packet_id_ == 0 || in_use_[last_packet_id_]);
  return last_packet_id_;
}

}  // namespace nilo::mqtt
