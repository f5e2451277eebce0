#include "net/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "base/utf8.h"

namespace nilo::net {
namespace {

constexpr std::size_t kHostNameSizeMax = 253;
constexpr int kSerialSize = 16;
constexpr int kVersion3 = 2;

template <auto function>
struct Free {
  template <typename T>
  void operator()(T* pointer) const {
    function(pointer);
  }
};
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, Free<X509_REQ_free>>;
using BioPtr = std::unique_ptr<BIO, Free<BIO_free_all>>;
using NumberPtr = std::unique_ptr<BIGNUM, Free<BN_free>>;
using TextPtr = std::unique_ptr<char, decltype([](char* text) { OPENSSL_free(text); })>;

// What the library last complained of. Its queue is empty afterwards, so that no other connection
// of this thread finds it.
Error failed(ErrorCode code, std::string_view what) {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return {code, reason == nullptr ? std::string(what) : fmt::format("{} ({})", what, reason), ""};
}

Error unusable(std::string_view what) { return failed(ErrorCode::invalid_argument, what); }

BioPtr reader_of(std::string_view bytes) {
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string written(BIO& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(&bio, &bytes);
  return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

// A key that is locked is not ours to open: nobody is asked for its password.
int no_password(char* /*to*/, int /*size*/, int /*writing*/, void* /*user*/) { return 0; }

Result<X509Ptr> parse_certificate(std::string_view bytes) {
  if (bytes.size() > kCertificateSizeMax) {
    return Error{ErrorCode::invalid_argument, "too long for a certificate", ""};
  }
  X509Ptr certificate;
  if (bytes.find("-----BEGIN") != std::string_view::npos) {
    const BioPtr bio = reader_of(bytes);
    certificate.reset(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
  } else {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    certificate.reset(d2i_X509(nullptr, &at, static_cast<long>(bytes.size())));
  }
  if (!certificate) return unusable("this is no certificate");
  ERR_clear_error();
  return certificate;
}

Result<KeyPtr> parse_key(std::string_view pem) {
  if (pem.size() > kCertificateSizeMax) {
    return Error{ErrorCode::invalid_argument, "too long for a key", ""};
  }
  const BioPtr bio = reader_of(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return unusable("this is no private key without a password");
  return key;
}

Result<std::string> pem_of(X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), &certificate) != 1) {
    return failed(ErrorCode::internal, "the certificate cannot be written");
  }
  return written(*bio);
}

Result<std::string> pem_of(EVP_PKEY& key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed(ErrorCode::internal, "the key cannot be written");
  }
  return written(*bio);
}

std::string hex_of(const unsigned char* bytes, std::size_t size) {
  std::string hex;
  for (std::size_t i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes[i]);
  return hex;
}

std::string text_of(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  // Letters of all languages stay as they are.
  constexpr unsigned long kForm =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (X509_NAME_print_ex(bio.get(), name, 0, kForm) < 0) return {};
  std::string text = written(*bio);
  return is_utf8(text) ? text : std::string();
}

bool is_plain_text(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return is_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

std::string common_name_of(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) return {};
  const ASN1_STRING* const data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, data);
  if (size < 0) return {};
  const TextPtr owner(reinterpret_cast<char*>(bytes));
  std::string text(owner.get(), static_cast<std::size_t>(size));
  return is_plain_text(text) ? text : std::string();
}

std::string serial_of(const X509& certificate) {
  const NumberPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr));
  const TextPtr hex(number ? BN_bn2hex(number.get()) : nullptr);
  std::string text = hex ? hex.get() : "";
  for (char& digit : text) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
  }
  return text;
}

// An IP address as people write it; empty: it is none.
std::string ip_text(const ASN1_OCTET_STRING& address) {
  const int family = address.length == 4 ? AF_INET : AF_INET6;
  if (address.length != 4 && address.length != 16) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, address.data, text.data(), text.size()) == nullptr ? "" : text.data();
}

bool is_host_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '*';
  };
  return !name.empty() && name.size() <= kHostNameSizeMax &&
         std::all_of(name.begin(), name.end(), allowed);
}

std::vector<std::string> alternative_names_in(const X509& certificate) {
  using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME& name = *sk_GENERAL_NAME_value(names.get(), i);
    std::string text;
    if (name.type == GEN_IPADD) text = ip_text(*name.d.iPAddress);
    if (name.type == GEN_DNS) {
      text.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name.d.dNSName)),
                  static_cast<std::size_t>(ASN1_STRING_length(name.d.dNSName)));
      if (!is_host_name(text)) continue;
    }
    if (!text.empty() && out.size() < kAlternativeNamesMax) out.push_back(std::move(text));
  }
  return out;
}

Result<TimeUs> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return unusable("the certificate has a date that cannot be read");
  }
  return static_cast<TimeUs>(::timegm(&parts)) * 1'000'000;
}

Result<KeyPtr> new_key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return failed(ErrorCode::internal, "no key can be made");
  return key;
}

bool set_serial(X509& certificate) {
  std::array<unsigned char, kSerialSize> bytes{};
  if (RAND_bytes(bytes.data(), kSerialSize) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);  // positive, of this length
  const NumberPtr number(BN_bin2bn(bytes.data(), kSerialSize, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_dates(X509& certificate, TimeUs not_before_us, TimeUs not_after_us) {
  return ASN1_TIME_set(X509_getm_notBefore(&certificate), not_before_us / 1'000'000) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate), not_after_us / 1'000'000) != nullptr;
}

bool add_extension(X509& certificate, X509V3_CTX& context, int nid, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(&certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

using Extensions = std::vector<std::pair<int, std::string>>;

// `issuer`: a certificate, or `certificate` itself.
bool add_extensions(X509& certificate, X509& issuer, const Extensions& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  return std::all_of(extensions.begin(), extensions.end(), [&](const auto& extension) {
    return add_extension(certificate, context, extension.first, extension.second);
  });
}

Result<void> check_common_name(std::string_view name) {
  if (!name.empty() && name.size() <= kCommonNameSizeMax && is_plain_text(name)) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("`{}` is no name for a certificate", printable(name, 80)),
               "1 to 64 bytes of text"};
}

bool set_common_name(X509& certificate, std::string_view name) {
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(&certificate), NID_commonName,
                                    MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

bool is_ip_address(const std::string& text) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(text.c_str());
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
  return address != nullptr;
}

// In the words of OpenSSL's own language, of which no character may come from outside.
Result<std::string> alternative_names_of(const std::vector<std::string>& names) {
  if (names.size() > kAlternativeNamesMax) {
    return Error{ErrorCode::invalid_argument, "too many names for one certificate", ""};
  }
  std::string out;
  for (const std::string& name : names) {
    const bool is_ip = is_ip_address(name);
    if (!is_ip && !is_host_name(name)) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("`{}` is neither a host name nor an address", printable(name, 80)),
                   ""};
    }
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", is_ip ? "IP" : "DNS", name);
  }
  return out;
}

struct Issuer {
  X509Ptr certificate;
  KeyPtr key;
};

Result<Issuer> issuer_of(const CertificateAndKey& ca) {
  Issuer issuer{TRY(parse_certificate(ca.certificate)), TRY(parse_key(ca.key))};
  if (X509_check_ca(issuer.certificate.get()) != 1) {
    return Error{ErrorCode::invalid_argument, "the issuer's certificate is not that of a CA", ""};
  }
  if (X509_check_private_key(issuer.certificate.get(), issuer.key.get()) != 1) {
    return unusable("the CA's key does not belong to its certificate");
  }
  return issuer;
}

Result<Extensions> extensions_of(const CertificateWish& wish) {
  const bool is_server = wish.use == CertificateWish::Use::server;
  Extensions extensions{{NID_basic_constraints, "critical,CA:FALSE"},
                        {NID_key_usage, "critical,digitalSignature"},
                        {NID_ext_key_usage, is_server ? "serverAuth" : "clientAuth"},
                        {NID_subject_key_identifier, "hash"},
                        {NID_authority_key_identifier, "keyid"}};
  const std::string names = TRY(alternative_names_of(wish.alternative_names));
  if (!names.empty()) extensions.emplace_back(NID_subject_alt_name, names);
  return extensions;
}

Result<std::string> sign(const Issuer& ca, const CertificateWish& wish, EVP_PKEY& key) {
  TRY(check_common_name(wish.common_name));
  const Extensions extensions = TRY(extensions_of(wish));
  const TimeUs ca_until_us = TRY(time_of(X509_get0_notAfter(ca.certificate.get())));
  const X509Ptr made(X509_new());
  X509& certificate = *made;
  const bool is_signed =
      X509_set_version(&certificate, kVersion3) == 1 && set_serial(certificate) &&
      set_dates(certificate, wish.not_before_us, std::min(wish.not_after_us, ca_until_us)) &&
      set_common_name(certificate, wish.common_name) &&
      X509_set_issuer_name(&certificate, X509_get_subject_name(ca.certificate.get())) == 1 &&
      X509_set_pubkey(&certificate, &key) == 1 &&
      add_extensions(certificate, *ca.certificate, extensions) &&
      X509_sign(&certificate, ca.key.get(), EVP_sha256()) > 0;
  if (!is_signed) return failed(ErrorCode::internal, "the certificate cannot be made");
  return pem_of(certificate);
}

}  // namespace

std::string der_of(const x509_st& certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(&certificate, &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

Result<Certificate> describe(const x509_st& certificate) {
  Certificate out;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return failed(ErrorCode::internal, "the certificate has no fingerprint");
  }
  out.fingerprint = hex_of(digest.data(), size);
  out.subject = text_of(X509_get_subject_name(&certificate));
  out.common_name = common_name_of(X509_get_subject_name(&certificate));
  out.issuer = text_of(X509_get_issuer_name(&certificate));
  out.serial = serial_of(certificate);
  out.not_before_us = TRY(time_of(X509_get0_notBefore(&certificate)));
  out.not_after_us = TRY(time_of(X509_get0_notAfter(&certificate)));
  // Extensions are read when they are first asked for, which changes the structure.
  out.alternative_names = alternative_names_in(certificate);
  out.is_ca = X509_check_ca(const_cast<X509*>(&certificate)) == 1;
  ERR_clear_error();
  return out;
}

Result<Certificate> read_certificate(std::string_view bytes) {
  const X509Ptr certificate = TRY(parse_certificate(bytes));
  return describe(*certificate);
}

bool is_signed_by(std::string_view certificate, std::string_view ca) {
  const auto signed_one = parse_certificate(certificate);
  const auto signer = parse_certificate(ca);
  if (!signed_one || !signer || X509_check_ca(signer->get()) != 1) return false;
  const bool fits = X509_check_issued(signer->get(), signed_one->get()) == X509_V_OK &&
                    X509_verify(signed_one->get(), X509_get0_pubkey(signer->get())) == 1;
  ERR_clear_error();
  return fits;
}

Result<std::string> read_fingerprint(std::string_view text) {
  constexpr std::size_t kDigits = 64;
  std::string digits;
  bool is_hex = true;
  for (const char c : text) {
    if (c == ':') continue;
    const char small = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    is_hex = is_hex && ((small >= '0' && small <= '9') || (small >= 'a' && small <= 'f'));
    digits += small;
  }
  if (is_hex && digits.size() == kDigits) return digits;
  return Error{ErrorCode::invalid_argument,
               fmt::format("`{}` is no fingerprint", printable(text, 80)),
               "64 hexadecimal digits: openssl x509 -noout -fingerprint -sha256 -in FILE"};
}

Result<CertificateAndKey> make_ca(std::string_view common_name, TimeUs not_before_us,
                                  TimeUs not_after_us) {
  TRY(check_common_name(common_name));
  const KeyPtr key = TRY(new_key());
  const X509Ptr made(X509_new());
  X509& certificate = *made;
  const bool is_signed =
      X509_set_version(&certificate, kVersion3) == 1 && set_serial(certificate) &&
      set_dates(certificate, not_before_us, not_after_us) &&
      set_common_name(certificate, common_name) &&
      X509_set_issuer_name(&certificate, X509_get_subject_name(&certificate)) == 1 &&
      X509_set_pubkey(&certificate, key.get()) == 1 &&
      add_extensions(certificate, certificate,
                     {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                      {NID_key_usage, "critical,keyCertSign,cRLSign"},
                      {NID_subject_key_identifier, "hash"}}) &&
      X509_sign(&certificate, key.get(), EVP_sha256()) > 0;
  if (!is_signed) return failed(ErrorCode::internal, "the CA cannot be made");
  return CertificateAndKey{TRY(pem_of(certificate)), TRY(pem_of(*key))};
}

Result<CertificateAndKey> issue(const CertificateAndKey& ca, const CertificateWish& wish) {
  const Issuer issuer = TRY(issuer_of(ca));
  const KeyPtr key = TRY(new_key());
  return CertificateAndKey{TRY(sign(issuer, wish, *key)), TRY(pem_of(*key))};
}

Result<std::string> issue_for_key(const CertificateAndKey& ca, const CertificateWish& wish,
                                  std::string_view key) {
  const Issuer issuer = TRY(issuer_of(ca));
  const KeyPtr parsed = TRY(parse_key(key));
  return sign(issuer, wish, *parsed);
}

Result<std::string> issue_for_request(const CertificateAndKey& ca, const CertificateWish& wish,
                                      std::string_view request) {
  if (request.size() > kCertificateSizeMax) {
    return Error{ErrorCode::invalid_argument, "too long for a request", ""};
  }
  const Issuer issuer = TRY(issuer_of(ca));
  const BioPtr bio = reader_of(request);
  const RequestPtr parsed(PEM_read_bio_X509_REQ(bio.get(), nullptr, no_password, nullptr));
  if (!parsed) return unusable("this is no certificate signing request");
  const KeyPtr key(X509_REQ_get_pubkey(parsed.get()));
  if (!key || X509_REQ_verify(parsed.get(), key.get()) != 1) {
    return unusable("the request is not signed by its own key");
  }
  return sign(issuer, wish, *key);
}

Result<void> check_pair(const CertificateAndKey& pair) {
  const X509Ptr certificate = TRY(parse_certificate(pair.certificate));
  const KeyPtr key = TRY(parse_key(pair.key));
  if (X509_check_private_key(certificate.get(), key.get()) == 1) return {};
  return unusable("the key does not belong to the certificate");
}

}  // namespace nilo::net
