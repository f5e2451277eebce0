#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

#include "base/utf8.h"
#include "net/mail.h"

namespace nilo::net {

namespace {

constexpr std::size_t kAddressSizeMax = 254;  // RFC 5321, 4.5.3.1.3, without the <>
// A header line has at most 78 characters, "Subject: " included; longer text is encoded and folded.
constexpr std::size_t kPlainHeaderSizeMax = 66;
constexpr std::size_t kEncodedBytesMax = 42;  // of one encoded word: 56 in base64, 75 are allowed

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view three = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= three.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

}  // namespace

Result<std::string> bare_address(std::string_view mailbox) {
  const auto refuse = [&](const char* why) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("`{}` is not a mail address: {}", printable(mailbox, 80), why),
                 "write it like anna@example.org, or Anna <anna@example.org>"};
  };
  std::string_view address = mailbox;
  if (mailbox.ends_with('>')) {
    const std::size_t open = mailbox.find('<');
    if (open == std::string_view::npos) return refuse("a '>' without its '<'");
    address = mailbox.substr(open + 1, mailbox.size() - open - 2);
  }
  if (std::any_of(mailbox.begin(), mailbox.end(), is_control)) {
    return refuse("it has control characters");
  }
  if (address.find_first_of(" <>,;:\"()[]\\") != std::string_view::npos) {
    return refuse("it has characters that an address has not");
  }
  const std::size_t at = address.find('@');
  const bool has_sides = at != std::string_view::npos && at > 0 && at + 1 < address.size() &&
                         address.find('@', at + 1) == std::string_view::npos;
  if (!has_sides) return refuse("it needs one '@' with something on both sides");
  if (address.size() > kAddressSizeMax) return refuse("it has more than 254 bytes");
  return std::string(address);
}

std::string header_text(std::string_view text) {
  std::string clean = is_utf8(text) ? std::string(text) : printable(text, text.size() * 4);
  std::replace_if(clean.begin(), clean.end(), is_control, ' ');
  const bool is_ascii =
      std::all_of(clean.begin(), clean.end(), [](char c) { return (c & 0x80) == 0; });
  const bool is_plain =
      is_ascii && clean.size() <= kPlainHeaderSizeMax && clean.find("=?") == std::string::npos;
  if (is_plain) return clean;
  std::string out;
  for (std::size_t at = 0; at < clean.size();) {
    const std::string_view part = front_of(std::string_view(clean).substr(at), kEncodedBytesMax);
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64(part) + "?=";
    at += part.size();
  }
  return out;
}

std::string mail_date(TimeUs us) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(us)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<std::chrono::seconds>(time - day));
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

}  // namespace nilo::net
