// app/topic_scope.h: the filters that a token or a certificate is limited to.
//
// Threads: values and a pure function.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "value/principal.h"

namespace nilo::app {

// Filters as a cell has them: one a line.
std::vector<std::string> topics_in(std::string_view lines);

// nullptr: there are none, and so no limit. A filter that cannot be read lets nothing through.
std::shared_ptr<const Scope> topic_scope(std::string_view lines);

}  // namespace nilo::app
