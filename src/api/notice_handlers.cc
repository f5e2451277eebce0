#include "api/handlers.h"
#include "api/json_body.h"

namespace nilo::api {
namespace {

constexpr std::int64_t kNoticesShown = 100;  // if not asked for more or fewer

void respond_with(const net::Respond& respond, const Result<std::string>& json) {
  respond(json ? json_response(*json) : error_response(json.error()));
}

Result<std::string> read_recipient(std::string_view body) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(document, body, {"to"}));
  std::string to = TRY(text_member(*root, "to"));
  if (to.empty()) {
    return Error{ErrorCode::invalid_argument, "'to' is required", "a mail address"};
  }
  return to;
}

}  // namespace

void list_notices(const Context& context, Call& call) {
  const auto limit = static_cast<std::size_t>(call.number("limit").value_or(kNoticesShown));
  const auto state = call.text("state").value_or("");
  respond_with(call.respond, context.backend.notices.list_json(state, limit));
}

void retry_notice(const Context& context, Call& call) {
  context.backend.notices.retry(std::string(*call.text("id")),
                                [respond = call.respond](const Result<std::string>& notice) {
                                  respond_with(respond, notice);
                                });
}

void show_settings(const Context& context, Call& call) {
  call.respond(json_response(context.backend.notices.settings_json()));
}

void send_test_mail(const Context& context, Call& call) {
  const Result<std::string> to = read_recipient(call.request.body);
  if (!to) return call.respond(error_response(to.error()));
  context.backend.notices.test_mail(*to,
                                    [respond = call.respond](const Result<std::string>& answer) {
                                      if (!answer) return respond(error_response(answer.error()));
                                      std::string out = R"({"answer":)";
                                      append_json_string(out, *answer);
                                      respond(json_response(out + "}"));
                                    });
}

}  // namespace nilo::api
