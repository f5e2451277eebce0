// app/certificate_rows.h: certificates that this server knows, as rows of sys_certificates.
//
// The table is private, like sys_tokens. No private key is in it, nor anywhere else on this server.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "value/schema.h"
#include "value/value.h"

namespace nilo::app {

inline constexpr std::string_view kCertificatesTable = "sys_certificates";

// One row. Of a certificate that was registered by its fingerprint alone the rest is empty until
// it is first shown (certificates.h).
struct KnownCertificate {
  enum class Kind : std::uint8_t {
    device,  // lets `name` in
    ca,      // vouches for devices that are not known yet; `name` is what people call it
  };
  enum class State : std::uint8_t {
    active,
    inactive,  // lets nobody in until it is activated
    pending,   // as inactive: it came by itself, and a person has to look at it
    revoked,   // for ever
    removed,   // as revoked, and not listed
  };
  std::string fingerprint;  // SHA-256 of the DER
  std::string name;
  Kind kind = Kind::device;
  State state = State::active;
  std::string subject{};
  std::string serial{};
  std::string issuer{};
  TimeUs not_before_us = 0;  // 0: not known
  TimeUs not_after_us = 0;   // likewise
  TimeUs created_us = 0;
  std::string note{};    // how it came to be, for people
  std::string topics{};  // as in sys_tokens
  std::string pem{};     // of a CA, to check what it signed
  bool admits = false;   // of a CA: a device it vouches for is active at once, else pending
};

std::string_view word_of(KnownCertificate::Kind kind);
std::string_view word_of(KnownCertificate::State state);
std::optional<KnownCertificate::State> certificate_state_of(std::string_view word);

TableSchema certificates_schema();

// In schema order; views into the argument. And back: what cannot be read lets nobody in.
std::vector<Value> cells_of(const KnownCertificate& certificate);
KnownCertificate certificate_of(std::span<const Value> cells);

}  // namespace nilo::app
