#include "app/notice_mail.h"

#include <fmt/format.h>

#include <utility>

namespace nilo::app {

namespace {

// Mail programs keep inline styles and throw away the rest.
constexpr std::string_view kBodyStyle =
    "margin:0;padding:24px 12px;background:#f7f5f0;color:#1b2733;"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif";
constexpr std::string_view kCardStyle =
    "max-width:640px;margin:0 auto;padding:24px;background:#ffffff;"
    "border:1px solid #d9d4c8;border-radius:8px";
constexpr std::string_view kValueStyle = "margin:8px 0;font-size:40px;line-height:1.1;color:";
constexpr std::string_view kButtonStyle =
    "display:inline-block;margin:0 12px 0 0;padding:10px 16px;border-radius:6px;"
    "text-decoration:none;font-weight:600;";
constexpr std::string_view kFooterStyle =
    "max-width:640px;margin:12px auto 0;color:#5f6b77;font-size:13px";
constexpr std::string_view kBadColor = "#a3262a";
constexpr std::string_view kGoodColor = "#1f6b4a";

bool is_link(std::string_view url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

// Escaped, and its lines as lines.
std::string html_lines(std::string_view text) {
  std::string out;
  for (const char c : html_escaped(text)) {
    if (c == '\n') out += "<br>";
    if (c != '\r') out += c;
  }
  return out;
}

std::string button(std::string_view url, std::string_view label, bool is_filled) {
  if (!is_link(url)) return "";
  const std::string_view look =
      is_filled ? "background:#12647a;color:#ffffff" : "border:1px solid #12647a;color:#12647a";
  return fmt::format("<a href=\"{}\" style=\"{}{}\">{}</a>", html_escaped(url), kButtonStyle, look,
                     label);
}

std::string subject_of(const Notice& notice) {
  if (!notice.subject.empty()) return notice.subject;
  const std::string& name = notice.thing_name.empty() ? notice.thing : notice.thing_name;
  return notice.event == "recovered" ? name + " is back to normal"
                                     : fmt::format("{}: {}", name, notice.condition);
}

std::string text_of(const Notice& notice) {
  std::string text = notice.text;
  if (is_link(notice.link)) text += "\n\n" + notice.link;
  if (is_link(notice.acknowledge_link)) {
    text += "\n\nI have seen it, tell me no more: " + notice.acknowledge_link;
  }
  return text + "\n";
}

std::string footer_of(const Notice& notice, const MailFrame& frame) {
  std::string text = frame.site_name;
  if (!notice.alert.empty()) text += ": alert " + notice.alert;
  if (!notice.thing.empty()) text += " on " + notice.thing;
  return text;
}

std::string html_of(const Notice& notice, const MailFrame& frame, const NoticeChart* chart) {
  const bool is_good = notice.event == "recovered" || notice.event == "test";
  std::string out = fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>{}</title></head>"
      "<body style=\"{}\"><div style=\"{}\">",
      html_escaped(subject_of(notice)), kBodyStyle, kCardStyle);
  if (!notice.thing_name.empty()) {
    out += fmt::format("<div style=\"font-weight:600\">{}</div>", html_escaped(notice.thing_name));
  }
  if (!notice.value.empty()) {
    out += fmt::format("<div style=\"{}{}\">{}</div>", kValueStyle,
                       is_good ? kGoodColor : kBadColor, html_escaped(notice.value));
  }
  out += fmt::format("<p style=\"margin:12px 0\">{}</p>", html_lines(notice.text));
  if (chart != nullptr) {
    out += fmt::format(
        "<img src=\"cid:{}\" width=\"640\" alt=\"{}\" "
        "style=\"display:block;width:100%;max-width:640px;height:auto;margin:16px 0\">",
        net::kChartContentId, html_escaped(chart->sentence));
  }
  const std::string buttons = button(notice.link, "Open the page", true) +
                              button(notice.acknowledge_link, "Acknowledge", false);
  if (!buttons.empty()) out += fmt::format("<p style=\"margin:20px 0 0\">{}</p>", buttons);
  out += fmt::format("</div><div style=\"{}\">{}</div></body></html>", kFooterStyle,
                     html_escaped(footer_of(notice, frame)));
  return out;
}

// "Tanks <tanks@example.org>" -> "example.org"; Message-IDs need a name nobody else uses.
std::string host_of(const std::string& from) {
  const auto address = net::bare_address(from);
  return address ? address->substr(address->find('@') + 1) : "localhost";
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

net::Mail mail_of(const Notice& notice, const MailFrame& frame, const NoticeChart* chart) {
  net::Mail mail;
  mail.from = frame.from;
  mail.to = notice.to;
  mail.subject = subject_of(notice);
  mail.text = text_of(notice);
  mail.html = html_of(notice, frame, chart);
  if (chart != nullptr) mail.png = chart->png;
  mail.message_id = fmt::format("{}@{}", notice.id, host_of(frame.from));
  mail.date_us = notice.created_us;
  return mail;
}

}  // namespace nilo::app
