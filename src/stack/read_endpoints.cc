#include <algorithm>

#include "stack/forms.h"
#include "stack/parameters.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

// The parameters of the SQL; those without a type in `params` still have Type::null.
std::vector<Parameter> read_parameters(const Text& sql, Reading& reading) {
  std::vector<Parameter> out;
  for (const ParameterUse& use : find_parameters(sql.value)) {
    if (!is_name(use.name)) {
      reading.tell(Code::parameter_unnamed, sql.place_at(use.at, use.name.size() + 1), "",
                   fmt::format("${}", use.name));
      continue;
    }
    const auto same = [&](const Parameter& known) { return known.name == use.name; };
    if (std::none_of(out.begin(), out.end(), same)) {
      out.push_back({std::string(use.name), Type::null});
    }
  }
  return out;
}

// params = { device_id = "int" }.
void read_types(const Node& params, const std::string& where, std::vector<Parameter>& parameters,
                Reading& reading) {
  for (const Member& member : params.members) {
    const auto at = std::find_if(parameters.begin(), parameters.end(),
                                 [&](const Parameter& known) { return known.name == member.key; });
    if (at == parameters.end()) {
      std::vector<std::string_view> names;
      for (const Parameter& known : parameters) names.push_back(known.name);
      reading.tell(Code::parameter_unused, member.key_place, did_you_mean(member.key, names),
                   member.key, where);
      continue;
    }
    if (member.node.kind != Node::Kind::text) {
      tell_wrong_type(reading, {member.key, "\"int\""}, "a type", member.node);
      at->type = Type::text;  // told once is enough
      continue;
    }
    at->type = read_type(member.node.text, member.node.place, reading).value_or(Type::text);
  }
}

void read_endpoint(const Member& member, Reading& reading) {
  Section keys(member.node, member.key_place, fmt::format("[endpoint.{}]", member.key), reading);
  Endpoint endpoint{};
  endpoint.name = member.key;
  endpoint.place = member.key_place;
  constexpr Key kPath{"path", "\"/prod/data\""};
  keys.require(kPath);
  if (auto path = keys.text(kPath)) {
    const Place& place = keys.place_of("path");
    const std::string_view mistake = path_mistake(*path);
    if (!mistake.empty()) {
      reading.tell(Code::bad_path, place, std::string(mistake), *path);
    } else {
      reading.declare(fmt::format("path `{}`", *path), place);
    }
    endpoint.path = std::move(*path);
  }
  const auto sql = keys.sql({"sql", "\"SELECT * FROM latest('tank_levels')\""});
  const Node* params = keys.table({"params", "{ device_id = \"int\" }"});
  if (sql) {
    endpoint.sql = *sql;
    endpoint.parameters = read_parameters(*sql, reading);
    if (params != nullptr) read_types(*params, keys.where(), endpoint.parameters, reading);
  }
  endpoint.many = keys.boolean({"many", "true"}).value_or(false);
  endpoint.open = keys.boolean({"open", "true"}).value_or(false);
  keys.finish();
  reading.stack.endpoints.push_back(std::move(endpoint));
}

}  // namespace

void read_endpoints(const Member& section, Reading& reading) {
  for (const Member& member : section.node.members) {
    if (declares("endpoint", member, reading.stack.endpoints.size(), reading)) {
      read_endpoint(member, reading);
    }
  }
}

}  // namespace nilo::stack
