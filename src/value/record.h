// value/record.h: everything one message caused, as the bytes of one log record.
//
// A record is the server's receive time followed by effects. The log keeps records and does not
// look inside; each room reads the effects that are its own and skips the rest. All effects of a
// record are on disk, or none is.
// Format: docs/formats/record.md.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"

namespace nilo {

// The number of a record in the log: 1, 2, 3, ...; after damage some may be missing.
using Seq = std::uint64_t;

// Where in the log a message is that waits for somebody: in which record, and which of the messages
// that are queued there (rules may republish to the same session).
struct Position {
  Seq seq = 0;  // 0 = not in the log
  std::uint32_t index = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// Stored on disk: never renumber.
enum class EffectKind : std::uint8_t {
  row = 1,       // value/row.h
  catalog = 2,   // tables/catalog.h: a table or column got its number
  retained = 3,  // bus: the retained message of a topic was set or cleared
  session = 4,   // mqtt: a persistent session began or changed its expiry
  session_end = 5,
  subscribe = 6,
  unsubscribe = 7,
  queued = 8,      // mqtt: a message waits for persistent sessions
  delivered = 9,   // mqtt: as settled; no longer written
  received = 10,   // mqtt: a session sent a QoS 2 message under this packet identifier
  released = 11,   // mqtt: and its identifier is free again
  numbered = 12,   // mqtt: queued messages got packet identifiers
  confirmed = 13,  // mqtt: a session has a QoS 2 message; it is to be released
  settled = 14,    // mqtt: a session needs queued messages no longer
  will = 15,       // mqtt: what to publish if this client is gone without goodbye
  will_end = 16,   // mqtt: it was published, or will not be
  gone = 17,       // mqtt: the client of a session that expires went away
};

struct Effect {
  EffectKind kind{};
  std::string_view body;
};

// Appends effects to `out`, which must be empty or hold the beginning of this record.
class RecordWriter {
 public:
  // Starts a record at the end of `out`.
  RecordWriter(std::string& out, TimeUs received_us) : out_(out) { put_fixed(out_, received_us); }

  // Between the two calls, append the body to `out`. Effects do not nest.
  void begin(EffectKind kind) {
    put_u8(out_, static_cast<std::uint8_t>(kind));
    size_at_ = out_.size();
    put_fixed(out_, std::uint32_t{0});
  }
  void end() {
    const auto size = static_cast<std::uint32_t>(out_.size() - size_at_ - sizeof(std::uint32_t));
    std::memcpy(out_.data() + size_at_, &size, sizeof size);
  }
  // Takes back what begin() and everything after it wrote.
  void cancel() { out_.resize(size_at_ - 1); }

  std::string& out() { return out_; }

 private:
  std::string& out_;
  std::size_t size_at_ = 0;
};

// Walks the effects of a record. Damaged bytes end the walk with ok() false (the log's checksum
// makes that a bug or another version's record).
class RecordReader {
 public:
  explicit RecordReader(std::string_view record)
      : reader_(record), received_us_(reader_.fixed<TimeUs>()) {}

  TimeUs received_us() const { return received_us_; }
  bool ok() const { return reader_.ok(); }
  // False at the end.
  bool next(Effect& effect) {
    if (!reader_.ok() || reader_.at_end()) return false;
    effect.kind = static_cast<EffectKind>(reader_.u8());
    effect.body = reader_.take(reader_.fixed<std::uint32_t>());
    return reader_.ok();
  }

 private:
  ByteReader reader_;
  TimeUs received_us_;
};

}  // namespace nilo
