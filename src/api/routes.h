// api/routes.h: every path of the API, in one table.
#pragma once

#include <vector>

#include "api/backend.h"
#include "api/handlers.h"
#include "api/route.h"

namespace nilo::api {

// The program's own paths, then the stack's endpoints.
std::vector<Route> make_routes(const Context& context, const std::vector<EndpointSpec>& endpoints);

}  // namespace nilo::api
