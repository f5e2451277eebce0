#include "app/endpoint_specs.h"

namespace nilo::app {

std::vector<api::EndpointSpec> endpoints_of(const stack::Stack& stack) {
  std::vector<api::EndpointSpec> specs;
  for (const stack::Endpoint& endpoint : stack.endpoints) {
    api::EndpointSpec& spec = specs.emplace_back();
    spec.name = endpoint.name;
    spec.path = endpoint.path;
    spec.sql = endpoint.sql.value;
    spec.many = endpoint.many;
    spec.open = endpoint.open;
    for (const stack::Parameter& parameter : endpoint.parameters) {
      spec.parameters.push_back({parameter.name, parameter.type});
    }
  }
  return specs;
}

std::string openapi_of(const stack::Stack& stack) { return api::openapi_json(endpoints_of(stack)); }

}  // namespace nilo::app
