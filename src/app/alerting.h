// app/alerting.h: alerts, from the rows that cause them to the rows that keep them.
//
// It follows the tables whose rows are about things, asks the engine (alerts/engine.h) what becomes
// of each reading, and appends what came of it as one record: the alert's row, its history and the
// notices. Either all of that is on disk or none. One such record is on its way at a time; what
// comes meanwhile goes into the next one.
//
// Exactly once: each record also says up to which change everything was evaluated. After a crash
// load() takes the alerts from their rows and evaluates the changes after that mark once more; an
// alert's own row says which of these it has had. What was on disk is not told again, what was not
// is told now (docs/decisions/0042-alerts-exactly-once.md). A log without that mark is new to
// alerts: they begin with what comes, after write_first_mark() said so.
//
// Threads: load() before observing; on_change, after_batch, due_us: the tables thread. Everything
//          public below them: any thread.
// Limits:  kAlertRecordSizeMax bytes a record, more go into the next; while kAlertsPendingMax
//          transitions wait for the disk, timers wait too. A refused record is tried again every
//          kAlertRetryUs. The mark is at most kAlertMarkEveryUs or kAlertMarkEveryChanges behind.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alerts/engine.h"
#include "app/alert_rows.h"
#include "app/alert_words.h"
#include "app/applier.h"
#include "app/change_observer.h"
#include "app/notices.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "base/time_units.h"
#include "log/log.h"
#include "stack/stack.h"
#include "tables/tables.h"
#include "value/thing_template.h"

namespace nilo::app {

inline constexpr std::size_t kAlertRecordSizeMax = 256 * 1024;
inline constexpr std::size_t kAlertsPendingMax = 20'000;
inline constexpr std::int64_t kAlertRetryUs = kSecondUs;
inline constexpr std::int64_t kAlertMarkEveryUs = 5'000'000;
inline constexpr Seq kAlertMarkEveryChanges = 100'000;
inline constexpr std::int64_t kSnoozeMaxUs = 30 * kDayUs;

class Alerting final : public ChangeObserver {
 public:
  struct Rooms {  // all must outlive the Alerting
    const stack::Stack& stack;
    tables::Tables& tables;
    Applier& applier;
    const log::Log& log;
    NoticeNumbers& notice_numbers;
    const Clock& clock;
    Logger& logger;
    Metrics& metrics;
    // What is written about a thing; nullptr: nothing.
    std::function<const stack::Thing*(std::string_view id)> named;
    // "<site.url>/ack/<token>" for an open alert.
    std::function<std::string(const AlertRow&)> acknowledge_link;
    // The changes of a record, when it is on disk and in the tables; on the tables thread.
    std::function<void(std::span<const AlertRow>, Seq)> on_alerts;
  };
  explicit Alerting(Rooms rooms);

  // The tables are replayed and numbered, and nothing was appended since.
  // Errors: the log's.
  Result<void> load();
  // After load(), durable before anything comes: from where on nothing may be missed. False:
  // nothing to say.
  bool write_first_mark(RecordWriter& record);

  bool watches(const TableSchema& schema) const override;
  void on_change(const tables::Change& change) override;
  void after_batch(Seq applied) override;
  std::int64_t due_us() const override;

  // What a person does with the instance `id`; answered, on another thread, when it is durable.
  struct Deed {
    enum class Kind : std::uint8_t { acknowledge, snooze, resolve } kind{};
    std::optional<std::int64_t> for_us{};  // of a snooze; nullopt: until it is over
    std::string by;
    std::string note{};
  };
  using Done = std::function<void(const Result<AlertRow>&)>;
  // not_found; conflict: it is not open.
  void act(std::string id, Deed deed, Done done);
  // Sends a sample of the alert `name` to all its recipients; the notices' ids.
  // not_found: no such alert; unsupported: it tells nobody.
  using TestDone = std::function<void(const Result<std::vector<std::string>>&)>;
  void test(std::string name, TestDone done);

  std::size_t count(alerts::State state) const {
    return counts_[static_cast<std::size_t>(state)].load(std::memory_order_relaxed);
  }
  std::size_t open_count() const;
  std::size_t open_count_of(std::string_view thing) const;

 private:
  static constexpr int kNoColumn = -1;
  static std::uint32_t key_of(alerts::WatchId watch, alerts::Condition condition) {
    return watch * alerts::kConditionCount + static_cast<std::uint32_t>(condition);
  }
  static constexpr TimeUs kNoRowUs = std::numeric_limits<TimeUs>::min();
  struct Key {  // one thing in one table
    std::string thing;
    std::vector<alerts::WatchId> watches{};
    TimeUs newest_us = kNoRowUs;  // by the sort key; not after the row itself came
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  template <typename T>
  using ByText = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  struct Source {  // a table whose rows are about things
    const TableSchema* schema;
    ThingTemplate pattern;
    std::vector<std::pair<std::uint32_t, int>>
        alerts;  // of the stack, with the column or kNoColumn
    ByText<Key> keys;
  };
  struct Watched {  // by WatchId
    std::uint32_t alert;
    int column;
    const Source* source;
    const ByText<Key>::value_type* key;
    Seq seq = 0;  // changes up to this one it has had before the start
  };
  // What the engine does not know, of instances that ever left normal.
  struct Kept {
    std::int64_t since_us;  // of the engine, for which `since` is the wall time
    TimeUs since = 0;
    TimeUs changed = 0;  // of its newest row; the next one's is later, whatever the wall clock says
    std::string owner{};
    std::string note{};
  };
  struct Pending {  // waits for the disk
    alerts::Transition transition;
    Seq seq;                    // all up to this change were evaluated, or are with this transition
    bool is_of_change = false;  // the change caused it; else time, or a person
    std::string by{};
    std::vector<std::string> cells{};  // as shown, of the row that caused it; empty: by time
    Done done{};
    AlertRow row{};
    bool is_closed = false;  // the alert or its thing is no longer in the stack: `row` says it all
  };

  void make_sources();
  void load_watches(Seq mark);
  void load_rhythms();
  void load_silences();
  void load_rows();
  void restore(const AlertRow& row);
  Result<void> replay_from(Seq seq);

  const stack::Alert& alert_of(alerts::WatchId watch) const {
    return rooms_.stack.alerts[watched_[watch].alert];
  }
  const stack::Thing* thing_of(std::string_view id) const;
  ByText<Key>::value_type& key_of(Source& source, const tables::Change& change);
  ByText<Key>::value_type& add_key(Source& source, std::string_view key, std::string thing);
  void take_row(Source& source, const tables::Change& change);
  void take_refused(const tables::Change& change);
  bool is_late_row(const tables::Change& change, Key& key) const;
  // From the rows that were there before `change` came.
  void seed_newest(const tables::Change& change, Key& key) const;
  // A thing of which nothing but refused readings is known.
  void add_unheard(std::string_view thing);
  std::optional<alerts::WatchId> find_watch(const AlertId& id) const;

  void begin_record(const tables::Change& change);
  TimeUs wall_of(std::int64_t steady_us) const;
  std::int64_t steady_of(TimeUs wall_us, std::int64_t ahead_max_us) const;

  void drain(const tables::Change* change);
  void do_deed(const std::string& id, const Deed& deed, const Done& done);
  void write();
  std::size_t write_pending(RecordWriter& record);
  void settle(std::size_t count, Seq mark, const Result<void>& outcome);
  AlertRow row_of(const alerts::Transition& transition) const;
  // With what people said of it and the wall time at which it began.
  AlertRow kept_row_of(const alerts::Transition& transition);
  AlertFacts facts_of(const Pending& pending) const;
  std::string field_of(const Pending& pending, std::string_view column) const;
  std::vector<std::string> write_notices(const Pending& pending, std::string_view event,
                                         RecordWriter& record);
  void count_open(const AlertRow& row, bool was_open);

  Rooms rooms_;
  alerts::Engine engine_;
  std::vector<AlertWords> words_;  // by alert
  std::deque<Source> sources_;
  const TableSchema* invalid_schema_ = nullptr;
  std::vector<Watched> watched_;
  ByText<std::vector<alerts::WatchId>> by_thing_;
  std::unordered_map<std::uint32_t, Kept> kept_;
  std::deque<Pending> pending_;
  bool is_writing_ = false;
  std::int64_t retry_us_ = 0;
  Seq evaluated_seq_ = 0;
  std::int64_t record_us_ = 0;  // when the record of this change came: one time for all its rows
  Seq marked_seq_ = 0;
  std::int64_t marked_us_ = 0;
  bool needs_mark_ = false;
  // While load() runs.
  bool is_loading_ = false;
  std::int64_t loaded_us_ = 0;  // steady, and the wall time then
  TimeUs loaded_wall_us_ = 0;
  TimeUs last_alive_us_ = 0;     // when the newest row came, of all things
  std::vector<TimeUs> heard_{};  // by WatchId: when its newest row came

  std::array<std::atomic<std::size_t>, alerts::kStates.size()> counts_{};
  Guarded<ByText<std::size_t>> open_of_thing_;
};

// Alerting::Rooms::named of a stack to which nobody adds things; it must outlive this.
std::function<const stack::Thing*(std::string_view)> named_in(const stack::Stack& stack);

}  // namespace nilo::app
