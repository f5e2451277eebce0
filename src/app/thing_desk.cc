#include "app/thing_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/nearest.h"
#include "base/utf8.h"
#include "stack/forms.h"
#include "stack/thing_text.h"

namespace nilo::app {

namespace {

constexpr double kLatMax = 90;
constexpr double kLonMax = 180;
constexpr std::string_view kRelations[] = {"next", "station"};

const stack::Thing* find_thing(const stack::Stack& stack, std::string_view id) {
  const auto at = std::find_if(stack.things.begin(), stack.things.end(),
                               [&](const stack::Thing& thing) { return thing.id == id; });
  return at == stack.things.end() ? nullptr : &*at;
}

stack::Thing thing_of(const api::ThingEdit& wanted) {
  stack::Thing thing;
  thing.id = wanted.id;
  thing.type = wanted.type;
  thing.name = wanted.name.empty() ? wanted.id : wanted.name;
  for (const auto& [name, text] : wanted.properties) {
    stack::Property property{name, text, {}, {}};
    if (const auto quantity = stack::parse_quantity(text)) {
      property.number = quantity->number;
      property.unit = quantity->unit;
    }
    thing.properties.push_back(std::move(property));
  }
  return thing;
}

std::optional<double> number_of(const stack::Thing& thing, std::string_view name) {
  for (const stack::Property& property : thing.properties) {
    if (property.name == name) return property.number;
  }
  return std::nullopt;
}

bool has(const stack::Thing& thing, std::string_view name) {
  return std::any_of(thing.properties.begin(), thing.properties.end(),
                     [&](const stack::Property& property) { return property.name == name; });
}

// A place on Earth, or none. 0,0 is in the sea, and what devices say that know no place.
Result<void> check_place(const stack::Thing& thing) {
  if (!has(thing, "lat") && !has(thing, "lon")) return {};
  const auto lat = number_of(thing, "lat");
  const auto lon = number_of(thing, "lon");
  const bool is_place = lat && lon && std::abs(*lat) <= kLatMax && std::abs(*lon) <= kLonMax &&
                        (*lat != 0 || *lon != 0);
  if (is_place) return {};
  return Error{ErrorCode::invalid_argument, "lat and lon are no place on Earth",
               "degrees, -90 to 90 and -180 to 180, both of them; 0,0 is in the sea"};
}

Result<void> check_relations(const stack::Thing& thing, const stack::Stack& stack) {
  for (const stack::Property& property : thing.properties) {
    const bool is_relation = std::find(std::begin(kRelations), std::end(kRelations),
                                       property.name) != std::end(kRelations);
    if (!is_relation || find_thing(stack, property.text) != nullptr) continue;
    std::vector<std::string_view> ids;
    for (const stack::Thing& other : stack.things) ids.push_back(other.id);
    const std::string_view near = nearest(property.text, ids);
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("{} = '{}': no such thing", property.name, printable(property.text, 80)),
        near.empty() ? "add that one first" : fmt::format("did you mean '{}'?", near)};
  }
  return {};
}

// Where the line of a thing is; 0: it has none yet.
Result<std::size_t> line_in_file(const stack::Stack& stack, std::string_view id) {
  const stack::Thing* const known = find_thing(stack, id);
  if (known == nullptr) return std::size_t{0};
  if (known->place.file == stack::kThingsFile) return known->place.line;
  return Error{ErrorCode::conflict,
               fmt::format("thing '{}' is written in {}", id, to_string(known->place)),
               fmt::format("change it there; only {} is changed here", stack::kThingsFile)};
}

}  // namespace

Result<void> ThingDesk::set(const api::ThingEdit& wanted) {
  const stack::Thing thing = thing_of(wanted);
  if (!stack::is_id(thing.id, kThingIdSizeMax)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("`{}` is no id for a thing", printable(thing.id, 80)),
                 std::string(stack::kIdForm)};
  }
  TRY(check_place(thing));
  auto changed = rooms_.files.change(
      std::string(stack::kThingsFile),
      [&](const std::string& text, const stack::Stack& stack) -> Result<std::string> {
        TRY(check_relations(thing, stack));
        return stack::with_thing(text, TRY(line_in_file(stack, thing.id)), thing);
      });
  if (!changed) {
    Error error = std::move(changed).error();
    if (error.code == ErrorCode::permission_denied) {
      error.hint = fmt::format("write it yourself, below [things]: {}", stack::line_of(thing));
    }
    return error;
  }
  const stack::Thing* const written = find_thing(*changed, thing.id);
  if (written == nullptr) {
    return Error{ErrorCode::internal, fmt::format("thing '{}' was not written", thing.id)};
  }
  rooms_.logger.info("thing.set", {{"thing", thing.id}});
  rooms_.things.set_named(*written);
  return {};
}

Result<void> ThingDesk::remove(const std::string& id) {
  const auto changed = rooms_.files.change(
      std::string(stack::kThingsFile),
      [&](const std::string& text, const stack::Stack& stack) -> Result<std::string> {
        const std::size_t line = TRY(line_in_file(stack, id));
        if (line > 0) return stack::without_thing(text, line);
        return Error{ErrorCode::not_found,
                     fmt::format("no thing '{}' in {}", printable(id, 80), stack::kThingsFile), ""};
      });
  if (!changed) return changed.error();
  rooms_.logger.info("thing.removed", {{"thing", id}});
  rooms_.things.remove_named(id);
  return {};
}

void add_thing_changes(api::ThingBackend& backend, ThingDesk& desk, Worker& worker) {
  const auto run = [&worker](const api::ThingBackend::Changed& done,
                             std::function<Result<void>()> change) {
    const bool waits = worker.post([done, change = std::move(change)] { done(change()); });
    if (waits) return;
    done(Error{ErrorCode::resource_exhausted, "too many changes are waiting", "try again"});
  };
  backend.set = [&desk, run](const api::ThingEdit& wanted, const auto& done) {
    run(done, [&desk, wanted] { return desk.set(wanted); });
  };
  backend.remove = [&desk, run](const std::string& id, const auto& done) {
    run(done, [&desk, id] { return desk.remove(id); });
  };
}

}  // namespace nilo::app
