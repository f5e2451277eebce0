#include "app/outbox.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <set>

namespace nilo::app {
namespace {

using net::Delivery;
using Verdict = Delivery::Verdict;

constexpr TimeUs kNow = 1'795'341'600'000'000;

TEST(BackOff, DoublesFromHalfAMinuteToAnHourGiveOrTakeAFifth) {
  const std::int64_t expected_s[] = {30, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600};
  for (std::int64_t failures = 0; failures <= 10; ++failures) {
    const std::int64_t base = expected_s[failures] * 1'000'000;
    for (std::uint64_t dice : {std::uint64_t{0}, std::uint64_t{12345}, ~std::uint64_t{0}}) {
      EXPECT_GE(back_off_us(failures, dice), base - base / 5) << failures;
      EXPECT_LE(back_off_us(failures, dice), base + base / 5) << failures;
    }
  }
  EXPECT_NE(back_off_us(1, 0), back_off_us(1, 999));
}

TEST(NoticeQueue, GivesWhatIsDueInTheOrderOfItsNumbers) {
  NoticeQueue queue;
  queue.put({.number = 1, .server = "a", .line = "x", .due_us = 30});
  queue.put({.number = 2, .server = "b", .line = "x", .due_us = 10});
  queue.put({.number = 3, .server = "a", .line = "y", .due_us = 20});
  queue.put({.number = 4, .server = "a", .line = "z", .due_us = 10});
  EXPECT_EQ(queue.due_us(), 10);
  EXPECT_FALSE(queue.take(9));
  EXPECT_EQ(queue.take(10), 2);
  EXPECT_EQ(queue.take(20), 3);
  EXPECT_EQ(queue.take(30), 1);
  EXPECT_EQ(queue.take(30), 4);
  EXPECT_FALSE(queue.take(100));
  EXPECT_EQ(queue.due_us(), INT64_MAX);
}

TEST(NoticeQueue, LetsNobodyInALinePassItsFirst) {
  NoticeQueue queue;
  queue.put({.number = 1, .server = "a", .line = "anna", .due_us = 30});
  queue.put({.number = 2, .server = "a", .line = "anna", .due_us = 0});
  queue.put({.number = 3, .server = "a", .line = "bert", .due_us = 0});
  EXPECT_EQ(queue.take(0), 3);
  EXPECT_FALSE(queue.take(29));
  EXPECT_EQ(queue.due_us(), 30);
  EXPECT_EQ(queue.take(30), 1);
  EXPECT_EQ(queue.take(30), 2);
}

TEST(NoticeQueue, GivesWhatStandsAsideAfterAllOthers) {
  NoticeQueue queue;
  queue.put({.number = 1, .server = "a", .line = "1-1", .due_us = 0, .is_aside = true});
  queue.put({.number = 2, .server = "a", .line = "anna", .due_us = 0});
  queue.put({.number = 3, .server = "b", .line = "bert", .due_us = 0});
  EXPECT_EQ(queue.take(0), 2);
  EXPECT_EQ(queue.take(0), 3);
  EXPECT_EQ(queue.take(0), 1);
}

TEST(NoticeQueue, LeavesAFailedServerAloneAndServesTheOthers) {
  NoticeQueue queue;
  queue.put({.number = 1, .server = "down", .due_us = 0});
  queue.put({.number = 2, .server = "up", .due_us = 5});
  EXPECT_EQ(queue.fail("down", 10, 0), 1);
  EXPECT_EQ(queue.take(10), 2);
  EXPECT_FALSE(queue.take(10));
  EXPECT_EQ(queue.due_us(), 10 + back_off_us(1, 0));
  EXPECT_EQ(queue.fail("down", 10, 0), 2);
  EXPECT_EQ(queue.due_us(), 10 + back_off_us(2, 0));
  EXPECT_EQ(queue.recover("down"), 2);
  EXPECT_EQ(queue.take(10), 1);
}

TEST(NoticeQueue, PutsANoticeOnceAndDropsIt) {
  NoticeQueue queue;
  queue.put({.number = 1, .server = "a", .due_us = 30});
  queue.put({.number = 1, .server = "b", .due_us = 10});
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.due_us(), 10);
  EXPECT_TRUE(queue.drop(1));
  EXPECT_FALSE(queue.drop(1));
}

TEST(NoticeQueue, NamesTheOldOnesOfOneServer) {
  NoticeQueue queue;
  queue.put({.number = 1, .server = "a", .due_us = 0, .since_us = 99});
  queue.put({.number = 2, .server = "a", .due_us = 0, .since_us = 100});
  queue.put({.number = 3, .server = "b", .due_us = 0, .since_us = 1});
  EXPECT_EQ(queue.older("a", 100), std::vector<std::int64_t>{1});
}

// A table in memory, servers that answer as told, and an outbox between them.
class OutboxTest : public ::testing::Test {
 protected:
  OutboxTest() {
    const auto send = [this](const Notice& notice, const net::GiveUp& give_up) {
      return take(notice, give_up);
    };
    const auto server_of = [](const Notice& notice) { return notice.to; };
    outbox_ = std::make_unique<Outbox>(
        Outbox::Rooms{[this](std::int64_t number) { return find(number); },
                      [this](const Notice& notice) { return record(notice); }, ledger_, clock_,
                      *logger_, metrics_},
        std::vector<Outbox::Channel>{{kMailChannel, send, server_of},
                                     {kWebhookChannel, send, server_of}});
  }
  ~OutboxTest() override { outbox_->stop(); }

  Notice notice(std::int64_t number, std::string to = "mail.test",
                std::string_view channel = kMailChannel) {
    Notice notice;
    notice.id = std::to_string(number) + "-1";
    notice.channel = channel;
    notice.to = std::move(to);
    notice.created_us = notice.next_try_us = clock_.wall_us();
    return notice;
  }

  // What ALERTS does: a row, then the observer hears of it.
  Result<void> record(const Notice& notice) {
    {
      const std::lock_guard lock(mutex_);
      if (disk_full_) return Error{ErrorCode::resource_exhausted, "disk full"};
      rows_[*number_of(notice.id)] = notice;
    }
    outbox_->saw(notice);
    changed_.notify_all();
    return {};
  }
  std::optional<Notice> find(std::int64_t number) {
    const std::lock_guard lock(mutex_);
    const auto row = rows_.find(number);
    return row == rows_.end() ? std::nullopt : std::optional(row->second);
  }

  Delivery take(const Notice& notice, const net::GiveUp& give_up) {
    std::unique_lock lock(mutex_);
    if (notice.to != kElsewhere) tries_.push_back(*number_of(notice.id));
    changed_.notify_all();
    while (hanging_.contains(notice.to)) {
      if (give_up()) return {Verdict::stopped, false, "interrupted"};
      changed_.wait_for(lock, std::chrono::milliseconds(1));
    }
    const auto answer = answers_.find(notice.to);
    return answer == answers_.end() ? Delivery{Verdict::accepted, false, "250 OK"} : answer->second;
  }
  // Later deliveries to this server fare so.
  void answer(const std::string& server, Delivery delivery) {
    const std::lock_guard lock(mutex_);
    answers_[server] = std::move(delivery);
  }

  void wait_until(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex_);
    const auto patience = std::chrono::seconds(20);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain";
      changed_.wait_for(lock, std::chrono::milliseconds(1));
    }
  }
  void wait_for_state(std::int64_t number, std::string_view state) {
    wait_until([&] { return rows_[number].state == state; });
  }
  void wait_for_tries(std::int64_t number, std::int64_t tries) {
    wait_until([&] { return rows_[number].tries == tries; });
  }

  // The mail channel is through with what it was at, not only has its row been written.
  void wait_until_settled() {
    const std::int64_t number = 1000 + ++settled_;
    record(notice(number, std::string(kElsewhere))).value();
    wait_for_state(number, kSent);
  }

  // The ledger hears of a row after the table has it.
  void wait_for_count(std::size_t NoticeLedger::Counts::*which, std::size_t count) {
    wait_until([&] { return ledger_.counts().*which == count; });
  }

  static constexpr std::string_view kElsewhere = "elsewhere.test";
  FakeClock clock_{kNow};
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  Metrics metrics_;
  NoticeLedger ledger_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<std::int64_t, Notice> rows_;
  std::vector<std::int64_t> tries_;
  std::map<std::string, Delivery> answers_;
  std::set<std::string> hanging_;
  bool disk_full_ = false;
  std::int64_t settled_ = 0;
  std::unique_ptr<Outbox> outbox_;
};

TEST_F(OutboxTest, SendsWhatWaitsOnceAndWritesDownTheAnswer) {
  outbox_->start();
  record(notice(1)).value();
  record(notice(2)).value();
  wait_for_state(1, kSent);
  wait_for_state(2, kSent);
  EXPECT_EQ(tries_, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(find(1)->answer, "250 OK");
  EXPECT_EQ(find(1)->tries, 1);
  EXPECT_EQ(find(1)->sent_us, kNow);
  wait_for_count(&NoticeLedger::Counts::sent, 2);
}

TEST_F(OutboxTest, SendsNoMoreThanOneInSoLong) {
  constexpr int kCount = 10;
  for (int number = 1; number <= kCount; ++number) record(notice(number)).value();
  const auto began = std::chrono::steady_clock::now();
  outbox_->start();
  wait_for_state(kCount, kSent);
  EXPECT_GE(std::chrono::steady_clock::now() - began, (kCount - 1) * kPace);
}

TEST_F(OutboxTest, StopsAtOnceThoughAnOutcomeCannotBeWritten) {
  record(notice(1)).value();
  {
    const std::lock_guard lock(mutex_);
    disk_full_ = true;
  }
  outbox_->start();
  wait_until([&] { return !tries_.empty(); });
  outbox_->stop();
  EXPECT_EQ(find(1)->state, kWaiting) << "it is sent again after the next start";
}

TEST_F(OutboxTest, FindsAtItsStartWhatWaitedBefore) {
  record(notice(1)).value();
  Notice sent = notice(2);
  sent.state = kSent;
  record(sent).value();
  outbox_->start();
  wait_for_state(1, kSent);
  EXPECT_EQ(tries_, std::vector<std::int64_t>{1});
}

TEST_F(OutboxTest, ParksWhatIsRefused) {
  answer("mail.test", {Verdict::refused, false, "550 no such user"});
  outbox_->start();
  record(notice(1)).value();
  wait_for_state(1, kParked);
  EXPECT_EQ(find(1)->answer, "550 no such user");
  wait_for_count(&NoticeLedger::Counts::parked, 1);
}

TEST_F(OutboxTest, TriesAgainLaterWhatMayPass) {
  answer("mail.test", {Verdict::failed, false, "451 later"});
  outbox_->start();
  record(notice(1)).value();
  wait_for_tries(1, 1);
  EXPECT_EQ(find(1)->state, kWaiting);
  EXPECT_GE(find(1)->next_try_us, kNow + 24'000'000);
  EXPECT_LE(find(1)->next_try_us, kNow + 36'000'000);
}

TEST_F(OutboxTest, ParksAtTheLastTryAndNotBefore) {
  answer("mail.test", {Verdict::failed, false, "451 later"});
  outbox_->start();
  Notice last_but_one = notice(1);
  last_but_one.tries = kTriesMax - 2;
  Notice last = notice(2);
  last.tries = kTriesMax - 1;
  record(last_but_one).value();
  record(last).value();
  wait_for_tries(1, kTriesMax - 1);
  wait_for_tries(2, kTriesMax);
  EXPECT_EQ(find(1)->state, kWaiting);
  EXPECT_EQ(find(2)->state, kParked);
}

TEST_F(OutboxTest, ParksWhatHasWaitedForADayWhenItFails) {
  answer("anna", {Verdict::failed, false, "451 later"});
  answer("bert", {Verdict::failed, false, "451 later"});
  record(notice(1, "anna")).value();
  clock_.advance_us(1);
  record(notice(2, "bert")).value();
  clock_.advance_us(kAgeMaxUs);
  outbox_->start();
  wait_for_tries(1, 1);
  wait_for_tries(2, 1);
  EXPECT_EQ(find(1)->state, kParked);
  EXPECT_EQ(find(2)->state, kWaiting);
}

TEST_F(OutboxTest, AClockThatJumpsForwardParksNothing) {
  answer("mail.test", {Verdict::failed, true, "connection refused", true});
  record(notice(1)).value();
  record(notice(2)).value();
  record(notice(3, "anna")).value();
  answer("anna", {Verdict::failed, false, "451 later"});
  clock_.set_wall_us(kNow + 400 * kAgeMaxUs);
  outbox_->start();
  wait_for_tries(3, 1);
  answer("mail.test", {Verdict::accepted, false, "250 OK"});
  outbox_->hurry(*find(1));
  wait_for_state(2, kSent);
  EXPECT_EQ(find(1)->state, kSent);
  EXPECT_EQ(find(3)->state, kWaiting);
}

TEST_F(OutboxTest, WhatWaitedLongBeforeTheStartIsTriedForAnHourMore) {
  answer("mail.test", {Verdict::failed, true, "connection refused", true});
  Notice old = notice(1);
  old.created_us -= 400 * kAgeMaxUs;
  record(old).value();
  outbox_->start();
  wait_until([&] { return rows_[1].answer == "connection refused"; });
  EXPECT_EQ(find(1)->state, kWaiting);
  wait_until_settled();
  clock_.advance_us(kAgeMaxUs - kAgeAtStartMaxUs + 1);
  outbox_->hurry(*find(1));
  wait_for_state(1, kParked);
}

TEST_F(OutboxTest, AServerThatIsDownIsTriedOnceForAll) {
  answer("mail.test", {Verdict::failed, true, "connection refused"});
  record(notice(101)).value();
  clock_.advance_us(kAgeMaxUs + 1);
  for (int number = 1; number <= 100; ++number) record(notice(number)).value();
  outbox_->start();
  wait_for_state(101, kParked);  // with the one failure, without a try of its own
  EXPECT_EQ(tries_.size(), 1u);
  wait_for_count(&NoticeLedger::Counts::waiting, 100);
  answer("mail.test", {Verdict::accepted, false, "250 OK"});
  outbox_->hurry(notice(1));
  wait_for_state(100, kSent);
  EXPECT_NE(find(101)->answer.find("connection refused"), std::string::npos);
}

TEST_F(OutboxTest, AfterAnOutageTheOneThatFoundItGoesFirst) {
  answer("mail.test", {Verdict::failed, true, "connection refused", true});
  for (int number = 1; number <= 3; ++number) record(notice(number)).value();
  outbox_->start();
  wait_until([&] { return rows_[1].answer == "connection refused"; });
  wait_until_settled();
  answer("mail.test", {Verdict::accepted, false, "250 OK"});
  outbox_->hurry(notice(3));
  wait_for_state(3, kSent);
  EXPECT_EQ(tries_, (std::vector<std::int64_t>{1, 1, 2, 3}));
}

TEST_F(OutboxTest, AnOutageCountsAgainstNoNotice) {
  answer("mail.test", {Verdict::failed, true, "connection refused", true});
  Notice last = notice(1);
  last.tries = kTriesMax - 1;
  record(last).value();
  outbox_->start();
  wait_until([&] { return rows_[1].answer == "connection refused"; });
  EXPECT_EQ(find(1)->state, kWaiting);
  EXPECT_EQ(find(1)->tries, kTriesMax - 1);
  EXPECT_LE(find(1)->next_try_us, kNow);
}

TEST_F(OutboxTest, WhatAServerMayChokeOnKeepsItsPlaceForSomeTriesOnly) {
  answer("mail.test", {Verdict::failed, true, "connection lost"});
  Notice early = notice(1);
  early.tries = kTriesInPlaceMax - 2;
  record(early).value();
  record(notice(2)).value();
  outbox_->start();
  wait_for_tries(1, kTriesInPlaceMax - 1);
  EXPECT_LE(find(1)->next_try_us, kNow);
  wait_until_settled();
  outbox_->hurry(*find(1));
  wait_for_tries(1, kTriesInPlaceMax);
  EXPECT_GT(find(1)->next_try_us, kNow);
  EXPECT_EQ(find(2)->tries, 0);
  wait_until_settled();
  answer("mail.test", {Verdict::accepted, false, "250 OK"});
  outbox_->hurry(notice(2));
  wait_for_state(2, kSent);
  EXPECT_EQ(find(1)->state, kWaiting);
}

TEST_F(OutboxTest, NobodyPassesOneToTheSameRecipientThatIsPutOff) {
  answer("anna", {Verdict::failed, false, "451 later"});
  outbox_->start();
  record(notice(1, "anna")).value();
  wait_for_tries(1, 1);
  answer("anna", {Verdict::accepted, false, "250 OK"});
  record(notice(2, "anna")).value();
  record(notice(3, "bert")).value();
  wait_for_state(3, kSent);
  EXPECT_EQ(tries_, (std::vector<std::int64_t>{1, 3}));
  outbox_->hurry(notice(2, "anna"));  // by hand it goes all the same
  wait_for_state(2, kSent);
}

TEST_F(OutboxTest, OneThatIsPutOffForLongHoldsNobodyUp) {
  answer("anna", {Verdict::failed, false, "451 later"});
  Notice first = notice(1, "anna");
  first.tries = kTriesInPlaceMax - 1;
  outbox_->start();
  record(first).value();
  wait_for_tries(1, kTriesInPlaceMax);
  answer("anna", {Verdict::accepted, false, "250 OK"});
  record(notice(2, "anna")).value();
  wait_for_state(2, kSent);
  EXPECT_EQ(find(1)->state, kWaiting);
}

TEST_F(OutboxTest, AHangingMailServerHoldsUpNoWebhook) {
  hanging_.insert("mail.test");
  outbox_->start();
  record(notice(1)).value();
  record(notice(2, "hook.test", kWebhookChannel)).value();
  wait_for_state(2, kSent);
  EXPECT_EQ(find(1)->state, kWaiting);
  std::atomic<bool> has_stopped{false};
  std::thread stop([&] {
    outbox_->stop();
    has_stopped = true;
  });
  while (!has_stopped) {  // its patience ends, whenever it began
    clock_.advance_us(kStopPatienceUs);
    std::this_thread::yield();
  }
  stop.join();
  EXPECT_EQ(find(1)->state, kWaiting) << "it goes out after the next start";
}

TEST_F(OutboxTest, SendsNothingMoreUntilTheOutcomeIsOnDisk) {
  outbox_->start();
  record(notice(1)).value();
  wait_for_state(1, kSent);
  {
    const std::lock_guard lock(mutex_);
    disk_full_ = true;
    rows_[2] = notice(2);
    rows_[3] = notice(3);
  }
  outbox_->saw(notice(2));
  outbox_->saw(notice(3));
  wait_until([this] { return tries_.size() == 2; });
  EXPECT_EQ(find(2)->state, kWaiting);
  {
    const std::lock_guard lock(mutex_);
    disk_full_ = false;
  }
  wait_for_state(3, kSent);
  EXPECT_EQ(tries_, (std::vector<std::int64_t>{1, 2, 3})) << "each once";
}

TEST_F(OutboxTest, AClockThatJumpsBackDelaysByTheLongestBackOffAtMost) {
  Notice late = notice(1);
  late.next_try_us = kNow + 2 * kBackOffMaxUs;
  record(late).value();
  clock_.advance_us(kBackOffMaxUs);
  outbox_->start();
  wait_for_state(1, kSent);
}

TEST_F(OutboxTest, CountsWhatIsLostWhenTheRingComesAround) {
  record(notice(1)).value();
  record(notice(kNoticesMax + 1)).value();
  EXPECT_NE(metrics_.prometheus_text().find("nilo_notices_lost_total 1"), std::string::npos);
  wait_for_count(&NoticeLedger::Counts::waiting, 1);
}

TEST(NoticeLedger, ListsByStateAndByAlertNewestFirst) {
  NoticeLedger ledger;
  for (std::int64_t number = 1; number <= 6; ++number) {
    Notice notice;
    notice.id = std::to_string(number) + "-1";
    notice.alert = number % 2 == 0 ? "even" : "odd";
    notice.state = number <= 2 ? kParked : kWaiting;
    ledger.saw(notice);
  }
  EXPECT_EQ(ledger.newest(std::nullopt, 2), (std::vector<std::int64_t>{6, 5}));
  EXPECT_EQ(ledger.newest(NoticeState::parked, 9), (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(ledger.of_alert("even~~", 2), (std::vector<std::int64_t>{6, 4}));
}

TEST(NoticeJson, HidesAWebhooksPath) {
  Notice notice;
  notice.id = "1-1";
  notice.channel = kWebhookChannel;
  notice.to = "https://u:p@hooks.example.org/secret/path?token=x";
  std::string json;
  append_notice_json(json, notice);
  EXPECT_NE(json.find("\"https://hooks.example.org/…\""), std::string::npos) << json;
  EXPECT_EQ(json.find("secret"), std::string::npos) << json;
}

}  // namespace
}  // namespace nilo::app
