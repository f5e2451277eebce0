#include "api/route.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/nearest.h"
#include "base/utf8.h"

namespace nilo::api {
namespace {

using tables::SqlParameter;

// Takes the next level off the front of `rest`, which begins with '/'.
std::string_view next_level(std::string_view& rest) {
  rest.remove_prefix(1);
  const std::size_t end = std::min(rest.find('/'), rest.size());
  const std::string_view level = rest.substr(0, end);
  rest.remove_prefix(end);
  return level;
}

bool is_placeholder(std::string_view level) {
  return level.size() > 2 && level.front() == '{' && level.back() == '}';
}

bool takes_rest(std::string_view level) { return is_placeholder(level) && level.ends_with("*}"); }

std::string_view name_in(std::string_view placeholder) {
  return placeholder.substr(1, placeholder.size() - (takes_rest(placeholder) ? 3 : 2));
}

// What a parameter of this type looks like, for people.
std::string_view form_of(Type type) {
  switch (type) {
    case Type::int64:
    case Type::float64:
      return "a number";
    case Type::boolean:
      return "true or false";
    case Type::timestamp:
      return "a time such as 2026-11-22T10:00:00Z, or milliseconds since 1970";
    default:
      return "text";
  }
}

template <typename Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_time(std::string_view text, TimeUs& out) {
  constexpr std::int64_t kMillisecondsMax = INT64_MAX / 1000;
  std::int64_t milliseconds = 0;
  if (read_number(text, milliseconds)) {
    if (milliseconds < -kMillisecondsMax || milliseconds > kMillisecondsMax) return false;
    out = milliseconds * 1000;
    return true;
  }
  const Result<TimeUs> time = parse_iso_time(text);
  if (time) out = *time;
  return time.has_value();
}

// False: `text` is not of the parameter's type.
bool convert(std::string_view text, SqlParameter& out) {
  switch (out.type) {
    case Type::int64:
      return read_number(text, out.number);
    case Type::float64:
      return read_number(text, out.float64) && std::isfinite(out.float64);
    case Type::boolean:
      out.number = text == "true" || text == "1" ? 1 : 0;
      return out.number == 1 || text == "false" || text == "0";
    case Type::timestamp:
      return read_time(text, out.number);
    default:
      out.text = text;
      return true;
  }
}

Error unknown_parameter(const std::vector<Parameter>& parameters, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Parameter& parameter : parameters) names.push_back(parameter.name);
  const std::string_view near = nearest(name, names);
  std::string hint;
  if (!near.empty()) {
    hint = "did you mean '" + std::string(near) + "'?";
  } else {
    for (const std::string_view known : names) {
      hint.append(hint.empty() ? "it takes " : ", ").append(known);
    }
    if (hint.empty()) hint = "it takes none";
  }
  return {ErrorCode::invalid_argument, "unknown parameter '" + printable(name, 64) + "'", hint};
}

}  // namespace

bool is_allowed(Access access, Role role) {
  switch (access) {
    case Access::open:
      return true;
    case Access::viewer:
      return role == Role::viewer || role == Role::admin;
    case Access::device:
      return role == Role::device || role == Role::admin;
    case Access::admin:
      return role == Role::admin;
  }
  return false;
}

const SqlParameter* Call::argument(std::string_view name) const {
  const auto found = std::find_if(arguments.begin(), arguments.end(),
                                  [&](const SqlParameter& value) { return value.name == name; });
  return found == arguments.end() ? nullptr : &*found;
}

std::optional<std::string_view> Call::text(std::string_view name) const {
  const SqlParameter* const value = argument(name);
  if (value == nullptr) return std::nullopt;
  return value->text;
}

std::optional<std::int64_t> Call::number(std::string_view name) const {
  const SqlParameter* const value = argument(name);
  if (value == nullptr) return std::nullopt;
  return value->number;
}

bool match_path(std::string_view route, std::string_view path,
                std::vector<SqlParameter>& arguments) {
  arguments.clear();
  while (!route.empty() && !path.empty()) {
    const std::string_view wanted = next_level(route);
    std::string_view level = path.substr(1);
    if (takes_rest(wanted)) {
      path = {};
    } else {
      level = next_level(path);
    }
    if (is_placeholder(wanted)) {
      if (level.empty()) return false;
      SqlParameter value;
      value.name = name_in(wanted);
      value.type = Type::text;
      value.text = level;
      arguments.push_back(std::move(value));
    } else if (wanted != level) {
      return false;
    }
  }
  return route.empty() && path.empty();
}

std::vector<std::string_view> path_parameters(std::string_view route) {
  std::vector<std::string_view> names;
  while (!route.empty()) {
    const std::string_view level = next_level(route);
    if (is_placeholder(level)) names.push_back(name_in(level));
  }
  return names;
}

Result<SqlParameter> read_argument(const Parameter& parameter, std::string_view text) {
  SqlParameter value;
  value.name = parameter.name;
  value.type = parameter.type;
  if (!convert(text, value)) {
    return Error{
        ErrorCode::invalid_argument,
        "Invalid " + parameter.name + " format, expected " + std::string(form_of(parameter.type)),
        "it was '" + printable(text, 64) + "'"};
  }
  const bool has_range = parameter.type == Type::int64;
  if (has_range && (value.number < parameter.min || value.number > parameter.max)) {
    return Error{ErrorCode::invalid_argument, parameter.name + " must be " +
                                                  std::to_string(parameter.min) + " to " +
                                                  std::to_string(parameter.max)};
  }
  const auto& choices = parameter.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
    std::string all;
    for (const std::string& choice : choices) all += (all.empty() ? "" : ", ") + choice;
    return Error{ErrorCode::invalid_argument, parameter.name + " must be one of: " + all};
  }
  return value;
}

Result<void> read_query(const std::vector<Parameter>& parameters, const net::NameValues& query,
                        std::vector<SqlParameter>& arguments) {
  for (const auto& [name, text] : query) {
    const auto is_named = [&name = name](const auto& one) { return one.name == name; };
    const auto found = std::find_if(parameters.begin(), parameters.end(), is_named);
    if (found == parameters.end()) return unknown_parameter(parameters, name);
    if (std::any_of(arguments.begin(), arguments.end(), is_named)) {
      return Error{ErrorCode::invalid_argument, name + " is given twice"};
    }
    arguments.push_back(TRY(read_argument(*found, text)));
  }
  for (const Parameter& parameter : parameters) {
    const auto is_named = [&](const auto& one) { return one.name == parameter.name; };
    if (parameter.required && std::none_of(arguments.begin(), arguments.end(), is_named)) {
      return Error{ErrorCode::invalid_argument, parameter.name + " is required"};
    }
  }
  return {};
}

}  // namespace nilo::api
