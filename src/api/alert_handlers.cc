#include "api/alert_handlers.h"

#include <charconv>

#include "api/json_body.h"
#include "base/time_units.h"

namespace nilo::api {
namespace {

constexpr std::string_view kUntilFixed = "until_fixed";

net::HttpResponse response_of(const Result<std::string>& json) {
  return json ? json_response(*json) : error_response(json.error());
}

AlertBackend::Done answer(const Call& call) {
  return [respond = call.respond](const Result<std::string>& json) { respond(response_of(json)); };
}

// An empty body is an empty object.
Result<const JsonNode*> body_of(JsonDocument& document, const Call& call, std::string_view member) {
  const std::string& body = call.request.body;
  return object_body(document, body.empty() ? std::string_view("{}") : body, {member});
}

// "1h", "8h", "2d", "until_fixed".
Result<std::optional<std::int64_t>> snooze_of(const std::string& text) {
  if (text == kUntilFixed) return std::optional<std::int64_t>();
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::int64_t hours = unit == "h" ? count : count * 24;
  const bool is_good = error == std::errc() && (unit == "h" || unit == "d") && count > 0 &&
                       count <= 30 * 24 && hours <= 30 * 24;
  if (is_good) return std::optional(hours * kHourUs);
  return Error{ErrorCode::invalid_argument, "'for' is no time to snooze: '" + text + "'",
               "1h, 8h, at most 30d, or until_fixed"};
}

void act(const Context& context, const Call& call, const AlertDeed& deed) {
  context.backend.alerts.act(std::string(*call.text("id")), deed, answer(call));
}

}  // namespace

void list_alerts(const Context& context, Call& call) {
  AlertQuery query;
  query.state = std::string(call.text("state").value_or("open"));
  query.thing = std::string(call.text("thing").value_or(""));
  query.limit = static_cast<std::size_t>(call.number("limit").value_or(100));
  query.offset = static_cast<std::size_t>(call.number("cursor").value_or(0));
  call.respond(response_of(context.backend.alerts.list(query)));
}

void show_alert(const Context& context, Call& call) {
  call.respond(response_of(context.backend.alerts.story(std::string(*call.text("id")))));
}

void acknowledge_alert(const Context& context, Call& call) {
  JsonDocument document;
  const auto body = body_of(document, call, "note");
  if (!body) return call.respond(error_response(body.error()));
  const auto note = text_member(**body, "note");
  if (!note) return call.respond(error_response(note.error()));
  if (note->size() > kAlertNoteSizeMax) {
    return call.respond(
        error_response({ErrorCode::too_large,
                        "'note' is longer than " + std::to_string(kAlertNoteSizeMax) + " bytes"}));
  }
  act(context, call, {AlertDeed::Kind::acknowledge, {}, call.principal.name, *note});
}

void snooze_alert(const Context& context, Call& call) {
  JsonDocument document;
  const auto body = body_of(document, call, "for");
  if (!body) return call.respond(error_response(body.error()));
  const auto text = text_member(**body, "for");
  if (!text) return call.respond(error_response(text.error()));
  const auto for_us = snooze_of(*text);
  if (!for_us) return call.respond(error_response(for_us.error()));
  act(context, call, {AlertDeed::Kind::snooze, *for_us, call.principal.name});
}

void resolve_alert(const Context& context, Call& call) {
  act(context, call, {AlertDeed::Kind::resolve, {}, call.principal.name});
}

void test_alert(const Context& context, Call& call) {
  JsonDocument document;
  const auto body = body_of(document, call, "alert");
  if (!body) return call.respond(error_response(body.error()));
  const auto name = text_member(**body, "alert");
  if (!name) return call.respond(error_response(name.error()));
  context.backend.alerts.test(*name, answer(call));
}

void show_linked_alert(const Context& context, Call& call) {
  call.respond(response_of(context.backend.alerts.linked(std::string(*call.text("token")))));
}

void acknowledge_linked_alert(const Context& context, Call& call) {
  context.backend.alerts.acknowledge_linked(std::string(*call.text("token")), answer(call));
}

std::vector<Parameter> alert_parameters() {
  return {{.name = "state",
           .summary = "open if not given.",
           .choices = {"open", "all", "normal", "pending", "firing", "acknowledged", "snoozed",
                       "resolved"}},
          {.name = "thing", .summary = "Only of this thing."},
          {.name = "limit",
           .type = Type::int64,
           .summary = "At most so many; 100 if not given.",
           .min = 1,
           .max = 1000},
          {.name = "cursor",
           .type = Type::int64,
           .summary = "What `next` of the page before said.",
           .min = 0}};
}

}  // namespace nilo::api
