// Eclipse Paho C++ (Debian libpaho-mqttpp-dev) with a client certificate: hears what it published
// itself, then ends. Arguments: address (ssl://host:port), CA, certificate, key, topic, version.
#include <mqtt/async_client.h>

#include <chrono>
#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  const std::string topic = argv[5];
  const int version = std::stoi(argv[6]);
  try {
    mqtt::async_client client(argv[1], "paho-cpp", mqtt::create_options(version));
    client.start_consuming();
    mqtt::ssl_options tls;
    tls.set_trust_store(argv[2]);
    tls.set_key_store(argv[3]);
    tls.set_private_key(argv[4]);
    mqtt::connect_options options;
    options.set_mqtt_version(version);
    options.set_clean_session(version < MQTTVERSION_5);
    if (version >= MQTTVERSION_5) options.set_clean_start(true);
    options.set_ssl(tls);
    client.connect(options)->wait();
    client.subscribe(topic, 1)->wait();
    client.publish(topic, R"({"distance": 44})", 1, false)->wait();
    mqtt::const_message_ptr heard;
    if (!client.try_consume_message_for(&heard, std::chrono::seconds(10)) || !heard) return 1;
    std::printf("%s %s\n", heard->get_topic().c_str(), heard->to_string().c_str());
    client.disconnect()->wait();
  } catch (const mqtt::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
