// app/loop_batch.h: what a turn of one loop leaves for the log, and who waits until it is there.
//
// Each message that causes something becomes one record. flush() hands the records to the log; when
// they are durable, or refused, everybody who waits is answered on the loop, and durable copies
// leave with the number of their record.
//
// Threads: the loop's, all of it.
// Limits:  a record as log/log.h says; is_large() asks for a flush before the next message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "bus/router.h"
#include "log/log.h"
#include "mqtt/broker.h"
#include "mqtt/effects.h"
#include "value/message.h"
#include "value/record.h"

namespace nilo::app {

// Records of one turn go to the log early, before the next message, when they are this many bytes.
inline constexpr std::size_t kBatchSizeMax = 256 * 1024;

// Where messages for subscribers go: to this loop's broker or to another's.
class Post {
 public:
  virtual ~Post() = default;
  // `at`: where in the log it is, if it is a durable copy.
  virtual void deliver(bus::Target target, const mqtt::Delivery& delivery,
                       const MessagePtr& message, const Position& at) = 0;
  // Run `task` on this loop; from any thread.
  virtual void run_on_loop(std::function<void()> task) = 0;
};

class LoopBatch {
 public:
  // Called on this loop when everything a message caused is durable, or refused.
  using Done = std::function<void(const Result<void>&)>;
  // The tickets of a batch are answered in one go.
  using AnswerTickets = std::function<void(const std::vector<mqtt::Ticket>&, const Result<void>&)>;

  // Both must outlive the batch.
  LoopBatch(log::Log& log, Post& post) : log_(log), post_(post) {}
  void on_tickets(AnswerTickets answer) { answer_tickets_ = std::move(answer); }

  // The record under way; begun if there is none.
  RecordWriter& record(TimeUs received_us);
  // resource_exhausted: the record under way is more than a record may be.
  Result<void> check_record_size();
  // Ends the record under way, if anything was written. too_large: nothing of it is kept.
  Result<void> end_record();
  void cancel_record();

  // With the records of this turn.
  void answer(const mqtt::Ticket& ticket) { in_flight_->tickets.push_back(ticket); }
  void answer(Done done) { in_flight_->dones.push_back(std::move(done)); }
  // At once; nothing is waited for.
  void refuse(const mqtt::Ticket& ticket, const Result<void>& outcome) const {
    answer_tickets_({ticket}, outcome);
  }
  // Appends to the record that `message` waits for sessions; asserted: one of them at least. They
  // get it when the record has its number.
  void queue(const MessagePtr& message, std::span<const bus::Target> targets,
             std::span<const mqtt::Delivery> deliveries, TimeUs received_us);

  bool is_large() const { return batch_->size() >= kBatchSizeMax; }
  // Hands what was gathered to the log. Once a turn of the loop.
  void flush();

 private:
  struct Waiting {            // a durable copy
    std::size_t record = 0;   // in the batch
    std::uint32_t index = 0;  // in the record
    bus::Target target;
    mqtt::Delivery delivery;
    MessagePtr message;
  };
  // What a batch carries beside its records.
  struct InFlight {
    std::vector<mqtt::Ticket> tickets;
    std::vector<Done> dones;
    std::vector<Waiting> waiting;
  };
  void forget_copies();
  void settle(const InFlight& in_flight, const Result<void>& outcome, Seq first);

  log::Log& log_;
  Post& post_;
  AnswerTickets answer_tickets_;
  std::unique_ptr<log::Batch> batch_ = std::make_unique<log::Batch>();
  std::shared_ptr<InFlight> in_flight_ = std::make_shared<InFlight>();
  std::optional<RecordWriter> record_;
  std::size_t record_begin_ = 0;
  std::uint32_t queued_count_ = 0;  // messages queued in the record under way
};

}  // namespace nilo::app
