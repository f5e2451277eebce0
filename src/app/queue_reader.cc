#include "app/queue_reader.h"

#include <utility>

namespace nilo::app {

QueueReader::QueueReader(const log::Log& log, Logger& logger)
    : logger_(logger), cursor_(log.cursor(0)) {}

void QueueReader::fetch(mqtt::SessionNumber session, std::vector<Position> places, Answer answer) {
  const bool is_taken =
      worker_.post([this, session, places = std::move(places), answer = std::move(answer)] {
        answer(read(session, places));
      });
  NILO_ASSERT(is_taken);
}

std::vector<mqtt::Broker::Fetched> QueueReader::read(mqtt::SessionNumber session,
                                                     const std::vector<Position>& places) {
  std::vector<mqtt::Broker::Fetched> fetched;
  fetched.reserve(places.size());
  log::Record record;
  for (const Position& at : places) {
    mqtt::Broker::Fetched& one = fetched.emplace_back();
    one.at = at;
    if (record.seq != at.seq) {
      cursor_.seek(at.seq);
      auto found = cursor_.next();
      if (!found) {
        logger_.error("log.read_failed", {{"seq", at.seq}, {"reason", found.error().message}});
        continue;
      }
      record = found->value_or(log::Record{});
    }
    if (record.seq == at.seq) mqtt::read_letter(record.bytes, at.index, session, one.letter);
  }
  return fetched;
}

}  // namespace nilo::app
