// app/message_error.h: what is told of a message of which something was refused: a message on
// `$error/<source>`, and a row.
//
// Threads: pure functions; ErrorSlots is shared by all loops.
// Limits:  the last kErrorRowsMax rows are kept, a ring; long texts are cut.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "value/message.h"
#include "value/record.h"
#include "value/row.h"
#include "value/schema.h"

namespace nilo::app {

// Key: slot; then time, source, reason, topic, client, payload.
inline constexpr std::string_view kErrorsTable = "sys_errors";
inline constexpr std::int64_t kErrorRowsMax = 10'000;
TableSchema errors_schema();

// Where the next row goes. One for all loops.
struct ErrorSlots {
  std::atomic<std::int64_t> next{0};
};

struct MessageError {
  std::string_view source;   // "rules/store"
  std::string_view reason;   // "distance 95 cm is above max 89 cm"
  const MessageView& about;  // as far as there is one
};

// {"reason":...,"topic":...,"client":...,"principal":...,"payload":...,"received":...}
std::string payload_of(const MessageError& error);
// `writer`: of kErrorsTable.
void write_error(RowWriter& writer, RecordWriter& record, std::int64_t slot,
                 const MessageError& error);
// Whose turn it was and when, in a row of kErrorsTable.
struct ErrorPlace {
  std::int64_t slot = 0;
  TimeUs time_us = 0;
};
ErrorPlace error_place_of(std::span<const Value> cells);

}  // namespace nilo::app
