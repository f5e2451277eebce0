#include "api/routes.h"

#include <utility>

#include "api/alert_handlers.h"
#include "api/api.h"
#include "api/certificate_handlers.h"
#include "api/schemas.h"

namespace nilo::api {
namespace {

std::vector<Parameter> latest_parameters() {
  return {{.name = "key", .summary = "Only this key, as in $table/<table>/<key>."},
          {.name = "limit",
           .type = Type::int64,
           .summary = "At most so many rows; 1000 if not given.",
           .min = 1,
           .max = tables::kPageRowsMax},
          {.name = "cursor", .summary = "What `next` of the page before said."}};
}

std::vector<Parameter> rows_parameters() {
  std::vector<Parameter> all = latest_parameters();
  all.push_back({.name = "from", .type = Type::timestamp, .summary = "Not before this time."});
  all.push_back({.name = "to", .type = Type::timestamp, .summary = "Before this time."});
  all.push_back({.name = "order",
                 .summary = "By time; oldest first if not given.",
                 .choices = {"oldest", "newest"}});
  return all;
}

std::vector<Parameter> which_grant() {
  return {{.name = "login", .summary = "Whose: a token's or certificate's name.", .required = true},
          {.name = "act",
           .summary = "What it may do.",
           .required = true,
           .choices = {"publish", "subscribe"}},
          {.name = "topic", .summary = "The topic or filter.", .required = true}};
}

std::vector<Parameter> things_parameters() {
  return {{.name = "search", .summary = "Part of the id, name or type."},
          {.name = "type", .summary = "Only things of this type."},
          {.name = "state",
           .summary = "Only things in this state.",
           .choices = {"ok", "silent", "invalid", "never"}},
          {.name = "limit",
           .type = Type::int64,
           .summary = "At most so many; 50 if not given.",
           .min = 1,
           .max = kThingsPageMax},
          {.name = "cursor", .summary = "What `next` of the page before said."}};
}

std::vector<Parameter> readings_parameters() {
  return {{.name = "of",
           .summary = "Fields, such as tank-1/percent,type:tank/percent.",
           .required = true},
          {.name = "from",
           .type = Type::timestamp,
           .summary = "Not before this time; a day before `to` if not given."},
          {.name = "to", .type = Type::timestamp, .summary = "Before this time; or now."}};
}

std::vector<Parameter> values_parameters() {
  std::vector<Parameter> all = readings_parameters();
  all.push_back({.name = "stats",
                 .type = Type::boolean,
                 .summary = "With figures of the time between `from` and `to`."});
  return all;
}

std::vector<Parameter> series_parameters() {
  std::vector<Parameter> all = readings_parameters();
  all.push_back({.name = "px",
                 .type = Type::int64,
                 .summary = "Width of the picture in pixels; 1200 if not given.",
                 .min = 1,
                 .max = kSeriesWidthMax});
  return all;
}

std::vector<Parameter> intervals_parameters() {
  std::vector<Parameter> all = readings_parameters();
  all.push_back({.name = "every",
                 .summary = "How long an interval is.",
                 .required = true,
                 .choices = {"1h", "1d", "1w"}});
  all.push_back({.name = "zone", .summary = "In which days begin; the site's if not given."});
  return all;
}

std::vector<Parameter> notices_parameters() {
  return {{.name = "state", .summary = "Only these.", .choices = {"waiting", "sent", "parked"}},
          {.name = "limit",
           .type = Type::int64,
           .summary = "At most so many; 100 if not given.",
           .min = 1,
           .max = 1000}};
}

std::vector<Parameter> publish_parameters() {
  return {{.name = "topic", .summary = "Where to, such as water1/pub.", .required = true},
          {.name = "qos",
           .type = Type::int64,
           .summary = "Towards subscribers; 1 if not given. The answer waits for the disk always.",
           .min = 0,
           .max = 2},
          {.name = "retain",
           .type = Type::boolean,
           .summary = "Keep as the topic's retained message."}};
}

std::vector<Parameter> topic_parameters() {
  return {{.name = "qos",
           .type = Type::int64,
           .summary = "Towards subscribers; 0 if not given. The answer waits for the disk always.",
           .min = 0,
           .max = 1},
          {.name = "retain",
           .type = Type::boolean,
           .summary = "Keep as the topic's retained message."}};
}

void show_rows(const Context& context, Call& call) { show_page(context.backend.rows, call); }
void show_latest(const Context& context, Call& call) { show_page(context.backend.latest, call); }
void show_rules(const Context& context, Call& call) {
  call.respond(json_response(context.backend.rules_json()));
}
void show_welcome(const Context& /*context*/, Call& call) {
  call.respond(json_response(R"({"name":"nilometer","api":"/api/v1",)"
                             R"("openapi":"/api/openapi.json","health":"/healthz"})"));
}
void show_alive(const Context& /*context*/, Call& call) {
  call.respond(json_response(R"({"status":"ok"})"));
}

using Handle = void (*)(const Context&, Call&);
struct OwnRoute {
  Handle handle;
  Route route;
};

// Whoever adds a path adds it to one of these three; there is no other place.

// The house, messages, rows and readings.
std::vector<OwnRoute> data_routes() {
  using enum Access;
  const BodyDoc none;
  const BodyDoc any = json_doc(kAnySchema);
  const BodyDoc page = json_doc(kPageSchema);
  const BodyDoc status = json_doc(kStatusSchema);
  const std::string table = "/api/v1/tables/{table}";
  // clang-format off
  return {
      {show_welcome, {"GET", "/", "What this is", open, {}, none, any}},
      {show_alive, {"GET", "/healthz", "Is the process alive?", open, {}, none, status}},
      {show_ready, {"GET", "/readyz", "Does it take and answer?", open, {}, none, status}},
      {show_metrics, {"GET", "/metrics", "Counters as Prometheus text", viewer, {}, none,
                      {"text/plain", kTextSchema}}},
      {show_openapi, {"GET", "/api/openapi.json", "This document", viewer, {}, none, any}},
      {list_tables, {"GET", "/api/v1/tables", "All tables", viewer, {}, none,
                     json_doc(kTablesSchema)}},
      {show_table, {"GET", table, "One table", viewer, {}, none, json_doc(kTableSchema)}},
      {show_rows, {"GET", table + "/rows", "Rows, page by page", viewer, rows_parameters(), none,
                   page}},
      {show_latest, {"GET", table + "/latest", "The latest row of each key", viewer,
                     latest_parameters(), none, page}},
      {publish, {"POST", "/api/v1/publish",
                 "Publish the body as a message; answers when it is on disk", device,
                 publish_parameters(), {"application/octet-stream", kTextSchema},
                 json_doc(kPublishedSchema)}},
      {publish_to_path, {"POST", "/topics/{topic*}",
                         "Publish the body as a message, as devices of AWS IoT do", device,
                         topic_parameters(), {"application/octet-stream", kTextSchema},
                         json_doc(kTracedSchema)}},
      {open_mqtt, {"GET", std::string(kMqttPath),
                   "WebSocket: MQTT, sub-protocol mqtt or mqttv3.1; logs in by its CONNECT", open,
                   {}, none, none}},
      {run_sql, {"POST", "/api/v1/sql", "Ask in SQL; CSV with 'Accept: text/csv'", viewer, {},
                 json_doc(kSqlSchema), json_doc(kAnswerSchema)}},
      {show_rules, {"GET", "/api/v1/rules", "The rules of the stack", viewer, {}, none, any}},
      {list_things, {"GET", "/api/v1/things", "Things, page by page", viewer, things_parameters(),
                     none, json_doc(kThingsSchema)}},
      {show_thing, {"GET", "/api/v1/things/{thing}", "One thing", viewer, {}, none,
                    json_doc(kThingSchema)}},
      {set_thing, {"PUT", "/api/v1/things/{thing}", "Write down a thing: a line of nilo.d/things.toml",
                   admin, {}, json_doc(kThingEditSchema), json_doc(kThingSchema)}},
      {remove_thing, {"DELETE", "/api/v1/things/{thing}", "Take that line out; its rows stay", admin,
                      {}, none, none}},
      {show_values, {"GET", "/api/v1/values", "The newest value of fields", viewer,
                     values_parameters(), none, json_doc(kValuesSchema)}},
      {show_series, {"GET", "/api/v1/series", "Fields over time, thinned to what a picture shows",
                     viewer, series_parameters(), none, json_doc(kSeriesSchema)}},
      {show_intervals, {"GET", "/api/v1/intervals", "Figures of hours, days or weeks", viewer,
                        intervals_parameters(), none, json_doc(kIntervalsSchema)}},
      {open_live, {"GET", "/api/v1/ws", "WebSocket: what happens, as it happens (docs/live.md)",
                   viewer, {}, none, none}},
      {list_refused, {"GET", "/api/v1/refused", "Who was turned away lately, and why", viewer, {},
                      none, json_doc(kRefusedSchema)}},
      {allow_refused, {"POST", "/api/v1/refused/{id}/allow", "Let this one in from now on", admin,
                       {}, none, json_doc(kAllowedSchema)}},
  };
  // clang-format on
}

// Who may come in.
std::vector<OwnRoute> account_routes() {
  using enum Access;
  const BodyDoc none;
  const BodyDoc any = json_doc(kAnySchema);
  const std::string certificates = "/api/v1/certificates";
  const std::string grants = "/api/v1/grants";
  // clang-format off
  return {
      {show_session, {"GET", "/api/v1/session", "Who asks, and whether there is a user yet", open,
                      {}, none, json_doc(kSessionSchema)}},
      {set_up, {"POST", "/api/v1/setup", "The first user, with the code the server printed", open,
                {}, json_doc(kSetupSchema), json_doc(kSessionSchema)}},
      {log_in, {"POST", "/api/v1/login", "A session for a user, as a cookie", open, {},
                json_doc(kLoginSchema), json_doc(kSessionSchema)}},
      {log_out, {"POST", "/api/v1/logout", "End the session of the cookie", open, {}, none, none}},
      {change_password, {"POST", "/api/v1/session/password",
                         "Another password; all sessions of the user end, but for a new one",
                         viewer, {}, json_doc(kNewPasswordSchema), json_doc(kSessionSchema)}},
      {list_sessions, {"GET", "/api/v1/sessions", "One's own sessions; an admin's answer has all",
                       viewer, {}, none, json_doc(kSessionsSchema)}},
      {end_session, {"DELETE", "/api/v1/sessions/{id}", "End a session", viewer, {}, none, none}},
      {list_users, {"GET", "/api/v1/users", "All users", admin, {}, none,
                    json_doc(kUsersSchema)}},
      {add_user, {"POST", "/api/v1/users", "Add a user", admin, {}, json_doc(kNewUserSchema), any}},
      {change_user, {"POST", "/api/v1/users/{name}",
                     "Another role or password; the user's sessions end", admin, {},
                     json_doc(kUserChangeSchema), none}},
      {remove_user, {"DELETE", "/api/v1/users/{name}", "Remove a user and end the sessions", admin,
                     {}, none, none}},
      {list_tokens, {"GET", "/api/v1/tokens", "Who may come in", admin, {}, none,
                     json_doc(kTokensSchema)}},
      {make_token, {"POST", "/api/v1/tokens", "Make a token; only this answer has its secret",
                    admin, {}, json_doc(kNewTokenSchema), json_doc(kMadeTokenSchema)}},
      {revoke_token, {"DELETE", "/api/v1/tokens/{name}", "Revoke a token", admin, {}, none, none}},
      {list_certificates, {"GET", certificates, "Certificates that this server knows", admin, {},
                           none, json_doc(kCertificatesSchema)}},
      {show_ca, {"GET", "/api/v1/ca", "The CA's certificate, by which devices know this server",
                 open, {}, none, {"application/x-pem-file", kTextSchema}}},
      {issue_certificate, {"POST", certificates,
                           "Issue a certificate; only this answer has its private key", admin, {},
                           json_doc(kNewCertificateSchema), json_doc(kIssuedCertificateSchema)}},
      {register_certificate, {"POST", certificates + "/register",
                              "Let a device in by the certificate it has, or all of a CA", admin,
                              {}, json_doc(kForeignCertificateSchema),
                              json_doc(kCertificateSchema)}},
      {change_certificate, {"POST", certificates + "/{certificate}",
                            "Activate, deactivate or revoke; connections end within seconds",
                            admin, {}, json_doc(kCertificateStateSchema),
                            json_doc(kCertificateSchema)}},
      {remove_certificate, {"DELETE", certificates + "/{certificate}",
                            "Take one that is not active off the list", admin, {}, none, none}},
      {list_grants, {"GET", grants, "What devices were allowed by hand, beyond their policies",
                     admin, {}, none, json_doc(kGrantsSchema)}},
      {revoke_grant, {"DELETE", grants, "Take one back; subscriptions that live by it end", admin,
                      which_grant(), none, none}},
  };
  // clang-format on
}

// Pages, and alerts with the notices they cause.
std::vector<OwnRoute> page_and_alert_routes() {
  using enum Access;
  const BodyDoc none;
  const BodyDoc any = json_doc(kAnySchema);
  const std::string one_page = "/api/v1/pages/{id}";
  const std::string alert = "/api/v1/alerts/{id}";
  // clang-format off
  return {
      {list_pages, {"GET", "/api/v1/pages", "All pages", viewer, {}, none, any}},
      {show_one_page, {"GET", one_page, "One page and its panels", viewer, {}, none, any}},
      {show_page_text, {"GET", one_page + "/text", "The file it is written in", admin, {}, none,
                        any}},
      {save_page_text, {"PUT", one_page + "/text", "Change that file; mistakes change nothing",
                        admin, {}, json_doc(kPageEditSchema), any}},
      {list_page_versions, {"GET", one_page + "/versions", "Texts that were replaced", admin, {},
                            none, any}},
      {show_page_version, {"GET", one_page + "/versions/{version}", "One of them", admin, {}, none,
                           any}},
      {check_page_text, {"POST", "/api/v1/pages/check", "Pages and mistakes of a text", admin, {},
                         json_doc(kPageCheckSchema), any}},
      {list_alerts, {"GET", "/api/v1/alerts", "What is open, and what was", viewer,
                     alert_parameters(), none, any}},
      {show_alert, {"GET", alert, "One alert: its state, history and notices", viewer, {}, none,
                    any}},
      {acknowledge_alert, {"POST", alert + "/acknowledge", "Quiet until it is over", admin, {},
                           json_doc(kNoteSchema), any}},
      {snooze_alert, {"POST", alert + "/snooze", "Quiet for a while", admin, {},
                      json_doc(kSnoozeSchema), any}},
      {resolve_alert, {"POST", alert + "/resolve", "Dealt with: quiet until it was normal again",
                       admin, {}, none, any}},
      {test_alert, {"POST", "/api/v1/alerts/test", "Send a sample of an alert to all who would get it",
                    admin, {}, json_doc(kAlertNameSchema), any}},
      {show_linked_alert, {"GET", "/api/v1/ack/{token}", "The alert of a link in a mail", open, {},
                           none, any}},
      {acknowledge_linked_alert, {"POST", "/api/v1/ack/{token}", "Acknowledge it by that link",
                                  open, {}, none, any}},
      {show_status, {"GET", "/api/v1/status", "How the whole house is", viewer, {}, none, any}},
      {list_notices, {"GET", "/api/v1/notices", "What was to be told, to whom; newest first", viewer,
                      notices_parameters(), none, json_doc(kNoticesSchema)}},
      {retry_notice, {"POST", "/api/v1/notices/{id}/retry", "Try a notice again, now", admin, {},
                      none, json_doc(kNoticeSchema)}},
      {show_settings, {"GET", "/api/v1/settings", "How people are told", viewer, {}, none, any}},
      {send_test_mail, {"POST", "/api/v1/mail/test", "Send a test mail; the mail server's answer",
                        admin, {}, json_doc(kTestMailSchema), json_doc(kTestMailAnswerSchema)}},
  };
  // clang-format on
}

Route endpoint_route(const Context& context, const EndpointSpec& endpoint) {
  Route route;
  route.method = "GET";
  route.path = endpoint.path;
  route.summary = "Endpoint '" + endpoint.name + "' of the stack";
  route.access = endpoint.open ? Access::open : Access::viewer;
  for (const EndpointSpec::Parameter& parameter : endpoint.parameters) {
    route.parameters.push_back({.name = parameter.name, .type = parameter.type, .required = true});
  }
  route.gives = json_doc(endpoint.many ? kRowListSchema : kRowSchema);
  route.handler = [context, endpoint](const Call& call) {
    answer_endpoint(context, endpoint, call);
  };
  return route;
}

}  // namespace

std::vector<Route> make_routes(const Context& context, const std::vector<EndpointSpec>& endpoints) {
  std::vector<Route> routes;
  for (const auto& made : {data_routes(), account_routes(), page_and_alert_routes()}) {
    for (const OwnRoute& own : made) {
      routes.push_back(own.route);
      routes.back().handler = [context, handle = own.handle](Call call) { handle(context, call); };
    }
  }
  for (const EndpointSpec& endpoint : endpoints) {
    routes.push_back(endpoint_route(context, endpoint));
  }
  return routes;
}

}  // namespace nilo::api
