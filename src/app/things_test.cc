#include "app/things.h"

#include <gmock/gmock.h>

#include "app/invalid_reading.h"
#include "app/reactions.h"
#include "app/series_sentence.h"
#include "app/thing_answers.h"
#include "base/time_units.h"
#include "tables/tables_testing.h"
#include "value/json.h"

namespace nilo::app {
namespace {

using tables::kNowUs;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kS = 1'000'000;

constexpr const char* kStack = R"(
[site]
zone = "Europe/Rome"

[things]
"tank-1" = { type = "tank", name = "Barn", depth = "89 cm" }
"tank-2" = { type = "tank", name = "Orchard" }
"tank-10" = { type = "tank", name = "House" }
"pump" = { type = "pump" }

[table.tank_levels]
key = ["device_id int", "time timestamp"]
thing = "tank-{device_id}"
[table.tank_levels.columns]
distance = { type = "double", unit = "cm", min = 0, max = 89 }
note = "text"
[table.tank_levels.derived]
percent = { sql = "100 * (89 - distance) / 89", unit = "%", decimals = 2 }

[table.pumps]
key = ["name text"]
thing = "{name}"
[table.pumps.columns]
on = "bool"

[alert.level]
of = "type:tank/percent"
low = 20
high = 80

[alert.dead]
of = "tank-10/percent"
low = 20
silent = "10m"
)";

class ThingsTest : public testing::Test {
 protected:
  ThingsTest() {
    stack::Loaded loaded = stack::parse({{"nilo.toml", kStack}});
    reactions_ = compile(loaded);
    EXPECT_TRUE(loaded.ok()) << stack::render(loaded.diagnostics, loaded.files, false);
    stack_ = std::move(loaded.stack);
    house_.start(reactions_.tables);
    begin();
    house_.tables().watch([this](const TableSchema& schema) { return things_->watches(schema); },
                          [this](const tables::Change& change) { things_->on_change(change); });
  }

  // The index as it is after a start.
  void begin() {
    things_.emplace(Things::Rooms{stack_, house_.tables(), clock_, *logger_});
    things_->load();
    answers_.emplace(
        ThingAnswers::Rooms{*things_, house_.tables(), stack_, clock_,
                            [](std::string_view id) { return id == "tank-2" ? 1U : 0U; },
                            [] { return std::string("{}"); }});
  }

  void level(std::int64_t id, double distance) {
    house_.append(house_.row("tank_levels",
                             {{"device_id", Value::int64(id)},
                              {"time", Value::timestamp(clock_.wall_us())},
                              {"distance", Value::float64(distance)}},
                             clock_.wall_us()));
  }
  // A reading every `seconds`, `count` times.
  void levels(std::int64_t id, int count, std::int64_t seconds) {
    for (int i = 0; i < count; ++i) {
      clock_.advance_us(seconds * kS);
      level(id, 40);
    }
  }
  void refuse(std::string_view thing) {
    RowWriter writer(*house_.tables().layout(kInvalidTable));
    std::string bytes;
    RecordWriter record(bytes, clock_.wall_us());
    write_invalid(writer, record, thing, {clock_.wall_us(), "distance", "is above max", "95"});
    house_.append(bytes);
  }

  std::string ids(const ThingFilter& filter) {
    std::string out;
    const ThingPage page = things_->page(filter);
    for (const ThingInfo& thing : page.things) out += thing.id + ' ';
    return out + "of " + std::to_string(page.total);
  }
  std::string_view state(std::string_view id) { return to_string(things_->find(id)->state); }

  tables::TempFolder folder_;
  tables::House house_{folder_.path()};
  FakeClock clock_{kNowUs};
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  stack::Stack stack_;
  Reactions reactions_;
  std::optional<Things> things_;
  std::optional<ThingAnswers> answers_;
};

TEST_F(ThingsTest, AreThereByNameBeforeTheySayAnything) {
  EXPECT_EQ(ids({}), "pump tank-1 tank-2 tank-10 of 4");
  const ThingInfo barn = *things_->find("tank-1");
  EXPECT_EQ(barn.name, "Barn");
  EXPECT_EQ(barn.type, "tank");
  EXPECT_EQ(barn.state, ThingState::never);
  EXPECT_EQ(barn.seen_us, std::nullopt);
  ASSERT_EQ(barn.rows.size(), 2U) << "the pumps' template fits any id";
  EXPECT_EQ(barn.rows[0].key, "1");
}

TEST_F(ThingsTest, AppearWhenARowIsAboutThem) {
  level(7, 40);
  EXPECT_EQ(ids({}), "pump tank-1 tank-2 tank-7 tank-10 of 5");
  EXPECT_EQ(things_->find("tank-7")->name, "tank-7");
  EXPECT_EQ(state("tank-7"), "ok");
  begin();
  EXPECT_EQ(ids({}), "pump tank-1 tank-2 tank-7 tank-10 of 5") << "after a restart too";
}

TEST_F(ThingsTest, AreFoundByIdNameTypeAndState) {
  level(1, 40);
  EXPECT_EQ(ids({.search = "ORCH"}), "tank-2 of 1");
  EXPECT_EQ(ids({.search = "nk-1"}), "tank-1 tank-10 of 2");
  EXPECT_EQ(ids({.search = "pump"}), "pump of 1");
  EXPECT_EQ(ids({.search = "%"}), "of 0");
  EXPECT_EQ(ids({.type = "tank"}), "tank-1 tank-2 tank-10 of 3");
  EXPECT_EQ(ids({.type = "tank", .state = ThingState::ok}), "tank-1 of 1");
  EXPECT_EQ(things_->page({.type = "tank", .state = ThingState::ok}).counts,
            (ThingCounts{1, 0, 0, 2}));
}

TEST_F(ThingsTest, ComePageByPageWithoutLossOrDouble) {
  EXPECT_EQ(ids({.limit = 2}), "pump tank-1 of 4");
  EXPECT_EQ(things_->page({.limit = 2}).next, "tank-1");
  EXPECT_EQ(ids({.limit = 2, .cursor = "tank-1"}), "tank-2 tank-10 of 4");
  EXPECT_EQ(things_->page({.limit = 2, .cursor = "tank-1"}).next, "");
  EXPECT_EQ(things_->page({.limit = 4}).next, "");
  EXPECT_EQ(things_->page({.limit = 0}).next, "");
  EXPECT_EQ(things_->counts(), (ThingCounts{0, 0, 0, 4}));
  level(5, 40);
  EXPECT_EQ(ids({.limit = 2, .cursor = "tank-2"}), "tank-5 tank-10 of 5");
}

TEST_F(ThingsTest, AreSilentAfterThreeLearnedIntervals) {
  levels(1, 6, 60);
  EXPECT_EQ(things_->find("tank-1")->interval_us, 60 * kS);
  clock_.advance_us(180 * kS);
  EXPECT_EQ(state("tank-1"), "ok");
  clock_.advance_us(1);
  EXPECT_EQ(state("tank-1"), "silent");
  level(1, 40);
  EXPECT_EQ(state("tank-1"), "ok");
}

TEST_F(ThingsTest, AreNotSilentWithinAMinute) {
  levels(1, 6, 2);
  clock_.advance_us(60 * kS);
  EXPECT_EQ(state("tank-1"), "ok");
  clock_.advance_us(1);
  EXPECT_EQ(state("tank-1"), "silent");
}

TEST_F(ThingsTest, AreSilentWhenTheirAlertSaysSo) {
  levels(10, 6, 20);
  clock_.advance_us(600 * kS);
  EXPECT_EQ(state("tank-10"), "ok");
  clock_.advance_us(1);
  EXPECT_EQ(state("tank-10"), "silent");
}

TEST_F(ThingsTest, AreNotSilentBecauseTheWallClockJumps) {
  levels(1, 6, 20);
  clock_.set_wall_us(clock_.wall_us() + 86'400 * kS);
  EXPECT_EQ(state("tank-1"), "ok");
  clock_.set_wall_us(clock_.wall_us() - 90'000 * kS);
  level(1, 40);
  EXPECT_EQ(state("tank-1"), "ok");
  clock_.advance_us(61 * kS);
  EXPECT_EQ(state("tank-1"), "silent");
}

TEST_F(ThingsTest, AreNotSilentBecauseTheServerWasOff) {
  levels(1, 6, 20);
  clock_.advance_us(3600 * kS);
  levels(2, 6, 20);
  clock_.advance_us(8 * 3600 * kS);  // a night without power
  begin();
  EXPECT_EQ(state("tank-2"), "ok");
  EXPECT_EQ(state("tank-1"), "silent") << "it was before";
  EXPECT_EQ(things_->find("tank-1")->interval_us, 20 * kS) << "learned from its rows";
  clock_.advance_us(61 * kS);
  EXPECT_EQ(state("tank-2"), "silent");
}

TEST_F(ThingsTest, AreInvalidUntilAReadingIsTaken) {
  levels(1, 6, 20);
  clock_.advance_us(20 * kS);
  refuse("tank-1");
  EXPECT_EQ(state("tank-1"), "invalid");
  EXPECT_EQ(things_->find("tank-1")->invalid->field, "distance");
  begin();
  EXPECT_EQ(state("tank-1"), "invalid") << "after a restart too";
  clock_.advance_us(50 * kS);
  refuse("tank-1");
  clock_.advance_us(50 * kS);
  EXPECT_EQ(state("tank-1"), "invalid") << "who is refused is not silent";
  level(1, 40);
  EXPECT_EQ(state("tank-1"), "ok");
  EXPECT_EQ(things_->find("tank-1")->invalid, std::nullopt);
  refuse("tank-77");
  EXPECT_EQ(state("tank-77"), "invalid") << "though no row of it was ever taken";
}

TEST_F(ThingsTest, AreChosenBySelector) {
  const auto chosen = [this](const char* text, std::size_t limit = 10) {
    const auto things = things_->select(*parse_selector(text), limit);
    if (!things) return things.error().message + "; " + things.error().hint;
    std::string out;
    for (const ThingInfo& thing : *things) out += thing.id + ' ';
    return out;
  };
  EXPECT_EQ(chosen("tank-2/percent"), "tank-2 ");
  EXPECT_EQ(chosen("tank-*/percent"), "tank-1 tank-2 tank-10 ");
  EXPECT_EQ(chosen("type:pump"), "pump ");
  EXPECT_EQ(chosen("none-*"), "");
  EXPECT_EQ(chosen("tank-3"), "no thing 'tank-3'; did you mean 'tank-1'?");
  EXPECT_EQ(chosen("type:punp"), "no things of type 'punp'; did you mean 'pump'?");
  EXPECT_EQ(chosen("tank-*", 3), "tank-1 tank-2 tank-10 ");
  EXPECT_EQ(chosen("tank-*", 2), "'tank-*' names more than 2 things; name fewer at a time");
}

TEST_F(ThingsTest, AnswersTellOfAThing) {
  level(2, 75);
  const std::string json = *answers_->show("tank-2");
  JsonDocument document;
  EXPECT_TRUE(document.parse(json)) << json;
  const std::string now = std::to_string(kNowUs / 1000);
  EXPECT_THAT(json, HasSubstr(R"("id":"tank-2","name":"Orchard","type":"tank","properties":{},)"
                              R"("state":"ok","seen":)" +
                              now + R"(,"interval_ms":null,"alerts":1)"));
  EXPECT_THAT(
      json, HasSubstr(R"({"field":"percent","unit":"%","decimals":2,"value":15.73,"time":)" + now));
  EXPECT_THAT(json, HasSubstr(R"("tables":["tank_levels"])"));
  EXPECT_THAT(*answers_->show("tank-1"),
              HasSubstr(R"("properties":{"depth":"89 cm"},"state":"never","seen":null)"));
  EXPECT_EQ(answers_->show("tank-3").error().code, ErrorCode::not_found);
  EXPECT_EQ(answers_->show("tank-*").error().code, ErrorCode::not_found) << "one thing, by its id";
}

TEST_F(ThingsTest, AnswersTellTheNewestValues) {
  level(2, 75);
  const std::string json = *answers_->values({.of = "tank-2/percent,type:pump/on"}, false);
  JsonDocument document;
  EXPECT_TRUE(document.parse(json)) << json;
  EXPECT_THAT(json, HasSubstr(R"("of":"tank-2/percent","thing":"tank-2","name":"Orchard")"));
  EXPECT_THAT(json, HasSubstr(R"("value":15.73)"));
  EXPECT_THAT(json, HasSubstr(R"("limits":{"low":20,"high":80})"));
  EXPECT_THAT(json,
              HasSubstr(R"("also":{"distance":{"value":75,"unit":"cm"},"note":{"value":null)"));
  EXPECT_THAT(json, HasSubstr(R"("of":"pump/on")"));
  const auto message = [this](const char* of) {
    const Error error = answers_->values({.of = of}, false).error();
    return error.message + "; " + error.hint;
  };
  EXPECT_EQ(message("tank-2/percnt"), "'tank-2' has no field 'percnt'; did you mean 'percent'?");
  EXPECT_THAT(message("$thing/percent"), HasSubstr("in place of $thing"));
  EXPECT_FALSE(answers_->values({.of = ""}, false));
}

TEST_F(ThingsTest, AnswersTellASeriesWithItsGapsAndItsSentence) {
  for (const double distance : {75.0, 10.0, 40.0, 60.0}) {
    clock_.advance_us(20 * kS);
    level(2, distance);
  }
  clock_.advance_us(3600 * kS);
  level(2, 75);
  const std::string json = *answers_->series({.of = "tank-2/distance"}, 4096);
  const std::string last = std::to_string(clock_.wall_us() / 1000);
  EXPECT_THAT(json, HasSubstr(R"("v":[75,10,40,60,null,75])"));
  EXPECT_THAT(json, HasSubstr("," + last + "]"));
  EXPECT_THAT(json, HasSubstr(R"("sentence":"10 to 75 cm, highest )"));
  EXPECT_THAT(json, HasSubstr(", now 75,"));
  EXPECT_THAT(*answers_->series({.of = "tank-2/distance"}, 1), HasSubstr(R"("v":[75,10,75])"));
  EXPECT_THAT(*answers_->series({.of = "tank-1/distance"}, 100),
              HasSubstr(R"("t":[],"v":[],"sentence":"no readings")"));
  EXPECT_THAT(answers_->series({.of = "tank-2/note"}, 100).error().message,
              HasSubstr("is text, no number over time"));
  EXPECT_FALSE(answers_->series({.of = "tank-2", .from_us = 5, .to_us = 5}, 100));
  EXPECT_TRUE(answers_->series({.of = "tank-2", .from_us = 4, .to_us = 5}, 100));
}

TEST_F(ThingsTest, AnswersTakeAHundredSeriesAndNoMore) {
  // Two numbers of each tank.
  level(2, 40);
  for (std::int64_t id = 200; id < 249; ++id) level(id, 40);
  EXPECT_TRUE(answers_->series({.of = "tank-2*"}, 10)) << "50 tanks";
  level(249, 40);
  EXPECT_THAT(answers_->series({.of = "tank-2*"}, 10).error().message,
              HasSubstr("names more than 100 fields"));
}

TEST_F(ThingsTest, AnswersTellOfDaysAsLongAsTheyAre) {
  const TimeUs spring = *parse_iso_time("2025-03-30T12:00:00Z");
  clock_.set_wall_us(spring);
  level(2, 80);
  clock_.advance_us(60 * kS);
  level(2, 40);
  const std::string json = *answers_->intervals(
      {.of = "tank-2/distance", .from_us = spring - 1, .to_us = spring}, "1d", "");
  EXPECT_THAT(json, HasSubstr(R"("hours":23,"count":2,"mean":60,)"));
  EXPECT_THAT(json, HasSubstr(R"("q25":50,"median":60,"q75":70)"));
  const auto ask = [&](std::int64_t days, const char* zone) {
    return answers_->intervals(
        {.of = "tank-2/distance", .from_us = spring - days * 86'400 * kS, .to_us = spring}, "1h",
        zone);
  };
  EXPECT_TRUE(ask(800, "UTC"));
  EXPECT_THAT(ask(900, "UTC").error().message, HasSubstr("more than 20000 intervals"));
  EXPECT_THAT(ask(1, "Europe/Atlantis").error().message, HasSubstr("no time zone"));
}

std::string sentence(const std::vector<tables::Point>& points, TimeUs shown_us, bool is_current) {
  tables::Stats stats;
  for (const tables::Point& point : points) stats.add(point);
  const TimeUs from_us = *parse_iso_time("2026-11-24T00:00:00Z");
  return sentence_of({stats, points, from_us, from_us + shown_us, is_current},
                     {.name = "percent", .unit = "%", .decimals = 2},
                     *TimeZone::find("Europe/Rome"));
}

TEST(SeriesSentence, SaysRangeHighestNowAndDirection) {
  const TimeUs from_us = *parse_iso_time("2026-11-24T00:00:00Z");  // a Tuesday
  const std::vector<tables::Point> points{
      {from_us, 50}, {from_us + 13 * kHourUs + 300 * kS, 88.764}, {from_us + 23 * kHourUs, 15.73}};
  EXPECT_EQ(sentence(points, 24 * kHourUs, true),
            "15.7 to 88.8 %, highest 14:05, now 15.7, falling");
  EXPECT_EQ(sentence(points, 48 * kHourUs, true),
            "15.7 to 88.8 %, highest Tue 14:05, now 15.7, falling");
  EXPECT_EQ(sentence(points, 400 * kHourUs, false),
            "15.7 to 88.8 %, highest 24 Nov 14:05, last 15.7 at 25 Nov 00:00, falling");
  EXPECT_EQ(sentence({points[0]}, 24 * kHourUs, true), "one reading, 50.00 % at 01:00");
  EXPECT_EQ(sentence({points[0], {from_us + kHourUs, 50}}, 24 * kHourUs, true),
            "50.00 % throughout, now 50.00");
  EXPECT_EQ(sentence({}, 24 * kHourUs, true), "no readings");
}

TEST_F(ThingsTest, WhatIsWrittenDownWhileItRunsIsKnownAtOnce) {
  stack::Thing thing;
  thing.id = "tank-7";
  thing.type = "tank";
  thing.name = "Meadow";
  things_->set_named(thing);
  EXPECT_EQ(things_->find("tank-7")->name, "Meadow");
  EXPECT_EQ(things_->find("tank-7")->state, ThingState::never);
  EXPECT_EQ(things_->page({.type = "tank"}).total, 4U);
  EXPECT_EQ(things_->page({.search = "meadow"}).total, 1U);
  const stack::Thing* const before = things_->named("tank-7");
  level(7, 40);
  EXPECT_EQ(things_->find("tank-7")->state, ThingState::ok);
  thing.name = "Hill";
  things_->set_named(thing);
  EXPECT_EQ(things_->find("tank-7")->name, "Hill");
  EXPECT_EQ(before->name, "Meadow") << "whoever asked may still look at it";
  things_->remove_named("tank-7");
  EXPECT_EQ(things_->find("tank-7")->name, "tank-7") << "there are rows about it";
  EXPECT_EQ(things_->named("tank-7"), nullptr);
}

TEST_F(ThingsTest, WhatIsTakenOutAndWasNeverHeardIsGone) {
  stack::Thing thing;
  thing.id = thing.name = "well";
  things_->set_named(thing);
  const std::size_t total = things_->page({}).total;
  things_->remove_named("well");
  EXPECT_FALSE(things_->find("well"));
  EXPECT_EQ(things_->page({}).total, total - 1);
  EXPECT_FALSE(things_->select({.thing = "well", .field = "*"}, 10));
  things_->set_named(thing);
  EXPECT_TRUE(things_->find("well"));
  things_->remove_named("nobody");
}

}  // namespace
}  // namespace nilo::app
