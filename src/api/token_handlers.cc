#include <utility>

#include "api/handlers.h"
#include "api/json_body.h"
#include "api/topic_list.h"
#include "base/time_units.h"

namespace nilo::api {
namespace {

// "12h", "30d", "8w", "1y".
Result<std::int64_t> read_duration(std::string_view text) {
  constexpr std::pair<char, std::int64_t> kUnits[] = {
      {'h', kDayUs / 24}, {'d', kDayUs}, {'w', 7 * kDayUs}, {'y', 365 * kDayUs}};
  for (const auto& [letter, unit_us] : kUnits) {
    if (!text.ends_with(letter)) continue;
    const Parameter parameter{
        .name = "valid_for", .type = Type::int64, .min = 1, .max = kDaysMax * kDayUs / unit_us};
    return TRY(read_argument(parameter, text.substr(0, text.size() - 1))).number * unit_us;
  }
  return Error{ErrorCode::invalid_argument, "'valid_for' must be a time such as \"30d\"",
               "a whole number and h, d, w or y"};
}

Result<NewToken> read_token(std::string_view body) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(
      document, body, {"name", "role", "valid_days", "valid_for", "password", "topics"}));
  NewToken token;
  token.name = TRY(text_member(*root, "name"));
  if (token.name.empty()) return Error{ErrorCode::invalid_argument, "'name' is required"};
  token.role = TRY(role_of_word(TRY(text_member(*root, "role"))));
  if (root->find("password") != nullptr) token.password = TRY(text_member(*root, "password"));
  if (const JsonNode* const topics = root->find("topics")) {
    token.topics = TRY(read_topics(*topics));
    // Who reads tables and pages, or makes tokens, is not held back by topics.
    if (!token.topics.empty() && token.role != Role::device) {
      return Error{ErrorCode::invalid_argument, "only a device is limited to topics",
                   "leave 'topics' out, or make the role 'device'"};
    }
  }
  if (root->find("valid_for") != nullptr) {
    token.valid_for_us = TRY(read_duration(TRY(text_member(*root, "valid_for"))));
  }
  if (const auto days_us = TRY(days_member(*root, "valid_days"))) token.valid_for_us = *days_us;
  return token;
}

}  // namespace

void list_tokens(const Context& context, Call& call) {
  std::string out = R"({"tokens":[)";
  for (const TokenInfo& token : context.backend.tokens()) {
    out += out.back() == '[' ? R"({"name":)" : R"(,{"name":)";
    append_json_string(out, token.name);
    out.append(R"(,"role":")").append(word_of(token.role));
    out.append(R"(","kind":")").append(token.kind);
    append_json_string(out += R"(","note":)", token.note);
    append_topics(out += R"(,"topics":)", token.topics);
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
  context.backend.revoke_token(std::string(*call.text("name")), answer_done(call.respond));
}

}  // namespace nilo::api
