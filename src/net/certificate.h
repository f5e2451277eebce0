// net/certificate.h: X.509 certificates: what one says, whether a CA signed it, and new ones.
//
// In/out:  PEM or DER -> Certificate; a CA's certificate and key -> a new certificate and key.
// Threads: pure functions, but for the machine's source of randomness; any thread.
// Limits:  kCertificateSizeMax bytes are read of a certificate, a key or a request.
// Source:  RFC 5280 (certificates), RFC 2986 (requests), RFC 7468 (PEM), RFC 2253 (names as text).
//          New keys are ECDSA on P-256 (FIPS 186-4): what small devices sign fast with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

struct x509_st;  // OpenSSL's X509

namespace nilo::net {

inline constexpr std::size_t kCertificateSizeMax = 64 * 1024;
inline constexpr std::size_t kAlternativeNamesMax = 64;
inline constexpr std::size_t kCommonNameSizeMax = 64;  // RFC 5280, ub-common-name

struct Certificate {
  std::string fingerprint;  // SHA-256 of the DER: 64 lower-case hexadecimal digits
  std::string subject;      // as RFC 2253 writes it, in UTF-8; empty: it is none
  // Empty: there is none, or more than one, or it is no text (not UTF-8, control characters, NUL).
  std::string common_name;
  std::string issuer;  // as `subject`
  std::string serial;  // lower-case hexadecimal digits
  TimeUs not_before_us = 0;
  TimeUs not_after_us = 0;
  bool is_ca = false;
  std::vector<std::string> alternative_names{};  // host names and IP addresses
};

std::string der_of(const x509_st& certificate);

// invalid_argument: a date that cannot be read.
Result<Certificate> describe(const x509_st& certificate);

// The first certificate of a PEM text, or one as DER.
// invalid_argument: neither, more than kCertificateSizeMax, or what describe() says.
Result<Certificate> read_certificate(std::string_view bytes);

// Did `ca` sign `certificate`, and may it? Both PEM or DER; dates are not looked at.
bool is_signed_by(std::string_view certificate, std::string_view ca);

// "AB:CD:..." or "abcd..." as 64 lower-case digits. invalid_argument: it is no SHA-256.
Result<std::string> read_fingerprint(std::string_view text);

struct CertificateAndKey {
  std::string certificate;  // PEM
  std::string key;          // PEM, PKCS #8, not encrypted
};

struct CertificateWish {
  enum class Use : std::uint8_t { server, client };
  std::string common_name;  // 1 to 64 bytes of text
  Use use = Use::client;
  std::vector<std::string> alternative_names{};  // host names and IP addresses
  TimeUs not_before_us = 0;
  TimeUs not_after_us = 0;  // cut to what the CA has
};

// A CA that signs for devices and servers, but makes no other CA.
// invalid_argument: the name. internal: no source of randomness.
Result<CertificateAndKey> make_ca(std::string_view common_name, TimeUs not_before_us,
                                  TimeUs not_after_us);

// With a key that is made here. invalid_argument: `ca` is no CA, or its key is another's; the name,
// one of the alternative names (says which).
Result<CertificateAndKey> issue(const CertificateAndKey& ca, const CertificateWish& wish);
// For a key that there is. The certificate as PEM.
Result<std::string> issue_for_key(const CertificateAndKey& ca, const CertificateWish& wish,
                                  std::string_view key);
// For the key of a request (PKCS #10), of which nothing else is taken.
// invalid_argument: not a request, or not signed by its own key.
Result<std::string> issue_for_request(const CertificateAndKey& ca, const CertificateWish& wish,
                                      std::string_view request);

// invalid_argument: one of them cannot be read, or they do not belong together.
Result<void> check_pair(const CertificateAndKey& pair);

}  // namespace nilo::net
