#include "app/access.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "base/utf8.h"

namespace nilo::app {

namespace {

constexpr std::string_view kSecretPrefix = "nilo_";
constexpr std::size_t kSecretBytes = 24;
constexpr std::size_t kNameSizeMax = 64;
constexpr std::size_t kPasswordSizeMin = 8;
constexpr std::size_t kPasswordSizeMax = 256;

const Error& refused() {
  static const Error error{ErrorCode::unauthenticated, "unknown token, name or password",
                           "make one with: nilo token new NAME"};
  return error;
}

std::string hex_hash(std::string_view secret) {
  unsigned char hash[crypto_generichash_BYTES];
  crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(secret.data()),
                     secret.size(), nullptr, 0);
  std::string hex(2 * sizeof hash + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), hash, sizeof hash);
  hex.pop_back();
  return hex;
}

std::string random_text(std::size_t byte_count) {
  std::string bytes(byte_count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  std::string text(sodium_base64_encoded_len(byte_count, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                   '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.pop_back();
  return text;
}

Result<std::string> password_hash(std::string_view password) {
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str(hash, password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return Error{ErrorCode::resource_exhausted, "no memory to hash a password", ""};
  }
  return std::string(hash);
}

bool password_fits(std::string_view hash, std::string_view password) {
  return crypto_pwhash_str_verify(std::string(hash).c_str(), password.data(), password.size()) == 0;
}

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '@';
  };
  return !name.empty() && name.size() <= kNameSizeMax &&
         std::all_of(name.begin(), name.end(), allowed);
}

Value time_or_null(TimeUs us) { return us == 0 ? Value() : Value::timestamp(us); }
TimeUs time_of(const Value& cell) { return cell.is_null() ? 0 : cell.as_int64(); }
bool is_true(const Value& cell) { return !cell.is_null() && cell.as_boolean(); }
std::string text_of(const Value& cell) {
  return cell.is_null() ? std::string() : std::string(cell.as_text());
}

}  // namespace

TableSchema tokens_schema() {
  const auto column = [](const char* name, Type type) {
    Column out;
    out.name = name;
    out.type = type;
    return out;
  };
  TableSchema schema;
  schema.name = kTokensTable;
  schema.is_private = true;  // the hashes are nobody's business
  schema.columns = {column("name", Type::text),           column("role", Type::text),
                    column("is_password", Type::boolean), column("hash", Type::text),
                    column("created", Type::timestamp),   column("expires", Type::timestamp),
                    column("revoked", Type::boolean)};
  schema.columns[4].time_unit = TimeUnit::us;
  schema.columns[5].time_unit = TimeUnit::us;
  return schema;
}

std::vector<Value> cells_of(const Token& token) {
  return {Value::text(token.name),
          Value::text(word_of(token.role)),
          Value::boolean(token.is_password),
          Value::text(token.hash),
          Value::timestamp(token.created_us),
          time_or_null(token.expires_us),
          Value::boolean(token.revoked)};
}

Token token_of(std::span<const Value> cells) {
  NILO_ASSERT(cells.size() >= 7);
  Token token;
  token.name = text_of(cells[0]);
  const auto role = role_of_word(text_of(cells[1]));
  token.role = role ? *role : Role::device;  // an unknown word gets the least
  token.is_password = is_true(cells[2]);
  token.hash = text_of(cells[3]);
  token.created_us = time_of(cells[4]);
  token.expires_us = time_of(cells[5]);
  token.revoked = is_true(cells[6]);
  return token;
}

Result<std::unique_ptr<Access>> Access::make(const Clock& clock, bool open) {
  if (sodium_init() < 0) {
    return Error{ErrorCode::internal, "libsodium does not start: no source of randomness", ""};
  }
  return std::unique_ptr<Access>(new Access(clock, open));
}

Result<Access::Made> Access::make_token(const NewToken& wanted) const {
  if (!is_name(wanted.name)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("`{}` is not a name for a token", printable(wanted.name, 80)),
                 "1 to 64 letters, digits, '-', '_', '.' or '@'"};
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
  if (wanted.password.empty()) {
    made.secret = std::string(kSecretPrefix) + random_text(kSecretBytes);
    made.token.hash = hex_hash(made.secret);
    return made;
  }
  const std::size_t size = wanted.password.size();
  if (size < kPasswordSizeMin || size > kPasswordSizeMax) {
    return Error{ErrorCode::invalid_argument, "a password has 8 to 256 characters", ""};
  }
  made.token.is_password = true;
  made.token.hash = TRY(password_hash(wanted.password));
  made.secret = wanted.password;
  return made;
}

Result<Token> Access::revoked(std::string_view name) const {
  auto token = find(name);
  if (!token) {
    return Error{ErrorCode::not_found, fmt::format("no token `{}`", printable(name, 80)),
                 "list them with: nilo token ls"};
  }
  token->revoked = true;
  return *token;
}

void Access::apply(const Token& token) {
  state_.with([&](State& state) {
    const auto known = state.by_name.find(token.name);
    if (known != state.by_name.end()) state.name_by_hash.erase(known->second.hash);
    state.by_name[token.name] = token;
    if (!token.is_password) state.name_by_hash[token.hash] = token.name;
  });
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

Result<Principal> Access::by_token(std::string_view secret) const {
  // Looked up by its hash: how long this takes says nothing about any stored secret.
  const std::string hash = hex_hash(secret);
  const auto token = state_.with([&](const State& state) -> std::optional<Token> {
    const auto name = state.name_by_hash.find(hash);
    if (name == state.name_by_hash.end()) return std::nullopt;
    return state.by_name.at(name->second);
  });
  if (!token || !is_valid(*token)) return refused();
  return Principal{token->name, token->role};
}

Result<Principal> Access::by_password(std::string_view name, std::string_view password) const {
  const auto token = find(name);
  const bool usable = token && token->is_password && is_valid(*token);
  if (!usable) {
    // The same work as for a known name, so that names cannot be told apart by the clock.
    ignore(password_hash(password.substr(0, kPasswordSizeMax)));
    return refused();
  }
  if (!password_fits(token->hash, password)) return refused();
  return Principal{token->name, token->role};
}

bool Access::is_open_to(std::string_view ip) const { return open_ && is_loopback(ip); }

std::string random_id() { return random_text(16); }

bool is_loopback(std::string_view ip) {
  return ip.starts_with("127.") || ip == "::1" || ip.starts_with("::ffff:127.");
}

}  // namespace nilo::app
