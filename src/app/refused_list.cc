#include "app/refused_list.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace nilo::app {

namespace {

// One client that tries many topics pushes its own out, and nobody else's.
void make_room(std::list<api::RefusedClient>& clients, const api::RefusedClient& refused) {
  const auto is_its_own = [&](const api::RefusedClient& each) {
    return each.what == refused.what && each.client == refused.client &&
           each.user == refused.user && each.ip == refused.ip;
  };
  if (std::count_if(clients.begin(), clients.end(), is_its_own) >= kRefusedTopicsMax) {
    const auto oldest = std::find_if(clients.rbegin(), clients.rend(), is_its_own);
    clients.erase(std::next(oldest).base());
  } else if (clients.size() >= api::kRefusedMax) {
    clients.pop_back();
  }
}

}  // namespace

void RefusedList::add(api::RefusedClient refused) {
  for (std::string* text : {&refused.client, &refused.user, &refused.topic, &refused.reason}) {
    *text = printable(*text, kRefusedTextMax);
  }
  state_.with([&](State& state) {
    const auto known = std::find_if(
        state.clients.begin(), state.clients.end(), [&](const api::RefusedClient& each) {
          return each.what == refused.what && each.client == refused.client &&
                 each.user == refused.user && each.ip == refused.ip && each.topic == refused.topic;
        });
    if (known != state.clients.end()) {
      refused.id = known->id;
      refused.count = known->count + 1;
      state.clients.erase(known);
    } else {
      refused.id = ++state.last_id;
      refused.count = 1;
      make_room(state.clients, refused);
    }
    state.clients.push_front(std::move(refused));
  });
}

std::vector<api::RefusedClient> RefusedList::list() const {
  return state_.with([](const State& state) {
    return std::vector<api::RefusedClient>(state.clients.begin(), state.clients.end());
  });
}

bool RefusedList::forget(std::uint64_t id) {
  return state_.with([&](State& state) {
    return std::erase_if(state.clients,
                         [id](const api::RefusedClient& each) { return each.id == id; }) > 0;
  });
}

}  // namespace nilo::app
