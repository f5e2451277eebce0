#include "app/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/hashes.h"
#include "app/own_row.h"
#include "app/scram_keys.h"
#include "app/topic_scope.h"
#include "base/utf8.h"

namespace nilo::app {

namespace {

constexpr std::size_t kSecretBytes = 24;
constexpr std::string_view kCredentialPrefix = "token:";

const Error& refused() {
  static const Error error{ErrorCode::unauthenticated, "unknown token, name or password",
                           "make one with: nilo token new NAME"};
  return error;
}

// Tells a token from an older or newer one of the same name.
std::string credential_of(const Token& token) {
  return fmt::format("{}{}:{}", kCredentialPrefix, token.created_us, token.name);
}

Principal principal_of(const Token& token) {
  Principal principal{token.name, token.role};
  principal.scope = topic_scope(token.topics);
  principal.credential = credential_of(token);
  return principal;
}

}  // namespace

std::vector<std::string> topics_of(const Token& token) { return topics_in(token.topics); }

std::string_view word_of(Token::Kind kind) {
  switch (kind) {
    case Token::Kind::token:
      return "token";
    case Token::Kind::password:
      return "password";
    case Token::Kind::address:
      return "address";
  }
  return "";
}

std::string address_key(std::string_view client_id, std::string_view ip) {
  return fmt::format("{}\n{}", ip, client_id);
}

TableSchema tokens_schema() {
  return private_table(
      kTokensTable, {own_column("name", Type::text), own_column("role", Type::text),
                     own_column("is_password", Type::boolean), own_column("hash", Type::text),
                     own_column("created", Type::timestamp), own_column("expires", Type::timestamp),
                     own_column("revoked", Type::boolean), own_column("kind", Type::text),
                     own_column("topics", Type::text), own_column("note", Type::text),
                     own_column("verifier", Type::text)});
}

std::vector<Value> cells_of(const Token& token) {
  return {Value::text(token.name),
          Value::text(word_of(token.role)),
          Value::boolean(token.kind == Token::Kind::password),
          Value::text(token.hash),
          Value::timestamp(token.created_us),
          time_or_null(token.expires_us),
          Value::boolean(token.revoked),
          Value::text(word_of(token.kind)),
          Value::text(token.topics),
          Value::text(token.note),
          Value::text(token.verifier)};
}

Token token_of(std::span<const Value> cells) {
  NILO_ASSERT(cells.size() >= 7);
  Token token;
  token.name = text_in(cells[0]);
  const auto role = role_of_word(text_in(cells[1]));
  token.role = role ? *role : Role::device;  // an unknown word gets the least
  if (is_true(cells[2])) token.kind = Token::Kind::password;
  token.hash = text_in(cells[3]);
  token.created_us = number_in(cells[4]);
  token.expires_us = number_in(cells[5]);
  token.revoked = is_true(cells[6]);
  // Rows of older versions end here.
  if (cells.size() < 10) return token;
  if (text_in(cells[7]) == word_of(Token::Kind::address)) token.kind = Token::Kind::address;
  token.topics = text_in(cells[8]);
  token.note = text_in(cells[9]);
  if (cells.size() > 10) token.verifier = text_in(cells[10]);
  return token;
}

Result<std::unique_ptr<Access>> Access::make(const Clock& clock, bool open) {
  TRY(start_hashes());
  return std::unique_ptr<Access>(new Access(clock, open));
}

Result<Access::Made> Access::make_token(const NewToken& wanted) const {
  const bool is_device = wanted.role == Role::device;
  if (!(is_device ? is_device_name(wanted.name) : is_account_name(wanted.name))) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("`{}` is not a name for a token", printable(wanted.name, 80)),
                 is_device ? kDeviceNameHint : "1 to 64 letters, digits, '-', '_', '.' or '@'"};
  }
  if (const auto known = find(wanted.name); known && is_valid(*known)) {
    return Error{ErrorCode::conflict, fmt::format("there is a token `{}` already", wanted.name),
                 fmt::format("revoke it first: nilo token revoke {}", wanted.name)};
  }
  Made made;
  made.token.name = wanted.name;
  made.token.role = wanted.role;
  made.token.created_us = clock_.wall_us();
  if (wanted.valid_for_us > 0) made.token.expires_us = made.token.created_us + wanted.valid_for_us;
  made.token.topics = fmt::format("{}", fmt::join(wanted.topics, "\n"));
  if (wanted.password.empty()) {
    made.secret = std::string(kTokenPrefix) + random_text(kSecretBytes);
    made.token.hash = hash_of(made.secret);
    return made;
  }
  TRY(check_password(wanted.password));
  made.token.kind = Token::Kind::password;
  made.token.hash = TRY(password_hash(wanted.password));
  // A password that SCRAM does not take still is one.
  const std::string salt = sha256(random_text(kSecretBytes)).substr(0, kScramSaltSize);
  if (const auto verifier = make_verifier(wanted.password, salt)) {
    made.token.verifier = text_of(*verifier);
  }
  made.secret = wanted.password;
  return made;
}

Result<Token> Access::token(std::string_view name) const {
  if (auto token = find(name)) return *token;
  return Error{ErrorCode::not_found, fmt::format("no token `{}`", printable(name, 80)),
               "list them with: nilo token ls"};
}

Result<Token> Access::revoked(std::string_view name) const {
  Token token = TRY(this->token(name));
  token.revoked = true;
  return token;
}

bool Access::has_valid(std::string_view name) const { return by_name(name).has_value(); }

std::optional<Principal> Access::by_name(std::string_view name) const {
  const auto token = find(name);
  if (token && is_valid(*token)) return principal_of(*token);
  return certificates_.by_name(name);
}

bool Access::has_hash(std::string_view hash) const {
  return state_.with([&](const State& state) { return state.name_by_hash.contains(hash); });
}

void Access::apply(const Token& token) {
  state_.with([&](State& state) {
    const auto known = state.by_name.find(token.name);
    if (known != state.by_name.end()) {
      const auto named = state.name_by_hash.find(known->second.hash);
      if (named != state.name_by_hash.end() && named->second == token.name) {
        state.name_by_hash.erase(named);
      }
    }
    state.by_name[token.name] = token;
    // A device without a password that was revoked and allowed again has two rows of one hash.
    const bool is_taken = token.revoked && state.name_by_hash.contains(token.hash);
    if (token.kind != Token::Kind::password && !is_taken) {
      state.name_by_hash[token.hash] = token.name;
    }
    if (token.expires_us != 0 && !token.revoked) {
      next_expiry_us_ = std::min(next_expiry_us_.load(), token.expires_us);
    }
  });
  ++changes_;
}

std::vector<Token> Access::list() const {
  return state_.with([](const State& state) {
    std::vector<Token> out;
    for (const auto& [name, token] : state.by_name) out.push_back(token);
    return out;
  });
}

std::optional<Token> Access::find(std::string_view name) const {
  return state_.with([&](const State& state) -> std::optional<Token> {
    const auto known = state.by_name.find(name);
    if (known == state.by_name.end()) return std::nullopt;
    return known->second;
  });
}

bool Access::is_valid(const Token& token) const {
  return !token.revoked && (token.expires_us == 0 || clock_.wall_us() < token.expires_us);
}

// Looked up by its hash: how long this takes says nothing about any stored secret.
Result<Principal> Access::by_token(std::string_view secret) const {
  return by_hash(hash_of(secret), Token::Kind::token);
}

Result<Principal> Access::by_address(std::string_view client_id, std::string_view ip) const {
  return by_hash(hash_of(address_key(client_id, ip)), Token::Kind::address);
}

Result<Principal> Access::by_hash(const std::string& hash, Token::Kind kind) const {
  const auto token = state_.with([&](const State& state) -> std::optional<Token> {
    const auto name = state.name_by_hash.find(hash);
    if (name == state.name_by_hash.end()) return std::nullopt;
    return state.by_name.at(name->second);
  });
  if (!token || token->kind != kind || !is_valid(*token)) return refused();
  return principal_of(*token);
}

Result<Principal> Access::by_password(std::string_view name, std::string_view password) const {
  const auto token = find(name);
  const bool usable = token && token->kind == Token::Kind::password && is_valid(*token);
  if (!usable) {
    // The same work as for a known name, so that names cannot be told apart by the clock.
    ignore(password_hash(password.substr(0, kPasswordSizeMax)));
    return refused();
  }
  if (password.size() > kPasswordSizeMax || !password_fits(token->hash, password)) return refused();
  return principal_of(*token);
}

ScramExchange::User Access::by_proof(std::string_view name) const {
  const auto token = find(name);
  const bool usable = token && token->kind == Token::Kind::password && is_valid(*token);
  const auto verifier = usable ? parse_verifier(token->verifier) : std::nullopt;
  if (!verifier) return {fake_verifier(name, fake_key_), std::nullopt};
  return {*verifier, principal_of(*token)};
}

bool Access::lacks_verifier(std::string_view name) const {
  const auto token = find(name);
  return token && token->kind == Token::Kind::password && is_valid(*token) &&
         token->verifier.empty();
}

bool Access::is_current(std::string_view credential) const {
  if (is_certificate_credential(credential)) return certificates_.is_current(credential);
  if (!credential.starts_with(kCredentialPrefix)) return false;
  const std::size_t colon = credential.find(':', kCredentialPrefix.size());
  if (colon == std::string_view::npos) return false;
  const auto token = find(credential.substr(colon + 1));
  return token && is_valid(*token) && credential_of(*token) == credential;
}

// One that expires changes who is current, too.
std::uint64_t Access::changes() const {
  if (clock_.wall_us() >= next_expiry_us_) {
    state_.with([&](const State& state) {
      const TimeUs now_us = clock_.wall_us();
      TimeUs next_us = INT64_MAX;
      for (const auto& [name, token] : state.by_name) {
        if (token.expires_us > now_us) next_us = std::min(next_us, token.expires_us);
      }
      next_expiry_us_ = next_us;
    });
    ++expiries_;
  }
  return changes_ + expiries_ + certificates_.changes();
}

bool Access::is_open_to(std::string_view ip) const { return open_ && is_loopback(ip); }

bool is_loopback(std::string_view ip) {
  return ip.starts_with("127.") || ip == "::1" || ip.starts_with("::ffff:127.");
}

std::string_view shown_user(std::string_view user_name) {
  return user_name.starts_with(kTokenPrefix) ? std::string_view() : user_name;
}

}  // namespace nilo::app
