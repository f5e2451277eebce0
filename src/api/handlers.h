// api/handlers.h: who answers what. routes.cc says at which path.
//
// A handler answers the call once, now or later, and may take from it what it needs.
#pragma once

#include <functional>
#include <vector>

#include "api/backend.h"
#include "api/response.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/metrics.h"

namespace nilo::api {

// What handlers need. Everything referred to outlives the routes.
struct Context {
  const Backend& backend;
  const Clock& clock;
  const Metrics& metrics;
  const std::vector<Route>& routes;  // the finished table, for the OpenAPI document
};

// table_handlers.cc
void list_tables(const Context& context, Call& call);
void show_table(const Context& context, Call& call);
// `read`: Backend::rows or ::latest, which have the same question and the same answer.
using ReadPage = std::function<Result<tables::RowPage>(const tables::RowQuery&)>;
void show_page(const ReadPage& read, const Call& call);

// thing_handlers.cc
void list_things(const Context& context, Call& call);
void show_thing(const Context& context, Call& call);
void show_values(const Context& context, Call& call);
void show_series(const Context& context, Call& call);
void show_intervals(const Context& context, Call& call);
void show_status(const Context& context, Call& call);

// thing_edit_handlers.cc
void set_thing(const Context& context, Call& call);
void remove_thing(const Context& context, Call& call);

// publish_handler.cc
void publish(const Context& context, Call& call);
void publish_to_path(const Context& context, Call& call);
void open_mqtt(const Context& context, Call& call);

// sql_handlers.cc
void run_sql(const Context& context, Call& call);
void answer_endpoint(const Context& context, const EndpointSpec& endpoint, const Call& call);

// account_handlers.cc
void show_session(const Context& context, Call& call);
void set_up(const Context& context, Call& call);
void log_in(const Context& context, Call& call);
void log_out(const Context& context, Call& call);
void change_password(const Context& context, Call& call);
void list_users(const Context& context, Call& call);
void add_user(const Context& context, Call& call);
void change_user(const Context& context, Call& call);
void remove_user(const Context& context, Call& call);
void list_sessions(const Context& context, Call& call);
void end_session(const Context& context, Call& call);

// token_handlers.cc
void list_tokens(const Context& context, Call& call);
void make_token(const Context& context, Call& call);
void revoke_token(const Context& context, Call& call);

// grant_handlers.cc
void list_grants(const Context& context, Call& call);
void revoke_grant(const Context& context, Call& call);

// live_handlers.cc
void open_live(const Context& context, Call& call);
void list_refused(const Context& context, Call& call);
void allow_refused(const Context& context, Call& call);
// notice_handlers.cc
void list_notices(const Context& context, Call& call);
void retry_notice(const Context& context, Call& call);
void show_settings(const Context& context, Call& call);
void send_test_mail(const Context& context, Call& call);
// page_handlers.cc
void list_pages(const Context& context, Call& call);
void show_one_page(const Context& context, Call& call);
void show_page_text(const Context& context, Call& call);
void check_page_text(const Context& context, Call& call);
void save_page_text(const Context& context, Call& call);
void list_page_versions(const Context& context, Call& call);
void show_page_version(const Context& context, Call& call);

// status_handlers.cc
void show_metrics(const Context& context, Call& call);
void show_ready(const Context& context, Call& call);
void show_openapi(const Context& context, Call& call);

}  // namespace nilo::api
