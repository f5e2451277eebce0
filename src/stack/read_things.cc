#include "stack/forms.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

// A property is free in its name; its value is a text (perhaps a quantity), a number or a truth.
void add_property(const Member& member, Thing& thing, Reading& reading) {
  Property out{member.key, {}, {}, {}};
  const Node& node = member.node;
  if (node.kind == Node::Kind::text) {
    out.text = node.text;
    if (const auto quantity = parse_quantity(node.text)) {
      out.number = quantity->number;
      out.unit = quantity->unit;
    }
  } else if (node.is_number()) {
    out.text = node.kind == Node::Kind::integer ? fmt::to_string(node.integer)
                                                : fmt::to_string(node.number);
    out.number = node.number;
  } else if (node.kind == Node::Kind::boolean) {
    out.text = node.boolean ? "true" : "false";
  } else {
    tell_wrong_type(reading, {member.key, "\"89 cm\""}, "text, a number or true or false", node);
    return;
  }
  thing.properties.push_back(std::move(out));
}

}  // namespace

void read_things(const Member& section, Reading& reading) {
  for (const Member& member : section.node.members) {
    if (member.node.kind != Node::Kind::table) {
      tell_wrong_type(reading, {member.key, "{ type = \"tank\" }"}, "a table", member.node);
      continue;
    }
    if (!is_id(member.key, kThingIdSizeMax)) {
      reading.tell(Code::bad_name, member.key_place, "", member.key, "a thing", kIdForm);
      continue;
    }
    if (!reading.declare(fmt::format("thing `{}`", member.key), member.key_place)) continue;

    Section keys(member.node, member.key_place, fmt::format("thing `{}`", member.key), reading);
    Thing thing{member.key,
                keys.text({"type", "\"tank\""}).value_or(""),
                keys.text({"name", "\"Barn\""}).value_or(member.key),
                {},
                member.key_place};
    for (const Member& property : member.node.members) {
      if (property.key != "type" && property.key != "name") {
        add_property(property, thing, reading);
      }
    }
    reading.stack.things.push_back(std::move(thing));
  }
}

}  // namespace nilo::stack
