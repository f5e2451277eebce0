// Source: AWS general reference, "AWS IoT Core endpoints and quotas"; developer guide, "MQTT".
#include "mqtt/host.h"

namespace nilo::mqtt {

Limits aws_limits() {
  Limits limits;
  limits.packet_size_max = 146 * 1024;
  limits.client_id_size_max = 128;
  limits.keep_alive_min_s = 30;
  limits.keep_alive_max_s = 1200;
  limits.keep_alive_of_all = true;
  limits.receive_max = 100;
  limits.in_flight_max = 100;
  limits.publishes_per_s_max = 100;
  limits.topic_alias_max = 8;
  limits.subscriptions_max = 50;
  limits.session_expiry_max_s = 3600;
  limits.payload_size_max = 128 * 1024;
  limits.topic_size_max = 256;
  limits.topic_levels_max = 8;  // 7 slashes
  limits.filters_per_subscribe_max = 8;
  limits.qos_max = Qos::at_least_once;
  limits.has_retained_for_wildcards = false;
  limits.has_parent_of_wildcard = false;
  return limits;
}

}  // namespace nilo::mqtt
