#include "app/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>

#include "app/applier.h"
#include "log/fake_disk.h"
#include "value/json.h"

namespace nilo::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kKeepCount = 17;  // megabytes: one more than a record holds
constexpr TimeUs kNowUs = 1'763'750'000'000'000;

constexpr const char* kStack = R"(
[table.levels]
key = ["device_id int", "time timestamp"]
thing = "tank-{device_id}"
columns = { distance = { type = "double", unit = "cm", min = 0, max = 89, invalid = [0] } }

[rule.store]
sql = "SELECT cast(topic(2) AS Int) AS device_id, distance FROM 'tank/+'"
put = "levels"

[rule.copy]
sql = "SELECT * FROM 'copy/+'"
republish = { topic = "copies" }

[rule.again]
sql = "SELECT * FROM 'copies' WHERE loop = true"
republish = { topic = "copies" }
)";

// The stack, and ten rules that cause each other ten times each.
std::string stack_text() {
  std::string text = kStack;
  for (int i = 0; i < 10; ++i) {
    text += "[rule.fan" + std::to_string(i) + "]\n";
    text += "sql = \"SELECT * FROM 'fan'\"\nrepublish = \"fan\"\n";
  }
  for (int i = 0; i < kKeepCount; ++i) {
    text += "[rule.keep" + std::to_string(i) + "]\n";
    text += "sql = \"SELECT * FROM 'keep'\"\nrepublish = { topic = \"kept\", qos = 1 }\n";
  }
  return text;
}

// A loop that is this test's own thread, and a subscriber that hears everything.
class TestPost final : public Post {
 public:
  void deliver(bus::Target /*target*/, const mqtt::Delivery& delivery, const MessagePtr& message,
               const Position& at) override {
    delivered.push_back(*message);
    sessions.push_back(delivery.session);
    seqs.push_back(at.seq);
    if (on_deliver) on_deliver(delivery.session);
  }
  void run_on_loop(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    posted_.notify_one();
  }
  // Runs what is posted until `is_done()`.
  void run_until(const std::function<bool()>& is_done) {
    while (!is_done()) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(
            posted_.wait_for(lock, std::chrono::seconds(20), [&] { return !tasks_.empty(); }));
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }

  std::vector<Message> delivered;
  std::vector<mqtt::SessionNumber> sessions;
  std::vector<Seq> seqs;
  std::function<void(mqtt::SessionNumber)> on_deliver;

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> tasks_;
};

class IngestTest : public testing::Test {
 protected:
  IngestTest() { std::filesystem::create_directories(folder_); }
  ~IngestTest() override {
    if (log_) log_->stop();
    if (applier_) applier_->stop();
    ingest_.reset();
    tables_.reset();
    std::filesystem::remove_all(folder_);
  }

  void start(std::size_t head_size_max = std::size_t{64} << 20) {
    stack::Loaded loaded = stack::parse({{"nilo.toml", stack_text()}});
    reactions_ = compile(loaded);
    ASSERT_TRUE(loaded.ok()) << stack::render(loaded.diagnostics, loaded.files, false);
    tables_ =
        tables::Tables::open({.state_dir = folder_ + "/state", .head_size_max = head_size_max},
                             *logger_, metrics_)
            .value();
    ASSERT_TRUE(tables_->declare(reactions_.tables));
    log_ = log::Log::open(disk_, clock_, *logger_, metrics_, {.dir = "/log"}).value();
    applier_ = std::make_unique<Applier>(
        Applier::Rooms{*tables_, retained_, *log_, clock_, *logger_, changes_wanted_,
                       [](const std::vector<Message>&) {}, [](const Error&) {}});
    applier_->start();
    log_->start(*applier_);
    number_tables();
    ingest_ =
        std::make_unique<Ingest>(Ingest::Rooms{reactions_, router_, retained_, *tables_, *log_,
                                               slots_, clock_, *logger_, metrics_, post_});
  }

  // "ok", or why the message was refused; after everything it caused is durable and applied.
  std::string publish(std::string_view topic, std::string_view payload, bool retain = false) {
    MessageView message;
    message.topic = topic;
    message.payload = payload;
    message.qos = Qos::at_least_once;
    message.retain = retain;
    std::optional<std::string> answer;
    ingest_->publish(message, [&](const Result<void>& outcome) {
      answer = outcome ? "ok" : outcome.error().message;
    });
    ingest_->flush();
    post_.run_until([&] { return answer.has_value(); });
    return *answer;
  }

  void subscribe(std::string_view filter, mqtt::SessionNumber session, Qos qos) {
    router_.subscribe({0, session}, bus::TopicFilter::parse(filter).value(), {.qos = qos});
  }

  // Every write is refused from now on.
  void fill_disk() {
    disk_.set_fault(log::FakeDisk::Fault{.call = disk_.call_count() + 1,
                                         .call_end = UINT64_MAX,
                                         .number = ENOSPC,
                                         .only_writes = true});
  }

  // The topics of messages queued for sleeping sessions, by the record that holds them.
  std::multimap<Seq, std::string> queued() {
    std::multimap<Seq, std::string> out;
    const auto report = log_->replay(0, [&](Seq seq, std::string_view record) {
      RecordReader reader(record);
      Effect effect;
      while (reader.next(effect)) {
        Message message;
        std::vector<mqtt::Delivery> deliveries;
        if (effect.kind != EffectKind::queued) continue;
        ASSERT_TRUE(mqtt::read_queued(effect.body, message, deliveries));
        out.emplace(seq, message.topic);
      }
    });
    EXPECT_TRUE(report);
    return out;
  }

  std::uint64_t row_count(std::string_view table) {
    for (const tables::TableInfo& info : tables_->list()) {
      if (info.schema->name == table) return info.rows;
    }
    return 0;
  }

  // "thing|field|reason|value" of its newest refused reading.
  std::string invalid_of(std::string_view thing) {
    std::string out;
    tables_->read_latest(kInvalidTable, thing, [&](const tables::Change& change) {
      const InvalidReading reading = invalid_reading_of(change.cells);
      out = std::string(thing) + '|' + reading.field + '|' + reading.reason + '|' + reading.value;
    });
    return out;
  }

  FakeClock clock_{kNowUs};
  bus::Retained retained_{clock_};
  log::FakeDisk disk_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<log::Log> log_;
  TestPost post_;
  bus::Router router_;
  std::unique_ptr<Ingest> ingest_;
  std::unique_ptr<tables::Tables> tables_;

 private:
  void number_tables() {
    auto batch = std::make_unique<log::Batch>();
    RecordWriter record(batch->begin_record(), kNowUs);
    ASSERT_TRUE(tables_->number_new(record));
    ASSERT_TRUE(batch->end_record());
    bool done = false;
    batch->done = [&](const Result<void>& outcome, Seq) {
      ASSERT_TRUE(outcome);
      post_.run_on_loop([&] { done = true; });
    };
    log_->submit(std::move(batch));
    post_.run_until([&] { return done; });
  }

  const std::string folder_ = testing::TempDir() + "/ingest-" + std::to_string(::getpid()) + "-" +
                              testing::UnitTest::GetInstance()->current_test_info()->name();
  Metrics metrics_;
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  Reactions reactions_;
  ErrorSlots slots_;
  std::atomic<bool> changes_wanted_{false};
};

TEST_F(IngestTest, AnAcknowledgedReadingIsARow) {
  start();
  const Seq before = log_->synced_seq();
  EXPECT_EQ(publish("tank/2", R"({"distance":75})"), "ok");
  EXPECT_EQ(row_count("levels"), 1U);
  EXPECT_EQ(log_->synced_seq(), before + 1) << "one message, one record";
}

TEST_F(IngestTest, ReadingsReceivedInOneMicrosecondAreTwoRows) {
  start();  // the clock stands still
  EXPECT_EQ(publish("tank/2", R"({"distance":75})"), "ok");
  EXPECT_EQ(publish("tank/2", R"({"distance":75})"), "ok");
  EXPECT_EQ(row_count("levels"), 2U);
}

TEST_F(IngestTest, ABadReadingIsAcknowledgedAndToldAsAnError) {
  start();
  subscribe("$error/#", 2, Qos::at_most_once);
  for (const char* bad : {R"({"distance":0})", R"({"distance":95})", "hello", R"({"level":5})"}) {
    EXPECT_EQ(publish("tank/2", bad), "ok");
  }
  EXPECT_EQ(row_count("levels"), 0U);
  EXPECT_EQ(row_count("sys_errors"), 4U);
  ASSERT_EQ(post_.delivered.size(), 4U);
  EXPECT_EQ(post_.delivered[0].topic, "$error/rules/store");
  EXPECT_THAT(post_.delivered[0].payload, HasSubstr("distance 0 cm is listed in `invalid`"));
  EXPECT_THAT(post_.delivered[1].payload, HasSubstr("distance 95 cm is above max 89 cm"));
  EXPECT_THAT(post_.delivered[2].payload, HasSubstr("payload is not JSON"));
  EXPECT_THAT(post_.delivered[3].payload, HasSubstr("no value for any column"));
  JsonDocument document;
  for (const Message& message : post_.delivered) EXPECT_TRUE(document.parse(message.payload));
}

TEST_F(IngestTest, ARefusedReadingIsKeptAsAFactAboutItsThing) {
  start();
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"distance":0})",
       "tank-2|distance|distance 0 cm is listed in `invalid`: a reading that "
       "is none|0"},
      {R"({"distance":95})", "tank-2|distance|distance 95 cm is above max 89 cm|95"},
      {R"({"distance":"far"})", "tank-2|distance|distance \"far\" is not a number|\"far\""},
      {R"({"distance":null})", "tank-2|distance|no value for any column of table levels|"},
      {R"({"level":5})", "tank-2|distance|no value for any column of table levels|"},
  };
  for (const auto& [payload, wanted] : cases) {
    EXPECT_EQ(publish("tank/2", payload), "ok");
    EXPECT_EQ(invalid_of("tank-2"), wanted) << payload;
  }
  EXPECT_EQ(publish("tank/2", "hello"), "ok");
  EXPECT_THAT(invalid_of("tank-2"), HasSubstr("tank-2||payload is not JSON"));
  EXPECT_THAT(invalid_of("tank-2"), HasSubstr("|\"hello\""));
  EXPECT_EQ(row_count("sys_invalid"), 1U);
  EXPECT_EQ(row_count("levels"), 0U);
}

TEST_F(IngestTest, ARefusedReadingAndItsErrorAreOneRecord) {
  start();
  const Seq before = log_->synced_seq();
  EXPECT_EQ(publish("tank/2", R"({"distance":95})"), "ok");
  EXPECT_EQ(log_->synced_seq(), before + 1);
}

TEST_F(IngestTest, NoThingIsInvalidWhenNobodyKnowsWhose) {
  start();
  EXPECT_EQ(publish("tank/x", R"({"distance":95})"), "ok");
  EXPECT_EQ(publish("tank/x", "hello"), "ok");
  EXPECT_EQ(row_count("sys_invalid"), 0U);
  EXPECT_EQ(row_count("sys_errors"), 2U);
}

TEST_F(IngestTest, AFloodOfMistakesDoesNotHideThatAThingIsInvalid) {
  start();  // the clock stands still: all in one second
  for (std::uint64_t i = 0; i <= kErrorsPerSecondMax; ++i) publish("tank/1", "hello");
  EXPECT_EQ(row_count("sys_errors"), kErrorsPerSecondMax);
  EXPECT_EQ(publish("tank/2", R"({"distance":95})"), "ok");
  EXPECT_EQ(row_count("sys_errors"), kErrorsPerSecondMax) << "the limit holds for errors";
  EXPECT_THAT(invalid_of("tank-2"), HasSubstr("above max 89 cm"));
}

TEST_F(IngestTest, AMessageNobodyNeedsLeavesNothingInTheLog) {
  start();
  const Seq before = log_->synced_seq();
  EXPECT_EQ(publish("nobody/listens", "x"), "ok");
  EXPECT_EQ(log_->synced_seq(), before);
}

TEST_F(IngestTest, AFullMemoryRefusesTheMessageAndKeepsNothingOfIt) {
  start(1);
  EXPECT_EQ(publish("tank/1", R"({"distance":10})"), "ok") << "there was nothing yet";
  subscribe("$error/#", 2, Qos::at_most_once);
  EXPECT_EQ(publish("tank/1", R"({"distance":10})"), tables_->full_error().message);
  EXPECT_EQ(row_count("levels"), 1U);
  ASSERT_EQ(post_.delivered.size(), 1U) << "its owner is told";
  EXPECT_EQ(post_.delivered[0].topic, "$error/refused");
}

TEST_F(IngestTest, ADiskThatRefusesIsTheSendersAnswer) {
  start();
  fill_disk();
  EXPECT_THAT(publish("tank/2", R"({"distance":75})"), HasSubstr("disk full"));
  EXPECT_EQ(row_count("levels"), 0U);
  disk_.set_fault(std::nullopt);
  EXPECT_EQ(publish("tank/2", R"({"distance":75})"), "ok") << "there is space again";
  EXPECT_EQ(row_count("levels"), 1U);
}

TEST_F(IngestTest, ASleepingSessionGetsTheNumberOfTheRecordThatHoldsItsCopy) {
  start();
  subscribe("tank/+", 3, Qos::at_least_once);  // odd: persistent
  subscribe("tank/+", 4, Qos::at_least_once);  // even: only while it is connected
  EXPECT_EQ(publish("tank/2", R"({"distance":75})"), "ok");
  EXPECT_THAT(post_.sessions, ElementsAre(4U, 3U)) << "who is awake does not wait for the disk";
  EXPECT_THAT(post_.seqs, ElementsAre(0U, log_->synced_seq()));
}

TEST_F(IngestTest, ARepublishedMessageReachesItsSubscribers) {
  start();
  subscribe("copies", 2, Qos::at_most_once);
  EXPECT_EQ(publish("copy/2", R"({"distance":75})"), "ok");
  ASSERT_EQ(post_.delivered.size(), 1U);
  EXPECT_EQ(post_.delivered[0].payload, R"({"distance":75})");
}

TEST_F(IngestTest, WhoHearsCauseAndEffectHearsTheCauseFirst) {
  start();
  subscribe("#", 2, Qos::at_most_once);
  EXPECT_EQ(publish("copy/2", "1"), "ok");
  ASSERT_EQ(post_.delivered.size(), 2U);
  EXPECT_EQ(post_.delivered[0].topic, "copy/2");
  EXPECT_EQ(post_.delivered[1].topic, "copies");
}

TEST_F(IngestTest, OneMessageCausesAThousandAtMost) {
  start();
  subscribe("fan", 2, Qos::at_most_once);
  EXPECT_EQ(publish("fan", "1"), "ok");  // ten rules, eight deep: without the limit 11 million
  EXPECT_EQ(post_.delivered.size(), 1U + kCausedMax);
  EXPECT_GT(row_count("sys_errors"), 0U);
}

TEST_F(IngestTest, RulesThatCauseEachOtherStopAndSaySo) {
  start();
  subscribe("$error/#", 2, Qos::at_most_once);
  EXPECT_EQ(publish("copies", R"({"loop":true})"), "ok");
  EXPECT_EQ(row_count("sys_errors"), 1U);
}

// It fills a batch alone, which goes to the log early.
TEST_F(IngestTest, ALargeMessageIsNotAcknowledgedBeforeItIsDurable) {
  start();
  fill_disk();
  EXPECT_THAT(publish("status/1", std::string(kBatchSizeMax + 1, 'x'), /*retain=*/true),
              HasSubstr("disk full"));
}

TEST_F(IngestTest, AMessageThatCausesMoreThanARecordHoldsIsRefused) {
  start();
  subscribe("kept", 3, Qos::at_least_once);
  const std::string payload = R"({"text":")" + std::string(1'000'000, 'x') + R"("})";
  EXPECT_THAT(publish("keep", payload), HasSubstr("more than a record holds"));
  EXPECT_THAT(post_.delivered, testing::IsEmpty());
  EXPECT_EQ(publish("keep", R"({"text":"x"})"), "ok");
  EXPECT_EQ(post_.delivered.size(), kKeepCount) << "and none of those before";
}

// E.g. the queue of a subscriber is full: that is an error, found while another one is being told.
TEST_F(IngestTest, WhatADeliverySetsOffGetsARecordOfItsOwn) {
  start();
  subscribe("$error/#", 3, Qos::at_least_once);
  subscribe("$error/#", 4, Qos::at_least_once);
  post_.on_deliver = [&](mqtt::SessionNumber session) {
    if (session != 4) return;
    post_.on_deliver = nullptr;
    ingest_->report("second", "queue full", {});
  };
  ingest_->report("first", "no password", {});
  ingest_->flush();
  post_.run_until([&] {
    ingest_->flush();
    return post_.delivered.size() == 4;
  });
  std::multimap<Seq, std::string> delivered;
  for (std::size_t i = 0; i < post_.seqs.size(); ++i) {
    if (post_.sessions[i] == 3) delivered.emplace(post_.seqs[i], post_.delivered[i].topic);
  }
  EXPECT_EQ(delivered, queued());
}

// E.g. a subscriber's socket takes what was kept for it, and the next packet identifiers are due.
TEST_F(IngestTest, WhatADeliveryCommitsGetsARecordOfItsOwnToo) {
  start();
  subscribe("tank/+", 4, Qos::at_most_once);
  bool is_durable = false;
  post_.on_deliver = [&](mqtt::SessionNumber) {
    ingest_->commit([](RecordWriter& record) { mqtt::append_session_end(record, 7); },
                    [&](const Result<void>& outcome) { is_durable = outcome.has_value(); });
  };
  const Seq before = log_->synced_seq();
  EXPECT_EQ(publish("tank/2", R"({"distance":75})"), "ok");
  post_.run_until([&] {
    ingest_->flush();
    return is_durable;
  });
  EXPECT_EQ(log_->synced_seq(), before + 2);
  bool was_there = false;
  ASSERT_TRUE(log_->replay(before + 2, [&](Seq, std::string_view bytes) {
    RecordReader record(bytes);
    Effect effect;
    mqtt::SessionNumber number = 0;
    was_there = record.next(effect) && effect.kind == EffectKind::session_end &&
                mqtt::read_session_end(effect.body, number) && number == 7;
  }));
  EXPECT_TRUE(was_there);
}

TEST_F(IngestTest, AFloodOfErrorsIsToldInPart) {
  start();  // the clock stands still: all in one second
  for (std::uint64_t i = 0; i < kErrorsPerSecondMax; ++i) {
    EXPECT_TRUE(ingest_->report("mqtt/connect", "no password", {}));
  }
  EXPECT_FALSE(ingest_->report("mqtt/connect", "no password", {}));
  EXPECT_EQ(publish("nobody/listens", "x"), "ok");
  EXPECT_EQ(row_count("sys_errors"), kErrorsPerSecondMax);
  clock_.advance_us(1'000'000);
  EXPECT_TRUE(ingest_->report("mqtt/connect", "no password", {}));
}

TEST_F(IngestTest, ARetainedMessageIsKeptWhenItIsDurable) {
  start();
  EXPECT_EQ(publish("status/1", "on", /*retain=*/true), "ok");
  ASSERT_EQ(retained_.matching(bus::TopicFilter::parse("status/#").value(), 10).size(), 1U);
  EXPECT_EQ(publish("status/1", "", /*retain=*/true), "ok");
  EXPECT_EQ(retained_.count(), 0U) << "an empty payload clears the topic";
}

TEST_F(IngestTest, RunsTheOneRuleOfABasicIngestAndNothingElse) {
  start();
  subscribe("#", 2, Qos::at_most_once);
  subscribe("tank/+", 2, Qos::at_most_once);
  EXPECT_EQ(publish("$aws/rules/store/tank/7", R"({"distance":5})", true), "ok");
  EXPECT_EQ(row_count("levels"), 1u);
  EXPECT_TRUE(post_.delivered.empty()) << "no fan-out";
  // Its FROM says nothing here, only its WHERE; and what it republishes is for all.
  EXPECT_EQ(publish("$aws/rules/copy", R"({"distance":5})"), "ok");
  ASSERT_EQ(post_.delivered.size(), 1u);
  EXPECT_EQ(post_.delivered[0].topic, "copies");
}

TEST_F(IngestTest, TellsOfABasicIngestWithoutItsRule) {
  start();
  subscribe("$error/#", 2, Qos::at_most_once);
  EXPECT_EQ(publish("$aws/rules/nothing/tank/7", R"({"distance":5})"), "there is no such rule");
  ASSERT_EQ(post_.delivered.size(), 1u);
  EXPECT_EQ(post_.delivered[0].topic, "$error/rules/nothing");
  EXPECT_THAT(post_.delivered[0].payload, HasSubstr("RuleNotFound"));
  EXPECT_EQ(publish("tank/7", R"({"distance":5})"), "ok");  // whose row is there later
  EXPECT_EQ(row_count("sys_errors"), 1u);
}

TEST_F(IngestTest, KnowsWhetherATopicIsHeard) {
  start();
  EXPECT_TRUE(ingest_->is_heard("tank/7")) << "by a rule";
  EXPECT_FALSE(ingest_->is_heard("$presence/a"));
  subscribe("$presence/+", 2, Qos::at_most_once);
  EXPECT_TRUE(ingest_->is_heard("$presence/a"));
}

}  // namespace
}  // namespace nilo::app
