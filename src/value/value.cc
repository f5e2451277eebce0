#include "value/value.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/utf8.h"

namespace nilo {

namespace {

constexpr std::string_view kTypeWords[] = {"null", "int",       "double", "bool",
                                           "text", "timestamp", "json"};

// Days since 1970-01-01 of a civil date, or nothing when there is no such day.
std::optional<std::int64_t> days_of(int year, unsigned month, unsigned day) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return sys_days(date).time_since_epoch().count();
}

// Reads exactly `digits` decimal digits; false if they are not there.
bool take_digits(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  out = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take_char(std::string_view& text, std::string_view allowed) {
  if (text.empty() || allowed.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".123456789" -> microseconds, digits after the sixth cut off; false for "." alone.
bool take_fraction(std::string_view& text, std::int64_t& us) {
  us = 0;
  if (!take_char(text, ".")) return true;
  std::size_t digits = 0;
  std::int64_t scale = 100'000;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    us += (text[0] - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
    ++digits;
  }
  return digits > 0;
}

// "Z", "", "+02:00", "+0200", "-03" -> seconds east of UTC.
bool take_offset(std::string_view& text, std::int64_t& offset_s) {
  offset_s = 0;
  if (text.empty() || take_char(text, "Zz")) return true;
  const bool west = text[0] == '-';
  if (!take_char(text, "+-")) return false;
  int hours = 0;
  int minutes = 0;
  if (!take_digits(text, 2, hours)) return false;
  if (!text.empty()) {
    take_char(text, ":");
    if (!take_digits(text, 2, minutes)) return false;
  }
  if (hours > 23 || minutes > 59) return false;
  offset_s = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
  return true;
}

}  // namespace

std::string_view word_of(Type type) { return kTypeWords[static_cast<std::size_t>(type)]; }

Result<Type> type_of_word(std::string_view word) {
  for (std::size_t i = 1; i < std::size(kTypeWords); ++i) {
    if (kTypeWords[i] == word) return static_cast<Type>(i);
  }
  return Error{ErrorCode::invalid_argument, fmt::format("unknown type `{}`", printable(word, 40)),
               "one of int, double, bool, text, timestamp, json"};
}

bool Value::operator==(const Value& other) const {
  if (type_ != other.type_) return false;
  switch (type_) {
    case Type::null:
      return true;
    case Type::float64:
      return float64_ == other.float64_ || (std::isnan(float64_) && std::isnan(other.float64_));
    case Type::text:
    case Type::json:
      return as_text() == other.as_text();
    default:
      return int64_ == other.int64_;
  }
}

void append_json(std::string& out, const Value& value) {
  switch (value.type()) {
    case Type::null:
      out += "null";
      return;
    case Type::int64:
      out += std::to_string(value.as_int64());
      return;
    case Type::boolean:
      out += value.as_boolean() ? "true" : "false";
      return;
    case Type::json:
      out += value.as_text();
      return;
    case Type::text:
      append_json_string(out, value.as_text());
      return;
    case Type::timestamp:
      append_json_string(out, iso_time(value.as_int64()));
      return;
    case Type::float64:
      break;
  }
  if (!std::isfinite(value.as_float64())) {
    out += "null";
    return;
  }
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value.as_float64()).ptr;
  out.append(digits, end);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  const bool clean = is_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        continue;
      case '\\':
        out += "\\\\";
        continue;
      case '\n':
        out += "\\n";
        continue;
      case '\r':
        out += "\\r";
        continue;
      case '\t':
        out += "\\t";
        continue;
      default:
        break;
    }
    if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else if (byte >= 0x80 && !clean && !is_utf8(text.substr(i, 1))) {
      out += "\xef\xbf\xbd";
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string iso_time(TimeUs us) {
  using namespace std::chrono;
  const auto time = sys_time<microseconds>(microseconds(us));
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int(date.year()),
                                unsigned(date.month()), unsigned(date.day()), clock.hours().count(),
                                clock.minutes().count(), clock.seconds().count());
  if (const auto fraction = clock.subseconds().count(); fraction != 0) {
    out += fmt::format(".{:06}", fraction);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + "Z";
}

Result<TimeUs> parse_iso_time(std::string_view text) {
  const Error wrong{ErrorCode::invalid_argument,
                    fmt::format("`{}` is not a time", printable(text, 40)),
                    "write it as 2026-11-22T10:00:00Z"};
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t fraction_us = 0;
  std::int64_t offset_s = 0;
  const bool dated = take_digits(text, 4, year) && take_char(text, "-") &&
                     take_digits(text, 2, month) && take_char(text, "-") &&
                     take_digits(text, 2, day);
  if (!dated) return wrong;
  if (!text.empty()) {
    const bool timed = take_char(text, "Tt ") && take_digits(text, 2, hour) &&
                       take_char(text, ":") && take_digits(text, 2, minute);
    if (!timed) return wrong;
    if (take_char(text, ":") && !take_digits(text, 2, second)) return wrong;
    if (!take_fraction(text, fraction_us) || !take_offset(text, offset_s)) return wrong;
  }
  const auto days = days_of(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  const bool in_range = days && hour < 24 && minute < 60 && second < 61 && text.empty();
  if (!in_range) return wrong;
  const std::int64_t seconds = *days * 86'400 + hour * 3'600 + minute * 60 + second - offset_s;
  return seconds * 1'000'000 + fraction_us;
}

}  // namespace nilo
