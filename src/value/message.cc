#include "value/message.h"

namespace nilo {

Message Message::copy_of(const MessageView& view) {
  Message out;
  out.topic = view.topic;
  out.payload = view.payload;
  out.qos = view.qos;
  out.retain = view.retain;
  out.received_us = view.received_us;
  out.client_id = view.client_id;
  out.principal = view.principal;
  out.source_ip = view.source_ip;
  if (view.properties != nullptr) out.properties = *view.properties;
  return out;
}

MessageView Message::view() const {
  return {topic,     payload,     qos,
          retain,    received_us, client_id,
          principal, source_ip,   properties.empty() ? nullptr : &properties};
}

}  // namespace nilo
