// api/alert_handlers.h: alerts over HTTP; routes.cc says at which paths.
//
// In/out:  a call whose parameters are checked -> its answer, or api::Backend's error as one.
// Threads: any; the backend may answer on another.
// Limits:  kAlertNoteSizeMax bytes of a note; beyond is 400.
#pragma once

#include <vector>

#include "api/handlers.h"

namespace nilo::api {

inline constexpr std::size_t kAlertNoteSizeMax = 1000;

void list_alerts(const Context& context, Call& call);
void show_alert(const Context& context, Call& call);
void acknowledge_alert(const Context& context, Call& call);
void snooze_alert(const Context& context, Call& call);
void resolve_alert(const Context& context, Call& call);
void test_alert(const Context& context, Call& call);
// By the link in a mail: open to whoever has it.
void show_linked_alert(const Context& context, Call& call);
void acknowledge_linked_alert(const Context& context, Call& call);

std::vector<Parameter> alert_parameters();

}  // namespace nilo::api
