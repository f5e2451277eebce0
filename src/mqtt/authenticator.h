// mqtt/authenticator.h: one enhanced authentication, as far as a Broker is concerned.
//
// In/out:  what the client said -> what to answer.
// Threads: the Broker's loop; steps must be quick.
// Source:  MQTT 5.0 section 4.12.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "value/principal.h"

namespace nilo::mqtt {

class Authenticator {
 public:
  struct Step {
    bool is_done = false;  // `who` is in; otherwise the client is to go on
    std::string data{};    // for the client, in either case
    Principal who{};       // with is_done
  };
  virtual ~Authenticator() = default;
  // `data`: of CONNECT first, then of each AUTH; empty where there was none. An error, which is
  // told to the client, ends it: it is not called again.
  virtual Result<Step> next(std::string_view data) = 0;
};

}  // namespace nilo::mqtt
