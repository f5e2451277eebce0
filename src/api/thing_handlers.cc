#include "api/handlers.h"

namespace nilo::api {
namespace {

std::string text_of(const Call& call, std::string_view name) {
  return std::string(call.text(name).value_or(std::string_view()));
}

ReadingsQuestion readings_of(const Call& call) {
  return {text_of(call, "of"), call.number("from"), call.number("to")};
}

ThingBackend::Json answer_to(Call& call) {
  return [respond = std::move(call.respond)](Result<std::string> json) {
    respond(json ? json_response(std::move(*json)) : error_response(json.error()));
  };
}

}  // namespace

void list_things(const Context& context, Call& call) {
  ThingsQuestion question{text_of(call, "search"), text_of(call, "type"), text_of(call, "state"),
                          static_cast<std::size_t>(call.number("limit").value_or(50)),
                          text_of(call, "cursor")};
  context.backend.things.list(std::move(question), answer_to(call));
}

void show_thing(const Context& context, Call& call) {
  context.backend.things.show(text_of(call, "thing"), answer_to(call));
}

void show_values(const Context& context, Call& call) {
  const bool with_stats = call.number("stats").value_or(0) != 0;
  context.backend.things.values(readings_of(call), with_stats, answer_to(call));
}

void show_series(const Context& context, Call& call) {
  const auto width = static_cast<std::size_t>(call.number("px").value_or(1200));
  context.backend.things.series(readings_of(call), width, answer_to(call));
}

void show_intervals(const Context& context, Call& call) {
  context.backend.things.intervals(readings_of(call), text_of(call, "every"), text_of(call, "zone"),
                                   answer_to(call));
}

void show_status(const Context& context, Call& call) {
  context.backend.things.status(answer_to(call));
}

}  // namespace nilo::api
