#include "app/scram.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "app/hashes.h"
#include "app/scram_keys.h"
#include "base/base64.h"

namespace nilo::app {
namespace {

Error not_scram(const char* what) {
  return {ErrorCode::invalid_argument, fmt::format("not a message of {}: {}", kScramMethod, what)};
}

Error refused() { return {ErrorCode::unauthenticated, "unknown name, or a wrong password"}; }

// A SCRAM nonce and other values: printable ASCII without a comma.
bool is_printable(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return c > ' ' && c < 0x7f && c != ','; });
}

// Cuts the value of `name`, "n=tank", off the front of `rest`, with the comma behind it.
std::optional<std::string_view> take_attribute(std::string_view& rest, char name) {
  if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return std::nullopt;
  const std::size_t comma = std::min(rest.find(','), rest.size());
  const std::string_view value = rest.substr(2, comma - 2);
  rest.remove_prefix(std::min(comma + 1, rest.size()));
  return value;
}

// "=2C" is a comma, "=3D" an equals sign; no other "=" may stand there.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view head = text.substr(0, 3);
    if (head == "=2C" || head == "=3D") {
      out += head == "=2C" ? ',' : '=';
      text.remove_prefix(3);
      continue;
    }
    if (text.front() == '=') return std::nullopt;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

std::string xor_of(std::string a, std::string_view b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<char>(a[i] ^ b[i]);
  return a;
}

}  // namespace

Result<ScramVerifier> make_verifier(std::string_view password, std::string_view salt,
                                    std::uint32_t iterations) {
  const bool is_plain =
      std::all_of(password.begin(), password.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  if (!is_plain) {
    return Error{ErrorCode::invalid_argument,
                 "the password has letters that SCRAM-SHA-256 does not take here",
                 "use letters, digits and signs of ASCII"};
  }
  const std::string salted = pbkdf2_sha256(password, salt, iterations);
  return ScramVerifier{std::string(salt), iterations, sha256(hmac_sha256(salted, "Client Key")),
                       hmac_sha256(salted, "Server Key")};
}

std::string text_of(const ScramVerifier& verifier) {
  return fmt::format("{}${}:{}${}:{}", kScramMethod, verifier.iterations,
                     base64_encoded(verifier.salt), base64_encoded(verifier.stored_key),
                     base64_encoded(verifier.server_key));
}

std::optional<ScramVerifier> parse_verifier(std::string_view text) {
  const auto take = [&](char end) {
    const std::size_t at = std::min(text.find(end), text.size());
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return part;
  };
  if (take('$') != kScramMethod) return std::nullopt;
  ScramVerifier verifier;
  const std::string_view iterations = take(':');
  std::from_chars(iterations.data(), iterations.data() + iterations.size(), verifier.iterations);
  const auto salt = base64_decoded(take('$'));
  const auto stored_key = base64_decoded(take(':'));
  const auto server_key = base64_decoded(text);
  if (verifier.iterations == 0 || !salt || !stored_key || !server_key) return std::nullopt;
  if (stored_key->size() != kSha256Size || server_key->size() != kSha256Size) return std::nullopt;
  verifier.salt = *salt;
  verifier.stored_key = *stored_key;
  verifier.server_key = *server_key;
  return verifier;
}

ScramVerifier fake_verifier(std::string_view name, std::string_view key) {
  const std::string salt = hmac_sha256(key, fmt::format("salt {}", name)).substr(0, kScramSaltSize);
  return {salt, kScramIterations, hmac_sha256(key, fmt::format("stored {}", name)),
          hmac_sha256(key, fmt::format("server {}", name))};
}

Result<mqtt::Authenticator::Step> ScramExchange::next(std::string_view data) {
  if (data.size() > kScramMessageSizeMax) return not_scram("it is too long");
  return std::exchange(has_begun_, true) ? finish(data) : begin(data);
}

Result<mqtt::Authenticator::Step> ScramExchange::begin(std::string_view first) {
  if (first.starts_with("p=")) return not_scram("no channel binding is offered");
  if (!first.starts_with("n,,") && !first.starts_with("y,,")) {
    return not_scram("it begins with n,, and names nobody to act for");
  }
  gs2_header_ = first.substr(0, 3);
  first.remove_prefix(3);
  std::string_view rest = first;
  const auto name = take_attribute(rest, 'n');
  if (!name) return not_scram("n= is missing");
  const auto plain_name = unescaped(*name);
  if (!plain_name || plain_name->empty()) return not_scram("n= is not a name");
  const auto nonce = take_attribute(rest, 'r');
  if (!nonce || !is_printable(*nonce)) return not_scram("r= is missing");
  name_ = *plain_name;
  const User user = TRY(users_.find(name_));
  nonce_ = std::string(*nonce) + nonce_;
  std::string answer = fmt::format("r={},s={},i={}", nonce_, base64_encoded(user.verifier.salt),
                                   user.verifier.iterations);
  messages_ = fmt::format("{},{}", first, answer);
  return Step{false, std::move(answer), {}};
}

Result<mqtt::Authenticator::Step> ScramExchange::finish(std::string_view last) {
  const std::size_t proof_at = last.rfind(",p=");
  if (proof_at == std::string_view::npos) return not_scram("p= is missing");
  const auto proof = base64_decoded(last.substr(proof_at + 3));
  const std::string_view without_proof = last.substr(0, proof_at);
  std::string_view rest = without_proof;
  const auto binding = take_attribute(rest, 'c');
  const auto nonce = take_attribute(rest, 'r');
  if (!binding || base64_decoded(*binding) != gs2_header_)
    return not_scram("c= is not as it began");
  if (!nonce || *nonce != nonce_) return not_scram("r= is not what it was told");
  if (!proof || proof->size() != kSha256Size) return not_scram("p= is not a proof");

  const User user = TRY(users_.find(name_));
  const std::string messages = fmt::format("{},{}", messages_, without_proof);
  const std::string client_key = xor_of(*proof, hmac_sha256(user.verifier.stored_key, messages));
  const bool fits = is_same_hash(sha256(client_key), user.verifier.stored_key);
  if (!fits || !user.who) {
    users_.was_wrong(name_);
    return refused();
  }
  const std::string signature = hmac_sha256(user.verifier.server_key, messages);
  return Step{true, fmt::format("v={}", base64_encoded(signature)), *user.who};
}

}  // namespace nilo::app
