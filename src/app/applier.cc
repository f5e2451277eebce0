#include "app/applier.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "bus/topic_filter.h"

namespace nilo::app {

namespace {

// {"table":"tank_levels","key":"2","seq":1042,"row":{"device_id":2,"distance":75,...}}
Message message_of(const tables::Change& change) {
  Message message;
  message.topic = fmt::format("$table/{}/{}", change.schema.name, change.key);
  message.qos = Qos::at_least_once;
  std::string& json = message.payload;
  json = "{\"table\":";
  append_json_string(json, change.schema.name);
  json += ",\"key\":";
  append_json_string(json, change.key);
  json += fmt::format(",\"seq\":{},\"row\":{{", change.seq);
  for (std::size_t i = 0; i < change.cells.size(); ++i) {
    if (i > 0) json += ',';
    append_json_string(json, change.schema.columns[i].name);
    json += ':';
    append_json(json, change.cells[i]);
  }
  json += "}}";
  return message;
}

}  // namespace

Applier::~Applier() {
  if (thread_.joinable()) stop();
}

void Applier::start() {
  checkpointed_us_ = rooms_.clock.steady_us();
  thread_ = std::thread([this] { run(); });
}

void Applier::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void Applier::on_batch(std::unique_ptr<log::Batch> batch, Seq first, Result<void> outcome) {
  {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return waiting_size_ < kApplyWaitingMax; });
    waiting_size_ += batch->size();
    items_.push_back({std::move(batch), first, std::move(outcome)});
  }
  work_.notify_one();
}

void Applier::observe(ChangeObserver& observer) {
  std::promise<void> watching;
  post([&] {
    watch(observer);
    watching.set_value();
  });
  watching.get_future().wait();
}

void Applier::watch(ChangeObserver& observer) {
  observers_.push_back(&observer);
  rooms_.tables.watch([&](const TableSchema& schema) { return observer.watches(schema); },
                      [&](const tables::Change& change) { observer.on_change(change); });
}

void Applier::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  work_.notify_one();
}

void Applier::append(const std::function<void(RecordWriter&)>& write, Appended done) {
  auto batch = std::make_unique<log::Batch>();
  RecordWriter record(batch->begin_record(), rooms_.clock.wall_us());
  write(record);
  if (const auto ended = batch->end_record(); !ended) return done(ended.error());
  batch->done = [done = std::move(done)](const Result<void>& outcome, Seq) { done(outcome); };
  is_closed_.with([&](bool is_closed) {
    if (!is_closed) rooms_.log.submit(std::move(batch));
  });
  if (batch) batch->done(Error{ErrorCode::unavailable, "the server is stopping", ""}, 0);
}

void Applier::close() {
  is_closed_.with([](bool& is_closed) { is_closed = true; });
}

std::int64_t Applier::due_us() const {
  std::int64_t due_us = checkpointed_us_ + kCheckpointEveryUs;
  for (const ChangeObserver* observer : observers_) due_us = std::min(due_us, observer->due_us());
  return due_us;
}

void Applier::tell_due() {
  const std::int64_t now_us = rooms_.clock.steady_us();
  for (ChangeObserver* observer : observers_) {
    if (observer->due_us() <= now_us) observer->after_batch(rooms_.tables.applied_seq());
  }
}

void Applier::run() {
  std::deque<Item> taken;
  std::vector<std::function<void()>> tasks;
  while (true) {
    const std::int64_t wait_us = std::max<std::int64_t>(due_us() - rooms_.clock.steady_us(), 0);
    {
      std::unique_lock lock(mutex_);
      work_.wait_for(lock, std::chrono::microseconds(wait_us),
                     [this] { return stopping_ || !items_.empty() || !tasks_.empty(); });
      taken.swap(items_);
      tasks.swap(tasks_);
      if (taken.empty() && tasks.empty() && stopping_) break;
    }
    for (Item& item : taken) {
      const std::size_t size = item.batch->size();
      handle(item);
      item.batch.reset();  // what is counted is what takes memory
      make_room(size);
    }
    taken.clear();
    for (const auto& task : tasks) task();
    tasks.clear();
    tell_due();
    if (rooms_.clock.steady_us() - checkpointed_us_ >= kCheckpointEveryUs) checkpoint();
  }
  checkpoint();
}

void Applier::make_room(std::size_t size) {
  {
    const std::lock_guard lock(mutex_);
    waiting_size_ -= size;
  }
  room_.notify_one();
}

void Applier::listen() {
  listening_ = true;
  rooms_.tables.watch([](const TableSchema& schema) { return !schema.is_private; },
                      [this](const tables::Change& change) {
                        if (bus::check_topic(change.key)) changes_.push_back(message_of(change));
                      });
}

void Applier::handle(Item& item) {
  if (!listening_ && rooms_.changes_wanted.load(std::memory_order_relaxed)) listen();
  if (item.outcome) {
    item.batch->for_each(item.first, [this](Seq seq, std::string_view record) {
      apply(rooms_.tables, rooms_.retained, seq, record);
    });
  }
  if (item.batch->done) item.batch->done(item.outcome, item.first);
  if (!changes_.empty()) rooms_.on_changes(std::exchange(changes_, {}));
  for (ChangeObserver* observer : observers_) observer->after_batch(rooms_.tables.applied_seq());
  if (item.outcome || failure_told_) return;
  if (const auto failure = rooms_.log.failure()) {
    failure_told_ = true;
    rooms_.on_log_failure(*failure);
  }
}

void Applier::apply(tables::Tables& tables, bus::Retained& retained, Seq seq,
                    std::string_view record) {
  tables.apply(seq, record);
  RecordReader reader(record);
  Effect effect;
  while (reader.next(effect)) {
    // A damaged effect passed its checksum, so it is another version's: leaving it out is all that
    // can be done, and the log's own report of it stands.
    if (effect.kind == EffectKind::retained) ignore(retained.apply(effect.body));
  }
}

void Applier::checkpoint() {
  checkpointed_us_ = rooms_.clock.steady_us();
  if (const auto written = rooms_.tables.checkpoint(); !written) {
    rooms_.logger.error("tables.checkpoint_failed", {{"reason", written.error().message}});
    return;
  }
  if (const Seq oldest = rooms_.log.oldest_seq(); oldest > trimmed_) {
    rooms_.tables.trim(oldest);
    trimmed_ = oldest;
  }
}

}  // namespace nilo::app
