#include "app/alert_links.h"

#include <fmt/format.h>
#include <sodium.h>

#include <charconv>
#include <fstream>

#include "app/host.h"

namespace nilo::app {

namespace {

constexpr std::size_t kTokenSizeMax = 1024;
constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64(std::string_view bytes) {
  std::string out(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes_of(bytes), bytes.size(), kVariant);
  out.pop_back();
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const int failed = sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                       text.data(), text.size(), nullptr, &size, &end, kVariant);
  if (failed != 0 || end != text.data() + text.size()) return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace

Result<AlertLinks> AlertLinks::open(const std::string& path) {
  if (sodium_init() < 0) {
    return Error{ErrorCode::internal, "libsodium does not start: no source of randomness", ""};
  }
  std::string line;
  std::ifstream(path) >> line;
  if (line.empty()) {
    std::string key(crypto_generichash_KEYBYTES, '\0');
    randombytes_buf(key.data(), key.size());
    TRY(write_private_file(path, base64(key) + "\n"));
    return AlertLinks(std::move(key));
  }
  auto key = from_base64(line);
  if (!key || key->size() != crypto_generichash_KEYBYTES) {
    return Error{ErrorCode::corrupt, path + " is not a key of this program",
                 "remove the file; links in mails that were sent already will not work any more"};
  }
  return AlertLinks(std::move(*key));
}

std::string AlertLinks::signature(std::string_view text) const {
  std::string out(crypto_generichash_BYTES_MIN, '\0');  // 128 bits
  crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(), bytes_of(text),
                     text.size(), bytes_of(key_), key_.size());
  return out;
}

std::string AlertLinks::token(std::string_view alert_id, TimeUs since_us) const {
  const std::string text = fmt::format("{} {}", since_us, alert_id);
  return base64(text) + "." + base64(signature(text));
}

std::optional<AlertLinks::Named> AlertLinks::read(std::string_view token) const {
  const std::size_t dot = token.find('.');
  if (dot == std::string_view::npos || token.size() > kTokenSizeMax) return std::nullopt;
  const auto text = from_base64(token.substr(0, dot));
  const auto shown = from_base64(token.substr(dot + 1));
  if (!text || !shown) return std::nullopt;
  const std::string expected = signature(*text);
  const bool is_ours = shown->size() == expected.size() &&
                       sodium_memcmp(shown->data(), expected.data(), expected.size()) == 0;
  if (!is_ours) return std::nullopt;
  Named named{};
  const auto [end, error] =
      std::from_chars(text->data(), text->data() + text->size(), named.since_us);
  NILO_ASSERT(error == std::errc() && *end == ' ');  // we signed it
  named.alert_id = text->substr(static_cast<std::size_t>(end - text->data()) + 1);
  return named;
}

}  // namespace nilo::app
