#include "app/grant_desk.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "app/own_tables_testing.h"
#include "base/result.h"

namespace nilo::app {
namespace {

// On real tables; records go straight into them, or are refused as by a disk that is full.
class GrantDeskTest : public testing::Test {
 protected:
  GrantDeskTest() {
    for (const char* name : {"tank-1", "tank-2"}) {
      access_->apply(access_->make_token({.name = name}).value().token);
    }
  }
  static api::RefusedClient refused(const std::string& login, const std::string& topic) {
    api::RefusedClient client;
    client.what = "publish";
    client.user = login;
    client.topic = topic;
    return client;
  }
  Result<std::string> allow(const std::string& login, const std::string& topic) {
    Result<std::string> answer = Error{ErrorCode::internal, "nobody answered"};
    desk_.allow(refused(login, topic), [&](Result<std::string> result) { answer = result; });
    return answer;
  }
  Result<void> revoke_all_of(std::string_view login) {
    Result<void> answer = Error{ErrorCode::internal, "nobody answered"};
    desk_.revoke_all_of(login, [&](Result<void> result) { answer = result; });
    return answer;
  }
  std::vector<std::string> allowed() const {
    std::vector<std::string> out;
    for (const api::GrantInfo& each : desk_.list()) out.push_back(each.login + " " + each.topic);
    return out;
  }

  using Strings = std::vector<std::string>;

  FakeClock clock_{1'763'750'000'000'000};
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  Result<void> disk_;
  OwnTables tables_{clock_, {{grants_schema(), {}}}};
  std::unique_ptr<Access> access_ = Access::make(clock_, false).value();
  Grants grants_;
  const stack::Stack stack_;
  const Policies policies_{stack_, grants_,
                           [](std::string_view) -> const stack::Thing* { return nullptr; }};
  const Commit commit_ = [this](const auto& fill, const auto& done) {
    if (disk_) tables_.write(fill);
    done(disk_);
  };
  GrantDesk desk_{{*access_, policies_, grants_, commit_, *tables_, clock_, *logger_}};
};

TEST_F(GrantDeskTest, WhatTheLogDoesNotTakeDoesNotCount) {
  disk_ = Error{ErrorCode::resource_exhausted, "the disk is full"};
  EXPECT_EQ(allow("tank-1", "barn/level").error().message, "the disk is full");
  EXPECT_EQ(allowed(), Strings{});
  disk_ = {};
  EXPECT_TRUE(allow("tank-1", "barn/level"));
  disk_ = Error{ErrorCode::resource_exhausted, "the disk is full"};
  EXPECT_EQ(revoke_all_of("tank-1").error().message, "the disk is full");
  EXPECT_EQ(allowed(), Strings{"tank-1 barn/level"}) << "and is not taken back, either";
}

TEST_F(GrantDeskTest, AllOfOneLoginAreTakenBackInOneRecord) {
  for (const char* topic : {"a", "b", "c"}) ASSERT_TRUE(allow("tank-1", topic));
  ASSERT_TRUE(allow("tank-2", "a"));
  const Seq before = tables_.record_count();
  EXPECT_TRUE(revoke_all_of("tank-1"));
  EXPECT_EQ(tables_.record_count(), before + 1);
  EXPECT_EQ(allowed(), Strings{"tank-2 a"});
  EXPECT_TRUE(revoke_all_of("tank-1")) << "there are none";
  EXPECT_EQ(tables_.record_count(), before + 1) << "nothing to write";
}

TEST_F(GrantDeskTest, NoMoreThanTheLimitAreMade) {
  for (std::size_t i = 1; i < kGrantsMax; ++i) {
    grants_.apply({"tank-1", Grant::Act::publish, "t/" + std::to_string(i), 1});
  }
  EXPECT_TRUE(allow("tank-1", "the/last"));
  EXPECT_EQ(allow("tank-1", "one/more").error().code, ErrorCode::not_found);
  EXPECT_FALSE(desk_.would_allow(refused("tank-1", "one/more")));
  ASSERT_TRUE(revoke_all_of("tank-1"));
  EXPECT_TRUE(allow("tank-1", "one/more")) << "what is taken back makes room";
}

}  // namespace
}  // namespace nilo::app
