#include "app/scram_keys.h"

#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha2.h>

namespace nilo::app {
namespace {

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::uint8_t* bytes_of(std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); }

}  // namespace

std::string sha256(std::string_view text) {
  std::string out(kSha256Size, '\0');
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, text.size(), bytes_of(text));
  sha256_digest(&context, out.size(), bytes_of(out));
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string out(kSha256Size, '\0');
  hmac_sha256_ctx context;
  hmac_sha256_set_key(&context, key.size(), bytes_of(key));
  hmac_sha256_update(&context, text.size(), bytes_of(text));
  hmac_sha256_digest(&context, out.size(), bytes_of(out));
  return out;
}

std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations) {
  std::string out(kSha256Size, '\0');
  pbkdf2_hmac_sha256(password.size(), bytes_of(password), iterations, salt.size(), bytes_of(salt),
                     out.size(), bytes_of(out));
  return out;
}

}  // namespace nilo::app
