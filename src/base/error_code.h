// base/error_code.h: every kind of failure, once, with what each door says for it.
//
// The table below is the only place that maps a failure to an HTTP status and to an MQTT 5.0
// reason code (MQTT 5.0 section 2.4).
#pragma once

#include <cstdint>
#include <string_view>

namespace nilo {

enum class ErrorCode : std::uint8_t {
  invalid_argument,    // the caller's input is wrong; saying it again will not help
  unauthenticated,     // nobody, or a wrong password or token
  permission_denied,   // somebody, but not allowed to do this
  not_found,           // no such table, row, file, path
  conflict,            // exists already, or is in use
  too_large,           // over a named limit on one input
  resource_exhausted,  // disk full, memory budget or a bounded queue reached; may pass
  deadline_exceeded,   // took longer than it may
  unsupported,         // understood, and not offered
  unavailable,         // the disk, a peer or the server refused; see the message
  corrupt,             // stored bytes are not what was written
  internal,            // a fence caught something it could not name
};

struct ErrorCodeInfo {
  std::string_view name;
  int http_status;
  std::uint8_t mqtt_reason;
};

// Indexed by ErrorCode.
inline constexpr ErrorCodeInfo kErrorCodes[] = {
    {"invalid_argument", 400, 0x83},    // implementation specific error
    {"unauthenticated", 401, 0x86},     // bad user name or password
    {"permission_denied", 403, 0x87},   // not authorized
    {"not_found", 404, 0x83},           //
    {"conflict", 409, 0x83},            //
    {"too_large", 413, 0x95},           // packet too large
    {"resource_exhausted", 507, 0x97},  // quota exceeded
    {"deadline_exceeded", 504, 0x83},   //
    {"unsupported", 501, 0x83},         //
    {"unavailable", 503, 0x88},         // server unavailable
    {"corrupt", 500, 0x80},             // unspecified error
    {"internal", 500, 0x80},            //
};

constexpr const ErrorCodeInfo& info_of(ErrorCode code) {
  return kErrorCodes[static_cast<std::size_t>(code)];
}

}  // namespace nilo
