#include "app/loop_batch.h"

#include <fmt/format.h>

#include <utility>

namespace nilo::app {

RecordWriter& LoopBatch::record(TimeUs received_us) {
  if (!record_) {
    std::string& out = batch_->begin_record();
    record_.emplace(out, received_us);
    record_begin_ = out.size();
    queued_count_ = 0;
  }
  return *record_;
}

Result<void> LoopBatch::check_record_size() {
  if (!record_ || record_->out().size() - record_begin_ <= log::kRecordSizeMax) return {};
  return Error{
      ErrorCode::resource_exhausted,
      fmt::format("the message causes more than a record holds ({} bytes)", log::kRecordSizeMax),
      "republish less of it, or publish smaller messages"};
}

Result<void> LoopBatch::end_record() {
  if (!record_) return {};
  const bool is_empty = record_->out().size() == record_begin_;
  record_.reset();
  if (is_empty) {
    batch_->cancel_record();
    return {};
  }
  Result<void> ended = batch_->end_record();
  if (!ended) forget_copies();
  return ended;
}

void LoopBatch::cancel_record() {
  if (!record_) return;
  record_.reset();
  batch_->cancel_record();
  forget_copies();
}

void LoopBatch::queue(const MessagePtr& message, std::span<const bus::Target> targets,
                      std::span<const mqtt::Delivery> deliveries, TimeUs received_us) {
  NILO_ASSERT(!deliveries.empty() && targets.size() == deliveries.size());
  mqtt::append_queued(record(received_us), message->view(), deliveries);
  const std::uint32_t index = queued_count_++;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    in_flight_->waiting.push_back({batch_->count(), index, targets[i], deliveries[i], message});
  }
}

// The durable copies that were to wait for the number of a record that will not be.
void LoopBatch::forget_copies() {
  std::erase_if(in_flight_->waiting,
                [this](const Waiting& waiting) { return waiting.record == batch_->count(); });
}

void LoopBatch::flush() {
  const bool nothing = batch_->empty() && in_flight_->tickets.empty() && in_flight_->dones.empty();
  if (nothing) return;
  std::shared_ptr<InFlight> in_flight = std::exchange(in_flight_, std::make_shared<InFlight>());
  if (batch_->empty()) {
    // Nothing to remember: nothing to wait for.
    settle(*in_flight, {}, 0);
    return;
  }
  std::unique_ptr<log::Batch> batch = std::exchange(batch_, std::make_unique<log::Batch>());
  batch->done = [this, in_flight](const Result<void>& outcome, Seq first) {
    post_.run_on_loop([this, in_flight, outcome, first] { settle(*in_flight, outcome, first); });
  };
  log_.submit(std::move(batch));
}

void LoopBatch::settle(const InFlight& in_flight, const Result<void>& outcome, Seq first) {
  if (outcome) {
    for (const Waiting& waiting : in_flight.waiting) {
      post_.deliver(waiting.target, waiting.delivery, waiting.message,
                    {first + waiting.record, waiting.index});
    }
  }
  if (!in_flight.tickets.empty()) answer_tickets_(in_flight.tickets, outcome);
  for (const Done& done : in_flight.dones) done(outcome);
}

}  // namespace nilo::app
