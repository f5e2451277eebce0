#include "app/accounts.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "app/own_tables_testing.h"
#include "base/time_units.h"

namespace nilo::app {
namespace {

constexpr const char* kIp = "192.0.2.7";

// Accounts on real tables; records go straight into them, as if the disk were very fast.
class AccountsTest : public testing::Test {
 protected:
  AccountsTest() {
    access_ = Access::make(clock_, false).value();
    restart();
  }

  // What is known is what the tables have.
  void restart() {
    passwords_ = std::make_unique<PasswordChecks>(*access_, clock_);
    accounts_ = std::make_unique<Accounts>(Accounts::Rooms{
        *tables_, *passwords_, clock_, *logger_, [this](const auto& fill, const auto& done) {
          if (!disk_) return done(disk_);
          tables_.write(fill);
          done({});
        }});
    for_each(kUsersTable, [this](auto cells) { accounts_->load(user_of(cells)); });
    for_each(kSessionsTable, [this](auto cells) { accounts_->load(session_of(cells)); });
    code_ = accounts_->make_setup_code();
  }

  void for_each(std::string_view table, const std::function<void(std::span<const Value>)>& f) {
    const auto page = tables_->latest({.table = table, .limit = tables::kPageRowsMax}).value();
    for (std::size_t row = 0; row < page.rows.row_count(); ++row) {
      std::vector<Value> cells;
      for (std::size_t i = 0; i < page.rows.columns().size(); ++i) {
        cells.push_back(page.rows.cell(row, i));
      }
      f(cells);
    }
  }

  template <typename T>
  Result<T> wait(const std::function<void(Accounts::Done<T>)>& ask) {
    std::promise<Result<T>> answer;
    ask([&](Result<T> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }
  using In = api::LoggedIn;
  Result<In> set_up(const std::string& code, const std::string& name = "ana") {
    return wait<In>([&](auto done) {
      accounts_->set_up({code, name, "correct horse", kIp}, done);
    });
  }
  Result<In> log_in(const std::string& name, const std::string& password, const char* ip = kIp) {
    return wait<In>([&](auto done) { accounts_->log_in({name, password, ip}, done); });
  }
  Result<void> add(const std::string& name, Role role) {
    return wait<void>([&](auto done) {
      accounts_->add_user({name, role, "battery staple"}, done);
    });
  }
  Result<void> remove(const std::string& name) {
    return wait<void>([&](auto done) { accounts_->remove_user(name, done); });
  }
  bool is_in(const std::string& secret) { return accounts_->by_session(secret).has_value(); }

  FakeClock clock_{1'763'750'000'000'000};
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  Result<void> disk_;
  OwnTables tables_{clock_, {{users_schema(), {}}, {sessions_schema(), {}}}};
  std::unique_ptr<Access> access_;
  std::unique_ptr<PasswordChecks> passwords_;
  std::unique_ptr<Accounts> accounts_;
  std::string code_;
};

TEST_F(AccountsTest, TheFirstUserTypesThePrintedCode) {
  ASSERT_EQ(code_.size(), 9U);
  EXPECT_EQ(code_[4], '-');
  EXPECT_EQ(code_.find_first_of("ILOU01"), std::string::npos);
  EXPECT_FALSE(accounts_->is_claimed());
  EXPECT_EQ(set_up("2222-2222").error().code, ErrorCode::permission_denied);
  std::string typed = " " + code_ + " ";
  for (char& letter : typed) letter = letter == '-' ? ' ' : static_cast<char>(std::tolower(letter));
  const auto entered = set_up(typed);
  ASSERT_TRUE(entered) << entered.error().message;
  EXPECT_EQ(entered->who.role, Role::admin);
  EXPECT_EQ(accounts_->by_session(entered->secret)->name, "ana");
  EXPECT_TRUE(accounts_->is_claimed());
  EXPECT_EQ(set_up(code_, "mallory").error().code, ErrorCode::conflict);
  restart();
  EXPECT_EQ(code_, "") << "claimed for good";
  EXPECT_TRUE(is_in(entered->secret)) << "a session outlives a restart";
}

TEST_F(AccountsTest, AHundredWrongCodesLetNobodyIn) {
  int waits = 0;
  for (int count = 0; count < 100; ++count) {
    const auto answer = set_up("2345-678" + std::to_string(count % 10));
    if (answer) {
      EXPECT_EQ(answer->secret, "");
      EXPECT_GT(answer->wait_s, 590);
      ++waits;
    }
  }
  EXPECT_EQ(waits, 90);
  EXPECT_GT(set_up(code_)->wait_s, 0) << "not even the right one, for a while";
  clock_.advance_us(kSetupWindowUs);
  EXPECT_EQ(set_up(code_)->who.name, "ana");
}

TEST_F(AccountsTest, ABadNameOrPasswordCostsNoTry) {
  for (int count = 0; count < 20; ++count) {
    EXPECT_EQ(set_up(code_, "a b").error().code, ErrorCode::invalid_argument);
  }
  EXPECT_TRUE(set_up(code_));
}

TEST_F(AccountsTest, WhatTheDiskRefusesHasNotHappened) {
  disk_ = Error{ErrorCode::resource_exhausted, "full"};
  EXPECT_EQ(set_up(code_).error().message, "full");
  EXPECT_FALSE(accounts_->is_claimed());
  disk_ = {};
  EXPECT_TRUE(set_up(code_));
}

TEST_F(AccountsTest, APasswordLetsItsUserIn) {
  ASSERT_TRUE(set_up(code_));
  const auto unknown = log_in("nobody", "correct horse").error();
  const auto wrong = log_in("ana", "incorrect horse").error();
  EXPECT_EQ(unknown.message, wrong.message);
  EXPECT_EQ(unknown.code, ErrorCode::unauthenticated);
  const auto first = log_in("ana", "correct horse");
  const auto second = log_in("ana", "correct horse");
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->secret, second->secret);
  EXPECT_EQ(first->secret.size(), 43U) << "256 bits";
  EXPECT_TRUE(is_in(first->secret) && is_in(second->secret));
  EXPECT_FALSE(is_in(first->secret + "x"));
  EXPECT_FALSE(is_in(""));
}

TEST_F(AccountsTest, WhoGuessesWaitsAndTheOwnerDoesNot) {
  ASSERT_TRUE(set_up(code_));
  ASSERT_TRUE(log_in("ana", "correct horse"));
  for (int count = 0; count < kFreeTries; ++count) {
    EXPECT_FALSE(log_in("ana", "guess", "198.51.100.9"));
  }
  EXPECT_EQ(log_in("ana", "guess", "198.51.100.9")->wait_s, 1);
  EXPECT_EQ(log_in("ana", "correct horse", "198.51.100.9")->wait_s, 1) << "not looked at";
  EXPECT_NE(log_in("ana", "correct horse")->secret, "") << "from where she was before";
  clock_.advance_us(kSecondUs);
  EXPECT_FALSE(log_in("ana", "guess", "198.51.100.9"));
  EXPECT_EQ(log_in("ana", "guess", "198.51.100.9")->wait_s, 2);
}

TEST_F(AccountsTest, WhoGuessesFromManyAddressesOfANetworkWaits) {
  ASSERT_TRUE(set_up(code_));
  for (int count = 0; count < kFreeTries; ++count) {
    const std::string ip = "2001:db8::" + std::to_string(count);
    EXPECT_FALSE(log_in("name" + std::to_string(count), "guess", ip.c_str()));
  }
  EXPECT_EQ(log_in("other", "guess", "2001:db8::99")->wait_s, 1);
  EXPECT_FALSE(log_in("other", "guess", "2001:db8:0:1::99"));
}

TEST_F(AccountsTest, ASessionEndsByItselfAndAtLogout) {
  const std::string secret = set_up(code_)->secret;
  for (int day = 0; day < 89; ++day) {
    clock_.advance_us(24 * 3600 * kSecondUs);
    ASSERT_TRUE(is_in(secret)) << day << ": used every day";
    EXPECT_FALSE(wait<void>([&](auto done) { accounts_->end_session("none", done); }))
        << "asked only because it waits for the row that says when it was seen";
  }
  clock_.advance_us(24 * 3600 * kSecondUs);
  EXPECT_FALSE(is_in(secret)) << "90 days after the login";
  const std::string idle = log_in("ana", "correct horse")->secret;
  clock_.advance_us(kSessionIdleUs - 1);
  EXPECT_EQ(accounts_->sessions().size(), 1U);
  clock_.advance_us(1);
  EXPECT_FALSE(is_in(idle));
  const auto left = log_in("ana", "correct horse");
  ASSERT_TRUE(wait<void>([&](auto done) { accounts_->log_out(left->secret, done); }));
  EXPECT_FALSE(is_in(left->secret));
  EXPECT_FALSE(accounts_->is_current(left->who.credential));
  restart();
  EXPECT_FALSE(is_in(left->secret));
  EXPECT_TRUE(accounts_->sessions().empty());
}

TEST_F(AccountsTest, AnotherPasswordEndsAllSessionsButANewOne) {
  const auto old = set_up(code_);
  const auto change = [&](const std::string& from, const std::string& to) {
    return wait<In>([&](auto done) {
      accounts_->change_password({old->who, from, to, kIp}, done);
    });
  };
  EXPECT_EQ(change("wrong", "another one").error().code, ErrorCode::permission_denied);
  EXPECT_EQ(change("correct horse", "short").error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(is_in(old->secret));
  const auto now = change("correct horse", "another one");
  ASSERT_TRUE(now);
  EXPECT_FALSE(is_in(old->secret));
  EXPECT_TRUE(is_in(now->secret));
  EXPECT_FALSE(log_in("ana", "correct horse"));
  EXPECT_TRUE(log_in("ana", "another one"));
  EXPECT_EQ(change("another one", "and a third").error().code, ErrorCode::permission_denied)
      << "that session has ended";
}

TEST_F(AccountsTest, TheLastAdminStays) {
  const std::string secret = set_up(code_)->secret;
  EXPECT_EQ(remove("ana").error().code, ErrorCode::conflict);
  const auto demote = [&] {
    return wait<void>([&](auto done) { accounts_->change_user({"ana", "viewer", ""}, done); });
  };
  EXPECT_EQ(demote().error().code, ErrorCode::conflict);
  EXPECT_TRUE(is_in(secret));
  ASSERT_TRUE(add("ben", Role::viewer));
  EXPECT_EQ(remove("ana").error().code, ErrorCode::conflict) << "a viewer is none";
  ASSERT_TRUE(add("eve", Role::admin));
  EXPECT_EQ(add("eve", Role::admin).error().code, ErrorCode::conflict);
  EXPECT_EQ(add("dev", Role::device).error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(demote());
  EXPECT_FALSE(is_in(secret)) << "another role, another session";
  EXPECT_EQ(remove("nobody").error().code, ErrorCode::not_found);
}

TEST_F(AccountsTest, WhoIsRemovedIsOutAtOnce) {
  ASSERT_TRUE(set_up(code_));
  ASSERT_TRUE(add("ben", Role::viewer));
  const auto ben = log_in("ben", "battery staple");
  ASSERT_TRUE(accounts_->is_current(ben->who.credential));
  ASSERT_TRUE(remove("ben"));
  EXPECT_FALSE(is_in(ben->secret));
  EXPECT_FALSE(accounts_->is_current(ben->who.credential));
  EXPECT_FALSE(log_in("ben", "battery staple"));
  clock_.advance_us(1);
  ASSERT_TRUE(add("ben", Role::admin)) << "the name is free again";
  EXPECT_FALSE(is_in(ben->secret)) << "and the one before stays out";
  restart();
  EXPECT_FALSE(is_in(ben->secret));
  EXPECT_EQ(accounts_->users().size(), 2U);
}

TEST_F(AccountsTest, ManySessionsEndTheOldest) {
  const std::string first = set_up(code_)->secret;
  Session one;
  for (std::size_t slot = 1; slot < kSessionsMax; ++slot) {
    one.slot = static_cast<std::int64_t>(slot);
    one.id = "id" + std::to_string(slot);
    one.user = "ana";
    one.created_us = one.seen_us = clock_.wall_us() + 1;
    accounts_->load(one);
  }
  clock_.advance_us(2);
  EXPECT_TRUE(is_in(first));
  const std::string second = log_in("ana", "correct horse")->secret;
  EXPECT_FALSE(is_in(first));
  EXPECT_TRUE(is_in(second));
  EXPECT_EQ(accounts_->sessions().size(), kSessionsMax);
}

TEST(LoginGuard, ForgetsAfterAWhileAndForgivesOneTry) {
  LoginGuard guard;
  for (int count = 0; count < kFreeTries; ++count) EXPECT_EQ(guard.take_try("a", "ip", 0), 0);
  EXPECT_EQ(guard.take_try("a", "ip", 0), 1);
  EXPECT_EQ(guard.take_try("a", "ip", kTriesForgottenUs), 0);
  for (int count = 0; count < 30; ++count) {
    const std::int64_t now_us = kTriesForgottenUs + count * 100 * kSecondUs;
    guard.take_try("b", "ip2", now_us);
    const int wait_s = guard.take_try("b", "ip3", now_us);
    EXPECT_LE(wait_s, kNameWaitMaxS);
  }
}

}  // namespace
}  // namespace nilo::app
