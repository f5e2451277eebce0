// app/notice_queue.h: which notice is to be tried next, and how long a server that fails is left
// alone.
//
// Holds numbers, not notices: those are rows of sys_notices. A server that fails as a whole pauses,
// for longer each time; what is for it waits until the pause is over, and the first one tries it.
// So an hour without the mail server costs a few tries, not one for each notice.
//
// What is due leaves in the order of its numbers, and what is for one recipient stands in a line:
// while its first waits, the others wait behind it, so that nobody hears "back to normal" before
// "almost empty". One that was put off too often stands aside, on a line of its own, and goes only
// when nobody else does: a mail that a server chokes on does not hold up all that follow.
// Threads: none of its own. Times are Clock::steady_us.
// Limits:  one entry for each waiting notice: kNoticesMax (app/notices.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nilo::app {

inline constexpr std::int64_t kBackOffMinUs = 30'000'000;      // after the first failure
inline constexpr std::int64_t kBackOffMaxUs = 3'600'000'000;   // after the eighth and all later
inline constexpr int kTriesMax = 20;                           // then it is parked
inline constexpr int kTriesInPlaceMax = 5;                     // then it stands aside
inline constexpr std::int64_t kAgeMaxUs = 24 * kBackOffMaxUs;  // or when it has waited for a day
// What is queued at a start has waited for so long at most, whatever the wall clock says: it gets
// another hour.
inline constexpr std::int64_t kAgeAtStartMaxUs = kAgeMaxUs - kBackOffMaxUs;

// How long to wait after the `failures`th failure in a row: 30 s, 1 m, 2 m, ... 1 h, give or take a
// fifth as `dice` (any number) has it, so that what failed together does not come back together.
std::int64_t back_off_us(std::int64_t failures, std::uint64_t dice);

class NoticeQueue {
 public:
  struct Entry {
    std::int64_t number = 0;
    std::string server{};
    std::string line{};  // the recipient; any other word of its own for one that stands alone
    std::int64_t due_us = 0;
    std::int64_t since_us = 0;  // when it began to wait
    bool is_aside = false;
  };

  // Replaces the entry of the same number.
  void put(const Entry& entry);
  // False: it was not waiting.
  bool drop(std::int64_t number);

  // Takes out the next one for a server that is not paused, as said above. O(lines).
  std::optional<std::int64_t> take(std::int64_t now_us);
  // When take() will have one; INT64_MAX if none waits.
  std::int64_t due_us() const;

  // The server failed as a whole; returns how often in a row.
  int fail(const std::string& server, std::int64_t now_us, std::uint64_t dice);
  // It took something, or somebody asks for it by hand: no pause any more. Returns how often it had
  // failed.
  int recover(const std::string& server);

  // Those for this server that have waited since before then.
  std::vector<std::int64_t> older(const std::string& server, std::int64_t before_us) const;
  std::size_t size() const { return where_.size(); }

 private:
  struct Waiting {
    std::int64_t due_us;
    std::int64_t since_us;
    bool is_aside;
  };
  using Line = std::map<std::int64_t, Waiting>;  // by number; never empty
  using Turn = std::pair<bool, std::int64_t>;    // is_aside, number: who goes first
  struct Server {
    std::map<std::string, Line> lines;
    std::int64_t paused_until_us = 0;
    int failures = 0;
    std::int64_t due_us() const;
    std::optional<Turn> turn_at(std::int64_t now_us) const;
  };
  struct Place {
    std::string server;
    std::string line;
  };

  std::map<std::string, Server> servers_;
  std::unordered_map<std::int64_t, Place> where_;
};

}  // namespace nilo::app
