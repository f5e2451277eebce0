#include "api/live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "api/live_points.h"
#include "api/live_test_kit.h"
#include "value/json.h"

namespace nilo::api::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

TEST_F(LiveTest, GreetsWhenItKnowsWhereItBegins) {
  house_.applied = 41;
  FakeSocket socket;
  const auto session = hub_.open_session({});
  session->on_open(socket);
  EXPECT_TRUE(house_.wants_points);
  EXPECT_TRUE(socket.is_paused);
  EXPECT_THAT(socket.texts, IsEmpty());
  hub_.on_started(41);
  EXPECT_FALSE(socket.is_paused);
  EXPECT_THAT(socket.texts, ElementsAre(R"({"type":"hello","seq":41,"time":1700000000000})"));
  session->on_closed();
  EXPECT_FALSE(house_.wants_points);
}

TEST_F(LiveTest, TellsMessagesOfATopicFilter) {
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"a","topic":"water1/#"})");
  EXPECT_THAT(page->take(), ElementsAre(R"({"type":"subscribed","id":"a","seq":0})"));
  const std::uint64_t number = house_.filters.at("water1/#");
  EXPECT_EQ(number % 2, 0U);  // odd ones are persistent sessions
  hub_.on_message(number, message("water1/pub", R"({"distance": 41.2})"));
  hub_.on_message(number, message("water1/pub", "\xff"));
  hub_.on_dropped(number, 3);
  EXPECT_THAT(page->take(), IsEmpty());
  hub_.flush();
  EXPECT_THAT(
      page->take(),
      ElementsAre(R"({"type":"messages","id":"a","messages":[{"topic":"water1/pub",)"
                  R"("payload":"{\"distance\": 41.2}","qos":1,"retain":false,"time":1700000000123,)"
                  R"("client":"sensor"},{"topic":"water1/pub","payload_base64":"/w==","qos":1,)"
                  R"("retain":false,"time":1700000000123,"client":"sensor"}],"dropped":3})"));
}

TEST_F(LiveTest, CutsLongPayloadsBetweenLetters) {
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"a","topic":"#"})");
  page->take();
  const std::string payload = std::string(4095, 'x') + "\xe2\x82\xac";
  hub_.on_message(house_.filters.at("#"), message("t", payload));
  hub_.on_message(house_.filters.at("#"), message("t", std::string(4096, 'y')));
  hub_.flush();
  const std::string text = page->take().at(0);
  EXPECT_THAT(text, HasSubstr(std::string(4095, 'x') + R"(","cut":true)"));
  EXPECT_THAT(text, HasSubstr(std::string(4096, 'y') + R"(","qos")"));
}

TEST_F(LiveTest, AsksTheHouseOnceForAFilterOfManyPages) {
  const auto first = open();
  const auto second = open();
  for (const auto& page : {first.get(), second.get()}) {
    page->say(R"({"op":"subscribe","id":"a","topic":"x"})");
    page->take();
  }
  EXPECT_THAT(house_.filters, SizeIs(1));
  hub_.on_message(house_.filters.at("x"), message("x", "1"));
  hub_.flush();
  EXPECT_EQ(first->take(), second->take());
  first->session->on_closed();
  EXPECT_THAT(house_.filters, SizeIs(1));
  second->say(R"({"op":"unsubscribe","id":"a"})");
  EXPECT_THAT(house_.filters, IsEmpty());
}

TEST_F(LiveTest, TellsRetainedMessagesFirst) {
  house_.kept = {message("a/1", "kept"), message("b", "other")};
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"a","topic":"a/+"})");
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr("subscribed"), HasSubstr(R"("payload":"kept")")));
}

TEST_F(LiveTest, TellsPointsOfFieldsThatFit) {
  add_series("tank-1");
  add_series("tank-1", "distance");
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"p","fields":["type:tank/percent"]})");
  page->take();
  add_series("tank-2");
  tell(0, 15.73);
  tell(1, 75);
  tell(2, 50);
  hub_.flush();
  EXPECT_THAT(page->take(), ElementsAre(R"({"type":"values","id":"p","seq":3,"values":[)"
                                        R"({"of":"tank-1/percent","t":[1000],"v":[15.73]},)"
                                        R"({"of":"tank-2/percent","t":[3000],"v":[50]}]})"));
}

TEST_F(LiveTest, TellsAtMostFourPointsASeriesAndFlush) {
  add_series("tank-1");
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"p","fields":["tank-1"]})");
  page->take();
  for (const double number : {5, 6, 9, 7, 1, 4, 3}) tell(0, number);
  hub_.flush();
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr(R"("t":[1000,3000,5000,7000],"v":[5,9,1,3])")));
  tell(0, 1);
  tell(0, 2);
  hub_.flush();
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr(R"("v":[1,2])")));
}

TEST_F(LiveTest, SaysWhenAReadingIsInvalidAndWhenNoMore) {
  add_series("tank-1");
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"p","fields":["tank-1"]})");
  page->take();
  tell_invalid(0);
  hub_.flush();
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr(R"("t":[5],"v":[null],"state":"invalid"})")));
  tell(0, 20);
  hub_.flush();
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr(R"("v":[20],"state":"ok"})")));
  tell(0, 21);
  hub_.flush();
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr(R"("v":[21]})")));
}

TEST_F(LiveTest, FlushesAtMostOnceInAWhile) {
  add_series("tank-1");
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"p","fields":["tank-1"]})");
  clock_.advance_us(1'000'000);
  house_.flush_in_ms.clear();
  tell(0, 1);
  tell(0, 2);
  EXPECT_THAT(house_.flush_in_ms, ElementsAre(0));  // nothing for long: at once
  hub_.flush();
  clock_.advance_us(5'000);
  tell(0, 3);
  EXPECT_THAT(house_.flush_in_ms, ElementsAre(0, kLiveFlushEveryMs - 5));
}

TEST_F(LiveTest, GoesOnFromASequence) {
  add_series("tank-1");
  const auto first = open();
  for (const double number : {1, 2, 3, 4, 5, 6}) tell(0, number);
  const auto second = open();
  second->say(R"({"op":"subscribe","id":"p","fields":["tank-1"],"from":1})");
  EXPECT_THAT(second->take(), ElementsAre(R"({"type":"subscribed","id":"p","seq":6})",
                                          HasSubstr(R"("v":[2,3,4,5,6])")));
  tell(0, 7);
  hub_.flush();
  EXPECT_THAT(second->take(), ElementsAre(HasSubstr(R"("seq":7,"values":[{"of":"tank-1/percent",)"
                                                    R"("t":[7000],"v":[7])")));
}

TEST_F(LiveTest, SaysResetForASequenceItDoesNotHave) {
  house_.applied = 10;
  const auto page = open();
  for (const char* from : {"9", "11", "18446744073709551615"}) {
    page->say(std::string(R"({"op":"subscribe","id":"p","fields":["tank-1"],"from":)") + from +
              "}");
    EXPECT_THAT(page->take(), ElementsAre(R"({"type":"reset","id":"p"})")) << from;
  }
  page->say(R"({"op":"subscribe","id":"p","fields":["tank-1"],"from":10})");
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr("subscribed")));
}

// Its document may be newer than what has come here.
TEST_F(LiveTest, DoesNotTellTwiceWhatTheDocumentHad) {
  add_series("tank-1");
  const auto page = open();
  tell(0, 1);
  house_.applied = 4;  // 2 to 4 are in the tables, and on their way
  page->say(R"({"op":"subscribe","id":"p","fields":["tank-1"],"from":3})");
  page->take();
  house_.applied = 1;
  for (const double number : {2, 3}) tell(0, number);
  hub_.flush();
  EXPECT_THAT(page->take(), IsEmpty());
  tell(0, 4);
  hub_.flush();
  hub_.flush();
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr(R"("seq":4,"values":[{"of":"tank-1/percent",)"
                                                  R"("t":[4000],"v":[4])")));
}

TEST_F(LiveTest, LetsEverybodyFetchAgainAfterAGap) {
  add_series("tank-1");
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"p","fields":["tank-1"]})");
  page->take();
  tell(0, 1);
  hub_.on_gap();
  hub_.flush();
  EXPECT_THAT(page->take(), ElementsAre(R"({"type":"reset","id":"p"})"));
  page->say(R"({"op":"subscribe","id":"p","fields":["tank-1"],"from":1})");
  EXPECT_THAT(page->take(), ElementsAre(HasSubstr("subscribed")));
}

TEST_F(LiveTest, TellsAlertsAndGoesOnWithThem) {
  const auto page = open();
  page->say(R"({"op":"subscribe","id":"c","alerts":true})");
  page->take();
  hub_.on_alert(++house_.applied, R"({"id":"level~tank-1~low"})");
  hub_.on_applied(house_.applied);
  hub_.flush();
  const std::string told =
      R"({"type":"alerts","id":"c","seq":1,"alerts":[{"id":"level~tank-1~low"}]})";
  EXPECT_THAT(page->take(), ElementsAre(told));
  const auto other = open();
  other->say(R"({"op":"subscribe","id":"c","alerts":true,"from":0})");
  hub_.flush();
  EXPECT_THAT(other->take(), ElementsAre(HasSubstr("subscribed"), told));
}

TEST_F(LiveTest, ClosesWhenTheLoginEnds) {
  bool is_current = true;
  const auto page = open([&] { return is_current; });
  hub_.check_sessions();
  EXPECT_EQ(page->socket.closed_with, 0);
  is_current = false;
  hub_.check_sessions();
  EXPECT_EQ(page->socket.closed_with, net::close_code::kPolicyViolation);
}

TEST_F(LiveTest, SaysWhatIsWrongWithACommand) {
  const auto page = open();
  const std::map<std::string, std::string> mistakes = {
      {"{", "not JSON"},
      {"[]", "object"},
      {R"({"op":"subscribe","topic":"x"})", "'id'"},
      {R"({"op":"subscribe","id":"a"})", "one of 'topic'"},
      {R"({"op":"subscribe","id":"a","topic":"x","alerts":true})", "one of 'topic'"},
      {R"({"op":"subscribe","id":"a","topic":"x/#/y"})", "'#'"},
      {R"({"op":"subscribe","id":"a","topic":7})", "text"},
      {R"({"op":"subscribe","id":"a","topic":"x","from":1})", "from"},
      {R"({"op":"subscribe","id":"a","fields":[]})", "list"},
      {R"({"op":"subscribe","id":"a","fields":["tag:x"]})", "tag"},
      {R"({"op":"subscribe","id":"a","fields":["x"],"from":-1})", "sequence"},
      {R"({"op":"subscribe","id":"a","fields":["x"],"from":1.5})", "sequence"},
      {R"({"op":"subscribe","id":"a","alerts":false})", "true"},
      {R"({"op":"subscribe","id":"a","topik":"x"})", "did you mean 'topic'"},
      {R"({"op":"shout","id":"a"})", "no such op"}};
  for (const auto& [command, expected] : mistakes) {
    page->say(command);
    EXPECT_THAT(page->take(),
                ElementsAre(AllOf(StartsWith(R"({"type":"error")"), HasSubstr(expected))))
        << command;
  }
  page->say(R"({"op":"ping"})");
  EXPECT_THAT(page->take(), ElementsAre(R"({"type":"pong"})"));
}

// The times told for each series in `texts`; and the last sequence.
void read_times(const std::vector<std::string>& texts,
                std::map<std::string, std::vector<int>>& times, Seq& seq) {
  JsonDocument document;
  for (const std::string& text : texts) {
    const JsonNode* const root = document.parse(text).value();
    ASSERT_NE(root->find("type")->text(), "reset");
    if (const JsonNode* const at = root->find("seq")) {
      const Seq told = std::stoull(std::string(at->text()));
      ASSERT_GE(told, seq) << text;
      seq = std::max(seq, told);
    }
    if (root->find("type")->text() != "values") continue;
    for (const JsonNode& values : root->find("values")->elements()) {
      for (const JsonNode& time : values.find("t")->elements()) {
        times[std::string(values.find("of")->text())].push_back(
            std::stoi(std::string(time.text())));
      }
    }
  }
}

// A page that comes and goes, and reads slowly at times, is told of each series exactly what was
// published since it began, in order: each flush has at most four points of a series here, so none
// is merged away, unless it is behind; then first and last are still there.
TEST_F(LiveTest, TellsNothingTwiceAndLeavesNothingOut) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto chance = [&random](unsigned of) { return random() % of == 0; };
  for (int i = 0; i < 5; ++i) add_series("tank-" + std::to_string(i));
  const auto keeps_it_going = open();
  auto page = open();
  page->say(R"({"op":"subscribe","id":"p","fields":["type:tank"],"from":0})");
  std::map<std::string, std::vector<int>> told;
  std::map<std::string, std::vector<int>> published;
  Seq seq = 0;
  for (int step = 0; step < 3000; ++step) {
    const auto which = static_cast<std::uint32_t>(random() % 5);
    tell(which, static_cast<double>(random() % 100));
    published["tank-" + std::to_string(which) + "/percent"].push_back(
        static_cast<int>(house_.applied * 1000));
    // At most four points until the next flush.
    if (step % 4 == 3 || chance(3)) hub_.flush();
    if (!chance(40)) continue;
    read_times(page->take(), told, seq);
    page->session->on_closed();
    page = open();
    page->say(R"({"op":"subscribe","id":"p","fields":["type:tank"],"from":)" + std::to_string(seq) +
              "}");
  }
  hub_.flush();
  read_times(page->take(), told, seq);
  EXPECT_EQ(told, published);
  EXPECT_EQ(seq, house_.applied);
}

TEST(MergedPoints, KeepFirstLowestHighestAndLast) {
  MergedPoints merged;
  const auto add = [&](LivePoint::Kind kind, double number) {
    LivePoint point;
    point.kind = kind;
    point.number = number;
    merged.add(point);
  };
  add(LivePoint::Kind::null, 0);
  for (const double number : {3, 8, 2, 5, 4}) add(LivePoint::Kind::number, number);
  add(LivePoint::Kind::text, 0);
  std::vector<double> numbers;
  for (const LivePoint& point : merged.points()) numbers.push_back(point.number);
  EXPECT_THAT(numbers, ElementsAre(0, 8, 2, 0));
}

}  // namespace
}  // namespace nilo::api::test
