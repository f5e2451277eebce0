// Things that people add and change.
#include <utility>

#include "api/handlers.h"
#include "api/json_body.h"

namespace nilo::api {
namespace {

constexpr std::size_t kThingTextMax = 1024;
constexpr std::size_t kThingPropertiesMax = 64;

Result<std::string> property_text(const JsonMember& member) {
  const JsonNode& node = member.value;
  if (node.is_string() || node.is_number()) return std::string(node.text());
  if (node.kind() == JsonKind::boolean) return std::string(node.is_true() ? "true" : "false");
  return Error{ErrorCode::invalid_argument,
               "'" + std::string(member.key) + "' must be text, a number, true or false"};
}

Result<ThingEdit> read_edit(std::string id, std::string_view body) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(document, body, {"type", "name", "properties"}));
  ThingEdit edit;
  edit.id = std::move(id);
  if (root->find("type") != nullptr) edit.type = TRY(text_member(*root, "type"));
  if (root->find("name") != nullptr) edit.name = TRY(text_member(*root, "name"));
  std::size_t size = edit.type.size() + edit.name.size();
  if (const JsonNode* const properties = root->find("properties")) {
    if (!properties->is_object()) {
      return Error{ErrorCode::invalid_argument, "'properties' must be an object"};
    }
    for (const JsonMember& member : properties->members()) {
      if (member.key == "type" || member.key == "name") {
        return Error{ErrorCode::invalid_argument, "type and name stand beside 'properties'"};
      }
      edit.properties.emplace_back(member.key, TRY(property_text(member)));
      size += edit.properties.back().second.size();
    }
  }
  if (edit.properties.size() <= kThingPropertiesMax && size <= kThingTextMax) return edit;
  return Error{ErrorCode::too_large, "that is too much for one thing",
               "64 properties, 1024 bytes of text"};
}

}  // namespace

void set_thing(const Context& context, Call& call) {
  const std::string id(*call.text("thing"));
  const auto edit = read_edit(id, call.request.body);
  if (!edit) return call.respond(error_response(edit.error()));
  const ThingBackend& things = context.backend.things;
  things.set(*edit, [&things, id, respond = call.respond](const Result<void>& done) {
    if (!done) return respond(error_response(done.error()));
    things.show(id, [respond](Result<std::string> json) {
      respond(json ? json_response(std::move(*json)) : error_response(json.error()));
    });
  });
}

void remove_thing(const Context& context, Call& call) {
  context.backend.things.remove(std::string(*call.text("thing")), answer_done(call.respond));
}

}  // namespace nilo::api
