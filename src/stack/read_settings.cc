#include "stack/forms.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

// A key that is absent here may stand in another file.
template <typename T>
void set(std::optional<T>& setting, std::optional<T> value) {
  if (value) setting = std::move(value);
}

// origins = ["https://tanks.example.org"]: as a browser writes them, so without a path.
void read_origins(Section& keys, Reading& reading) {
  constexpr Key kOrigins{"origins", "[\"https://tanks.example.org\"]"};
  const Node* const list = keys.list(kOrigins);
  if (list == nullptr) return;
  for (const Node& item : list->items) {
    if (item.kind != Node::Kind::text) {
      tell_wrong_type(reading, kOrigins, words_for(Node::Kind::text), item);
      continue;
    }
    const std::string& origin = item.text;
    const std::size_t host = origin.find("//");
    const bool has_path = host != std::string::npos && origin.find('/', host + 2) < origin.size();
    if (!is_url(origin) || has_path) {
      reading.tell(Code::not_a_url, item.place, has_path ? "without a path" : "", origin,
                   "https://tanks.example.org");
    }
    reading.stack.settings.origins.push_back(lower_case(origin));
  }
}

constexpr std::int64_t kTwoBytesMax = 65'535;  // what a number of two bytes in a packet can say
constexpr std::int64_t kCountMax = 1'000'000'000;

void read_mqtt(Section& keys, MqttSettings& mqtt) {
  set(mqtt.keep_alive_max, keys.duration({"keep_alive_max", "\"20m\""}));
  set(mqtt.session_expiry_max, keys.duration({"session_expiry_max", "\"7d\""}));
  set(mqtt.receive_max, keys.integer({"receive_max", "100"}, 1, kTwoBytesMax));
  set(mqtt.topic_alias_max, keys.integer({"topic_alias_max", "16"}, 0, kTwoBytesMax));
  set(mqtt.subscriptions_max, keys.integer({"subscriptions_max", "50"}, 1, kCountMax));
  set(mqtt.sessions_max, keys.integer({"sessions_max", "10000"}, 1, kCountMax));
  set(mqtt.session_queue_max, keys.integer({"session_queue_max", "1000"}, 1, kCountMax));
  set(mqtt.session_queue_size_max_bytes, keys.size({"session_queue_size_max", "\"1MB\""}));
  set(mqtt.packet_size_max_bytes, keys.size({"packet_size_max", "\"128KB\""}));
  set(mqtt.reasons, keys.boolean({"reasons", "false"}));
}

}  // namespace

void read_settings(const Member& section, Reading& reading) {
  Settings& settings = reading.stack.settings;
  Section keys(section.node, section.key_place, fmt::format("[{}]", section.key), reading);
  // The section may stand in several files, each key in one.
  for (const Member& member : section.node.members) {
    if (section.key == "tables" && member.node.kind == Node::Kind::table) {
      keys.take(member.key);
      reading.tell(Code::unknown_key, member.key_place, "", member.key, keys.where(),
                   fmt::format("to declare a table write [table.{}]", member.key));
    }
    reading.declare(fmt::format("`{}` of {}", member.key, keys.where()), member.key_place);
  }
  if (section.key == "server") {
    set(settings.mqtt_listen, keys.address({"mqtt", "\"127.0.0.1:1883\""}));
    set(settings.http_listen, keys.address({"http", "\"127.0.0.1:8080\""}));
    read_origins(keys, reading);
  } else if (section.key == "mqtt") {
    read_mqtt(keys, settings.mqtt);
  } else if (section.key == "tables") {
    set(settings.tables_memory_bytes, keys.size({"memory", "\"1GB\""}));
  } else {
    set(settings.sql_time, keys.duration({"time", "\"10s\""}));
    set(settings.sql_memory_bytes, keys.size({"memory", "\"256MB\""}));
  }
  keys.finish();
}

}  // namespace nilo::stack
