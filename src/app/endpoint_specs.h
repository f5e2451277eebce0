// app/endpoint_specs.h: the endpoints of a stack as the API takes them.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "api/api.h"
#include "stack/stack.h"

namespace nilo::app {

std::vector<api::EndpointSpec> endpoints_of(const stack::Stack& stack);

// The OpenAPI document of a stack (`nilo openapi`).
std::string openapi_of(const stack::Stack& stack);

}  // namespace nilo::app
