// app/notices.h: what somebody is to be told, and what became of it: the table sys_notices.
//
// The table is outbox and ledger in one. Who causes a notice appends its row to the record of what
// caused it, so that either both are on disk or neither; the outbox (app/outbox.h) follows the
// table, sends, and writes the row again with the outcome. One notice goes to one recipient: a
// mail to three people is three notices, because one address may be refused and the others not.
//
// Threads: functions of their arguments; NoticeNumbers is safe to share.
// Limits:  the table is a ring: the last kNoticesMax notices are kept, whatever their age. A
//          notice that still waits when kNoticesMax newer ones have come is lost (and counted:
//          app/outbox.h). Texts are cut to the sizes below; bytes that are not UTF-8 are escaped.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "tables/tables.h"
#include "value/record.h"
#include "value/schema.h"

namespace nilo::app {

inline constexpr std::string_view kNoticesTable = "sys_notices";
inline constexpr std::int64_t kNoticesMax = 50'000;

inline constexpr std::size_t kNoticeTextSizeMax = 16 * 1024;
inline constexpr std::size_t kNoticeFieldSizeMax = 1024;  // every other text
inline constexpr std::size_t kNoticeHeadersMax = 16;
inline constexpr std::size_t kNoticeHeaderNameSizeMax = 64;
inline constexpr std::size_t kNoticeHeaderValueSizeMax = 512;

inline constexpr std::string_view kMailChannel = "mail";
inline constexpr std::string_view kWebhookChannel = "webhook";

inline constexpr std::string_view kWaiting = "waiting";  // to be sent at next_try_us
inline constexpr std::string_view kSent = "sent";        // the other side took it: `answer`
inline constexpr std::string_view kParked = "parked";    // not tried again by itself: `answer`

struct NoticeHeader {
  std::string name;
  std::string value;
};

struct Notice {
  std::string id;  // from NoticeNumbers; also the left half of a mail's Message-ID

  // What it is about. `condition`: low, high, silent, invalid.
  std::string alert;
  std::string thing;
  std::string condition;
  std::string field{};       // "percent"; empty if it is about the thing as a whole
  std::string thing_name{};  // for people
  std::string event;         // firing | reminder | recovered | flapping | test
  std::string value{};       // as shown in large letters: "15.73 %"; may be empty

  // Whom to tell what. `to`: one mail address, or the URL. `text`: the mail's text, or the body of
  // the POST. Nothing here is HTML; whoever makes HTML of it escapes it.
  std::string channel;
  std::string to;
  std::string subject{};
  std::string text;
  std::vector<NoticeHeader> headers{};  // of a POST: Title, Priority, Tags, Content-Type
  bool allow_private = false;           // of a POST: also to addresses of the local network
  std::string link{};                   // the page; empty without site.url
  std::string acknowledge_link{};

  std::string state{kWaiting};
  std::int64_t tries = 0;  // without those that failed before its server was told of it
  TimeUs created_us = 0;
  TimeUs next_try_us = 0;  // while waiting
  TimeUs sent_us = 0;      // 0: not yet
  std::string answer{};    // the last one's words: "250 2.0.0 Ok: queued as 4B1"
};

// Gives notices their numbers: 1, 2, 3, ...; one for all who write notices.
class NoticeNumbers {
 public:
  // Unique also beyond this data folder: "1042-64a1c9e5d3f10".
  std::string next_id(TimeUs created_us);
  // A notice with this id exists.
  void saw(std::string_view id);

 private:
  std::atomic<std::int64_t> next_{1};
};

// The number in an id; nullopt: not an id of ours.
std::optional<std::int64_t> number_of(std::string_view notice_id);

TableSchema notices_schema();

// Appends the row of `notice`. Asserted: it has an id.
void write_notice(const tables::Tables& tables, const Notice& notice, RecordWriter& record);

// Cells of sys_notices in schema order -> the notice.
Notice notice_of(std::span<const Value> cells);

// The notice of this number, as it is in the table now; nullopt: none, or another took its place.
std::optional<Notice> find_notice(const tables::Tables& tables, std::int64_t number);

}  // namespace nilo::app
