// app/access.h: who may come in?
//
// Devices and scripts show a token ("nilo_" and 32 characters), or a name and a password. Both are
// rows of the table sys_tokens, kept as hashes (secrets.h). Some devices can show neither: for them
// a row may name a client id and the address it comes from, which is weak, and said to be. Nobody
// else is let in, but devices with a certificate (certificates.h), people with a session
// (accounts.h), and with --open: then a connection from the same machine needs nothing.
// Threads: safe to share.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/certificates.h"
#include "app/scram.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "value/principal.h"
#include "value/row.h"
#include "value/schema.h"

namespace nilo::app {

inline constexpr std::string_view kTokensTable = "sys_tokens";
// What every token begins with.
inline constexpr std::string_view kTokenPrefix = "nilo_";

// One row of sys_tokens.
struct Token {
  enum class Kind : std::uint8_t {
    token,     // a random text
    password,  // one the device has; `name` is its user name
    address,   // nothing but a client id from one address
  };
  std::string name;
  Role role = Role::device;
  Kind kind = Kind::token;
  std::string hash;  // of the token, the password, or address_key()
  TimeUs created_us = 0;
  TimeUs expires_us = 0;  // 0 = never
  bool revoked = false;
  std::string topics{};    // filters it is limited to, one a line; empty: not limited
  std::string note{};      // how it came to be, for people
  std::string verifier{};  // of a password, for SCRAM (scram.h); empty: it was set before there was
                           // one, or is not ASCII
};
std::vector<std::string> topics_of(const Token& token);
std::string_view word_of(Token::Kind kind);

// What Token::hash is made of for a device that shows nothing.
std::string address_key(std::string_view client_id, std::string_view ip);

struct NewToken {
  std::string name;
  Role role = Role::device;
  std::string password{};         // empty: a random token is made
  std::int64_t valid_for_us = 0;  // 0 = for ever
  std::vector<std::string> topics{};
};

TableSchema tokens_schema();

class Access {
 public:
  // `open`: connections from 127.0.0.0/8 and ::1 are let in without a token.
  // internal: libsodium does not start.
  static Result<std::unique_ptr<Access>> make(const Clock& clock, bool open);

  // A token as it will be stored, and its secret, which is shown once and kept nowhere. Does not
  // let anybody in before apply(). Slow (0.1 s) with a password.
  // invalid_argument: bad name; password under 8 characters. conflict: name is taken.
  struct Made {
    Token token;
    std::string secret;
  };
  Result<Made> make_token(const NewToken& wanted) const;
  // not_found: no such token.
  Result<Token> revoked(std::string_view name) const;

  // Takes over what is durable now. Keyed by name.
  void apply(const Token& token);
  // not_found: no such token.
  Result<Token> token(std::string_view name) const;
  // Is there a token or certificate of this name that lets somebody in?
  bool has_valid(std::string_view name) const;
  // Whom it lets in; nullopt: nobody.
  std::optional<Principal> by_name(std::string_view name) const;
  // Is there a row, valid or not, with this hash?
  bool has_hash(std::string_view hash) const;
  std::vector<Token> list() const;

  // unauthenticated: unknown, revoked or expired; says which only to the log.
  Result<Principal> by_token(std::string_view secret) const;
  // Slow on purpose (argon2id), also for unknown names: not on an event loop.
  Result<Principal> by_password(std::string_view name, std::string_view password) const;
  // Of a password, to be proved without being shown. Always one: of a name that is unknown, or
  // whose password has no verifier, it is made up and lets nobody in.
  ScramExchange::User by_proof(std::string_view name) const;
  // What made-up ones are made of, so that they are the same after a restart. Once, at the start.
  void set_fake_key(std::string key) { fake_key_ = std::move(key); }
  // Could this name come in by its password, but has no verifier?
  bool lacks_verifier(std::string_view name) const;
  // A device that shows nothing else.
  Result<Principal> by_address(std::string_view client_id, std::string_view ip) const;
  // What lets devices in by the keys they have.
  Certificates& certificates() { return certificates_; }
  const Certificates& certificates() const { return certificates_; }
  // True if a stranger from this address is let in.
  bool is_open_to(std::string_view ip) const;

  // Does what let this one in still hold? Of a Principal that this gave.
  bool is_current(std::string_view credential) const;
  // Another number than before: somebody may not be current any more. Cheap, to be asked often.
  std::uint64_t changes() const;

 private:
  Access(const Clock& clock, bool open) : clock_(clock), open_(open), certificates_(clock) {}
  std::optional<Token> find(std::string_view name) const;
  bool is_valid(const Token& token) const;
  Result<Principal> by_hash(const std::string& hash, Token::Kind kind) const;

  struct State {
    std::map<std::string, Token, std::less<>> by_name;
    std::map<std::string, std::string, std::less<>> name_by_hash;  // but of passwords
  };
  const Clock& clock_;
  const bool open_;
  Certificates certificates_;
  std::string fake_key_;
  Guarded<State> state_;
  std::atomic<std::uint64_t> changes_{0};
  mutable std::atomic<TimeUs> next_expiry_us_{INT64_MAX};
  mutable std::atomic<std::uint64_t> expiries_{0};
};

// A Token as cells of sys_tokens, in schema order, and back. Views into the token.
std::vector<Value> cells_of(const Token& token);
Token token_of(std::span<const Value> cells);

bool is_loopback(std::string_view ip);

// A user name as it may be shown to people: a token may stand in its place, and is not.
std::string_view shown_user(std::string_view user_name);

}  // namespace nilo::app
