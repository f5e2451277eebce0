// base/assert.h: stop at a broken invariant, in every build. Never for input.
#pragma once

namespace nilo {

// Prints place and condition to stderr and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace nilo

#define NILO_ASSERT(condition)                                  \
  do {                                                          \
    if (!(condition)) [[unlikely]] {                            \
      ::nilo::assertion_failed(#condition, __FILE__, __LINE__); \
    }                                                           \
  } while (false)
