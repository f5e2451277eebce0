#include "mqtt/effects.h"

#include "base/bytes.h"
#include "value/message_bytes.h"

namespace nilo::mqtt {
namespace {

constexpr std::uint8_t kRetainBit = 0x04;

bool is_complete(const ByteReader& in) { return in.ok() && in.at_end(); }

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

void append_queued(RecordWriter& record, const MessageView& message,
                   std::span<const Delivery> deliveries) {
  record.begin(EffectKind::queued);
  std::string& out = record.out();
  put_varint(out, deliveries.size());
  for (const Delivery& delivery : deliveries) {
    put_varint(out, delivery.session);
    put_u8(out, static_cast<std::uint8_t>(static_cast<unsigned>(delivery.qos) |
                                          (delivery.retain ? kRetainBit : 0u)));
    put_varint(out, delivery.identifiers.size());
    for (const std::uint32_t identifier : delivery.identifiers) put_varint(out, identifier);
  }
  put_message(out, message);
  record.end();
}

bool read_queued(std::string_view body, Message& message, std::vector<Delivery>& deliveries) {
  ByteReader in(body);
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
  }
  message = get_message(in);
  return is_complete(in);
}

void append_delivered(RecordWriter& record, SessionNumber number, std::span<const Seq> seqs) {
  record.begin(EffectKind::delivered);
  put_varint(record.out(), number);
  Seq last = 0;
  for (const Seq seq : seqs) {
    put_varint(record.out(), zigzag(static_cast<std::int64_t>(seq - last)));
    last = seq;
  }
  record.end();
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

}  // namespace nilo::mqtt
