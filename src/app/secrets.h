// app/secrets.h: a secret that the stack names: read from a file, the environment or a credential.
//
// Nothing is kept on disk here: what is read lives in memory, goes to the one server it is for, and
// is never logged.
// Threads: reads the environment, so before others change it; otherwise any.
#pragma once

#include <string>

#include "base/result.h"
#include "stack/stack.h"

namespace nilo::app {

inline constexpr std::size_t kSecretSizeMax = 4096;

// A file name of the stack as a path.
std::string path_in(const std::string& stack_dir, const std::string& file);

// The first line. `stack_dir`: what relative file names begin at.
// not_found: no such file, variable or credential. permission_denied: the file may not be read, or
// everybody on this machine may read it. invalid_argument: empty, too long, control characters.
// Messages name where the secret should be, never what it is.
Result<std::string> read_secret(const stack::Secret& secret, const std::string& stack_dir);

}  // namespace nilo::app
