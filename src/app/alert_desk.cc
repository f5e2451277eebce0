#include "app/alert_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/notice_ledger.h"
#include "value/key.h"

namespace nilo::app {

namespace {

using alerts::State;

constexpr std::size_t kHistoryMax = 200;
constexpr std::size_t kNoticesShownMax = 100;
constexpr std::string_view kLinkOwner = "link in a mail";

std::vector<AlertRow> all_rows(const tables::Tables& tables) {
  std::vector<AlertRow> rows;
  tables.each_latest(kAlertsTable, [&](const tables::Change& change) {
    rows.push_back(alert_row_of(change.cells));
  });
  return rows;
}

std::optional<TimeUs> quiet_since_of(const std::vector<AlertRow>& rows) {
  TimeUs newest_us = 0;
  for (const AlertRow& row : rows) {
    if (alerts::is_open(row.state)) return std::nullopt;
    if (row.state == State::normal) newest_us = std::max(newest_us, row.since_us);
  }
  return newest_us == 0 ? std::nullopt : std::optional(newest_us);
}

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

// The newest notices of one alert. A scan of all that are kept: asked by a person, now and then.
void append_notices(std::string& out, const tables::Tables& tables, const AlertRow& row) {
  std::vector<Notice> found;
  tables.each_latest(kNoticesTable, [&](const tables::Change& change) {
    Notice notice = notice_of(change.cells);
    const bool is_its = notice.alert == row.alert && notice.thing == row.thing &&
                        notice.condition == alerts::word_of(row.condition);
    if (is_its) found.push_back(std::move(notice));
  });
  std::sort(found.begin(), found.end(),
            [](const Notice& a, const Notice& b) { return a.created_us > b.created_us; });
  if (found.size() > kNoticesShownMax) found.resize(kNoticesShownMax);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i > 0) out += ',';
    append_notice_json(out, found[i]);
  }
}

Error no_alert(std::string_view id) {
  return {ErrorCode::not_found, fmt::format("no alert `{}`", id),
          "alerts that were never open have no story: GET /api/v1/alerts?state=all"};
}

}  // namespace

std::optional<TimeUs> AlertDesk::quiet_since() const { return quiet_since_of(all_rows(tables_)); }

Result<std::string> AlertDesk::list(const api::AlertQuery& query) const {
  std::optional<State> only;
  if (query.state != "open" && query.state != "all") {
    only = TRY(alerts::state_of_word(query.state));
  }
  std::vector<AlertRow> rows = all_rows(tables_);
  const auto quiet_since = quiet_since_of(rows);
  std::array<std::size_t, alerts::kStates.size()> counts{};
  for (const AlertRow& row : rows) ++counts[static_cast<std::size_t>(row.state)];
  std::erase_if(rows, [&](const AlertRow& row) {
    if (!query.thing.empty() && row.thing != query.thing) return true;
    if (only) return row.state != *only;
    return query.state == "open" && !alerts::is_open(row.state);
  });
  std::sort(rows.begin(), rows.end(), [](const AlertRow& a, const AlertRow& b) {
    const bool a_open = alerts::is_open(a.state);
    const bool b_open = alerts::is_open(b.state);
    if (a_open != b_open) return a_open;
    return a.changed_us != b.changed_us ? a.changed_us > b.changed_us : a.id < b.id;
  });
  std::string out = "{\"alerts\":[";
  const std::size_t end = std::min(rows.size(), query.offset + query.limit);
  for (std::size_t i = query.offset; i < end; ++i) {
    if (i > query.offset) out += ',';
    append_alert_json(out, rows[i]);
  }
  out += end < rows.size() ? fmt::format("],\"next\":\"{}\"", end) : "],\"next\":null";
  out += ",\"counts\":{";
  for (const State state : alerts::kStates) {
    if (state != State::normal) out += ',';
    out +=
        fmt::format("\"{}\":{}", alerts::word_of(state), counts[static_cast<std::size_t>(state)]);
  }
  out += "},\"quiet_since\":";
  return out + (quiet_since ? fmt::format("{}}}", *quiet_since / 1000) : "null}");
}

Result<std::string> AlertDesk::story(const std::string& id) const {
  const auto row = find_alert(tables_, id);
  if (!row) return no_alert(id);
  std::string out = item_json(*row);
  out.pop_back();
  append_history(out += ",\"history\":[", tables_, id);
  append_notices(out += "],\"notices\":[", tables_, *row);
  return out + "]}";
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
