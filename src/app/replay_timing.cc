#include "app/replay_timing.h"

#include <fmt/format.h>

#include <filesystem>
#include <future>

#include "app/applier.h"
#include "base/clock.h"
#include "bus/retained.h"
#include "log/log.h"
#include "tables/tables.h"

namespace nilo::app {

namespace {

constexpr std::uint64_t kRowsPerBatch = 10'000;
constexpr std::uint64_t kDevices = 1'000;

TableSchema readings_schema() {
  TableSchema schema;
  schema.name = "readings";
  schema.has_sort_key = true;
  const auto add = [&](const char* name, Type type) {
    Column column;
    column.name = name;
    column.type = type;
    schema.columns.push_back(std::move(column));
  };
  add("device_id", Type::int64);
  add("time", Type::timestamp);
  add("temperature", Type::float64);
  add("humidity", Type::float64);
  add("battery", Type::float64);
  return schema;
}

Result<void> set_cells(RowWriter& writer, std::uint64_t i, TimeUs now_us) {
  const auto reading = static_cast<double>(i % 100) / 10;
  writer.begin(now_us);
  TRY(writer.set(0, Value::int64(static_cast<std::int64_t>(i % kDevices))));
  TRY(writer.set(1, Value::int64(now_us / 1000 - 100'000'000 + static_cast<std::int64_t>(i))));
  TRY(writer.set(2, Value::float64(18 + reading)));
  TRY(writer.set(3, Value::float64(40 + reading)));
  return writer.set(4, Value::float64(3.2 + reading / 10));
}

// Waits for the last batch.
class CountingFollower final : public log::Follower {
 public:
  void on_batch(std::unique_ptr<log::Batch> batch, Seq first, Result<void> outcome) override {
    if (batch->done) batch->done(outcome, first);
  }
};

struct Rooms {
  SystemClock clock;
  Metrics metrics;
  std::unique_ptr<Logger> logger = make_stderr_logger(Logger::Level::warn);
  std::unique_ptr<log::Disk> disk = log::make_disk();
};

Result<std::unique_ptr<tables::Tables>> make_tables(Rooms& rooms, const std::string& dir) {
  tables::TablesOptions options;
  options.state_dir = dir;
  options.head_size_max = std::size_t{16} << 30;
  auto tables = TRY(tables::Tables::open(options, *rooms.logger, rooms.metrics));
  TRY(tables->declare({{readings_schema(), {}}}));
  return tables;
}

Result<void> write_log(Rooms& rooms, const std::string& dir, std::uint64_t rows) {
  auto log = TRY(log::Log::open(*rooms.disk, rooms.clock, *rooms.logger, rooms.metrics,
                                {.dir = dir + "/log"}));
  if (log->synced_seq() != 0) {
    return Error{ErrorCode::conflict, fmt::format("{} has a log already", dir),
                 "give an empty one"};
  }
  const auto tables = TRY(make_tables(rooms, dir + "/written"));
  CountingFollower follower;
  log->start(follower);
  auto batch = std::make_unique<log::Batch>();
  const TimeUs now_us = rooms.clock.wall_us();
  {
    RecordWriter record(batch->begin_record(), now_us);
    tables->number_new(record);
    TRY(batch->end_record());
  }
  RowWriter writer(*tables->layout("readings"));
  for (std::uint64_t i = 0; i < rows; ++i) {
    RecordWriter record(batch->begin_record(), now_us);
    TRY(set_cells(writer, i, now_us));
    TRY(writer.finish(record));
    TRY(batch->end_record());
    const bool is_last = i + 1 == rows;
    if (batch->count() < kRowsPerBatch && !is_last) continue;
    std::promise<Result<void>> written;
    batch->done = [&](const Result<void>& outcome, Seq) { written.set_value(outcome); };
    log->submit(std::exchange(batch, std::make_unique<log::Batch>()));
    TRY(written.get_future().get());
  }
  log->stop();
  return {};
}

}  // namespace

Result<ReplayReport> run_replay(const std::string& dir, std::uint64_t rows) {
  std::filesystem::create_directories(dir);
  Rooms rooms;
  TRY(write_log(rooms, dir, rows));

  const std::int64_t began_us = rooms.clock.steady_us();
  const auto log = TRY(log::Log::open(*rooms.disk, rooms.clock, *rooms.logger, rooms.metrics,
                                      {.dir = dir + "/log"}));
  const auto tables = TRY(make_tables(rooms, dir + "/state"));
  bus::Retained retained(rooms.clock);
  TRY(log->replay(0, [&](Seq seq, std::string_view record) {
    Applier::apply(*tables, retained, seq, record);
  }));
  ReplayReport report;
  report.seconds = static_cast<double>(rooms.clock.steady_us() - began_us) / 1e6;
  report.rows = tables->list().front().rows;
  report.log_bytes = log->size();
  return report;
}

}  // namespace nilo::app
