#include "api/handlers.h"
#include "api/json_body.h"

namespace nilo::api {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1'000'000;
constexpr std::int64_t kTokenDaysMax = 36'500;

Result<NewToken> read_token(std::string_view body) {
  JsonDocument document;
  const JsonNode* const root =
      TRY(object_body(document, body, {"name", "role", "valid_days", "password"}));
  NewToken token;
  token.name = TRY(text_member(*root, "name"));
  if (token.name.empty()) return Error{ErrorCode::invalid_argument, "'name' is required"};
  token.role = TRY(role_of_word(TRY(text_member(*root, "role"))));
  if (root->find("password") != nullptr) token.password = TRY(text_member(*root, "password"));
  const JsonNode* const days = root->find("valid_days");
  if (days == nullptr) return token;
  const Parameter parameter{
      .name = "valid_days", .type = Type::int64, .min = 1, .max = kTokenDaysMax};
  const std::string text(days->is_number() ? days->text() : "");
  token.valid_for_us = TRY(read_argument(parameter, text)).number * kDayUs;
  return token;
}

}  // namespace

void list_tokens(const Context& context, Call& call) {
  std::string out = R"({"tokens":[)";
  for (const TokenInfo& token : context.backend.tokens()) {
    out += out.back() == '[' ? R"({"name":)" : R"(,{"name":)";
    append_json_string(out, token.name);
    out.append(R"(,"role":")").append(word_of(token.role));
    out.append(token.is_password ? R"(","kind":"password")" : R"(","kind":"token")");
    out.append(R"(,"revoked":)").append(token.revoked ? "true" : "false");
    append_json(out += R"(,"created":)", Value::timestamp(token.created_us));
    append_json(out += R"(,"expires":)",
                token.expires_us == 0 ? Value::null() : Value::timestamp(token.expires_us));
    out += '}';
  }
  call.respond(json_response(out + "]}"));
}

void make_token(const Context& context, Call& call) {
  const Result<NewToken> token = read_token(call.request.body);
  if (!token) return call.respond(error_response(token.error()));
  context.backend.make_token(
      *token, [respond = call.respond, token = *token](const Result<std::string>& secret) {
        if (!secret) return respond(error_response(secret.error()));
        std::string out = R"({"name":)";
        append_json_string(out, token.name);
        out.append(R"(,"role":")").append(word_of(token.role));
        out += '"';
        // A password is the caller's own; only what was made here is told.
        if (token.password.empty()) append_json_string(out += R"(,"token":)", *secret);
        respond(json_response(out + "}", 201));
      });
}

void revoke_token(const Context& context, Call& call) {
  context.backend.revoke_token(std::string(*call.text("name")),
                               [respond = call.respond](const Result<void>& done) {
                                 if (!done) return respond(error_response(done.error()));
                                 net::HttpResponse response;
                                 response.status = 204;
                                 respond(std::move(response));
                               });
}

}  // namespace nilo::api
