#include "rules/digest.h"

#include <nettle/base64.h>
#include <nettle/md2.h>
#include <nettle/md5.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include <algorithm>

namespace nilo::rules {

namespace {

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

template <typename Context>
void append_hex(std::string& out, const nettle_hash& hash, std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  Context context;
  std::uint8_t digest[SHA512_DIGEST_SIZE];
  hash.init(&context);
  hash.update(&context, bytes.size(), bytes_of(bytes));
  hash.digest(&context, hash.digest_size, digest);
  for (unsigned i = 0; i < hash.digest_size; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
}

}  // namespace

void append_hex_digest(std::string& out, Digest digest, std::string_view bytes) {
  switch (digest) {
    case Digest::md2:
      return append_hex<md2_ctx>(out, nettle_md2, bytes);
    case Digest::md5:
      return append_hex<md5_ctx>(out, nettle_md5, bytes);
    case Digest::sha1:
      return append_hex<sha1_ctx>(out, nettle_sha1, bytes);
    case Digest::sha224:
      return append_hex<sha224_ctx>(out, nettle_sha224, bytes);
    case Digest::sha256:
      return append_hex<sha256_ctx>(out, nettle_sha256, bytes);
    case Digest::sha384:
      return append_hex<sha384_ctx>(out, nettle_sha384, bytes);
    case Digest::sha512:
      return append_hex<sha512_ctx>(out, nettle_sha512, bytes);
  }
}

void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t at = out.size();
  out.resize(at + BASE64_ENCODE_RAW_LENGTH(bytes.size()));
  base64_encode_raw(out.data() + at, bytes.size(), bytes_of(bytes));
}

bool append_decoded_base64(std::string& out, std::string_view text) {
  const std::size_t at = out.size();
  out.resize(at + BASE64_DECODE_LENGTH(text.size()));
  base64_decode_ctx context;
  base64_decode_init(&context);
  std::size_t size = out.size() - at;
  auto* to = reinterpret_cast<std::uint8_t*>(out.data() + at);
  const bool good = base64_decode_update(&context, &size, to, text.size(), text.data()) != 0 &&
                    base64_decode_final(&context) != 0;
  out.resize(at + (good ? size : 0));
  return good;
}

}  // namespace nilo::rules
