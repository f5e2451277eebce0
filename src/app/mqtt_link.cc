#include "app/mqtt_link.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "mqtt/reason.h"

namespace nilo::app {

namespace {
constexpr int kTickMs = 500;
constexpr std::size_t kReadSize = 64 * 1024;

Error refusal(mqtt::Reason reason, std::string_view what) {
  ErrorCode code = ErrorCode::invalid_argument;
  if (reason == mqtt::Reason::not_authorized) code = ErrorCode::permission_denied;
  if (reason == mqtt::Reason::quota_exceeded) code = ErrorCode::resource_exhausted;
  return {code, fmt::format("the server refused {}: {}", what, mqtt::text_of(reason)),
          "the server's $error/# says more"};
}
}  // namespace

MqttLink::MqttLink(MqttLinkOptions options, const Clock& clock,
                   std::function<void(const MessageView&)> on_message)
    : options_(std::move(options)),
      clock_(clock),
      message_handler_(std::move(on_message)),
      client_(options_.client, *this, clock) {}

MqttLink::~MqttLink() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::unique_ptr<MqttLink>> MqttLink::connect(
    MqttLinkOptions options, const Clock& clock,
    std::function<void(const MessageView&)> on_message) {
  std::unique_ptr<MqttLink> link(new MqttLink(std::move(options), clock, std::move(on_message)));
  link->fd_ = TRY(net::connect_tcp(link->options_.server, link->options_.timeout));
  link->client_.start();
  TRY(link->wait_for([&] { return link->client_.is_connected(); }, "the server's CONNACK"));
  return link;
}

// One round: what is to be sent goes out, what arrived is handled.
Result<void> MqttLink::exchange(int wait_ms) {
  unsent_ += client_.take_out();
  while (!unsent_.empty()) {
    const ssize_t count = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (count <= 0) break;
    unsent_.erase(0, static_cast<std::size_t>(count));
  }
  const short wanted = static_cast<short>(POLLIN | (unsent_.empty() ? 0 : POLLOUT));
  pollfd poll_fd{fd_, wanted, 0};
  ::poll(&poll_fd, 1, wait_ms);
  if ((poll_fd.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
    char buffer[kReadSize];
    const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
    if (count > 0) {
      client_.receive({buffer, static_cast<std::size_t>(count)});
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      client_.closed(count == 0 ? "the server closed the connection" : std::strerror(errno));
    }
  }
  client_.tick();
  if (failure_) return *failure_;
  return {};
}

Result<void> MqttLink::run_until(std::int64_t until_us, const std::function<bool()>& is_done) {
  while (!is_done()) {
    const std::int64_t left_us = until_us - clock_.steady_us();
    if (left_us <= 0) return {};
    TRY(exchange(static_cast<int>(std::clamp<std::int64_t>(left_us / 1000, 1, kTickMs))));
  }
  return {};
}

Result<void> MqttLink::wait_for(const std::function<bool()>& is_done, std::string_view what) {
  TRY(run_until(clock_.steady_us() + options_.timeout.count() * 1000, is_done));
  if (is_done()) return {};
  return Error{ErrorCode::unavailable,
               fmt::format("{} did not come within {} s", what, options_.timeout.count() / 1000),
               "is this an MQTT server?"};
}

Result<void> MqttLink::publish(const MessageView& message) {
  last_answer_.reset();
  const std::uint16_t packet_id = TRY(client_.publish(message));
  if (packet_id == 0) {
    TRY(exchange(0));
    return wait_for([this] { return unsent_.empty(); }, "room to send");
  }
  TRY(wait_for([this] { return last_answer_.has_value(); }, "the acknowledgement"));
  if (mqtt::is_error(*last_answer_)) return refusal(*last_answer_, "the message");
  return {};
}

Result<void> MqttLink::publish_pipelined(const MessageView& message) {
  if (client_.send_quota() == 0) {
    TRY(wait_for([this] { return client_.send_quota() > 0; }, "an acknowledgement"));
  }
  TRY(client_.publish(message));
  return exchange(0);
}

Result<void> MqttLink::drain() {
  TRY(wait_for([this] { return client_.in_flight_count() == 0 && unsent_.empty(); },
               "the last acknowledgement"));
  if (!first_refusal_) return {};
  return refusal(*first_refusal_,
                 fmt::format("{} message{}", refused_count_, refused_count_ == 1 ? "" : "s"));
}

Result<void> MqttLink::subscribe(std::string_view filter, Qos qos) {
  last_answer_.reset();
  client_.subscribe({{.filter = filter, .qos = qos}});
  TRY(wait_for([this] { return last_answer_.has_value(); }, "the answer to SUBSCRIBE"));
  if (mqtt::is_error(*last_answer_)) {
    return Error{ErrorCode::permission_denied,
                 fmt::format("the server refused to subscribe to {}: {}", filter,
                             mqtt::text_of(*last_answer_)),
                 ""};
  }
  return {};
}

void MqttLink::disconnect() {
  client_.disconnect();
  ignore(exchange(0));
}

void MqttLink::on_connected(bool /*session_present*/) {}

void MqttLink::on_published(std::uint16_t /*packet_id*/, mqtt::Reason reason) {
  last_answer_ = reason;
  if (!mqtt::is_error(reason)) {
    ++acknowledged_count_;
    return;
  }
  ++refused_count_;
  if (!first_refusal_) first_refusal_ = reason;
}

void MqttLink::on_subscribed(std::uint16_t /*packet_id*/,
                             const std::vector<mqtt::Reason>& reasons) {
  last_answer_ = reasons.empty() ? mqtt::Reason{} : reasons.front();
}

void MqttLink::on_message(const MessageView& message) {
  if (message_handler_) message_handler_(message);
}

void MqttLink::on_disconnected(const Error& error) { failure_ = error; }

}  // namespace nilo::app
