#include "app/hashes.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "value/thing_template.h"

namespace nilo::app {
namespace {

constexpr std::size_t kNameSizeMax = 64;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Result<void> start_hashes() {
  if (sodium_init() >= 0) return {};
  return Error{ErrorCode::internal, "libsodium does not start: no source of randomness", ""};
}

std::string random_text(std::size_t byte_count) {
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string bytes(byte_count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  std::string text(sodium_base64_encoded_len(byte_count, kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes_of(bytes), bytes.size(), kVariant);
  text.pop_back();  // it ends with NUL
  return text;
}

std::string random_code(std::string_view alphabet, std::size_t size) {
  std::string code(size, '\0');
  for (char& letter : code) {
    letter = alphabet[randombytes_uniform(static_cast<std::uint32_t>(alphabet.size()))];
  }
  return code;
}

std::string hash_of(std::string_view secret) {
  unsigned char hash[crypto_generichash_BYTES];
  crypto_generichash(hash, sizeof hash, bytes_of(secret), secret.size(), nullptr, 0);
  std::string hex(2 * sizeof hash + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), hash, sizeof hash);
  hex.pop_back();
  return hex;
}

bool is_same_hash(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<void> check_password(std::string_view password) {
  if (password.size() >= kPasswordSizeMin && password.size() <= kPasswordSizeMax) return {};
  return Error{
      ErrorCode::invalid_argument,
      fmt::format("a password has {} to {} characters", kPasswordSizeMin, kPasswordSizeMax),
      "a few words in a row are a good one"};
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

bool is_account_name(std::string_view name) {
  return name.size() <= kNameSizeMax && is_device_name(name) &&
         name.find(':') == std::string_view::npos;
}

bool is_device_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.:@").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= kThingIdSizeMax &&
         std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace nilo::app
