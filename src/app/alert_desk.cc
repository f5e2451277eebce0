#include "app/alert_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "value/key.h"

namespace nilo::app {

namespace {

using alerts::State;

constexpr std::size_t kHistoryMax = 200;
constexpr std::size_t kNoticesShownMax = 100;
constexpr std::string_view kLinkOwner = "link in a mail";

// What a list needs of every alert there is, in its order; the whole row only of those shown.
struct Entry {
  State state;
  TimeUs changed_us;
  std::string id;
  bool operator<(const Entry& other) const {
    const bool is_open = alerts::is_open(state);
    if (is_open != alerts::is_open(other.state)) return is_open;
    if (is_open && state != other.state) return state < other.state;  // the unanswered first
    return changed_us != other.changed_us ? changed_us > other.changed_us : id < other.id;
  }
};

struct Overview {
  std::array<std::size_t, alerts::kStates.size()> counts{};
  TimeUs newest_end_us = 0;

  void count(const AlertGlance& glance) {
    ++counts[static_cast<std::size_t>(glance.state)];
    const bool is_over = glance.state == State::normal || glance.state == State::resolved;
    const TimeUs end_us = glance.state == State::normal ? glance.since_us : glance.changed_us;
    if (is_over) newest_end_us = std::max(newest_end_us, end_us);
  }
  std::optional<TimeUs> quiet_since() const {
    for (const State state : alerts::kStates) {
      const bool lasts = alerts::is_open(state) && counts[static_cast<std::size_t>(state)] > 0;
      if (lasts) return std::nullopt;
    }
    return newest_end_us == 0 ? std::nullopt : std::optional(newest_end_us);
  }
};

std::string item_json(const AlertRow& row) {
  std::string out;
  append_alert_json(out, row);
  return out;
}

void append_history(std::string& out, const tables::Tables& tables, std::string_view id) {
  std::string key;
  const Value cell = Value::text(id);
  append_key_text(key, std::span(&cell, 1));
  const auto page = tables.rows(
      {.table = kAlertHistoryTable, .key = key, .limit = kHistoryMax, .newest_first = true});
  if (!page) return;
  for (std::size_t row = 0; row < page->rows.row_count(); ++row) {
    if (row > 0) out += ',';
    out += fmt::format("{{\"time\":{}", page->rows.cell(row, 1).as_int64() / 1000);
    constexpr std::array<std::string_view, 5> kKeys{"state", "event", "value", "by", "note"};
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
      out += fmt::format(",\"{}\":", kKeys[i]);
      append_json(out, page->rows.cell(row, i + 2));
    }
    out += '}';
  }
}

Error no_alert(std::string_view id) {
  return {ErrorCode::not_found, fmt::format("no alert `{}`", id),
          "alerts that were never open have no story: GET /api/v1/alerts?state=all"};
}

}  // namespace

std::optional<TimeUs> AlertDesk::quiet_since() const {
  Overview overview;
  tables_.each_latest(kAlertsTable, [&](const tables::Change& change) {
    const AlertGlance glance = alert_glance_of(change.cells);
    overview.count(glance);
  });
  return overview.quiet_since();
}

Result<std::string> AlertDesk::list(const api::AlertQuery& query) const {
  std::optional<State> only;
  if (query.state != "open" && query.state != "all") {
    only = TRY(alerts::state_of_word(query.state));
  }
  Overview overview;
  std::vector<Entry> entries;
  tables_.each_latest(kAlertsTable, [&](const tables::Change& change) {
    const AlertGlance glance = alert_glance_of(change.cells);
    overview.count(glance);
    const bool is_open = alerts::is_open(glance.state);
    const bool is_wanted = (query.thing.empty() || glance.thing == query.thing) &&
                           (only ? glance.state == *only : is_open || query.state == "all");
    if (is_wanted) entries.push_back({glance.state, glance.changed_us, std::string(glance.id)});
  });
  const std::size_t end = std::min(entries.size(), query.offset + query.limit);
  std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(end),
                    entries.end());
  std::string out = "{\"alerts\":[";
  for (std::size_t i = query.offset; i < end; ++i) {
    if (i > query.offset) out += ',';
    // It may have changed since; alerts never go.
    append_alert_json(out, find_alert(tables_, entries[i].id).value());
  }
  out += end < entries.size() ? fmt::format("],\"next\":\"{}\"", end) : "],\"next\":null";
  out += ",\"counts\":{";
  for (const State state : alerts::kStates) {
    if (state != State::normal) out += ',';
    out += fmt::format("\"{}\":{}", alerts::word_of(state),
                       overview.counts[static_cast<std::size_t>(state)]);
  }
  out += "},\"quiet_since\":";
  const auto quiet_since = overview.quiet_since();
  return out + (quiet_since ? fmt::format("{}}}", *quiet_since / 1000) : "null}");
}

Result<std::string> AlertDesk::story(const std::string& id) const {
  const auto row = find_alert(tables_, id);
  if (!row) return no_alert(id);
  std::string out = item_json(*row);
  out.pop_back();
  append_history(out += ",\"history\":[", tables_, id);
  return out + "],\"notices\":" + notices_json_(id, kNoticesShownMax) + "}";
}

Result<AlertRow> AlertDesk::linked(const std::string& token) const {
  const auto named = links_.read(token);
  auto row = named ? find_alert(tables_, named->alert_id) : std::nullopt;
  if (!row) {
    return Error{ErrorCode::not_found, "this link is not valid", "open the alerts' page instead"};
  }
  if (row->since_us != named->since_us || !alerts::is_open(row->state)) {
    return Error{ErrorCode::conflict, "the alert of this link is over: " + row->text, ""};
  }
  return std::move(*row);
}

api::AlertBackend AlertDesk::backend() {
  using Done = api::AlertBackend::Done;
  const auto answer = [](const Done& done) {
    return [done](const Result<AlertRow>& row) {
      done(row ? Result<std::string>(item_json(*row)) : Result<std::string>(row.error()));
    };
  };
  api::AlertBackend backend;
  backend.list = [this](const api::AlertQuery& query) { return list(query); };
  backend.story = [this](const std::string& id) { return story(id); };
  backend.act = [this, answer](const std::string& id, const api::AlertDeed& deed,
                               const Done& done) {
    const auto kind = static_cast<Alerting::Deed::Kind>(deed.kind);
    alerting_.act(id, {kind, deed.for_us, deed.by, deed.note}, answer(done));
  };
  backend.test = [this](const std::string& name, const Done& done) {
    alerting_.test(name, [done](const Result<std::vector<std::string>>& ids) {
      if (!ids) return done(ids.error());
      std::string out = "{\"notices\":[";
      for (const std::string& id : *ids) {
        if (&id != &ids->front()) out += ',';
        append_json_string(out, id);
      }
      done(out + "]}");
    });
  };
  backend.linked = [this](const std::string& token) -> Result<std::string> {
    return item_json(TRY(linked(token)));
  };
  backend.acknowledge_linked = [this, answer](const std::string& token, const Done& done) {
    const auto row = linked(token);
    if (!row) return done(row.error());
    const bool is_done = row->state == State::acknowledged;
    if (is_done) return done(item_json(*row));  // mail programs open links twice
    alerting_.act(row->id, {Alerting::Deed::Kind::acknowledge, {}, std::string(kLinkOwner)},
                  answer(done));
  };
  return backend;
}

}  // namespace nilo::app
