#include "mqtt/effects.h"

#include <utility>

#include "base/bytes.h"
#include "value/message_bytes.h"

namespace nilo::mqtt {
namespace {

constexpr std::uint8_t kRetainBit = 0x04;
constexpr std::uint8_t kShareBit = 0x08;

bool is_complete(const ByteReader& in) { return in.ok() && in.at_end(); }

// `last`: the record of the position before it, 0 at first.
void put_position(std::string& out, const Position& at, Seq& last) {
  put_varint(out, zigzag(static_cast<std::int64_t>(at.seq - last)));
  put_varint(out, at.index);
  last = at.seq;
}

Position get_position(ByteReader& in, Seq& last) {
  last += static_cast<Seq>(unzigzag(in.varint()));
  return {last, static_cast<std::uint32_t>(in.varint())};
}

void append_packet_ids(RecordWriter& record, EffectKind kind, SessionNumber number,
                       std::span<const std::uint16_t> ids) {
  record.begin(kind);
  put_varint(record.out(), number);
  for (const std::uint16_t id : ids) put_fixed(record.out(), id);
  record.end();
}

}  // namespace

void append_session(RecordWriter& record, const SessionEffect& effect) {
  record.begin(EffectKind::session);
  put_varint(record.out(), effect.number);
  put_varint(record.out(), effect.expiry_s);
  put_bytes(record.out(), effect.client_id);
  if (!effect.owner.empty()) put_bytes(record.out(), effect.owner);
  record.end();
}

bool read_session(std::string_view body, SessionEffect& effect) {
  ByteReader in(body);
  effect.number = in.varint();
  effect.expiry_s = static_cast<std::uint32_t>(in.varint());
  effect.client_id = in.bytes();
  effect.owner = {};
  if (in.ok() && in.at_end()) return true;
  effect.owner = in.bytes();
  return is_complete(in) && !effect.owner.empty();
}

void append_session_end(RecordWriter& record, SessionNumber number) {
  record.begin(EffectKind::session_end);
  put_varint(record.out(), number);
  record.end();
}

bool read_session_end(std::string_view body, SessionNumber& number) {
  ByteReader in(body);
  number = in.varint();
  return is_complete(in);
}

void append_subscribe(RecordWriter& record, const SubscribeEffect& effect) {
  const SubscribeEntry& entry = effect.entry;
  record.begin(EffectKind::subscribe);
  put_varint(record.out(), effect.number);
  put_u8(record.out(),
         static_cast<std::uint8_t>(static_cast<unsigned>(entry.qos) | (entry.no_local ? 0x04u : 0) |
                                   (entry.retain_as_published ? 0x08u : 0) |
                                   static_cast<unsigned>(entry.retain_handling) << 4));
  put_varint(record.out(), effect.identifier);
  put_bytes(record.out(), entry.filter);
  record.end();
}

bool read_subscribe(std::string_view body, SubscribeEffect& effect) {
  ByteReader in(body);
  effect.number = in.varint();
  const std::uint8_t options = in.u8();
  effect.entry.qos = static_cast<Qos>(options & 3);
  effect.entry.no_local = (options & 0x04) != 0;
  effect.entry.retain_as_published = (options & 0x08) != 0;
  effect.entry.retain_handling = options >> 4 & 3;
  effect.identifier = static_cast<std::uint32_t>(in.varint());
  effect.entry.filter = in.bytes();
  return is_complete(in) && (options & 3) != 3;
}

void append_unsubscribe(RecordWriter& record, SessionNumber number, std::string_view filter) {
  record.begin(EffectKind::unsubscribe);
  put_varint(record.out(), number);
  put_bytes(record.out(), filter);
  record.end();
}

bool read_unsubscribe(std::string_view body, SessionNumber& number, std::string_view& filter) {
  ByteReader in(body);
  number = in.varint();
  filter = in.bytes();
  return is_complete(in);
}

Letter letter_of(const Delivery& delivery, MessagePtr message) {
  Letter letter{std::move(message), nullptr, delivery.qos, delivery.retain, delivery.share};
  if (!delivery.identifiers.empty()) {
    letter.identifiers = std::make_unique<std::vector<std::uint32_t>>(delivery.identifiers);
  }
  return letter;
}

void append_queued(RecordWriter& record, const MessageView& message,
                   std::span<const Delivery> deliveries) {
  record.begin(EffectKind::queued);
  std::string& out = record.out();
  put_varint(out, deliveries.size());
  for (const Delivery& delivery : deliveries) {
    put_varint(out, delivery.session);
    put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(delivery.qos) |
                                          (delivery.retain ? kRetainBit : 0u) |
                                          (delivery.share ? kShareBit : 0u)));
    put_varint(out, delivery.identifiers.size());
    for (const std::uint32_t identifier : delivery.identifiers) put_varint(out, identifier);
    if (delivery.share) put_bytes(out, *delivery.share);
  }
  put_message(out, message);
  record.end();
}

namespace {

bool get_deliveries(ByteReader& in, std::vector<Delivery>& deliveries) {
  deliveries.clear();
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Delivery& delivery = deliveries.emplace_back();
    delivery.session = in.varint();
    const std::uint8_t options = in.u8();
    if ((options & 3) == 0 || (options & 3) == 3) return false;
    delivery.qos = static_cast<Qos>(options & 3);
    delivery.retain = (options & kRetainBit) != 0;
    for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count) {
      delivery.identifiers.push_back(static_cast<std::uint32_t>(in.varint()));
    }
    if ((options & kShareBit) != 0) delivery.share = std::make_shared<std::string>(in.bytes());
  }
  return in.ok();
}

}  // namespace

bool read_queued(std::string_view body, Message& message, std::vector<Delivery>& deliveries) {
  ByteReader in(body);
  if (!get_deliveries(in, deliveries)) return false;
  message = get_message(in);
  return is_complete(in);
}

bool read_deliveries(std::string_view body, std::vector<Delivery>& deliveries) {
  ByteReader in(body);
  return get_deliveries(in, deliveries);
}

bool read_letter(std::string_view record, std::uint32_t index, SessionNumber session,
                 Letter& letter) {
  RecordReader reader(record);
  Effect effect;
  while (reader.next(effect)) {
    if (effect.kind != EffectKind::queued || index-- > 0) continue;
    auto message = std::make_shared<Message>();
    std::vector<Delivery> deliveries;
    if (!read_queued(effect.body, *message, deliveries)) return false;
    for (const Delivery& delivery : deliveries) {
      if (delivery.session != session) continue;
      letter = letter_of(delivery, std::move(message));
      return true;
    }
    return false;
  }
  return false;
}

bool read_delivered(std::string_view body, SessionNumber& number, std::vector<Seq>& seqs) {
  ByteReader in(body);
  number = in.varint();
  seqs.clear();
  Seq last = 0;
  while (in.ok() && !in.at_end()) {
    last += static_cast<Seq>(unzigzag(in.varint()));
    seqs.push_back(last);
  }
  return in.ok();
}

void append_settled(RecordWriter& record, SessionNumber number, std::span<const Position> places) {
  record.begin(EffectKind::settled);
  put_varint(record.out(), number);
  Seq last = 0;
  for (const Position& at : places) put_position(record.out(), at, last);
  record.end();
}

bool read_settled(std::string_view body, SessionNumber& number, std::vector<Position>& places) {
  ByteReader in(body);
  number = in.varint();
  places.clear();
  Seq last = 0;
  while (in.ok() && !in.at_end()) places.push_back(get_position(in, last));
  return in.ok();
}

void append_numbered(RecordWriter& record, SessionNumber number,
                     std::span<const Numbered> numbered) {
  record.begin(EffectKind::numbered);
  put_varint(record.out(), number);
  Seq last = 0;
  for (const Numbered& one : numbered) {
    put_fixed(record.out(), one.packet_id);
    put_position(record.out(), one.at, last);
  }
  record.end();
}

bool read_numbered(std::string_view body, SessionNumber& number, std::vector<Numbered>& numbered) {
  ByteReader in(body);
  number = in.varint();
  numbered.clear();
  Seq last = 0;
  while (in.ok() && !in.at_end()) {
    Numbered& one = numbered.emplace_back();
    one.packet_id = in.fixed<std::uint16_t>();
    one.at = get_position(in, last);
  }
  return in.ok();
}

void append_received(RecordWriter& record, SessionNumber number, std::uint16_t packet_id) {
  append_packet_ids(record, EffectKind::received, number, {&packet_id, 1});
}

void append_released(RecordWriter& record, SessionNumber number,
                     std::span<const std::uint16_t> ids) {
  append_packet_ids(record, EffectKind::released, number, ids);
}

void append_confirmed(RecordWriter& record, SessionNumber number,
                      std::span<const std::uint16_t> ids) {
  append_packet_ids(record, EffectKind::confirmed, number, ids);
}

bool read_packet_ids(std::string_view body, SessionNumber& number,
                     std::vector<std::uint16_t>& ids) {
  ByteReader in(body);
  number = in.varint();
  ids.clear();
  while (in.ok() && !in.at_end()) ids.push_back(in.fixed<std::uint16_t>());
  return in.ok();
}

void append_will(RecordWriter& record, SessionNumber number, std::uint32_t delay_s,
                 const MessageView& message) {
  record.begin(EffectKind::will);
  put_varint(record.out(), number);
  put_varint(record.out(), delay_s);
  put_message(record.out(), message);
  record.end();
}

bool read_will(std::string_view body, WillEffect& effect) {
  ByteReader in(body);
  effect.number = in.varint();
  effect.delay_s = static_cast<std::uint32_t>(in.varint());
  effect.message = get_message(in);
  return is_complete(in);
}

void append_will_end(RecordWriter& record, SessionNumber number) {
  record.begin(EffectKind::will_end);
  put_varint(record.out(), number);
  record.end();
}

bool read_will_end(std::string_view body, SessionNumber& number) {
  return read_session_end(body, number);
}

void append_gone(RecordWriter& record, SessionNumber number, TimeUs gone_us) {
  record.begin(EffectKind::gone);
  put_varint(record.out(), number);
  put_fixed(record.out(), gone_us);
  record.end();
}

bool read_gone(std::string_view body, SessionNumber& number, TimeUs& gone_us) {
  ByteReader in(body);
  number = in.varint();
  gone_us = in.fixed<TimeUs>();
  return is_complete(in);
}

}  // namespace nilo::mqtt
