#include "stack/forms.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "base/utf8.h"
#include "value/message.h"

namespace nilo::stack {
namespace {

struct UnitFactor {
  std::string_view unit;
  std::uint64_t factor;
};

constexpr std::uint64_t kDayMs = 24ULL * 60 * 60 * 1000;
constexpr UnitFactor kDurations[] = {{"ms", 1},          {"s", 1000},   {"m", 60 * 1000},
                                     {"h", kDayMs / 24}, {"d", kDayMs}, {"w", 7 * kDayMs},
                                     {"y", 365 * kDayMs}};
constexpr UnitFactor kSizes[] = {{"B", 1},
                                 {"KB", 1000},
                                 {"MB", 1000 * 1000},
                                 {"GB", 1000 * 1000 * 1000},
                                 {"TB", 1'000'000'000'000},
                                 {"KiB", 1ULL << 10},
                                 {"MiB", 1ULL << 20},
                                 {"GiB", 1ULL << 30},
                                 {"TiB", 1ULL << 40}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Digits, then one of `units`; 1 to `max`.
std::optional<std::uint64_t> parse_scaled(std::string_view text, std::span<const UnitFactor> units,
                                          std::uint64_t max) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number == 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const UnitFactor& unit : units) {
    if (text != unit.unit) continue;
    if (number > max / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

bool is_host(std::string_view host) {
  if (host.empty() || host == "localhost") return true;
  std::array<unsigned char, sizeof(in6_addr)> address{};
  if (host.starts_with('[') && host.ends_with(']')) {
    const std::string inner(host.substr(1, host.size() - 2));
    return inet_pton(AF_INET6, inner.c_str(), address.data()) == 1;
  }
  return inet_pton(AF_INET, std::string(host).c_str(), address.data()) == 1;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const auto ms =
      parse_scaled(text, kDurations, static_cast<std::uint64_t>(kDurationMax / Duration(1)));
  if (!ms) return std::nullopt;
  return Duration(static_cast<std::int64_t>(*ms));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_scaled(text, kSizes, kSizeMax);
}

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find('\0') != std::string_view::npos) return false;
  const std::string_view port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && end == port.data() + port.size() && is_host(text.substr(0, colon));
}

std::optional<Quantity> parse_quantity(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.empty()) return Quantity{number, unit};
  // "89 cm" and "4.5 kWh/m²" are quantities, "12 Barn Lane" and "3rd" are not.
  if (!unit.starts_with(' ')) return std::nullopt;
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  if (unit.empty() || unit.find(' ') != std::string_view::npos) return std::nullopt;
  return Quantity{number, unit};
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameSizeMax && is_letter(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

bool is_id(std::string_view text, std::size_t size_max) {
  return !text.empty() && text.size() <= size_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) ||
                  std::string_view("_-.:").find(c) != std::string_view::npos;
         });
}

bool is_mail_address(std::string_view text, bool named) {
  const std::size_t bracket = text.find(" <");
  if (named && bracket != std::string_view::npos && text.ends_with('>')) {
    const std::string_view name = text.substr(0, bracket);
    const bool fits_a_line =
        name.size() <= kMailAddressMax && is_utf8(name) &&
        std::none_of(name.begin(), name.end(), [](char c) {
          return (static_cast<unsigned char>(c) < ' ') || c == 0x7f || c == '<' || c == '"';
        });
    text = text.substr(bracket + 2, text.size() - bracket - 3);
    if (!fits_a_line || name.empty()) return false;
  }
  const std::size_t at = text.find('@');
  if (at == 0 || at == std::string_view::npos || text.size() > kMailAddressMax) return false;
  const bool is_plain =
      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), [](char c) {
        return is_letter(c) || is_digit(c) ||
               std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
      });
  return is_plain && is_server(text.substr(at + 1));
}

bool is_url(std::string_view text) {
  if (text.size() > kUrlMax) return false;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return false;
  }
  if (!std::all_of(rest.begin(), rest.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return false;
  }
  std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.find_first_of("@\\\"<>") != std::string_view::npos) return false;
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && !host.ends_with(']')) {
    std::uint16_t port = 0;
    const auto [end, error] =
        std::from_chars(host.data() + colon + 1, host.data() + host.size(), port);
    if (error != std::errc() || end != host.data() + host.size() || port == 0) return false;
    host = host.substr(0, colon);
  }
  return host.starts_with('[') ? is_host(host) : is_server(host);
}

bool is_server(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    return is_host("[" + std::string(text) + "]");
  }
  if (text.empty() || text.size() > 253 || text.starts_with('.') || text.starts_with('-')) {
    return false;
  }
  return text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
         });
}

bool is_this_machine(std::string_view server) {
  return server == "localhost" || server == "::1" ||
         (server.starts_with("127.") && is_host(server));
}

bool is_range(std::string_view text) {
  if (text == "today" || text == "yesterday" || text == "all") return true;
  const auto lasting = parse_duration(text);
  if (lasting) return *lasting >= std::chrono::seconds(1) && !text.ends_with("ms");
  const auto is_day = [](std::string_view day) {
    if (day.size() != 10 || day[4] != '-' || day[7] != '-') return false;
    int parts[3] = {};
    constexpr std::size_t kStarts[] = {0, 5, 8};
    for (std::size_t i = 0; i < 3; ++i) {
      const char* begin = day.data() + kStarts[i];
      const char* end = begin + (i == 0 ? 4 : 2);
      const auto [stop, error] = std::from_chars(begin, end, parts[i]);
      if (error != std::errc() || stop != end || parts[i] < 0) return false;
    }
    return std::chrono::year_month_day(std::chrono::year(parts[0]),
                                       std::chrono::month(static_cast<unsigned>(parts[1])),
                                       std::chrono::day(static_cast<unsigned>(parts[2])))
        .ok();
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view first = text.substr(0, slash);
  const std::string_view last = text.substr(slash + 1);
  return is_day(first) && is_day(last) && first <= last;
}

std::string_view topic_mistake(std::string_view topic) {
  if (topic.empty()) return "this is empty";
  if (topic.size() > kTopicSizeMax) return "this is too long";
  if (!is_mqtt_text(topic)) return "this has a NUL character";
  if (topic.find_first_of("+#") != std::string_view::npos) return "`+` and `#` are for filters";
  if (topic.starts_with('$')) return "topics that begin with `$` are Nilometer's own";
  if (topic.find("${") != std::string_view::npos) return "`${...}` is not available yet";
  const auto levels = 1 + std::count(topic.begin(), topic.end(), '/');
  if (static_cast<std::size_t>(levels) > kTopicLevelsMax) return "this has too many levels";
  return {};
}

std::string_view path_mistake(std::string_view path) {
  if (!path.starts_with('/')) return "this does not begin with `/`";
  if (path.size() == 1) return "this is the start page";
  if (path.size() > 256) return "this is too long";
  if (path.ends_with('/')) return "this ends with `/`";
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view level = path.substr(begin, end - begin);
    if (level == "." || level == "..") return "`.` and `..` are no levels";
    if (!is_id(level, level.size())) return "levels are letters, digits and `_-.:`";
    begin = end + 1;
  }
  constexpr std::string_view kOwn[] = {"api", "mqtt", "topics", "metrics", "healthz", "readyz"};
  const std::string_view first = path.substr(1, path.find('/', 1) - 1);
  if (std::find(std::begin(kOwn), std::end(kOwn), first) != std::end(kOwn)) {
    return "this path is Nilometer's own";
  }
  return {};
}

}  // namespace nilo::stack
