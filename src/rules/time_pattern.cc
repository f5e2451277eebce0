#include "rules/time_pattern.h"

#include <fmt/format.h>

#include <chrono>

#include "base/utf8.h"

namespace nilo::rules {

namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::weekday;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kDays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                      "Friday", "Saturday", "Sunday"};
constexpr std::size_t kShortName = 3;
constexpr std::int64_t kDayS = 86'400;

// A moment on some wall clock.
struct Local {
  year_month_day date;
  sys_days day;
  std::int64_t second_of_day;
  int millisecond;

  int iso_weekday() const { return static_cast<int>(weekday(day).iso_encoding()); }
  int hour() const { return static_cast<int>(second_of_day / 3600); }
  int day_of_year() const {
    return static_cast<int>((day - sys_days(date.year() / 1 / 1)).count()) + 1;
  }
  // ISO 8601: the week belongs to the year of its Thursday.
  sys_days thursday() const { return day + days(4 - iso_weekday()); }
  int week_year() const { return static_cast<int>(year_month_day(thursday()).year()); }
  int week() const {
    const sys_days first = sys_days(year(week_year()) / 1 / 1);
    return static_cast<int>((thursday() - first).count()) / 7 + 1;
  }
};

Local local_of(std::int64_t milliseconds, std::int64_t offset_s) {
  std::int64_t seconds = milliseconds / 1000;
  std::int64_t rest = milliseconds % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  const auto time = std::chrono::sys_seconds(std::chrono::seconds(seconds + offset_s));
  const sys_days date = std::chrono::floor<days>(time);
  return {year_month_day(date), date, (time - date).count(), static_cast<int>(rest)};
}

std::string fraction_text(int millisecond, int count) {
  std::string digits = fmt::format("{:03}", millisecond);
  digits.resize(static_cast<std::size_t>(count), '0');
  return digits;
}

std::string year_text(int number, int count) {
  return count == 2 ? fmt::format("{:02}", number % 100) : fmt::format("{:0{}}", number, count);
}

std::string name_text(std::string_view name, int count) {
  return std::string(count >= 4 ? name : name.substr(0, kShortName));
}

std::string offset_field(const TimeZone::Moment& moment, const TimeZone& zone, int count) {
  if (count >= 3) return zone.name();
  return offset_text(moment.offset_s, count == 2);
}

// One field in Joda's way.
std::string field_text(char letter, int count, const Local& local, const TimeZone::Moment& moment,
                       const TimeZone& zone) {
  const auto number = [count](int value) { return fmt::format("{:0{}}", value, count); };
  const int hour = local.hour();
  switch (letter) {
    case 'G':
      return "AD";
    case 'C':
      return number(int(local.date.year()) / 100);
    case 'y':
    case 'Y':
      return year_text(int(local.date.year()), count);
    case 'x':
      return year_text(local.week_year(), count);
    case 'w':
      return number(local.week());
    case 'e':
      return number(local.iso_weekday());
    case 'E':
      return name_text(kDays[local.iso_weekday() - 1], count);
    case 'D':
      return number(local.day_of_year());
    case 'M': {
      const unsigned index = unsigned(local.date.month());
      return count >= 3 ? name_text(kMonths[index - 1], count) : number(static_cast<int>(index));
    }
    case 'd':
      return number(static_cast<int>(unsigned(local.date.day())));
    case 'a':
      return hour < 12 ? "AM" : "PM";
    case 'K':
      return number(hour % 12);
    case 'h':
      return number(hour % 12 == 0 ? 12 : hour % 12);
    case 'H':
      return number(hour);
    case 'k':
      return number(hour == 0 ? 24 : hour);
    case 'm':
      return number(static_cast<int>(local.second_of_day / 60 % 60));
    case 's':
      return number(static_cast<int>(local.second_of_day % 60));
    case 'S':
      return fraction_text(local.millisecond, count);
    case 'z':
      return count >= 4 ? zone.name() : moment.abbreviation;
    default:  // 'Z'
      return offset_field(moment, zone, count);
  }
}

std::string_view letters_of(TimePattern::Dialect dialect) {
  return dialect == TimePattern::Dialect::joda ? "GCyYxweEDMdaKhHkmsSzZ" : "yuMLdDEaKhHkmsSnVzXxZ";
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::optional<TimePattern> TimePattern::parse(std::string_view text, Dialect dialect,
                                              std::string* why) {
  constexpr int kCountMax = 19;
  TimePattern out;
  const auto refuse = [why](std::string reason) {
    if (why != nullptr) *why = std::move(reason);
    return std::nullopt;
  };
  const auto add_literal = [&out](std::string_view literal) {
    if (out.parts_.empty() || out.parts_.back().letter != '\0') out.parts_.push_back({'\0', 0, ""});
    out.parts_.back().literal += literal;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\'') {
      if (text.substr(i).starts_with("''")) {
        add_literal("'");
        ++i;
        continue;
      }
      // 'quoted', where '' stands for one quote
      for (++i;; ++i) {
        if (i >= text.size()) return refuse("a quote in it has no end");
        if (text[i] != '\'') {
          add_literal(text.substr(i, 1));
        } else if (text.substr(i).starts_with("''")) {
          add_literal("'");
          ++i;
        } else {
          break;
        }
      }
    } else if (is_letter(c)) {
      if (letters_of(dialect).find(c) == std::string_view::npos) {
        return refuse(fmt::format("the letter {} is not available", c));
      }
      const std::size_t end = std::min(text.find_first_not_of(c, i), text.size());
      const auto count = static_cast<int>(std::min<std::size_t>(end - i, kCountMax + 1));
      if (count > kCountMax) return refuse(fmt::format("too many times {}", c));
      out.parts_.push_back({c, count, ""});
      i = end - 1;
    } else if (dialect == Dialect::java &&
               std::string_view("[]{}#").find(c) != std::string_view::npos) {
      return refuse(fmt::format("{} is not available", c));
    } else {
      add_literal(text.substr(i, 1));
    }
  }
  return out;
}

bool TimePattern::append(std::string& out, std::int64_t milliseconds, const TimeZone& zone) const {
  constexpr std::int64_t kMinMs = -62'135'596'800'000;  // 0001-01-01T00:00:00Z
  constexpr std::int64_t kMaxMs = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z
  if (milliseconds < kMinMs + kDayS * 1000 || milliseconds > kMaxMs - kDayS * 1000) return false;
  const TimeZone::Moment moment = zone.at(milliseconds / 1000);
  const Local local = local_of(milliseconds, moment.offset_s);
  for (const Part& part : parts_) {
    out += part.letter == '\0' ? part.literal
                               : field_text(part.letter, part.count, local, moment, zone);
  }
  return true;
}

// Reads one text by one pattern.
class TimeReader {
 public:
  TimeReader(const TimePattern& pattern, std::string_view text)
      : parts_(pattern.parts_), left_(text) {}

  std::optional<std::int64_t> run() {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const TimePattern::Part& part = parts_[i];
      const bool good = part.letter == '\0'
                            ? take(part.literal)
                            : field(part, i + 1 < parts_.size() && is_number(parts_[i + 1]));
      if (!good) return std::nullopt;
    }
    return left_.empty() ? moment() : std::nullopt;
  }

 private:
  static bool is_number(const TimePattern::Part& part) {
    const bool is_name = (part.letter == 'M' || part.letter == 'L') && part.count >= 3;
    return !is_name &&
           std::string_view("yuMLdDKhHkmsSn").find(part.letter) != std::string_view::npos;
  }

  bool take(std::string_view literal) {
    if (!left_.starts_with(literal)) return false;
    left_.remove_prefix(literal.size());
    return true;
  }

  // Between `least` and `most` digits.
  bool number(int least, int most, std::int64_t& out) {
    int count = 0;
    out = 0;
    while (count < most && !left_.empty() && left_[0] >= '0' && left_[0] <= '9') {
      out = out * 10 + (left_[0] - '0');
      left_.remove_prefix(1);
      ++count;
    }
    return count >= least;
  }

  // A letter alone takes as many digits as there are; more fix the width. Before another number
  // without anything between, the width is always fixed.
  bool number_field(int count, int most, bool before_number, std::int64_t& out) {
    return number(count, count == 1 && !before_number ? most : count, out);
  }

  template <std::size_t N>
  bool name(const std::string_view (&names)[N], bool whole, std::int64_t& out) {
    for (std::size_t i = 0; i < N; ++i) {
      if (!take(whole ? names[i] : names[i].substr(0, kShortName))) continue;
      out = static_cast<std::int64_t>(i) + 1;
      return true;
    }
    return false;
  }

  bool year_field(int count, bool before_number) {
    constexpr int kDigitsMax = 4;
    if (count != 2) {
      if (count > kDigitsMax) return false;
      return number(count, before_number && count > 1 ? count : kDigitsMax, year_);
    }
    if (!number(2, 2, year_)) return false;
    year_ += 2000;
    return true;
  }

  bool fraction(int count) {
    constexpr int kNanoDigits = 9;
    if (count > kNanoDigits || !number(count, count, nanosecond_)) return false;
    for (int i = count; i < kNanoDigits; ++i) nanosecond_ *= 10;
    return true;
  }

  bool half_day() {
    is_pm_ = left_.starts_with("PM");
    has_half_ = true;
    return take("AM") || take("PM");
  }

  // +hh, +hhmm or +hh:mm, and Z where the letter allows it.
  bool offset(char letter, int count) {
    const bool allows_z = letter == 'X' || (letter == 'Z' && count == 5);
    if (allows_z && take("Z")) return set_zone("UTC");
    if (letter == 'Z' && count == 4 && !take("GMT")) return false;
    const bool colon = letter == 'Z' ? count >= 4 : count == 3;
    const bool hours_only =
        letter != 'Z' && count == 1 && (left_.size() < 5 || left_[3] < '0' || left_[3] > '9');
    const std::size_t size = hours_only ? 3 : colon ? 6 : 5;
    if (left_.size() < size || (colon && left_[3] != ':')) return false;
    const std::string_view text = left_.substr(0, size);
    left_.remove_prefix(size);
    return set_zone(text);
  }

  bool zone_id() {
    std::size_t size = 0;
    const auto belongs = [](char c) {
      return is_letter(c) || (c >= '0' && c <= '9') ||
             std::string_view("/_+-:").find(c) != std::string_view::npos;
    };
    while (size < left_.size() && belongs(left_[size])) ++size;
    const std::string_view text = left_.substr(0, size);
    left_.remove_prefix(size);
    return set_zone(text);
  }

  bool set_zone(std::string_view name) {
    zone_ = TimeZone::find(name);
    return zone_.has_value();
  }

  bool field(const TimePattern::Part& part, bool before_number) {
    const int count = part.count;
    switch (part.letter) {
      case 'y':
      case 'u':
        return year_field(count, before_number);
      case 'M':
      case 'L':
        if (count >= 3) return name(kMonths, count >= 4, month_);
        return number_field(count, 2, before_number, month_);
      case 'd':
        return number_field(count, 2, before_number, day_);
      case 'D':
        return number_field(count, 3, before_number, day_of_year_);
      case 'E':
        return name(kDays, count >= 4, weekday_);
      case 'a':
        return half_day();
      case 'H':
        return number_field(count, 2, before_number, hour_) && hour_ <= 23;
      case 'k':
        if (!number_field(count, 2, before_number, hour_) || hour_ < 1 || hour_ > 24) return false;
        hour_ %= 24;
        return true;
      case 'K':
        is_half_hour_ = true;
        return number_field(count, 2, before_number, hour_) && hour_ <= 11;
      case 'h':
        is_half_hour_ = true;
        if (!number_field(count, 2, before_number, hour_) || hour_ < 1 || hour_ > 12) return false;
        hour_ %= 12;
        return true;
      case 'm':
        return number_field(count, 2, before_number, minute_) && minute_ <= 59;
      case 's':
        return number_field(count, 2, before_number, second_) && second_ <= 59;
      case 'S':
        return fraction(count);
      case 'n':
        return number_field(count, 9, before_number, nanosecond_);
      case 'V':
      case 'z':
        return zone_id();
      default:  // X x Z
        return offset(part.letter, count);
    }
  }

  // Days since 1970 of what was read.
  std::optional<sys_days> date() const {
    if (year_ < 1) return std::nullopt;
    const year y(static_cast<int>(year_));
    if (day_of_year_ > 0) {
      const sys_days out = sys_days(y / 1 / 1) + days(day_of_year_ - 1);
      if (year_month_day(out).year() != y) return std::nullopt;
      return out;
    }
    const year_month_day out(y, month(static_cast<unsigned>(month_)),
                             day(static_cast<unsigned>(day_)));
    if (!out.ok()) return std::nullopt;
    return sys_days(out);
  }

  std::optional<std::int64_t> moment() const {
    const auto date_read = date();
    if (!date_read || is_half_hour_ != has_half_) return std::nullopt;
    if (weekday_ > 0 && weekday(*date_read).iso_encoding() != static_cast<unsigned>(weekday_)) {
      return std::nullopt;
    }
    const std::int64_t hour = hour_ + (is_pm_ ? 12 : 0);
    const std::int64_t local_s =
        date_read->time_since_epoch().count() * kDayS + hour * 3600 + minute_ * 60 + second_;
    const std::int64_t utc_s = zone_ ? zone_->utc_of(local_s) : local_s;
    return utc_s * 1000 + nanosecond_ / 1'000'000;
  }

  const std::vector<TimePattern::Part>& parts_;
  std::string_view left_;
  std::int64_t year_ = 0;
  std::int64_t month_ = 1;
  std::int64_t day_ = 1;
  std::int64_t day_of_year_ = 0;
  std::int64_t weekday_ = 0;
  std::int64_t hour_ = 0;
  std::int64_t minute_ = 0;
  std::int64_t second_ = 0;
  std::int64_t nanosecond_ = 0;
  bool is_half_hour_ = false;  // hour_ is one of 12
  bool has_half_ = false;      // and AM or PM was read
  bool is_pm_ = false;
  std::optional<TimeZone> zone_;
};

std::optional<std::int64_t> TimePattern::read(std::string_view text) const {
  return TimeReader(*this, text).run();
}

}  // namespace nilo::rules
