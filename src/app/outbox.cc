#include "app/outbox.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace nilo::app {

namespace {

// A clock that is set while the thread sleeps wakes it this late at most.
constexpr std::int64_t kNapMaxUs = 60'000'000;
// The disk did not take an outcome: tried again this often. Until then the channel stands still,
// because what it sends it could not remember.
constexpr std::chrono::seconds kRecordAgainAfter{1};

// A mail wakes its thread a dozen times. On a core that is busy with readings each of these would
// interrupt them; a batch thread waits for its turn (sched(7)), and nothing is lost if that is
// refused.
void let_others_finish() {
  const sched_param none{};
  ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &none);
}

std::uint64_t roll_dice() { return std::random_device()(); }

}  // namespace

Outbox::Outbox(Rooms rooms, std::vector<Channel> channels)
    : rooms_(std::move(rooms)),
      lost_(rooms_.metrics.counter("nilo_notices_lost_total", "",
                                   "Notices that still waited when newer ones took their place.")) {
  for (Channel& channel : channels) {
    auto worker = std::make_unique<Worker>();
    worker->channel = std::move(channel);
    const auto counter = [&](const char* outcome) {
      return &rooms_.metrics.counter(
          "nilo_notice_tries_total",
          fmt::format("channel=\"{}\",outcome=\"{}\"", worker->channel.name, outcome),
          "Tries to hand a notice to a server, by what came of it.");
    };
    worker->accepted = counter("accepted");
    worker->refused = counter("refused");
    worker->failed = counter("failed");
    workers_.push_back(std::move(worker));
  }
}

Outbox::~Outbox() { stop(); }

void Outbox::start() {
  for (const auto& worker : workers_) {
    worker->thread = std::thread([this, &worker = *worker] { run(worker); });
  }
}

void Outbox::stop() {
  std::int64_t not_yet = 0;
  stopping_since_us_.compare_exchange_strong(not_yet, rooms_.clock.steady_us() + 1);
  for (const auto& worker : workers_) {
    { const std::lock_guard lock(worker->mutex); }  // it waits already, or sees that we stop
    worker->work.notify_all();
  }
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

Outbox::Worker* Outbox::worker_of(const Notice& notice) {
  for (const auto& worker : workers_) {
    if (worker->channel.name == notice.channel) return worker.get();
  }
  return nullptr;
}

// The worker's mutex is held.
NoticeQueue::Entry Outbox::entry_of(Worker& worker, const Notice& notice) const {
  const std::int64_t now_us = rooms_.clock.steady_us();
  const TimeUs wall_us = rooms_.clock.wall_us();
  // However the wall clock was set meanwhile: never later than the longest back-off.
  const std::int64_t wait_us =
      std::clamp<std::int64_t>(notice.next_try_us - wall_us, 0, kBackOffMaxUs);
  const std::int64_t waited_us =
      std::clamp<std::int64_t>(wall_us - notice.created_us, 0, kAgeAtStartMaxUs);
  const std::int64_t number = number_of(notice.id).value_or(0);
  // From here on it ages by the clock that does not jump.
  const auto since = worker.since_us.try_emplace(number, now_us - waited_us).first;
  const bool is_aside = notice.tries >= kTriesInPlaceMax;
  return {.number = number,
          .server = worker.channel.server_of(notice),
          .line = is_aside ? notice.id : notice.to,
          .due_us = now_us + wait_us,
          .since_us = since->second,
          .is_aside = is_aside};
}

void Outbox::saw(const Notice& notice) {
  rooms_.ledger.saw(notice);
  const auto number = number_of(notice.id);
  if (!number) return;
  for (const auto& worker : workers_) {
    const std::lock_guard lock(worker->mutex);
    if (!forget(*worker, *number - kNoticesMax)) continue;
    lost_.add();
    rooms_.logger.error("notices.lost", {{"number", *number - kNoticesMax}});
  }
  Worker* const worker = worker_of(notice);
  if (worker == nullptr) return;
  {
    const std::lock_guard lock(worker->mutex);
    if (notice.state != kWaiting) {
      forget(*worker, *number);
      return;
    }
    worker->queue.put(entry_of(*worker, notice));
  }
  worker->work.notify_one();
}

// False: it was not waiting. The worker's mutex is held.
bool Outbox::forget(Worker& worker, std::int64_t number) {
  worker.since_us.erase(number);
  return worker.queue.drop(number);
}

std::int64_t Outbox::age_us(Worker& worker, const Notice& notice) const {
  const std::lock_guard lock(worker.mutex);
  const auto since = worker.since_us.find(number_of(notice.id).value_or(0));
  return since == worker.since_us.end() ? 0 : rooms_.clock.steady_us() - since->second;
}

void Outbox::hurry(const Notice& notice) {
  Worker* const worker = worker_of(notice);
  if (worker == nullptr) return;
  {
    const std::lock_guard lock(worker->mutex);
    worker->queue.recover(worker->channel.server_of(notice));
    NoticeQueue::Entry now = entry_of(*worker, notice);
    now.line = notice.id;  // whoever waits for the same recipient
    worker->queue.put(now);
  }
  worker->work.notify_one();
}

bool Outbox::is_out_of_patience() const {
  const std::int64_t since_us = stopping_since_us_.load();
  return since_us != 0 && rooms_.clock.steady_us() - since_us >= kStopPatienceUs;
}

void Outbox::run(Worker& worker) {
  let_others_finish();
  const net::GiveUp give_up = [this] { return is_out_of_patience(); };
  while (const auto number = next(worker)) {
    auto notice = rooms_.find(*number);
    if (!notice || notice->state != kWaiting) continue;
    const net::Delivery delivery = worker.channel.send(*notice, give_up);
    settle(worker, *std::move(notice), delivery);
  }
}

// Waits until one is due; nullopt: the end.
std::optional<std::int64_t> Outbox::next(Worker& worker) {
  std::unique_lock lock(worker.mutex);
  worker.work.wait_until(lock, worker.free_at, [this] { return is_stopping(); });
  while (!is_stopping()) {
    const std::int64_t now_us = rooms_.clock.steady_us();
    if (const auto number = worker.queue.take(now_us)) {
      worker.free_at = std::chrono::steady_clock::now() + kPace;
      return number;
    }
    const std::int64_t due_us = worker.queue.due_us();
    const std::int64_t nap_us = std::min(due_us - now_us, kNapMaxUs);
    worker.work.wait_for(lock, std::chrono::microseconds(nap_us));
  }
  return std::nullopt;
}

void Outbox::settle(Worker& worker, Notice notice, const net::Delivery& delivery) {
  using enum net::Delivery::Verdict;
  // Whether it arrived nobody knows. It still waits in the table.
  if (delivery.verdict == stopped) return;
  const TimeUs now_us = rooms_.clock.wall_us();
  if (!delivery.is_blameless) ++notice.tries;
  notice.answer = delivery.answer;
  if (delivery.verdict == accepted) {
    worker.accepted->add();
    notice.state = kSent;
    notice.sent_us = now_us;
  } else if (delivery.verdict == refused) {
    worker.refused->add();
    notice.state = kParked;
  } else {
    worker.failed->add();
    const bool is_last = notice.tries >= kTriesMax || age_us(worker, notice) > kAgeMaxUs;
    if (is_last) notice.state = kParked;
    // The server's own pause holds it up: it keeps its place before those behind it.
    const bool keeps_place =
        delivery.is_blameless || (delivery.is_server_wide && notice.tries < kTriesInPlaceMax);
    notice.next_try_us = now_us + (keeps_place ? 0 : back_off_us(notice.tries, roll_dice()));
  }
  if (!record(worker, notice)) return;
  if (notice.state == kParked) {
    rooms_.logger.warn("notices.parked", {{"id", notice.id}, {"answer", notice.answer}});
  }
  if (delivery.is_server_wide) return server_failed(worker, notice, delivery.answer);
  server_recovered(worker, notice);
}

void Outbox::server_failed(Worker& worker, const Notice& notice, const std::string& reason) {
  const std::string server = worker.channel.server_of(notice);
  std::vector<std::int64_t> too_old;
  int failures = 0;
  {
    const std::lock_guard lock(worker.mutex);
    const std::int64_t now_us = rooms_.clock.steady_us();
    failures = worker.queue.fail(server, now_us, roll_dice());
    too_old = worker.queue.older(server, now_us - kAgeMaxUs);
  }
  if (failures == 1) {  // once for each outage
    rooms_.logger.warn("notices.server_failed", {{"server", server}, {"reason", reason}});
  }
  // They would each need a try of their own to be told the same.
  for (const std::int64_t number : too_old) {
    auto waiting = rooms_.find(number);
    if (!waiting || waiting->state != kWaiting || is_stopping()) continue;
    waiting->state = kParked;
    waiting->answer = "not sent within 24 hours: " + reason;
    if (!record(worker, *waiting)) return;
  }
}

void Outbox::server_recovered(Worker& worker, const Notice& notice) {
  const std::string server = worker.channel.server_of(notice);
  int failures = 0;
  {
    const std::lock_guard lock(worker.mutex);
    failures = worker.queue.recover(server);
  }
  if (failures > 0) {
    rooms_.logger.info("notices.server_back", {{"server", server}, {"failed_tries", failures}});
  }
}

// False: we stop, and it could not be written.
bool Outbox::record(Worker& worker, const Notice& notice) {
  for (bool is_first = true;; is_first = false) {
    const auto written = rooms_.record(notice);
    if (written) return true;
    if (is_first) {
      rooms_.logger.error("notices.not_recorded",
                          {{"id", notice.id}, {"reason", written.error().message}});
    }
    std::unique_lock lock(worker.mutex);
    const auto stopping = [this] { return is_stopping(); };
    if (worker.work.wait_for(lock, kRecordAgainAfter, stopping)) return false;
  }
}

}  // namespace nilo::app
