#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "render/axis.h"
#include "render/chart.h"
#include "render/typeface.h"

namespace nilo::render {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;

// 2026-03-29T00:00 and 2026-10-25T00:00 in Rome: the days of 23 and 25 hours.
constexpr TimeUs kSpringDay = 1'774'738'800 * kSecond;
constexpr TimeUs kAutumnDay = 1'792'879'200 * kSecond;

std::vector<std::string> labels(const std::vector<TimeTick>& ticks) {
  std::vector<std::string> out;
  for (const TimeTick& tick : ticks) out.push_back(tick.label);
  return out;
}

Chart chart_of(std::vector<double> values) {
  Chart chart;
  chart.title = "Orchard, last 24 hours";
  chart.unit = "%";
  chart.zone = "Europe/Rome";
  chart.from_us = kAutumnDay;
  chart.to_us = kAutumnDay + 25 * kHour;
  Series series;
  series.name = "Orchard";
  for (std::size_t i = 0; i < values.size(); ++i) {
    series.times_us.push_back(chart.from_us + static_cast<TimeUs>(i) * 25 * kHour /
                                                  static_cast<TimeUs>(values.size()));
  }
  series.values = std::move(values);
  chart.series.push_back(std::move(series));
  chart.limits = {{20, "nearly empty"}, {80, "nearly full"}};
  return chart;
}

TEST(ValueAxis, HoldsItsValuesWithRoundSteps) {
  const ValueAxis axis = value_axis(15.73, 88.8, 5);
  EXPECT_EQ(axis.ticks(), (std::vector<double>{0, 20, 40, 60, 80, 100}));
  EXPECT_EQ(axis.decimals, 0);
  EXPECT_EQ(value_axis(21.31, 21.38, 4).decimals, 2);
}

TEST(ValueAxis, GivesALineOfOneValueRoomOnBothSides) {
  const ValueAxis axis = value_axis(50, 50, 5);
  EXPECT_LT(axis.low, 50);
  EXPECT_GT(axis.high, 50);
  EXPECT_LT(value_axis(0, 0, 5).low, 0);
}

TEST(TimeTicks, SkipTheHourThatSpringLeavesOut) {
  const auto zone = TimeZone::find("Europe/Rome");
  const auto ticks = time_ticks(*zone, kSpringDay, kSpringDay + 23 * kHour, 24 * 60);
  const auto texts = labels(ticks);
  EXPECT_EQ(texts[0], "Sun 29 Mar");
  EXPECT_EQ(texts[1], "01:00");
  EXPECT_EQ(texts[2], "03:00");
  EXPECT_EQ(texts.back(), "Mon 30 Mar");
  EXPECT_EQ(ticks[2].at_us - ticks[1].at_us, kHour);
}

TEST(TimeTicks, MarkTheHourThatAutumnRepeatsOnce) {
  const auto zone = TimeZone::find("Europe/Rome");
  const auto ticks = time_ticks(*zone, kAutumnDay, kAutumnDay + 25 * kHour, 9 * 60);
  EXPECT_EQ(labels(ticks),
            (std::vector<std::string>{"Sun 25 Oct", "03:00", "06:00", "09:00", "12:00", "15:00",
                                      "18:00", "21:00", "Mon 26 Oct"}));
  EXPECT_EQ(ticks[1].at_us - ticks[0].at_us, 4 * kHour) << "three hours on the wall, four to live";
}

TEST(TimeTicks, AreAtLocalTimesInEveryZoneOnBothDaysOfChange) {
  for (const char* name : {"Europe/Rome", "Africa/Cairo", "Asia/Kolkata", "America/St_Johns",
                           "Australia/Lord_Howe", "Pacific/Apia", "UTC"}) {
    const auto zone = TimeZone::find(name);
    ASSERT_TRUE(zone) << name;
    // Every week of a year, for there is a change in some of them.
    for (int week = 0; week < 53; ++week) {
      const TimeUs from = kSpringDay + week * 7 * 24 * kHour;
      for (const TimeTick& tick : time_ticks(*zone, from, from + 7 * 24 * kHour, 1400)) {
        const std::int64_t utc_s = tick.at_us / kSecond;
        const std::int64_t local_s = utc_s + zone->at(utc_s).offset_s;
        EXPECT_EQ(local_s % 3600, 0) << name << " " << tick.label;
        EXPECT_EQ(tick.is_major, local_s % 86400 == 0) << name << " " << tick.label;
      }
    }
  }
}

TEST(TimeTicks, NameTheDayWhenNoMidnightIsInSight) {
  const auto zone = TimeZone::find("UTC");
  const auto ticks = time_ticks(*zone, 14 * kHour, 15 * kHour, 400);
  EXPECT_EQ(ticks.front().label, "1 Jan 14:00");
  EXPECT_EQ(ticks[1].label, "14:10");
}

TEST(TimeTicks, ClimbFromMinutesToDecades) {
  const auto zone = TimeZone::find("UTC");
  const TimeUs year = 365 * 24 * kHour;
  const auto first = [&](TimeUs span) {
    const auto ticks = time_ticks(*zone, kSpringDay, kSpringDay + span, 600);
    return ticks.at(1).at_us - ticks.at(0).at_us;
  };
  EXPECT_EQ(first(10 * 60 * kSecond), 60 * kSecond);
  EXPECT_EQ(first(10 * 24 * kHour), 24 * kHour);
  EXPECT_EQ(first(60 * 24 * kHour), 7 * 24 * kHour);
  EXPECT_GE(first(year), 28 * 24 * kHour);
  EXPECT_GE(first(80 * year), 10 * year);
}

TEST(Chart, IsAPngOfTheSizeAskedFor) {
  Chart chart = chart_of({88.8, 80, 62, NAN, 44, 31, 15.73});
  const auto png = chart_png(chart);
  ASSERT_TRUE(png) << png.error().message;
  EXPECT_TRUE(png->starts_with("\x89PNG"));
  EXPECT_LT(png->size(), 100'000u) << "a mail carries it";
  const auto number = [&](std::size_t at) {
    return static_cast<unsigned char>((*png)[at + 2]) * 256 +
           static_cast<unsigned char>((*png)[at + 3]);
  };
  EXPECT_EQ(number(16), chart.width * chart.scale);
  EXPECT_EQ(number(20), chart.height * chart.scale);
  EXPECT_EQ(*chart_png(chart), *png) << "the same input gives the same bytes";
}

TEST(Chart, DrawsNothingAndStrangeValuesToo) {
  for (const auto& values : {std::vector<double>{}, {NAN}, {NAN, 1e300, -1e300}, {INFINITY, 1}}) {
    EXPECT_TRUE(chart_png(chart_of(values)));
  }
  Chart chart = chart_of({1});
  chart.title = "<script> & Überlauf \xff 水";
  chart.series[0].name = std::string(500, 'W');
  EXPECT_TRUE(chart_png(chart));
  const auto svg = chart_svg(chart);
  ASSERT_TRUE(svg);
  EXPECT_EQ(svg->find("<script"), std::string::npos) << "text is drawn as outlines";
}

TEST(Chart, RefusesWhatItCannotDraw) {
  const auto refused = [](const std::function<void(Chart&)>& spoil) {
    Chart chart = chart_of({1, 2});
    spoil(chart);
    const auto png = chart_png(chart);
    return png ? "" : png.error().message;
  };
  EXPECT_EQ(refused([](Chart&) {}), "");
  EXPECT_EQ(refused([](Chart& chart) { chart.to_us = chart.from_us; }),
            "a chart needs a time between from and to");
  EXPECT_EQ(refused([](Chart& chart) { chart.zone = "Mars/Olympus"; }),
            "no time zone `Mars/Olympus`");
  EXPECT_EQ(refused([](Chart& chart) { chart.series[0].times_us.pop_back(); }),
            "series `Orchard` has not one time for each value");
  EXPECT_EQ(refused([](Chart& chart) { chart.series.resize(kSeriesMax); }), "");
  EXPECT_EQ(refused([](Chart& chart) { chart.series.resize(kSeriesMax + 1); }),
            "a chart has at most 8 series");
  EXPECT_EQ(refused([](Chart& chart) { chart.width = kSideMax / chart.scale; }), "");
  EXPECT_NE(refused([](Chart& chart) { chart.width = kSideMax / chart.scale + 1; }), "");
  EXPECT_NE(refused([](Chart& chart) { chart.height = 79; }), "");
}

TEST(Typeface, KnowsWhatHouseholdsWrite) {
  const auto face = Typeface::open();
  ASSERT_TRUE(face);
  std::vector<OutlineStep> steps;
  const double plain = (*face)->outline("100 %", 400, steps);
  EXPECT_GT(plain, 1.5);
  EXPECT_GT((*face)->outline("100 %", 700, steps), plain) << "bold is wider";
  EXPECT_EQ((*face)->outline("111", 400, steps), (*face)->outline("888", 400, steps))
      << "digits are as wide as each other";
  const double missing = (*face)->outline("水", 400, steps);
  for (const char* text : {"µ", "°", "−", "ř", "ş", "Ω", "Ж"}) {
    EXPECT_NE((*face)->outline(text, 400, steps), missing) << text;
  }
}

}  // namespace
}  // namespace nilo::render
