#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/live_test_kit.h"

namespace nilo::api::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(LiveTest, MergesForWhoReadsSlowly) {
  add_series("tank-1");
  const auto slow = open();
  const auto fast = open();
  for (const auto& page : {slow.get(), fast.get()}) {
    page->say(R"({"op":"subscribe","id":"p","fields":["tank-1"]})");
    page->take();
  }
  slow->socket.unread = LiveLimits().unsent_soft_max + 1;
  for (const double number : {5, 9, 2, 7, 8, 3}) {
    tell(0, number);
    hub_.flush();
  }
  EXPECT_THAT(fast->take(), SizeIs(6));
  EXPECT_THAT(slow->take(), IsEmpty());
  slow->socket.unread = 0;
  hub_.flush();
  EXPECT_THAT(slow->take(), ElementsAre(HasSubstr(R"("seq":6,"values":[{"of":"tank-1/percent",)"
                                                  R"("t":[1000,2000,3000,6000],"v":[5,9,2,3])")));
}

TEST_F(LiveTest, ClosesWhoDoesNotReadForAWhile) {
  const auto page = open();
  page->socket.unread = LiveLimits().unsent_soft_max + 1;
  hub_.check_sessions();
  clock_.advance_us(LiveLimits().stalled_max_us - 1);
  hub_.check_sessions();
  EXPECT_EQ(page->socket.closed_with, 0);
  clock_.advance_us(1);
  hub_.check_sessions();
  EXPECT_EQ(page->socket.closed_with, net::close_code::kTryAgainLater);
}

TEST_F(LiveTest, DropsAndCountsMessagesForWhoReadsSlowly) {
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"a","topic":"x"})");
  page->take();
  const std::uint64_t number = house_.filters.at("x");
  page->socket.unread = LiveLimits().unsent_max + 1;
  hub_.on_message(number, message("x", "lost"));
  hub_.flush();
  page->socket.unread = LiveLimits().unsent_max;  // still far too much
  hub_.on_message(number, message("x", "lost too"));
  hub_.flush();
  EXPECT_THAT(page->take(), IsEmpty());
  page->socket.unread = LiveLimits().unsent_soft_max;
  hub_.on_message(number, message("x", "heard"));
  hub_.flush();
  EXPECT_THAT(page->take(), ElementsAre(AllOf(HasSubstr("heard"), HasSubstr(R"("dropped":2)"))));
  page->socket.unread = LiveLimits().unsent_max + 1;
  hub_.on_message(number, message("x", "lost"));
  hub_.flush();
  page->socket.unread = 0;
  page->session->on_flushed();  // no need to wait for the next one
  EXPECT_THAT(page->take(),
              ElementsAre(R"({"type":"messages","id":"a","messages":[],"dropped":1})"));
}

class SmallLiveTest : public LiveTest {
 protected:
  static LiveLimits small() {
    LiveLimits limits;
    limits.subscriptions_max = 2;
    limits.selectors_max = 2;
    limits.resume_points_max = 3;
    limits.merged_series_max = 1;
    limits.waiting_alerts_max = 1;
    limits.history_size_max = 5 * (sizeof(LivePoint) + sizeof(Seq));
    return limits;
  }
  SmallLiveTest() : LiveTest(small()) {}
};

TEST_F(SmallLiveTest, BoundsSubscriptionsAndSelectors) {
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"a","fields":["x","y"]})");
  page->say(R"({"op":"subscribe","id":"b","topic":"x"})");
  page->say(R"({"op":"subscribe","id":"b","topic":"y"})");  // replaces it
  EXPECT_THAT(page->take(), Each(HasSubstr("subscribed")));
  EXPECT_THAT(house_.filters, SizeIs(1));
  page->say(R"({"op":"subscribe","id":"c","topic":"x"})");
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr("more than 2 subscriptions")));
  page->say(R"({"op":"subscribe","id":"a","fields":["x","y","z"]})");
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr("more than 2 selectors")));
}

TEST_F(SmallLiveTest, ForgetsTheOldestPoints) {
  add_series("tank-1");
  const auto page = open();
  for (int i = 0; i < 6; ++i) tell(0, i);  // the first is forgotten
  page->say(R"({"op":"subscribe","id":"a","fields":["tank-2"],"from":0})");
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr("reset")));
  page->say(R"({"op":"subscribe","id":"a","fields":["tank-2"],"from":1})");
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr("subscribed")));
  page->say(R"({"op":"subscribe","id":"b","fields":["tank-1"],"from":2})");
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr("reset")));  // four are too many
  page->say(R"({"op":"subscribe","id":"b","fields":["tank-1"],"from":3})");
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr("subscribed"), HasSubstr("[3,4,5]")));
}

TEST_F(SmallLiveTest, ClosesWhoWouldNeedTooMuchMemory) {
  add_series("tank-1");
  add_series("tank-2");
  const auto fields = open();
  fields->say(R"({"op":"subscribe","id":"a","fields":["type:tank"]})");
  const auto alerts = open();
  alerts->say(R"({"op":"subscribe","id":"a","alerts":true})");
  fields->socket.unread = alerts->socket.unread = LiveLimits().unsent_soft_max + 1;
  tell(0, 1);
  hub_.on_alert(++house_.applied, "{}");
  hub_.flush();
  EXPECT_EQ(fields->socket.closed_with, 0);
  EXPECT_EQ(alerts->socket.closed_with, 0);
  tell(1, 1);
  hub_.on_alert(++house_.applied, "{}");
  hub_.flush();
  EXPECT_EQ(fields->socket.closed_with, net::close_code::kTryAgainLater);
  EXPECT_EQ(alerts->socket.closed_with, net::close_code::kTryAgainLater);
}

}  // namespace
}  // namespace nilo::api::test
