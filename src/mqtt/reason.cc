#include "mqtt/reason.h"

#include <algorithm>
#include <iterator>

namespace nilo::mqtt {
namespace {

struct ReasonText {
  Reason reason;
  std::string_view text;
  std::uint8_t connack_code;  // below 5.0; 3 (server unavailable) where nothing fits
};

constexpr ReasonText kReasonTexts[] = {
    {Reason::success, "success", 0},
    {Reason::granted_qos_1, "granted QoS 1", 0},
    {Reason::granted_qos_2, "granted QoS 2", 0},
    {Reason::disconnect_with_will, "disconnect with will message", 0},
    {Reason::no_matching_subscribers, "no matching subscribers", 0},
    {Reason::no_subscription_existed, "no subscription existed", 0},
    {Reason::continue_authentication, "continue authentication", 0},
    {Reason::reauthenticate, "re-authenticate", 0},
    {Reason::unspecified_error, "unspecified error", 3},
    {Reason::malformed_packet, "malformed packet", 3},
    {Reason::protocol_error, "protocol error", 3},
    {Reason::implementation_specific_error, "implementation specific error", 3},
    {Reason::unsupported_protocol_version, "unsupported protocol version", 1},
    {Reason::client_identifier_not_valid, "client identifier not valid", 2},
    {Reason::bad_user_name_or_password, "bad user name or password", 4},
    {Reason::not_authorized, "not authorized", 5},
    {Reason::server_unavailable, "server unavailable", 3},
    {Reason::server_busy, "server busy", 3},
    {Reason::banned, "banned", 5},
    {Reason::server_shutting_down, "server shutting down", 3},
    {Reason::bad_authentication_method, "bad authentication method", 5},
    {Reason::keep_alive_timeout, "keep alive timeout", 3},
    {Reason::session_taken_over, "session taken over", 3},
    {Reason::topic_filter_invalid, "topic filter invalid", 3},
    {Reason::topic_name_invalid, "topic name invalid", 3},
    {Reason::packet_identifier_in_use, "packet identifier in use", 3},
    {Reason::packet_identifier_not_found, "packet identifier not found", 3},
    {Reason::receive_maximum_exceeded, "receive maximum exceeded", 3},
    {Reason::topic_alias_invalid, "topic alias invalid", 3},
    {Reason::packet_too_large, "packet too large", 3},
    {Reason::message_rate_too_high, "message rate too high", 3},
    {Reason::quota_exceeded, "quota exceeded", 3},
    {Reason::administrative_action, "administrative action", 3},
    {Reason::payload_format_invalid, "payload format invalid", 3},
    {Reason::retain_not_supported, "retain not supported", 3},
    {Reason::qos_not_supported, "QoS not supported", 3},
    {Reason::use_another_server, "use another server", 3},
    {Reason::server_moved, "server moved", 3},
    {Reason::shared_subscriptions_not_supported, "shared subscriptions not supported", 3},
    {Reason::connection_rate_exceeded, "connection rate exceeded", 3},
    {Reason::maximum_connect_time, "maximum connect time", 3},
    {Reason::subscription_identifiers_not_supported, "subscription identifiers not supported", 3},
    {Reason::wildcard_subscriptions_not_supported, "wildcard subscriptions not supported", 3},
};

const ReasonText* find(Reason reason) {
  const auto* at = std::find_if(std::begin(kReasonTexts), std::end(kReasonTexts),
                                [&](const ReasonText& entry) { return entry.reason == reason; });
  return at == std::end(kReasonTexts) ? nullptr : at;
}

}  // namespace

std::string_view text_of(Reason reason) {
  const ReasonText* entry = find(reason);
  return entry == nullptr ? "unknown reason" : entry->text;
}

std::uint8_t connack_code(Reason reason) {
  const ReasonText* entry = find(reason);
  return entry == nullptr ? std::uint8_t{3} : entry->connack_code;
}

}  // namespace nilo::mqtt
