// app/alert_links.h: the link in a mail that acknowledges one alert, once it fires, without a
// login.
//
// A token says which alert since when, and is signed with a key that never leaves the data folder
// (BLAKE2b, keyed). Whoever has the mail may acknowledge this alert, while it lasts, and nothing
// else.
//
// Threads: immutable once open; safe to share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace nilo::app {

class AlertLinks {
 public:
  // The key is in `path`, made with mode 0600 if there is none.
  // unavailable: the file cannot be written; corrupt: it is not such a key.
  static Result<AlertLinks> open(const std::string& path);

  // Letters, digits, '-', '_' and one '.'.
  std::string token(std::string_view alert_id, TimeUs since_us) const;

  struct Named {
    std::string alert_id;
    TimeUs since_us;
  };
  // nullopt: not signed with this key. Takes as long whatever is wrong with the signature.
  std::optional<Named> read(std::string_view token) const;

 private:
  explicit AlertLinks(std::string key) : key_(std::move(key)) {}
  std::string signature(std::string_view text) const;

  std::string key_;
};

}  // namespace nilo::app
