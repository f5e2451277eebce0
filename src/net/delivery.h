// net/delivery.h: what became of something handed to a server outside.
//
// Threads: values.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace nilo::net {

// Server's words in an answer are cut to this.
inline constexpr std::size_t kAnswerTextSizeMax = 400;

struct Delivery {
  enum class Verdict : std::uint8_t {
    accepted,  // the other side has it now
    refused,   // it will not take this, now or later
    failed,    // it may take it later: busy, unreachable, too slow
    stopped,   // `give_up` said so; nobody knows whether it arrived
  };
  Verdict verdict = Verdict::failed;
  // The next thing for the same server would fare the same: no connection, no login, a wrong
  // certificate. False: it was about this one, or nothing went wrong.
  bool is_server_wide = false;
  // What the server said ("250 2.0.0 Ok: queued as 4B1"), or what went wrong; one printable line.
  std::string answer{};
  // It failed before the server was told of this one, which so has no part in it.
  bool is_blameless = false;
};

// Asked about once a second while a transfer is under way; true ends it.
using GiveUp = std::function<bool()>;

}  // namespace nilo::net
