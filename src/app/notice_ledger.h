// app/notice_ledger.h: which notices there are, in what state, of which alert: an index of
// sys_notices, so that a question reads the rows it shows and no others.
//
// Threads: safe to share; saw() on the tables thread.
// Limits:  an entry of 16 bytes and its node for each notice kept: kNoticesMax.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/notices.h"
#include "base/guarded.h"
#include "base/result.h"

namespace nilo::app {

enum class NoticeState : std::uint8_t { waiting, sent, parked };
// invalid_argument: lists the words.
Result<NoticeState> notice_state_of_word(std::string_view word);

// "<alert>~<thing>~<condition>"
std::string alert_id_of(const Notice& notice);

// A NoticeItem of the API. Of a webhook's URL only scheme and host are shown: the rest often is
// the secret.
void append_notice_json(std::string& out, const Notice& notice);

class NoticeLedger {
 public:
  struct Counts {
    std::size_t waiting = 0;
    std::size_t sent = 0;
    std::size_t parked = 0;
  };

  // The notice was written, now or before the last start.
  void saw(const Notice& notice);

  Counts counts() const;
  // Numbers of at most `limit` notices, newest first.
  std::vector<std::int64_t> newest(std::optional<NoticeState> state, std::size_t limit) const;
  std::vector<std::int64_t> of_alert(std::string_view alert_id, std::size_t limit) const;

 private:
  struct Entry {
    std::size_t alert_hash = 0;
    NoticeState state = NoticeState::waiting;
  };
  struct State {
    std::map<std::int64_t, Entry> by_number;
    std::array<std::size_t, 3> counts{};  // indexed by NoticeState
  };
  template <typename Wanted>
  std::vector<std::int64_t> newest_if(Wanted wanted, std::size_t limit) const;

  Guarded<State> state_;
};

}  // namespace nilo::app
