// app/access.h: who may come in?
//
// Devices and people show a token ("nilo_" and 32 characters), or a name and a password. Both are
// rows of the table sys_tokens, kept as hashes: BLAKE2b of a token (it is random, so a fast hash is
// enough), argon2id of a password (RFC 9106). Nobody else is let in, but with --open: then a
// connection from the same machine needs neither.
// Threads: safe to share.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "value/principal.h"
#include "value/row.h"
#include "value/schema.h"

namespace nilo::app {

inline constexpr std::string_view kTokensTable = "sys_tokens";

// One row of sys_tokens.
struct Token {
  std::string name;  // also the user name of a password
  Role role = Role::device;
  bool is_password = false;
  std::string hash;
  TimeUs created_us = 0;
  TimeUs expires_us = 0;  // 0 = never
  bool revoked = false;
};

struct NewToken {
  std::string name;
  Role role = Role::device;
  std::string password{};         // empty: a random token is made
  std::int64_t valid_for_us = 0;  // 0 = for ever
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
  std::vector<Token> list() const;

  // unauthenticated: unknown, revoked or expired; says which only to the log.
  Result<Principal> by_token(std::string_view secret) const;
  // Slow on purpose (argon2id), also for unknown names: not on an event loop.
  Result<Principal> by_password(std::string_view name, std::string_view password) const;
  // True if a stranger from this address is let in.
  bool is_open_to(std::string_view ip) const;

 private:
  Access(const Clock& clock, bool open) : clock_(clock), open_(open) {}
  std::optional<Token> find(std::string_view name) const;
  bool is_valid(const Token& token) const;

  struct State {
    std::map<std::string, Token, std::less<>> by_name;
    std::map<std::string, std::string, std::less<>> name_by_hash;
  };
  const Clock& clock_;
  const bool open_;
  Guarded<State> state_;
};

// A Token as cells of sys_tokens, in schema order, and back. Views into the token.
std::vector<Value> cells_of(const Token& token);
Token token_of(std::span<const Value> cells);

bool is_loopback(std::string_view ip);

// 128 random bits as 22 letters, digits, '-' and '_'. After Access::make().
std::string random_id();

}  // namespace nilo::app
