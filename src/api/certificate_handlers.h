// api/certificate_handlers.h: certificates of devices, over REST. For the rest see handlers.h.
#pragma once

#include "api/handlers.h"

namespace nilo::api {

void list_certificates(const Context& context, Call& call);
void show_ca(const Context& context, Call& call);
void issue_certificate(const Context& context, Call& call);
void register_certificate(const Context& context, Call& call);
void change_certificate(const Context& context, Call& call);
void remove_certificate(const Context& context, Call& call);

}  // namespace nilo::api
