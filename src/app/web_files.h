// app/web_files.h: the web folder, as it was built into this program.
//
// Threads: constant.
#pragma once

#include <vector>

#include "api/assets.h"

namespace nilo::app {

// Views of the program itself. None, if it was built without web/.
std::vector<api::Asset> web_files();

}  // namespace nilo::app
