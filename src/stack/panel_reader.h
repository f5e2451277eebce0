// stack/panel_reader.h: one [[page.panel]], held against the table of panel_options.h.
//
// Threads: one.
#pragma once

#include "stack/section.h"

namespace nilo::stack {

// `page`: what its panels know of it; `node`: the panel. Tells of every mistake; nothing if there
// is no kind of panel to go on with.
std::optional<Panel> read_panel(const Node& node, const Page& page, Reading& reading);

}  // namespace nilo::stack
