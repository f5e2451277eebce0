// app/scram.h: SCRAM-SHA-256: a login by password in which the password is never sent, and in which
// the server, too, shows that it knows it.
//
//   client: n,,n=tank,r=NONCE                  server: r=NONCE+MORE,s=SALT,i=ITERATIONS
//   client: c=biws,r=NONCE+MORE,p=PROOF        server: v=SIGNATURE
//
// The server keeps a verifier, from which neither the password nor a proof can be made.
//
// In/out:  what a client says -> what to answer.
// Threads: an exchange belongs to one; the rest are pure functions.
// Limits:  kScramMessageSizeMax bytes a message; no channel binding, no other user to act for.
// Source:  RFC 5802, RFC 7677; SASLprep (RFC 4013) as far as ASCII goes: other passwords have no
//          verifier.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mqtt/authenticator.h"
#include "value/principal.h"

namespace nilo::app {

inline constexpr std::string_view kScramMethod = "SCRAM-SHA-256";
inline constexpr std::size_t kScramMessageSizeMax = 1024;
inline constexpr std::size_t kScramSaltSize = 16;
// Each guess at a stolen verifier costs so many hashes, and each login costs the device as many
// (16,384 take an ESP32 about a second). At least 4096 (RFC 7677).
inline constexpr std::uint32_t kScramIterations = 16'384;

struct ScramVerifier {
  std::string salt;  // bytes, as the keys
  std::uint32_t iterations = 0;
  std::string stored_key;
  std::string server_key;
};

// invalid_argument: not ASCII, or a control character.
Result<ScramVerifier> make_verifier(std::string_view password, std::string_view salt,
                                    std::uint32_t iterations = kScramIterations);
// "SCRAM-SHA-256$16384:SALT$STORED:SERVER" (base64), and back; nullopt: not that.
std::string text_of(const ScramVerifier& verifier);
std::optional<ScramVerifier> parse_verifier(std::string_view text);
// What an unknown name gets: always the same for `name` and `key`, and no proof fits it.
ScramVerifier fake_verifier(std::string_view name, std::string_view key);

class ScramExchange final : public mqtt::Authenticator {
 public:
  struct User {
    ScramVerifier verifier;
    std::optional<Principal> who;  // nullopt: nobody may come in, whatever the proof
  };
  struct Users {
    // Asked twice, so that who is revoked meanwhile does not come in. An error ends the exchange.
    std::function<Result<User>(std::string_view name)> find;
    std::function<void(std::string_view name)> was_wrong;
  };
  // `nonce`: printable ASCII without a comma, never the same again.
  ScramExchange(Users users, std::string nonce)
      : users_(std::move(users)), nonce_(std::move(nonce)) {}

  // unauthenticated: the proof does not fit, or nobody may come in. invalid_argument: not SCRAM.
  Result<Step> next(std::string_view data) override;

 private:
  Result<Step> begin(std::string_view first);
  Result<Step> finish(std::string_view last);

  const Users users_;
  std::string nonce_;  // the client's and ours, once it is known
  std::string gs2_header_;
  std::string name_;
  std::string messages_;  // client-first-bare "," server-first
  bool has_begun_ = false;
};

}  // namespace nilo::app
