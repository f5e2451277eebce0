#include "app/change_queue.h"

#include <utility>

namespace nilo::app {

void ChangeQueue::publish(std::vector<Message> changes) {
  const std::size_t count = changes.size();
  const std::size_t waiting = waiting_.fetch_add(count);
  // One batch is taken whatever its size: it is in memory already.
  if (waiting > 0 && waiting + count > kChangesWaitingMax) {
    waiting_ -= count;
    return dropped_.add(count);
  }
  door_.run_on_loop([this, changes = std::move(changes)] {
    for (const Message& change : changes) door_.ingest().publish(change.view(), nullptr);
    waiting_ -= changes.size();
  });
}

}  // namespace nilo::app
