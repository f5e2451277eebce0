#include <algorithm>

#include "stack/forms.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

constexpr std::size_t kRecipientsMax = 20;
constexpr std::size_t kWebhooksMax = 10;
constexpr std::size_t kHeadersMax = 20;
constexpr std::string_view kSeverities[] = {"info", "warning", "critical"};
constexpr std::string_view kMailExample = "{ to = [\"you@example.org\"] }";
constexpr std::string_view kWebhookExample = "{ url = \"https://ntfy.sh/my-tanks\" }";

void read_recipient(const Node& node, std::vector<std::string>& out, Reading& reading) {
  if (node.kind != Node::Kind::text) {
    tell_wrong_type(reading, {"to", "[\"you@example.org\"]"}, "a list of texts", node);
  } else if (!is_mail_address(node.text, false)) {
    reading.tell(Code::not_a_mail_address, node.place, "", node.text, "you@example.org");
  } else {
    out.push_back(node.text);
  }
}

// { to = ["you@example.org"], subject = "...", text = "..." }.
MailNotice read_mail_notice(const Node& node, const std::string& where, Reading& reading) {
  Section keys(node, node.place, "`mail` of " + where, reading);
  MailNotice out;
  out.place = node.place;
  constexpr Key kTo{"to", "[\"you@example.org\"]"};
  const Node* to = keys.require(kTo);
  if (to != nullptr && to->kind == Node::Kind::text) {
    read_recipient(*to, out.to, reading);
  } else if (to != nullptr && keys.list(kTo) != nullptr) {
    for (const Node& item : to->items) read_recipient(item, out.to, reading);
    if (to->items.empty()) reading.tell(Code::text_empty, to->place, "", kTo.name, kTo.example);
    if (to->items.size() > kRecipientsMax) {
      reading.tell(Code::too_many_items, to->place, "", "`to`", kRecipientsMax, "addresses");
    }
  }
  out.subject = keys.prose({"subject", "\"${thing.name} almost ${state}\""}).value_or(Text{});
  out.text = keys.prose({"text", "\"${thing.name} is at ${value} %.\""}).value_or(Text{});
  keys.finish();
  return out;
}

// What a header may not be: a few words, or empty if nothing is wrong.
std::string_view header_mistake(std::string_view name) {
  constexpr std::string_view kOurs[] = {"host", "content-length", "transfer-encoding",
                                        "connection"};
  constexpr std::string_view kSecrets[] = {"authorization", "proxy-authorization", "cookie"};
  const std::string lower = lower_case(name);
  if (std::find(std::begin(kOurs), std::end(kOurs), lower) != std::end(kOurs)) {
    return "leave it out: the program sends it";
  }
  if (std::find(std::begin(kSecrets), std::end(kSecrets), lower) != std::end(kSecrets)) {
    return "secrets do not belong into these files: token = { env = \"NTFY_TOKEN\" }, beside "
           "headers";
  }
  const bool is_token =
      !name.empty() && name.size() <= kNameSizeMax &&
      std::all_of(lower.begin(), lower.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  return is_token ? std::string_view{} : "write a name of letters, digits and `-`, such as Title";
}

void read_headers(const Node& headers, WebhookNotice& out, Reading& reading) {
  if (headers.members.size() > kHeadersMax) {
    reading.tell(Code::too_many_items, headers.place, "", "`headers`", kHeadersMax, "of them");
  }
  for (const Member& member : headers.members) {
    const std::string_view mistake = header_mistake(member.key);
    if (!mistake.empty()) {
      reading.tell(Code::bad_header, member.key_place, "", member.key, mistake);
      continue;
    }
    auto value = read_sql({member.key, "\"Water tanks\""}, member.node, reading);
    if (value) out.headers.emplace_back(member.key, std::move(*value));
  }
}

// "https://...", or { url = "https://...", body = "...", headers = { Title = "..." } }.
void read_webhook(const Node& node, const std::string& where, Alert& alert, Reading& reading) {
  WebhookNotice out;
  out.place = node.place;
  if (node.kind == Node::Kind::text) {
    out.url = node.text;
  } else if (node.kind == Node::Kind::table) {
    Section keys(node, node.place, "`webhook` of " + where, reading);
    constexpr Key kUrl{"url", "\"https://ntfy.sh/my-tanks\""};
    keys.require(kUrl);
    const auto url = keys.text(kUrl);
    out.body = keys.prose({"body", "\"${thing.name}: ${value} ${unit}\""}).value_or(Text{});
    const Node* headers = keys.table({"headers", "{ Title = \"Water tanks\" }"});
    if (headers != nullptr) read_headers(*headers, out, reading);
    out.token = keys.secret({"token", "NTFY_TOKEN"});
    out.allow_private = keys.boolean({"allow_private", "true"}).value_or(false);
    keys.finish();
    if (!url) return;
    out.url = *url;
    out.place = keys.place_of("url");
  } else {
    return tell_wrong_type(reading, {"webhook", kWebhookExample}, "a table, or a list of them",
                           node);
  }
  if (out.url.find('@') < out.url.find('/', out.url.find("//") + 2)) {
    return reading.tell(Code::secret_in_file, out.place, "", "url", "`webhook` of " + where,
                        "leave the user and the password out of the address");
  }
  if (!is_url(out.url)) {
    reading.tell(Code::not_a_url, out.place, "", out.url, "https://ntfy.sh/my-tanks");
  }
  alert.webhooks.push_back(std::move(out));
}

// "learned", or a duration.
void read_silent(Section& keys, Alert& alert) {
  const Node* node = keys.take("silent");
  if (node != nullptr && node->kind == Node::Kind::text && node->text == "learned") {
    alert.silent_learned = true;
  } else {
    alert.silent = keys.duration({"silent", "\"10m\""});
  }
}

void read_flap(const Node& node, const std::string& where, FlapRule& flap, Reading& reading) {
  Section keys(node, node.place, "`flap` of " + where, reading);
  flap.changes = static_cast<int>(keys.integer({"changes", "6"}, 2, 1000).value_or(flap.changes));
  flap.within = keys.duration({"within", "\"1h\""}).value_or(flap.within);
  keys.finish();
}

void check_limits(const Alert& alert, Section& keys, Reading& reading) {
  const bool has_silence = alert.silent || alert.silent_learned;
  if (!alert.low && !alert.high && !has_silence && !alert.invalid) {
    // A key that is there and wrong was told of already.
    for (const std::string_view key : {"low", "high", "silent", "invalid"}) {
      if (keys.take(key) != nullptr) return;
    }
    return reading.tell(Code::alert_without_condition, alert.place, "", keys.where());
  }
  if (alert.clear < 0) {
    return reading.tell(Code::out_of_range, keys.place_of("clear"), "", "clear", "0 or more");
  }
  if (!alert.low || !alert.high) return;
  const double room = (*alert.high - *alert.low) / 2;
  if (room <= 0) {
    reading.tell(Code::low_above_high, keys.place_of("low"),
                 fmt::format("high is {}", *alert.high));
  } else if (alert.clear >= room) {
    reading.tell(Code::clear_too_large, keys.place_of("clear"),
                 fmt::format("{} to {} leave less than {}", *alert.low, *alert.high, room), room);
  }
}

void check_of(const Alert& alert, const Place& place, Reading& reading) {
  const bool has_limit = alert.low || alert.high;
  if (has_limit && alert.of.field.find('*') != std::string::npos) {
    const Selector things{alert.of.is_type, alert.of.thing, "*"};
    return reading.tell(Code::limits_need_one_field, place, "",
                        fmt::format("[alert.{}]", alert.name), things.text());
  }
  reading.selectors.push_back({alert.of, place, has_limit ? FieldKind::number : FieldKind::any});
}

void read_alert(const Member& member, Reading& reading) {
  Section keys(member.node, member.key_place, fmt::format("[alert.{}]", member.key), reading);
  Alert alert{};
  alert.name = member.key;
  alert.place = member.key_place;
  constexpr Key kOf{"of", "\"type:tank/percent\""};
  keys.require(kOf);
  const auto of = keys.selector(kOf);
  alert.low = keys.number({"low", "20"});
  alert.high = keys.number({"high", "80"});
  alert.clear = keys.number({"clear", "2"}).value_or(0);
  alert.hold = keys.duration({"hold", "\"5m\""}).value_or(Duration(0));
  alert.remind = keys.duration({"remind", "\"30m\""});
  read_silent(keys, alert);
  alert.invalid = keys.duration({"invalid", "\"10m\""});
  alert.recovery = keys.boolean({"recovery", "false"}).value_or(true);
  alert.severity = keys.choice({"severity", "\"warning\""}, kSeverities).value_or("warning");
  if (const Node* flap = keys.table({"flap", "{ changes = 6, within = \"1h\" }"})) {
    read_flap(*flap, keys.where(), alert.flap, reading);
  }
  if (const Node* mail = keys.table({"mail", kMailExample})) {
    alert.mail = read_mail_notice(*mail, keys.where(), reading);
  }
  if (const Node* webhook = keys.take("webhook")) {
    const bool is_list = webhook->kind == Node::Kind::list;
    if (!is_list) read_webhook(*webhook, keys.where(), alert, reading);
    for (const Node& item : webhook->items) read_webhook(item, keys.where(), alert, reading);
    if (webhook->items.size() > kWebhooksMax) {
      reading.tell(Code::too_many_items, webhook->place, "", "`webhook`", kWebhooksMax, "entries");
    }
  }
  check_limits(alert, keys, reading);
  keys.finish();
  if (!of) return;
  alert.of = *of;
  check_of(alert, keys.place_of("of"), reading);
  reading.stack.alerts.push_back(std::move(alert));
}

}  // namespace

void read_alerts(const Member& section, Reading& reading) {
  for (const Member& member : section.node.members) {
    if (declares("alert", member, reading.stack.alerts.size(), reading)) {
      read_alert(member, reading);
    }
  }
}

}  // namespace nilo::stack
