#include "app/alert_timing.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <vector>

#include "app/alerting.h"
#include "app/applier.h"
#include "app/reactions.h"

namespace nilo::app {

namespace {

constexpr std::size_t kRecordsPerBatch = 1'000;
constexpr double kNormal = 50;  // percent
constexpr double kLow = 10;
constexpr const char* kStack = R"(
[table.levels]
key = ["tank int", "time timestamp"]
thing = "tank-{tank}"
columns = { percent = { type = "double", unit = "%" } }
)";
constexpr const char* kAlert = R"(
[alert.level]
of = "tank-*/percent"
low = 20
high = 80
clear = 2
silent = "1h"
flap = { changes = 1000, within = "1s" }
)";

std::uint64_t resident_kib() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t pages = 0;
  in >> pages >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

// A server of which nothing is there but what alerts need.
class House {
 public:
  explicit House(std::string dir) : dir_(std::move(dir)) {}
  ~House() {
    if (!applier_) return;
    applier_->close();
    log_->stop();
    applier_->stop();
  }

  Result<void> open(bool has_alert) {
    const std::string text = std::string(kStack) + (has_alert ? kAlert : "");
    stack::Loaded loaded = stack::parse({{"nilo.toml", text}});
    const Reactions reactions = compile(loaded);
    NILO_ASSERT(loaded.ok());
    stack_ = std::move(loaded.stack);
    log_ = TRY(log::Log::open(*disk_, clock_, *logger_, metrics_, {.dir = dir_ + "/log"}));
    if (log_->synced_seq() != 0) {
      return Error{ErrorCode::conflict, dir_ + " has a log already", "give an empty one"};
    }
    tables::TablesOptions options;
    options.state_dir = dir_ + "/state";
    options.head_size_max = std::size_t{8} << 30;
    tables_ = TRY(tables::Tables::open(options, *logger_, metrics_));
    TRY(tables_->declare(reactions.tables));
    applier_ = std::make_unique<Applier>(
        Applier::Rooms{*tables_, retained_, *log_, clock_, *logger_, changes_wanted_,
                       [](const std::vector<Message>&) {}, [](const Error&) {}});
    applier_->start();
    log_->start(*applier_);
    TRY(append([this](RecordWriter& record) { tables_->number_new(record); }));
    alerting_ = std::make_unique<Alerting>(Alerting::Rooms{
        stack_, *tables_, *applier_, *log_, numbers_, clock_, *logger_, metrics_, named_in(stack_),
        [](const AlertRow&) { return std::string(); },
        [this](std::span<const AlertRow> rows, Seq) { transitions_ += rows.size(); }});
    TRY(alerting_->load());
    applier_->observe(*alerting_);
    return {};
  }

  void read(std::uint64_t tank, double percent) {
    const TimeUs now_us = clock_.wall_us();
    RecordWriter record(batch_->begin_record(), now_us);
    RowWriter row(*tables_->layout("levels"));
    row.begin(now_us);
    // Cells that fit, and a record of one row: these cannot fail.
    ignore(row.set(0, Value::int64(static_cast<std::int64_t>(tank))));
    ignore(row.set(1, Value::timestamp(++reading_time_)));
    ignore(row.set(2, Value::float64(percent)));
    ignore(row.finish(record));
    ignore(batch_->end_record());
    if (batch_->count() >= kRecordsPerBatch) flush();
  }

  // Until all readings are in the tables and all that came of them is.
  Result<void> finish() {
    flush();
    for (Seq before = 0; before != log_->next_seq();) {
      before = log_->next_seq();
      for (int i = 0; i < 2; ++i) {  // what the first turn makes due is done before the second
        std::promise<void> turn;
        applier_->post([&] { turn.set_value(); });
        turn.get_future().wait();
      }
      TRY(append({}));
    }
    return {};
  }
  std::uint64_t transitions() const { return transitions_; }

 private:
  void flush() {
    while (log_->is_backlogged()) std::this_thread::yield();
    log_->submit(std::exchange(batch_, std::make_unique<log::Batch>()));
  }

  // Durable when it returns.
  Result<void> append(const std::function<void(RecordWriter&)>& fill) {
    auto batch = std::make_unique<log::Batch>();
    if (fill) {
      RecordWriter record(batch->begin_record(), clock_.wall_us());
      fill(record);
      TRY(batch->end_record());
    }
    std::promise<Result<void>> durable;
    batch->done = [&](const Result<void>& outcome, Seq) { durable.set_value(outcome); };
    log_->submit(std::move(batch));
    return durable.get_future().get();
  }

  const std::string dir_;
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<Logger> logger_ = make_stderr_logger(Logger::Level::warn);
  std::unique_ptr<log::Disk> disk_ = log::make_disk();
  bus::Retained retained_{clock_};
  const std::atomic<bool> changes_wanted_{false};
  stack::Stack stack_;
  NoticeNumbers numbers_;
  std::atomic<std::uint64_t> transitions_{0};
  TimeUs reading_time_ = clock_.wall_us();
  std::unique_ptr<log::Batch> batch_ = std::make_unique<log::Batch>();
  std::unique_ptr<tables::Tables> tables_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<Alerting> alerting_;
  std::unique_ptr<Applier> applier_;
};

}  // namespace

Result<AlertReport> run_alerts(const AlertLoad& load) {
  std::filesystem::create_directories(load.dir);
  House house(load.dir);
  TRY(house.open(load.has_alert));
  for (std::uint64_t tank = 0; tank < load.things; ++tank) house.read(tank, kNormal);
  TRY(house.finish());
  AlertReport report;
  report.resident_kib = resident_kib();

  std::vector<bool> is_low(load.things);
  const SystemClock clock;
  const std::int64_t began_us = clock.steady_us();
  double due = 0;
  for (std::uint64_t i = 0; i < load.changes; ++i) {
    const std::uint64_t tank = i % load.things;
    due += load.crossings;
    if (due >= 1) {
      due -= 1;
      is_low[tank] = !is_low[tank];
    }
    house.read(tank, is_low[tank] ? kLow : kNormal);
  }
  TRY(house.finish());
  report.seconds = static_cast<double>(clock.steady_us() - began_us) / 1e6;
  report.transitions = house.transitions();
  return report;
}

}  // namespace nilo::app
