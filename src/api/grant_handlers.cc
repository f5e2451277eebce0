#include <utility>

#include "api/handlers.h"
#include "value/json_text.h"

namespace nilo::api {

void list_grants(const Context& context, Call& call) {
  std::string out = R"({"grants":[)";
  for (const GrantInfo& grant : context.backend.grants.list()) {
    append_comma(out);
    out += '{';
    append_text(out, "login", grant.login);
    append_text(out, "act", grant.act);
    append_text(out, "topic", grant.topic);
    append_json(append_key(out, "granted"), Value::timestamp(grant.granted_us));
    out += '}';
  }
  call.respond(json_response(out + "]}"));
}

void revoke_grant(const Context& context, Call& call) {
  const GrantInfo which{std::string(*call.text("login")), std::string(*call.text("act")),
                        std::string(*call.text("topic"))};
  context.backend.grants.revoke(which, answer_done(call.respond));
}

}  // namespace nilo::api
