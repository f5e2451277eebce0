// app/refused_list.h: who was turned away lately, for the page that lets them in.
//
// Threads: safe to share.
// Limits:  api::kRefusedMax groups; texts cut to kRefusedTextMax bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "api/refused.h"
#include "base/guarded.h"

namespace nilo::app {

inline constexpr std::size_t kRefusedTextMax = 256;
inline constexpr std::ptrdiff_t kRefusedTopicsMax = 20;  // of one client; then its oldest goes

class RefusedList {
 public:
  // Id and count are given here: one more of its group, or the first.
  void add(api::RefusedClient refused);
  std::vector<api::RefusedClient> list() const;  // newest first
  bool forget(std::uint64_t id);

 private:
  struct State {
    std::list<api::RefusedClient> clients;  // newest first
    std::uint64_t last_id = 0;
  };
  Guarded<State> state_;
};

}  // namespace nilo::app
