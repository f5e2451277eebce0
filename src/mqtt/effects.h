// mqtt/effects.h: sessions that outlive their connections, as effects in log records.
//
// Each effect has a struct, an append function and a read function. A read function answers false
// for damaged bytes.
// Format: docs/formats/session.md.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "mqtt/host.h"
#include "mqtt/outgoing_queue.h"
#include "value/record.h"

namespace nilo::mqtt {

// A persistent session began, or changed how long it stays or whose it is.
struct SessionEffect {
  SessionNumber number = 0;
  std::uint32_t expiry_s = 0;  // counted from when the client is gone; 0xffffffff = never
  std::string_view client_id;
  std::string_view owner{};  // the name of the login that has it; empty: nobody's
};
void append_session(RecordWriter& record, const SessionEffect& effect);
bool read_session(std::string_view body, SessionEffect& effect);

void append_session_end(RecordWriter& record, SessionNumber number);
bool read_session_end(std::string_view body, SessionNumber& number);

struct SubscribeEffect {
  SessionNumber number = 0;
  SubscribeEntry entry;
  std::uint32_t identifier = 0;  // 0 = none
};
void append_subscribe(RecordWriter& record, const SubscribeEffect& effect);
bool read_subscribe(std::string_view body, SubscribeEffect& effect);

void append_unsubscribe(RecordWriter& record, SessionNumber number, std::string_view filter);
bool read_unsubscribe(std::string_view body, SessionNumber& number, std::string_view& filter);

// A message on its way to one subscriber.
struct Delivery {
  SessionNumber session = 0;
  Qos qos = Qos::at_most_once;  // as it will be delivered
  bool retain = false;          // likewise
  std::vector<std::uint32_t> identifiers{};
  SharePtr share{};  // so that another member gets it if this one goes without a word
};

Letter letter_of(const Delivery& delivery, MessagePtr message);

// `message` waits for `deliveries`: persistent sessions, QoS 1 and 2. Belongs into the record of
// the message, so that the record's sequence number names it.
void append_queued(RecordWriter& record, const MessageView& message,
                   std::span<const Delivery> deliveries);
bool read_queued(std::string_view body, Message& message, std::vector<Delivery>& deliveries);
// Only for whom.
bool read_deliveries(std::string_view body, std::vector<Delivery>& deliveries);
// The message at this place of a record, as `session` gets it. False: it does not.
bool read_letter(std::string_view record, std::uint32_t index, SessionNumber session,
                 Letter& letter);

// How older versions wrote `settled`: only the records, one message of each.
bool read_delivered(std::string_view body, SessionNumber& number, std::vector<Seq>& seqs);

// The session needs the messages at these places no longer: it has them, or will never get them.
void append_settled(RecordWriter& record, SessionNumber number, std::span<const Position> places);
bool read_settled(std::string_view body, SessionNumber& number, std::vector<Position>& places);

// Queued messages of the session have these packet identifiers.
void append_numbered(RecordWriter& record, SessionNumber number,
                     std::span<const Numbered> numbered);
bool read_numbered(std::string_view body, SessionNumber& number, std::vector<Numbered>& numbered);

// The QoS 2 message of this record came from the session under this packet identifier: until it is
// released, another one under the same is the same. Belongs into the record of the message.
void append_received(RecordWriter& record, SessionNumber number, std::uint16_t packet_id);
// PUBREL came for these.
void append_released(RecordWriter& record, SessionNumber number,
                     std::span<const std::uint16_t> ids);
// PUBREC came for messages to the session: from now on it gets PUBREL for them.
void append_confirmed(RecordWriter& record, SessionNumber number,
                      std::span<const std::uint16_t> ids);
// Reads each of the three.
bool read_packet_ids(std::string_view body, SessionNumber& number, std::vector<std::uint16_t>& ids);

// What to publish if the client of this session, persistent or not, is gone without goodbye.
struct WillEffect {
  SessionNumber number = 0;
  std::uint32_t delay_s = 0;
  Message message;
};
void append_will(RecordWriter& record, SessionNumber number, std::uint32_t delay_s,
                 const MessageView& message);
bool read_will(std::string_view body, WillEffect& effect);
// It was published by this record, or will not be.
void append_will_end(RecordWriter& record, SessionNumber number);
bool read_will_end(std::string_view body, SessionNumber& number);

// The client of a persistent session went away; the next `session` says that it is back.
void append_gone(RecordWriter& record, SessionNumber number, TimeUs gone_us);
bool read_gone(std::string_view body, SessionNumber& number, TimeUs& gone_us);

}  // namespace nilo::mqtt
