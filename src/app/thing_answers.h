// app/thing_answers.h: what the API answers about things and their readings.
//
// In/out:  api::ThingBackend's questions -> JSON documents, made from the index of things and from
//          the tables' heads.
// Threads: the functions of backend() may be called from any thread; they are answered on one of
//          two threads of this: quick questions do not wait for those that read many rows.
// Limits:  kQuestionsWaitingMax for each of the two, kSeriesMax and kValuesMax fields a question,
//          kRowsReadMax rows, kIntervalsMax intervals: beyond is an error that says so.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/thing_backend.h"
#include "app/things.h"
#include "app/worker.h"
#include "base/clock.h"
#include "stack/stack.h"
#include "tables/series.h"
#include "tables/tables.h"
#include "value/time_zone.h"

namespace nilo::app {

inline constexpr std::size_t kQuestionsWaitingMax = 64;
inline constexpr std::size_t kSeriesMax = 100;
inline constexpr std::size_t kValuesMax = 1'000;
// Rows one question may look at: about half a second.
inline constexpr std::uint64_t kRowsReadMax = 20'000'000;
inline constexpr std::size_t kIntervalsMax = 20'000;

class ThingAnswers {
 public:
  struct Rooms {  // all must outlive this
    const Things& things;
    const tables::Tables& tables;
    const stack::Stack& stack;
    const Clock& clock;
    // How many alerts about a thing are open.
    std::function<std::size_t(std::string_view thing)> open_alerts;
    std::function<std::string()> status_json;
  };
  explicit ThingAnswers(Rooms rooms);

  // Answers with resource_exhausted at once when too many wait.
  api::ThingBackend backend();

  // The same here and now.
  Result<std::string> list(const api::ThingsQuestion& question) const;
  Result<std::string> show(std::string_view id) const;
  Result<std::string> values(const api::ReadingsQuestion& question, bool with_stats) const;
  Result<std::string> series(const api::ReadingsQuestion& question, std::size_t width) const;
  Result<std::string> intervals(const api::ReadingsQuestion& question, std::string_view every,
                                std::string_view zone) const;

 private:
  struct Chosen;  // the fields a question is about
  struct Span {
    TimeUs from_us;
    TimeUs to_us;
  };
  using Visit = std::function<void(const tables::Point&)>;

  Result<Chosen> choose(std::string_view of, bool numbers_only, std::size_t fields_max) const;
  Result<Span> span_of(const api::ReadingsQuestion& question) const;
  Result<void> each_point(const ThingField& field, const Span& span, std::uint64_t& rows_left,
                          const Visit& visit) const;
  Result<void> draw_series(std::string& out, const ThingField& field, const Span& span,
                           std::size_t width, std::uint64_t& rows_left) const;

  Rooms rooms_;
  TimeZone zone_;  // of the site
  Worker quick_{kQuestionsWaitingMax};
  Worker thorough_{kQuestionsWaitingMax};
};

}  // namespace nilo::app
