// api/thing_backend.h: things and their readings, as the API asks the house about them.
//
// The house answers with whole JSON documents, later and from a thread of its own: some questions
// read a million rows.
// Threads: as backend.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace nilo::api {

inline constexpr std::int64_t kThingsPageMax = 1'000;
inline constexpr std::int64_t kSeriesWidthMax = 4'096;

struct ThingsQuestion {
  std::string search{};
  std::string type{};   // empty: any
  std::string state{};  // ok, silent, invalid, never; empty: any
  std::size_t limit = 50;
  std::string cursor{};
};

// `of`: selectors (value/selector.h) with commas between them. Without `to_us` it is now, without
// `from_us` a day before `to_us`.
struct ReadingsQuestion {
  std::string of;
  std::optional<TimeUs> from_us{};
  std::optional<TimeUs> to_us{};
};

// All that is written about a thing.
struct ThingEdit {
  std::string id;
  std::string type{};
  std::string name{};  // empty: its id
  // "89 cm", "48.25", "true"; tags, lat, lon, next, station among them.
  std::vector<std::pair<std::string, std::string>> properties{};
};

struct ThingBackend {
  using Json = std::function<void(Result<std::string>)>;

  std::function<void(ThingsQuestion, Json)> list;
  std::function<void(std::string id, Json)> show;
  // Writes down a thing, new or not; takes it out again. Done when the text is on the disk.
  using Changed = std::function<void(Result<void>)>;
  std::function<void(const ThingEdit&, Changed)> set;
  std::function<void(const std::string& id, Changed)> remove;
  std::function<void(ReadingsQuestion, bool with_stats, Json)> values;
  // `width`: of the picture, in pixels.
  std::function<void(ReadingsQuestion, std::size_t width, Json)> series;
  // `every`: "1h", "1d", "1w"; `zone` empty: the site's.
  std::function<void(ReadingsQuestion, std::string every, std::string zone, Json)> intervals;
  // How the whole house is.
  std::function<void(Json)> status;
};

}  // namespace nilo::api
