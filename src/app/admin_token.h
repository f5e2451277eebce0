// app/admin_token.h: the token that this machine's own commands use, so that its owner is never
// locked out.
//
// Threads: none of its own; before the doors open.
#pragma once

#include <functional>
#include <string>

#include "app/access.h"
#include "base/result.h"

namespace nilo::app {

// The one in the file at `path` if it still lets somebody in; else a new one, which is made
// durable by `store`, applied to `access` and written there (mode 0600).
// Errors: the file cannot be written; what `store` says.
Result<std::string> ensure_admin_token(Access& access, const std::string& path,
                                       const std::function<Result<void>(const Token&)>& store);

}  // namespace nilo::app
