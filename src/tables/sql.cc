#include "tables/sql.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include "tables/sql_engine.h"

namespace nilo::tables {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

Error stopping() { return {ErrorCode::unavailable, "the server is stopping"}; }

// A pool thread takes requests one after the other; the watchdog interrupts what runs too long.
class PooledSql final : public Sql {
 public:
  PooledSql(const Tables& tables, SqlOptions options, Logger& logger)
      : tables_(tables), options_(std::move(options)), logger_(logger) {}
  ~PooledSql() override;
  PooledSql(const PooledSql&) = delete;
  PooledSql& operator=(const PooledSql&) = delete;

  void query(SqlRequest request, Done done) override;

 private:
  struct Job {
    SqlRequest request;
    Done done;
  };
  struct Running {
    SqlSession* session;
    SteadyTime deadline;
  };

  void start_threads();
  void work();
  void watch();
  std::optional<Job> take_job();
  Result<Answer> run(const SqlRequest& request);
  Result<std::shared_ptr<SqlEngine>> engine();

  // How often an interrupt is repeated until it is heard.
  static constexpr std::chrono::milliseconds kInterruptAgain{20};

  const Tables& tables_;
  const SqlOptions options_;
  Logger& logger_;

  std::mutex mutex_;
  std::condition_variable wake_workers_;
  std::condition_variable wake_watchdog_;
  std::deque<Job> queue_;
  std::list<Running> running_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;  // empty until the first query

  std::mutex engine_mutex_;
  std::shared_ptr<SqlEngine> engine_;  // nullptr until the first query, and after a failure
};

PooledSql::~PooledSql() {
  std::deque<Job> waiting;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    waiting.swap(queue_);
  }
  wake_workers_.notify_all();
  wake_watchdog_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (Job& job : waiting) job.done(stopping());
}

void PooledSql::query(SqlRequest request, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < options_.queue_max) {
      start_threads();
      queue_.push_back({std::move(request), std::move(done)});
      wake_workers_.notify_one();
      return;
    }
  }
  done(Error{ErrorCode::resource_exhausted,
             fmt::format("{} SQL statements are waiting already", options_.queue_max),
             "try again in a moment"});
}

void PooledSql::start_threads() {
  if (!threads_.empty()) return;
  for (std::size_t i = 0; i < options_.thread_count; ++i) threads_.emplace_back([this] { work(); });
  threads_.emplace_back([this] { watch(); });
}

std::optional<PooledSql::Job> PooledSql::take_job() {
  std::unique_lock lock(mutex_);
  wake_workers_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
  if (is_stopping_) return std::nullopt;
  Job job = std::move(queue_.front());
  queue_.pop_front();
  return job;
}

void PooledSql::work() {
  while (auto job = take_job()) job->done(run(job->request));
}

void PooledSql::watch() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_ || !running_.empty()) {
    const auto now = std::chrono::steady_clock::now();
    std::optional<SteadyTime> next;
    for (const Running& running : running_) {
      const bool is_late = is_stopping_ || running.deadline <= now;
      if (is_late) running.session->interrupt();
      const SteadyTime again = is_late ? now + kInterruptAgain : running.deadline;
      next = next ? std::min(*next, again) : again;
    }
    if (next) {
      wake_watchdog_.wait_until(lock, *next);
    } else {
      wake_watchdog_.wait(lock);
    }
  }
}

Result<std::shared_ptr<SqlEngine>> PooledSql::engine() {
  const std::lock_guard lock(engine_mutex_);
  if (engine_ == nullptr) engine_ = TRY(SqlEngine::open(tables_, options_, logger_));
  return engine_;
}

Result<Answer> PooledSql::run(const SqlRequest& request) {
  const std::shared_ptr<SqlEngine> used = TRY(engine());
  const auto session = TRY(used->connect());
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::microseconds(options_.time_max_us);
  std::list<Running>::iterator here;
  {
    const std::lock_guard lock(mutex_);
    // The watchdog may have gone already: nobody would interrupt this one.
    if (is_stopping_) return stopping();
    here = running_.insert(running_.end(), {session.get(), deadline});
  }
  wake_watchdog_.notify_one();
  Result<Answer> answer = session->run(request);
  {
    const std::lock_guard lock(mutex_);
    running_.erase(here);
    if (is_stopping_) wake_watchdog_.notify_one();
  }
  if (answer) return answer;
  Error& error = answer.error();
  if (error.code == ErrorCode::internal) {
    logger_.error("sql.engine_failed", {{"reason", error.message}});
    const std::lock_guard lock(engine_mutex_);
    if (engine_ == used) engine_ = nullptr;
  }
  if (error.code == ErrorCode::deadline_exceeded) {
    error.message =
        fmt::format("the statement took longer than {} ms", options_.time_max_us / 1000);
    error.hint = "ask for a shorter time or fewer rows";
  }
  return answer;
}

}  // namespace

SqlParameter SqlParameter::of(std::string_view name, const Value& value) {
  SqlParameter out{.name = std::string(name), .type = value.type()};
  switch (value.type()) {
    case Type::null:
      break;
    case Type::float64:
      out.float64 = value.as_float64();
      break;
    case Type::text:
    case Type::json:
      out.text = value.as_text();
      break;
    default:
      out.number = value.as_int64();
  }
  return out;
}

std::unique_ptr<Sql> Sql::make(const Tables& tables, SqlOptions options, Logger& logger) {
  return std::make_unique<PooledSql>(tables, std::move(options), logger);
}

}  // namespace nilo::tables
