#include "app/alert_words.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "value/time_zone.h"

namespace nilo::app {

namespace {

using alerts::Condition;
using alerts::Template;

constexpr std::string_view kTestText = "\n\nThis is a test: nothing is wrong.";
constexpr std::string_view kPropertyPrefix = "thing.";

Template parsed(const stack::Text& text) {
  auto made = Template::parse(text.value);
  NILO_ASSERT(made.has_value());  // check_alert_texts()
  return std::move(*made);
}

bool is_level(Condition condition) {
  return condition == Condition::low || condition == Condition::high;
}

// How it is: "empty" goes with "almost", "nearly".
std::string state_word(const AlertRow& row) {
  if (row.state == alerts::State::normal) return "normal";
  const bool is_fill = row.unit == "%";
  if (row.condition == Condition::low) return is_fill ? "empty" : "low";
  if (row.condition == Condition::high) return is_fill ? "full" : "high";
  return std::string(alerts::word_of(row.condition));
}

std::string with_unit(double number, const std::string& unit, int decimals) {
  const std::string shown = shown_number(number, unit, decimals);
  return unit.empty() ? shown : shown + " " + unit;
}

std::string local_time(TimeUs us, const std::string& zone_name) {
  const auto zone = TimeZone::find(zone_name);
  const std::int64_t utc_s = us / 1'000'000;
  const std::time_t local_s = utc_s + (zone ? zone->at(utc_s).offset_s : 0);
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(local_s));
}

std::string property_of(const stack::Thing* thing, std::string_view name) {
  if (thing == nullptr) return {};
  for (const stack::Property& property : thing->properties) {
    if (property.name == name) return property.text;
  }
  return {};
}

std::string value_of(std::string_view name, const AlertRow& row, const AlertFacts& facts) {
  if (name == "thing.id") return row.thing;
  if (name == "thing.name") return row.name;
  if (name == "thing.type") return facts.thing == nullptr ? "" : facts.thing->type;
  if (name == "state") return state_word(row);
  if (name == "value") return row.value ? shown_number(*row.value, row.unit, facts.decimals) : "";
  if (name == "unit") return row.unit;
  if (name == "limit") return row.limit ? shown_number(*row.limit, "", -1) : "";
  if (name == "alert") return row.alert;
  if (name == "condition") return std::string(alerts::word_of(row.condition));
  if (name == "since") return local_time(row.since_us, facts.site->zone);
  if (name == "site.name") return facts.site->name;
  if (name == "link") return facts.link;
  if (name.starts_with(kPropertyPrefix)) {
    return property_of(facts.thing, name.substr(kPropertyPrefix.size()));
  }
  return facts.field(name);
}

}  // namespace

std::string shown_duration(std::int64_t us) {
  const std::int64_t seconds = us / 1'000'000;
  const auto shown = [](std::int64_t count, std::string_view unit) {
    return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
  };
  if (seconds >= 86'400 && seconds % 86'400 == 0) return shown(seconds / 86'400, "day");
  if (seconds >= 3600 && seconds % 3600 == 0) return shown(seconds / 3600, "hour");
  if (seconds >= 60 && seconds % 60 == 0) return shown(seconds / 60, "minute");
  return shown(seconds, "second");
}

AlertWords::AlertWords(const stack::Alert& alert)
    : alert_(alert),
      subject_(alert.mail ? parsed(alert.mail->subject) : Template()),
      text_(alert.mail ? parsed(alert.mail->text) : Template()) {
  for (const stack::WebhookNotice& notice : alert.webhooks) {
    Webhook& webhook = webhooks_.emplace_back(Webhook{&notice, parsed(notice.body), {}});
    for (const auto& [name, value] : notice.headers) {
      webhook.headers.emplace_back(name, parsed(value));
    }
  }
}

std::string AlertWords::sentence(const AlertRow& row, int decimals) const {
  const bool is_normal = row.state == alerts::State::normal;
  if (row.condition == Condition::silent) {
    if (is_normal) return row.name + " reports again";
    if (!alert_.silent) return row.name + " is silent";
    return fmt::format("{} is silent: no reading for {}", row.name,
                       shown_duration(alert_.silent->count() * 1000));
  }
  if (row.condition == Condition::invalid) {
    return row.name + (is_normal ? " sends readings again" : " sends no valid reading");
  }
  const std::string value =
      row.value ? ": " + with_unit(*row.value, row.unit, decimals) : std::string();
  if (is_normal) return row.name + " is back to normal" + value;
  return fmt::format("{} is {}{}{}", row.name, row.unit == "%" ? "nearly " : "too ",
                     state_word(row), value);
}

bool AlertWords::uses_templates(const AlertRow& row, std::string_view event) const {
  const bool lasts = event == "firing" || event == "reminder" || event == "test";
  return lasts && (is_level(row.condition) || (!alert_.low && !alert_.high));
}

std::string AlertWords::own_subject(const AlertRow& row, std::string_view event) const {
  if (event == "flapping") {
    return fmt::format("{} is flapping: {} comes and goes", row.name,
                       alerts::word_of(row.condition));
  }
  return row.text;
}

std::string AlertWords::own_text(const AlertRow& row, std::string_view event,
                                 const AlertFacts& facts) const {
  std::string out = own_subject(row, event) + ".\n\n";
  if (event == "flapping") {
    out += fmt::format(
        "It changed more than {} times within {}. You hear of it again when it has "
        "been steady for so long.\n",
        alert_.flap.changes, shown_duration(alert_.flap.within.count() * 1000));
  }
  const bool is_normal = row.state == alerts::State::normal;
  out += fmt::format("{} {}", is_normal ? "Normal since" : "Since",
                     local_time(row.since_us, facts.site->zone));
  if (row.limit && !is_normal)
    out += fmt::format(", limit {}", with_unit(*row.limit, row.unit, -1));
  return out + fmt::format(".\nAlert \"{}\" of {}.", row.alert, facts.site->name);
}

std::vector<Notice> AlertWords::notices(const AlertRow& row, std::string_view event,
                                        const AlertFacts& facts, bool has_mail) const {
  const bool by_template = uses_templates(row, event);
  const auto rendered = [&](const Template& text, std::string ours) {
    if (!by_template || text.empty()) return ours;
    return text.render([&](std::string_view name) { return value_of(name, row, facts); });
  };
  Notice notice;
  notice.alert = row.alert;
  notice.thing = row.thing;
  notice.condition = alerts::word_of(row.condition);
  notice.field = row.field;
  notice.thing_name = row.name;
  notice.event = event;
  if (row.value) notice.value = with_unit(*row.value, row.unit, facts.decimals);
  notice.created_us = row.changed_us;
  notice.next_try_us = row.changed_us;
  notice.link = facts.link;
  const bool is_test = event == "test";
  if (!is_test) notice.acknowledge_link = facts.acknowledge_link;
  notice.subject = rendered(subject_, own_subject(row, event));
  if (event == "reminder") notice.subject = "Still: " + notice.subject;
  if (is_test) notice.subject = "Test: " + notice.subject;
  std::vector<Notice> out;
  if (alert_.mail && has_mail) {
    notice.channel = kMailChannel;
    notice.text = rendered(text_, own_text(row, event, facts));
    if (is_test) notice.text += kTestText;
    for (const std::string& to : alert_.mail->to) out.emplace_back(notice).to = to;
  }
  for (const Webhook& webhook : webhooks_) {
    Notice& post = out.emplace_back(notice);
    post.channel = kWebhookChannel;
    post.to = webhook.notice->url;
    post.text = rendered(webhook.body, own_subject(row, event));
    if (is_test) post.text += kTestText;
    post.allow_private = webhook.notice->allow_private;
    for (const auto& [name, value] : webhook.headers) {
      post.headers.push_back({name, rendered(value, own_subject(row, event))});
    }
  }
  return out;
}

}  // namespace nilo::app
