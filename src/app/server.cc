#include "app/server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <span>
#include <thread>

#include "app/access.h"
#include "app/accounts.h"
#include "app/admin_token.h"
#include "app/alert_desk.h"
#include "app/alert_links.h"
#include "app/alerting.h"
#include "app/applier.h"
#include "app/certificate_store.h"
#include "app/change_queue.h"
#include "app/entrances.h"
#include "app/grants.h"
#include "app/hashes.h"
#include "app/host.h"
#include "app/live_feed.h"
#include "app/live_mail.h"
#include "app/log_replay.h"
#include "app/mqtt_door.h"
#include "app/mqtt_limits.h"
#include "app/notices.h"
#include "app/password_checks.h"
#include "app/people_door.h"
#include "app/policies.h"
#include "app/post_office.h"
#include "app/reception.h"
#include "app/refused_list.h"
#include "app/refused_logins.h"
#include "app/server_numbers.h"
#include "app/things.h"
#include "bus/retained.h"
#include "bus/router.h"
#include "log/log.h"
#include "net/event_loop.h"
#include "tables/sql.h"

namespace nilo::app {

namespace {

constexpr int kLoopsMax = 4;
constexpr std::uint64_t kMemoryBeyondBudgets = std::uint64_t{2} << 30;
// Descriptors that clients may not take: for the log, the state, and HTTP's 1024 connections and
// 1024 WebSockets. Half of all, where there are few.
constexpr std::size_t kDescriptorsKeptMax = 2304;
constexpr std::chrono::minutes kDropExpiredEvery{5};  // retained messages; readers skip them before

log::LogOptions log_options(const ServerOptions& options, const tables::Tables& tables) {
  log::LogOptions log;
  log.dir = options.data_dir + "/log";
  log.next_seq_min = tables.checkpoint_seq() + 1;
  return log;
}

class RunningServer final : public Server {
 public:
  RunningServer(ServerOptions options, stack::Stack stack, Reactions reactions, Logger& logger)
      : options_(std::move(options)),
        stack_(std::move(stack)),
        reactions_(std::move(reactions)),
        logger_(logger),
        retained_(clock_) {}

  ~RunningServer() override { shut_down(); }

  // Each step says what holds after it.
  Result<void> open() {
    set_limits();
    TRY(make_private_dir(options_.data_dir));
    access_ = TRY(Access::make(clock_, options_.open));
    TRY(open_tables());
    TRY(open_log());
    TRY(make_loops());
    TRY(replay());             // tables, retained messages and sessions are as they were
    TRY(take_signals());       // from here on SIGTERM ends run(); before, the process
    TRY(number_new_tables());  // the log takes records, every table has its number
    open_post_office();
    TRY(load_own_tables());  // tokens let people in
    start_ingest();          // a message would be taken
    open_sql();              // a question would be answered
    TRY(follow_tables());    // things, open pages and alerts hear of every row
    policies_->tell_left_out(*access_, logger_);
    TRY(open_doors());  // the ports are open
    numbers_.add_gauges(*log_, *applier_, *alerting_);
    post_office_->start();  // notices leave
    return {};
  }

  const Entrances& entrances() const override { return *entrances_; }
  const std::string& admin_token() const override { return admin_token_; }
  const std::string& setup_code() const override { return setup_code_; }

  Result<void> run() override {
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < loops_.size(); ++i) {
      threads.emplace_back([this, i] { loops_[i]->run(); });
    }
    threads.emplace_back([this] { people_loop_->run(); });
    loops_[0]->run();
    people_loop_->stop();
    for (std::thread& thread : threads) thread.join();
    shut_down();
    return failure_.with([](std::optional<Error>& failure) -> Result<void> {
      return failure ? Result<void>(*failure) : Result<void>();
    });
  }

  void stop() override {
    loops_[0]->post([this] {
      entrances_->close_mqtt();
      for (std::size_t i = 0; i < doors_.size(); ++i) {
        doors_[i]->run_on_loop([this, i] {
          doors_[i]->shut_down();
          loops_[i]->stop();
        });
      }
    });
  }

 private:
  void set_limits() {
    const std::size_t descriptors = raise_descriptors(logger_);
    reception_ = std::make_unique<Reception>(
        doors_, descriptors - std::min(kDescriptorsKeptMax, descriptors / 2), metrics_);
    // DuckDB's own limit does not count a single huge value; this one does. Far above all budgets
    // together, so that only such a statement meets it.
    const tables::TablesOptions tables;
    const tables::SqlOptions sql;
    const std::uint64_t budgets =
        stack_.settings.tables_memory_bytes.value_or(tables.head_size_max) +
        stack_.settings.sql_memory_bytes.value_or(sql.memory_max);
    limit_memory(budgets + kMemoryBeyondBudgets, logger_);
  }

  Result<void> open_tables() {
    tables::TablesOptions options;
    options.state_dir = options_.data_dir + "/state";
    options.head_size_max = stack_.settings.tables_memory_bytes.value_or(options.head_size_max);
    tables_ = TRY(tables::Tables::open(options, logger_, metrics_));
    return tables_->declare(reactions_.tables);
  }

  Result<void> open_log() {
    log_ = TRY(log::Log::open(*disk_, clock_, logger_, metrics_, log_options(options_, *tables_)));
    return {};
  }

  Result<void> make_loops() {
    const int count = options_.loop_count > 0 ? options_.loop_count : cores_allowed(kLoopsMax);
    for (int i = 0; i < count; ++i) loops_.push_back(TRY(net::EventLoop::make()));
    people_loop_ = TRY(net::EventLoop::make());
    passwords_ = std::make_unique<PasswordChecks>(*access_, clock_);
    people_passwords_ = std::make_unique<PasswordChecks>(*access_, clock_);
    refused_logins_ = std::make_unique<RefusedLogins>(*access_);
    certificates_ =
        std::make_unique<CertificateStore>(*access_, commit_, *tables_, clock_, logger_);
    policies_ = std::make_unique<Policies>(
        stack_, grants_, [this](std::string_view id) { return things_->named(id); });
    live_mail_ = std::make_unique<LiveMail>(*people_loop_, metrics_);
    queue_reader_ = std::make_unique<QueueReader>(*log_, logger_);
    for (std::uint32_t i = 0; i < loops_.size(); ++i) {
      const MqttDoor::Rooms rooms{*loops_[i],  doors_,    *access_,         *certificates_,
                                  *policies_,  grants_,   *passwords_,      *refused_logins_,
                                  router_,     retained_, session_numbers_, *queue_reader_,
                                  *live_mail_, refused_,  sys_topics_,      changes_wanted_,
                                  *log_,       clock_,    logger_,          metrics_};
      doors_.push_back(std::make_unique<MqttDoor>(rooms, limits_of(stack_.settings.mqtt), i,
                                                  static_cast<std::uint32_t>(count)));
    }
    changes_ = std::make_unique<ChangeQueue>(*doors_[0], metrics_);
    loops_[0]->every(kDropExpiredEvery, [this] { retained_.drop_expired(); });
    loops_[0]->every(kSysEvery, [this] { sys_topics_.publish(router_, *doors_[0]); });
    return {};
  }

  // Before any thread is started: threads inherit the blocked signals.
  Result<void> take_signals() {
    std::signal(SIGPIPE, SIG_IGN);  // a log line nobody reads any more does not end the server
    return loops_[0]->on_signals({SIGINT, SIGTERM, SIGHUP}, [this](int signal) {
      if (signal != SIGHUP) return stop();
      if (entrances_) entrances_->reload();
    });
  }

  Result<void> replay() {
    return replay_log({*log_, *tables_, retained_, doors_, changes_wanted_, clock_, logger_});
  }

  Result<void> number_new_tables() {
    applier_ = std::make_unique<Applier>(Applier::Rooms{
        *tables_, retained_, *log_, clock_, logger_, changes_wanted_,
        [this](std::vector<Message> changes) { changes_->publish(std::move(changes)); },
        [this](const Error& failure) {
          logger_.error("log.failed", {{"reason", failure.message}});
          failure_.with([&](std::optional<Error>& known) { known = failure; });
          stop();
        }});
    applier_->start();
    log_->start(*applier_);
    return write_and_wait([this](RecordWriter& record) { return tables_->number_new(record); });
  }

  // Makes what `write` appends durable; it answers false when there is nothing. Only before the
  // loops run.
  Result<void> write_and_wait(const std::function<bool(RecordWriter&)>& write) {
    auto batch = std::make_unique<log::Batch>();
    RecordWriter record(batch->begin_record(), clock_.wall_us());
    if (!write(record)) return {};
    TRY(batch->end_record());
    std::promise<Result<void>> outcome;
    batch->done = [&](const Result<void>& result, Seq) { outcome.set_value(result); };
    log_->submit(std::move(batch));
    return outcome.get_future().get();
  }

  Result<void> load_own_tables() {
    for_each_row(kTokensTable,
                 [this](std::span<const Value> cells) { access_->apply(token_of(cells)); });
    for_each_row(kCertificatesTable, [this](std::span<const Value> cells) {
      access_->certificates().apply(certificate_of(cells));
    });
    for_each_row(kGrantsTable,
                 [this](std::span<const Value> cells) { grants_.apply(grant_of(cells)); });
    load_accounts();
    ErrorPlace newest;
    for_each_row(kErrorsTable, [&](std::span<const Value> cells) {
      const ErrorPlace place = error_place_of(cells);
      if (place.time_us < newest.time_us) return;
      newest = place;
      error_slots_.next = place.slot + 1;
    });
    for_each_row(kNoticesTable, [this](std::span<const Value> cells) {
      const Notice notice = notice_of(cells);
      notice_numbers_.saw(notice.id);
      post_office_->load(notice);
    });
    applier_->observe(post_office_->observer());
    return ensure_admin_token();
  }

  void load_accounts() {
    accounts_ = std::make_unique<Accounts>(
        Accounts::Rooms{*tables_, *people_passwords_, clock_, logger_, commit_});
    for_each_row(kUsersTable,
                 [this](std::span<const Value> cells) { accounts_->load(user_of(cells)); });
    for_each_row(kSessionsTable,
                 [this](std::span<const Value> cells) { accounts_->load(session_of(cells)); });
    if (!options_.open) setup_code_ = accounts_->make_setup_code();
  }

  // With the newest row of each key of one of our own tables.
  void for_each_row(std::string_view table,
                    const std::function<void(std::span<const Value>)>& f) const {
    tables_->each_latest(table, [&](const tables::Change& change) { f(change.cells); });
  }

  void open_post_office() {
    post_office_ = std::make_unique<PostOffice>(
        PostOffice::Rooms{*tables_, *log_, stack_, clock_, logger_, metrics_}, options_.stack_dir,
        // Not before the things are known: mails are sent only then.
        [this](const Notice& notice) { return draw_notice(notice, *things_, *tables_, stack_); });
  }

  Result<void> ensure_admin_token() {
    admin_token_ = TRY(app::ensure_admin_token(*access_, options_.data_dir + "/admin.token",
                                               [this](const Token& token) {
                                                 return write_and_wait([&](RecordWriter& record) {
                                                   write_token(*tables_, token, record);
                                                   return true;
                                                 });
                                               }));
    access_->set_fake_key(hash_of(admin_token_));
    return {};
  }

  void start_ingest() {
    const auto count = static_cast<std::uint32_t>(doors_.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      doors_[i]->start({reactions_, router_, retained_, *tables_, *log_, error_slots_, clock_,
                        logger_, metrics_, *doors_[i], i, count});
    }
  }

  void open_sql() {
    tables::SqlOptions sql;
    sql.library = executable_dir() + "/libduckdb.so";
    sql.memory_max = stack_.settings.sql_memory_bytes.value_or(sql.memory_max);
    if (stack_.settings.sql_time) sql.time_max_us = stack_.settings.sql_time->count() * 1000;
    sql_ = tables::Sql::make(*tables_, sql, logger_);
  }

  Result<void> follow_tables() {
    things_ = std::make_unique<Things>(Things::Rooms{stack_, *tables_, clock_, logger_});
    things_->load();
    applier_->observe(*things_);
    live_ = std::make_unique<LiveFeed>(LiveFeed::Rooms{*people_loop_, *live_mail_, router_,
                                                       retained_, *tables_, *things_, *applier_,
                                                       changes_wanted_, clock_, metrics_});
    applier_->observe(*live_);
    return start_alerts();
  }

  Result<void> open_doors() {
    entrances_ = std::make_unique<Entrances>(
        Entrances::Rooms{*loops_[0], logger_, metrics_},
        [this](const net::PeerCertificate& shown) { return may_connect(shown); },
        [this](const net::PeerCertificate& shown) -> Result<void> {
          TRY(access_->certificates().by_certificate(shown));
          return {};
        });
    TRY(entrances_->open_mqtt(options_.entrances,
                              [this](std::unique_ptr<net::Stream> stream,
                                     const std::string& remote_ip, const Entrance& entrance) {
                                reception_->take(std::move(stream), remote_ip, entrance);
                              }));
    const People::Rooms people{*access_,
                               *policies_,
                               grants_,
                               *passwords_,
                               *refused_logins_,
                               *accounts_,
                               *certificates_,
                               commit_,
                               *doors_[0],
                               *tables_,
                               *sql_,
                               *log_,
                               stack_,
                               *live_,
                               refused_,
                               clock_,
                               logger_,
                               options_.open,
                               entrances_->mqtt_address(),
                               entrances_->mqtt_tls_port()};
    people_door_ = std::make_unique<PeopleDoor>(
        PeopleDoor::Rooms{*people_loop_, people, *things_, *post_office_, *alerting_, *alert_desk_,
                          metrics_,
                          [this](net::TakenStream taken) {
                            const auto profile = entrances_->http_profile(taken.listener);
                            reception_->take_websocket(std::move(taken), profile);
                          }},
        PeopleDoor::Folders{options_.stack_dir, options_.data_dir}, options_.stack_files);
    return entrances_->open_http(options_.entrances, people_door_->http());
  }

  // What was on its way when the server ended last is evaluated here, before anything new comes.
  Result<void> start_alerts() {
    alert_links_.emplace(TRY(AlertLinks::open(options_.data_dir + "/alert.key")));
    alerting_ = std::make_unique<Alerting>(Alerting::Rooms{
        stack_, *tables_, *applier_, *log_, notice_numbers_, clock_, logger_, metrics_,
        [this](std::string_view id) { return things_->named(id); },
        [this](const AlertRow& row) {
          return stack_.site.url + "/ack/" + alert_links_->token(row.id, row.since_us);
        },
        [this](std::span<const AlertRow> rows, Seq seq) { tell_alerts(rows, seq); }});
    TRY(alerting_->load());
    TRY(write_and_wait(
        [this](RecordWriter& record) { return alerting_->write_first_mark(record); }));
    applier_->observe(*alerting_);
    alert_desk_ = std::make_unique<AlertDesk>(
        *alerting_, *alert_links_, *tables_, [this](std::string_view id, std::size_t limit) {
          return post_office_->notices_of_alert_json(id, limit);
        });
    return {};
  }

  // A handshake that is refused brings no CONNECT that could be: it is told here.
  Result<void> may_connect(const net::PeerCertificate& shown) {
    auto allowed = access_->certificates().may_connect(shown);
    if (allowed) return allowed;
    const auto known = access_->certificates().find(shown.fingerprint);
    if (!known) return allowed;  // a stranger's, who may show anything
    doors_[0]->run_on_loop([this, name = known->name, why = allowed.error().message] {
      doors_[0]->refused(
          {mqtt::Refusal::What::connect, {}, name, {}, {}, mqtt::Reason::not_authorized, why});
    });
    return allowed;
  }

  // Who subscribed hears of it, and open pages.
  void tell_alerts(std::span<const AlertRow> rows, Seq seq) {
    std::vector<Message> messages;
    messages.reserve(rows.size());
    for (const AlertRow& row : rows) {
      live_->on_alert(seq, messages.emplace_back(alert_message(row)).payload);
    }
    changes_->publish(std::move(messages));
  }

  // Records that people cause are written on loop 0.
  void commit(std::function<void(RecordWriter&)> write,
              std::function<void(const Result<void>&)> done) {
    doors_[0]->run_on_loop([this, write = std::move(write), done = std::move(done)] {
      doors_[0]->ingest().commit(write, done);
    });
  }

  void shut_down() {
    if (std::exchange(is_down_, true)) return;
    if (entrances_) entrances_->close_mqtt();
    if (people_door_) people_door_->shut_down();
    sql_.reset();
    passwords_.reset();
    if (post_office_) post_office_->stop();
    people_passwords_.reset();
    if (applier_) applier_->close();
    if (log_) log_->stop();
    if (applier_) applier_->stop();
  }

  const ServerOptions options_;
  const stack::Stack stack_;
  const Reactions reactions_;
  Logger& logger_;
  const SystemClock clock_;
  Metrics metrics_;
  const std::unique_ptr<log::Disk> disk_ = log::make_disk();
  bus::Router router_;
  bus::Retained retained_;
  mqtt::SessionNumbers session_numbers_;
  const ServerNumbers numbers_{doors_, router_, retained_, metrics_};
  const SysTopics sys_topics_{clock_, numbers_.for_sys_topics()};
  ErrorSlots error_slots_;
  RefusedList refused_;
  Grants grants_;
  NoticeNumbers notice_numbers_;
  std::atomic<bool> changes_wanted_{false};
  Guarded<std::optional<Error>> failure_;
  std::string admin_token_;
  std::string setup_code_;
  bool is_down_ = false;

  std::unique_ptr<Access> access_;
  std::unique_ptr<tables::Tables> tables_;
  std::unique_ptr<log::Log> log_;
  // So that no page delays a device. Outlives the other loops: an answer that is dropped with their
  // tasks is posted to it.
  std::unique_ptr<net::EventLoop> people_loop_;
  std::vector<std::unique_ptr<net::EventLoop>> loops_;
  std::unique_ptr<LiveMail> live_mail_;
  std::unique_ptr<Entrances> entrances_;
  std::unique_ptr<Reception> reception_;
  MqttDoors doors_;
  std::unique_ptr<QueueReader> queue_reader_;  // ends before the doors, which it answers
  std::unique_ptr<ChangeQueue> changes_;
  std::unique_ptr<Things> things_;
  std::unique_ptr<PostOffice> post_office_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<PasswordChecks> passwords_;         // of devices
  std::unique_ptr<PasswordChecks> people_passwords_;  // which no flood of devices delays
  std::unique_ptr<RefusedLogins> refused_logins_;
  std::unique_ptr<Policies> policies_;
  const Commit commit_ = [this](std::function<void(RecordWriter&)> write,
                                std::function<void(const Result<void>&)> done) {
    commit(std::move(write), std::move(done));
  };
  std::unique_ptr<CertificateStore> certificates_;
  std::unique_ptr<Accounts> accounts_;
  std::unique_ptr<tables::Sql> sql_;
  std::unique_ptr<LiveFeed> live_;
  std::optional<AlertLinks> alert_links_;
  std::unique_ptr<Alerting> alerting_;
  std::unique_ptr<AlertDesk> alert_desk_;
  std::unique_ptr<PeopleDoor> people_door_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, stack::Stack stack,
                                              Reactions reactions, Logger& logger) {
  auto server = std::make_unique<RunningServer>(std::move(options), std::move(stack),
                                                std::move(reactions), logger);
  TRY(server->open());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace nilo::app
