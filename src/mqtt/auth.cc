// mqtt/auth.cc: enhanced authentication: who is there, in more than one step, and once more on an
// open connection.
//
//   CONNECT -> AUTH 0x18 -> AUTH 0x18 -> ... -> CONNACK
//   AUTH 0x19 -> AUTH 0x18 -> ... -> AUTH 0x00, while all else goes on
//
// Source: MQTT 5.0 section 4.12.
#include <utility>

#include "mqtt/broker.h"

namespace nilo::mqtt {

void Broker::begin_exchange(Connection& connection, const Connect& packet, const Login& login) {
  const std::string_view method = packet.properties.text(Property::authentication_method);
  auto exchange = std::make_unique<Exchange>();
  exchange->method = method;
  exchange->authenticator = rooms_.host.authenticator(method, login);
  if (exchange->authenticator == nullptr) {
    return refuse_connect(connection, Reason::bad_authentication_method,
                          "this authentication method is not offered");  // [MQTT-4.12.0-1]
  }
  connection.exchange = std::move(exchange);
  step(connection, packet.properties.text(Property::authentication_data));
}

void Broker::step(Connection& connection, std::string_view data) {
  Exchange& exchange = *connection.exchange;
  exchange.awaits_client = false;
  auto next = exchange.authenticator->next(data);
  if (!next) return refuse_exchange(connection, next.error());
  exchange.last_data = std::move(next->data);
  if (!next->is_done) {
    exchange.awaits_client = true;
    if (connection.state != Connection::State::open) {
      connection.state = Connection::State::challenged;
    }
    return append_auth(connection, Reason::continue_authentication);
  }
  exchange.authenticator.reset();
  if (connection.state == Connection::State::open) return finish_again(connection, next->who);
  connection.state = Connection::State::authenticating;
  on_authenticated(connection.id, std::move(next->who));
}

void Broker::refuse_exchange(Connection& connection, const Error& why) {
  if (connection.state == Connection::State::open) {
    refuse(connection, Refusal::What::connect, {}, Reason::not_authorized, why.message);
    append_disconnect(connection, Reason::not_authorized, why.message);  // [MQTT-4.12.1-2]
    return drop(connection, true, true);
  }
  refuse_connect(connection, reason_of(why.code), why.message);
}

// Whoever is there once more must be who was there before: what is subscribed and queued is theirs.
void Broker::finish_again(Connection& connection, const Principal& who) {
  if (who.name != connection.principal.name) {
    return refuse_exchange(connection, {ErrorCode::unauthenticated, "another login than before"});
  }
  connection.principal = who;
  append_auth(connection, Reason::success);
}

void Broker::append_auth(Connection& connection, Reason reason) {
  const Exchange& exchange = *connection.exchange;
  Auth packet{reason, {}};
  packet.properties.set(Property::authentication_method, exchange.method);
  if (!exchange.last_data.empty()) {
    packet.properties.set(Property::authentication_data, exchange.last_data);
  }
  const std::size_t before = connection.out.size();
  encode(connection.out, packet);
  if (connection.out.size() - before > connection.packet_size_max) {
    connection.out.resize(before);
    return drop(connection, true, true);  // it could not go on
  }
  announce(connection);
}

// Before CONNACK: nothing but the next step, or a goodbye [MQTT-4.12.0-3, 3.1.2-30].
void Broker::handle_challenged(Connection& connection, const Frame& frame) {
  if (frame.type == PacketType::disconnect) return drop(connection, false, true);
  if (frame.type == PacketType::auth) return handle_auth(connection, frame);
  refuse_connect(connection, Reason::protocol_error, "a packet before the end of authentication");
}

void Broker::handle_auth(Connection& connection, const Frame& frame) {
  const bool is_open = connection.state == Connection::State::open;
  const auto refused = [&](Fault fault) {
    return is_open ? fail(connection, fault) : refuse_connect(connection, fault.reason, fault.why);
  };
  if (connection.exchange == nullptr) {
    return refused({Reason::protocol_error, "AUTH without an authentication method"});
  }
  Auth packet;
  if (const Fault fault = decode(frame, connection.version, packet)) return refused(fault);
  Exchange& exchange = *connection.exchange;
  if (packet.properties.text(Property::authentication_method) != exchange.method) {
    return refused({Reason::protocol_error, "AUTH with another method than CONNECT"});
  }
  if (packet.reason == Reason::reauthenticate && is_open && !exchange.awaits_client) {
    // No password goes along: the method asks for what it needs.
    const Login login{connection.session->client_id,
                      false,
                      false,
                      {},
                      {},
                      connection.source_ip,
                      connection.version};
    exchange.authenticator = rooms_.host.authenticator(exchange.method, login);
    if (exchange.authenticator == nullptr) {
      return refused({Reason::bad_authentication_method, "the method is not offered any more"});
    }
  } else if (packet.reason != Reason::continue_authentication || !exchange.awaits_client) {
    return refused({Reason::protocol_error, "AUTH that nobody asked for"});
  }
  step(connection, packet.properties.text(Property::authentication_data));
}

}  // namespace nilo::mqtt
