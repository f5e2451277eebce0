#include "api/live_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/json_body.h"
#include "base/utf8.h"
#include "value/value.h"

namespace nilo::api {
namespace {

constexpr std::size_t kIdSizeMax = 64;

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

Error wrong(std::string message, std::string hint = "") {
  return {ErrorCode::invalid_argument, std::move(message), std::move(hint)};
}

Result<std::vector<Selector>> read_selectors(const JsonNode& node, std::size_t count_max) {
  if (!node.is_array() || node.size() == 0) {
    return wrong("'fields' must be a list of selectors", R"(such as ["tank-1/percent"])");
  }
  if (node.size() > count_max) {
    return Error{ErrorCode::too_large, fmt::format("more than {} selectors", count_max),
                 "use '*', or a type: \"type:tank/percent\""};
  }
  std::vector<Selector> selectors;
  for (const JsonNode& each : node.elements()) {
    if (!each.is_string()) return wrong("a selector must be text");
    selectors.push_back(TRY(parse_selector(each.text())));
  }
  return selectors;
}

Result<Seq> read_seq(const JsonNode& node) {
  Seq seq = 0;
  if (node.is_number()) {
    const std::string_view text = node.text();
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seq);
    if (failure == std::errc() && end == text.data() + text.size()) return seq;
  }
  return wrong("'from' must be a sequence number", "the `seq` of an answer or of a text from here");
}

}  // namespace

bool LiveSubscription::matches(const LiveSeries& series) const {
  return std::any_of(selectors.begin(), selectors.end(), [&](const Selector& each) {
    return each.matches_thing(series.thing, series.type) && each.matches_field(series.field);
  });
}

void LiveSession::on_open(net::WebSocket& socket) {
  socket_ = &socket;
  socket.pause_reading();  // until it was greeted
  desk_.opened(*this);
}

void LiveSession::on_closed() {
  socket_ = nullptr;
  desk_.closed(*this);
}

void LiveSession::say_hello(Seq seq, std::int64_t time_ms) {
  said_hello_ = true;
  send(fmt::format(R"({{"type":"hello","seq":{},"time":{}}})", seq, time_ms));
  socket_->resume_reading();
}

void LiveSession::send(std::string_view json) {
  if (is_open()) socket_->send_text(json);
}

void LiveSession::send_error(std::string_view id, const Error& error) {
  send(fmt::format(R"({{"type":"error","id":{},"message":{},"hint":{}}})", json_string(id),
                   json_string(error.message), json_string(error.hint)));
}

void LiveSession::close(std::uint16_t code, std::string_view reason) {
  if (!is_open()) return;
  is_closing_ = true;
  socket_->close(code, reason);
}

void LiveSession::reset(LiveSubscription& subscription) {
  send(fmt::format(R"({{"type":"reset","id":{}}})", subscription.json_id));
}

void LiveSession::on_binary(std::string_view /*bytes*/) {
  close(net::close_code::kProtocolError, "texts only");
}

void LiveSession::on_text(std::string_view text) {
  std::string id;
  const auto command =
      object_body(document_, text, {"op", "id", "topic", "fields", "alerts", "from"});
  const Result<void> obeyed = command ? obey(**command, id) : Result<void>(command.error());
  if (!obeyed) send_error(id, obeyed.error());
}

Result<void> LiveSession::obey(const JsonNode& command, std::string& id) {
  const std::string op = TRY(text_member(command, "op"));
  if (op == "ping") {
    send(R"({"type":"pong"})");
    return {};
  }
  const std::string given = TRY(text_member(command, "id"));
  if (given.empty() || given.size() > kIdSizeMax) {
    return wrong(fmt::format("'id' must be text of 1 to {} bytes", kIdSizeMax),
                 "name the subscription: answers carry its id");
  }
  id = given;
  if (op == "subscribe") return subscribe(command, id);
  if (op == "unsubscribe") {
    unsubscribe(id);
    return {};
  }
  return wrong(fmt::format("no such op: '{}'", printable(op, 40)),
               "there are subscribe, unsubscribe and ping");
}

Result<void> LiveSession::read_subject(const JsonNode& command,
                                       LiveSubscription& subscription) const {
  const JsonNode* const topic = command.find("topic");
  const JsonNode* const fields = command.find("fields");
  const JsonNode* const alerts = command.find("alerts");
  const int count =
      (topic != nullptr ? 1 : 0) + (fields != nullptr ? 1 : 0) + (alerts != nullptr ? 1 : 0);
  if (count != 1) {
    return wrong("a subscription is about one of 'topic', 'fields' and 'alerts'",
                 "make several, each with its id");
  }
  if (const JsonNode* const from = command.find("from")) subscription.from = TRY(read_seq(*from));
  if (topic != nullptr) {
    if (!topic->is_string()) return wrong("'topic' must be text");
    if (subscription.from) {
      return wrong("messages are not kept, so there is no 'from'", "ask a table instead");
    }
    subscription.filter = TRY(bus::TopicFilter::parse(topic->text()));
    subscription.kind = LiveSubscription::Kind::topic;
  } else if (fields != nullptr) {
    subscription.selectors = TRY(read_selectors(*fields, desk_.limits().selectors_max));
    subscription.kind = LiveSubscription::Kind::fields;
  } else {
    if (alerts->kind() != JsonKind::boolean || !alerts->is_true()) {
      return wrong("'alerts' must be true");
    }
    subscription.kind = LiveSubscription::Kind::alerts;
  }
  return {};
}

Result<void> LiveSession::subscribe(const JsonNode& command, const std::string& id) {
  auto subscription = std::make_unique<LiveSubscription>();
  subscription->session = this;
  subscription->id = id;
  subscription->json_id = json_string(id);
  TRY(read_subject(command, *subscription));
  unsubscribe(id);  // a new one of the same name replaces it
  const std::size_t count_max = desk_.limits().subscriptions_max;
  if (subscriptions_.size() >= count_max) {
    return Error{ErrorCode::resource_exhausted,
                 fmt::format("more than {} subscriptions", count_max),
                 "unsubscribe from some, or name several fields in one"};
  }
  if (desk_.subscribe(*subscription)) subscriptions_.emplace(id, std::move(subscription));
  return {};
}

void LiveSession::unsubscribe(std::string_view id) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  desk_.unsubscribe(*found->second);
  subscriptions_.erase(found);
}

}  // namespace nilo::api
