#include "value/time_zone.h"

#include <gtest/gtest.h>

#include "base/time_units.h"
#include "value/value.h"

namespace nilo {
namespace {

TimeUs us_of(std::string_view text) { return *parse_iso_time(text); }

// How long the local day is that `text` (UTC) is in, in hours, and that it begins where the day
// before it ends.
double hours_of_day(const char* zone_name, std::string_view text) {
  const TimeZone zone = *TimeZone::find(zone_name);
  const TimeUs us = us_of(text);
  const TimeUs begin = zone.midnight(us);
  const TimeUs end = zone.next_midnight(us);
  EXPECT_LE(begin, us);
  EXPECT_LT(us, end);
  EXPECT_EQ(zone.midnight(begin), begin);
  EXPECT_EQ(zone.midnight(end - 1), begin);
  EXPECT_EQ(zone.next_midnight(begin - 1), begin);
  EXPECT_EQ(zone.midnight(end), end);
  return static_cast<double>(end - begin) / static_cast<double>(kHourUs);
}

std::string midnight(const char* zone, std::string_view text) {
  return iso_time(TimeZone::find(zone)->midnight(us_of(text)));
}

TEST(TimeZone, KnowsWhichZonesThereAre) {
  EXPECT_TRUE(TimeZone::find("Europe/Rome"));
  EXPECT_TRUE(TimeZone::find("UTC"));
  EXPECT_TRUE(TimeZone::find("+05:30"));
  EXPECT_FALSE(TimeZone::find("Europe/Atlantis"));
  EXPECT_FALSE(TimeZone::find(""));
  EXPECT_FALSE(TimeZone::find("../../etc/passwd"));
}

TEST(TimeZone, DaysOfRomeHave23And25Hours) {
  EXPECT_EQ(hours_of_day("Europe/Rome", "2026-03-28T12:00:00Z"), 24);
  EXPECT_EQ(hours_of_day("Europe/Rome", "2026-03-29T12:00:00Z"), 23);
  EXPECT_EQ(hours_of_day("Europe/Rome", "2026-10-25T12:00:00Z"), 25);
  EXPECT_EQ(midnight("Europe/Rome", "2026-03-29T00:30:00Z"), "2026-03-28T23:00:00Z");
  EXPECT_EQ(midnight("Europe/Rome", "2026-03-29T22:00:00Z"), "2026-03-29T22:00:00Z");
}

TEST(TimeZone, ADayWithoutMidnightBeginsWithItsFirstMoment) {
  // Cairo, Friday 2026-04-24: 00:00 becomes 01:00.
  EXPECT_EQ(midnight("Africa/Cairo", "2026-04-24T12:00:00Z"), "2026-04-23T22:00:00Z");
  EXPECT_EQ(hours_of_day("Africa/Cairo", "2026-04-23T12:00:00Z"), 24);
  EXPECT_EQ(hours_of_day("Africa/Cairo", "2026-04-24T12:00:00Z"), 23);
  // Back at the end of Thursday 2026-10-29.
  EXPECT_EQ(hours_of_day("Africa/Cairo", "2026-10-29T12:00:00Z"), 25);
}

TEST(TimeZone, KnowsOffsetsOfHalfAnHour) {
  EXPECT_EQ(hours_of_day("Asia/Kolkata", "2026-03-29T12:00:00Z"), 24);
  EXPECT_EQ(midnight("Asia/Kolkata", "2026-03-29T18:29:59Z"), "2026-03-28T18:30:00Z");
  EXPECT_EQ(midnight("Asia/Kolkata", "2026-03-29T18:30:00Z"), "2026-03-29T18:30:00Z");
  EXPECT_EQ(hours_of_day("America/St_Johns", "2026-03-08T12:00:00Z"), 23);
  EXPECT_EQ(hours_of_day("America/St_Johns", "2026-11-01T12:00:00Z"), 25);
  EXPECT_EQ(hours_of_day("Australia/Lord_Howe", "2026-04-05T00:00:00Z"), 24.5);
  EXPECT_EQ(hours_of_day("Australia/Lord_Howe", "2026-10-04T00:00:00Z"), 23.5);
}

TEST(TimeZone, AMidnightThatIsThereTwiceBeginsOneDayOnly) {
  // St. John's until 2011: at 00:01 back to 23:01 of the day before.
  for (const auto* text : {"2010-11-07T02:29:59Z", "2010-11-07T02:30:30Z", "2010-11-07T02:45:00Z",
                           "2010-11-07T03:29:59Z", "2010-11-07T03:30:00Z"}) {
    hours_of_day("America/St_Johns", text);
  }
  EXPECT_EQ(hours_of_day("America/St_Johns", "2010-11-07T02:45:00Z"), 25);
}

TEST(TimeZone, ADayThatWasLeftOutHasNoLength) {
  // Samoa went from 2011-12-29 straight to 2011-12-31.
  EXPECT_EQ(hours_of_day("Pacific/Apia", "2011-12-30T09:00:00Z"), 24);
  EXPECT_EQ(midnight("Pacific/Apia", "2011-12-30T10:00:00Z"), "2011-12-30T10:00:00Z");
  EXPECT_EQ(hours_of_day("Pacific/Apia", "2011-12-30T11:00:00Z"), 24);
}

TEST(TimeZone, DaysFollowEachOtherThroughYears) {
  for (const auto* name : {"Europe/Rome", "Africa/Cairo", "Asia/Kolkata", "America/St_Johns",
                           "Australia/Lord_Howe", "Pacific/Apia", "UTC", "-03:30"}) {
    const TimeZone zone = *TimeZone::find(name);
    TimeUs at = zone.midnight(us_of("2009-12-01"));
    for (const TimeUs end = us_of("2012-02-01"); at < end;) {
      const TimeUs next = zone.next_midnight(at);
      ASSERT_GT(next, at) << name;
      ASSERT_LE(next - at, 26 * kHourUs) << name << " " << iso_time(at);
      ASSERT_EQ(zone.midnight(next - 1), at) << name << " " << iso_time(at);
      at = next;
    }
  }
}

TEST(TimeZone, WeeksBeginOnMonday) {
  const TimeZone rome = *TimeZone::find("Europe/Rome");
  const TimeUs sunday = us_of("2026-03-29T12:00:00Z");
  EXPECT_EQ(iso_time(rome.week(sunday)), "2026-03-22T23:00:00Z");
  EXPECT_EQ(iso_time(rome.next_week(sunday)), "2026-03-29T22:00:00Z");
  EXPECT_EQ(rome.week(rome.next_week(sunday)), rome.next_week(sunday));
  EXPECT_EQ(iso_time(TimeZone::find("UTC")->week(0)), "1969-12-29T00:00:00Z");
}

TEST(TimeZone, HoursBeginOnTheClockOnTheWall) {
  const TimeZone kolkata = *TimeZone::find("Asia/Kolkata");
  EXPECT_EQ(iso_time(kolkata.hour(us_of("2026-03-29T12:00:00Z"))), "2026-03-29T11:30:00Z");
  EXPECT_EQ(iso_time(kolkata.next_hour(us_of("2026-03-29T12:00:00Z"))), "2026-03-29T12:30:00Z");
  // Lord Howe: at 02:00 back to 01:30, so that half an hour begins there.
  const TimeZone howe = *TimeZone::find("Australia/Lord_Howe");
  const TimeUs change = us_of("2026-04-04T15:00:00Z");
  EXPECT_EQ(howe.hour(change), change);
  EXPECT_EQ(howe.next_hour(change) - change, kHourUs / 2);
  EXPECT_EQ(howe.next_hour(change - 1), change);
}

TEST(TimeZone, ShowsTheWallAndFindsBackFromIt) {
  const TimeZone rome = *TimeZone::find("Europe/Rome");
  const std::int64_t utc_s = us_of("2026-07-01T12:00:00Z") / 1'000'000;
  EXPECT_EQ(rome.at(utc_s).offset_s, 7200);
  EXPECT_EQ(rome.at(utc_s).abbreviation, "CEST");
  EXPECT_EQ(rome.utc_of(utc_s + 7200), utc_s);
}

}  // namespace
}  // namespace nilo
