// api/openapi.h: the OpenAPI 3.1 document, written from the route table.
#pragma once

#include <string>
#include <vector>

#include "api/route.h"

namespace nilo::api {

std::string openapi_of(const std::vector<Route>& routes);

}  // namespace nilo::api
