// stack/forms.h: the texts in a stack that must have a certain form.
//
// In/out:  text -> its value, or nothing if it does not have the form.
// Threads: pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stack/stack.h"
#include "value/thing_template.h"

namespace nilo::stack {

inline constexpr std::size_t kNameSizeMax = 64;
inline constexpr Duration kDurationMax = std::chrono::hours(24 * 365 * 1000);
inline constexpr std::uint64_t kSizeMax = 1'000'000'000'000'000;  // 1,000 TB

// A whole number and ms, s, m, h, d, w or y (365 d), without a space: "30m". 1 ms to kDurationMax.
std::optional<Duration> parse_duration(std::string_view text);

// A whole number and B, KB, MB, GB, TB (powers of 1,000) or KiB, MiB, GiB, TiB (of 1,024), without
// a space: "2GB". 1 to kSizeMax bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

// "127.0.0.1:1883", "[::1]:1883", "localhost:1883", ":1883" (every interface). Port 0 to 65535.
bool is_address(std::string_view text);

// "89 cm" -> 89 and "cm"; "89" -> 89 and "". Nothing for other texts.
struct Quantity {
  double number;
  std::string_view unit;  // of the text
};
std::optional<Quantity> parse_quantity(std::string_view text);

inline constexpr std::string_view kNameForm =
    "begin with a letter; use letters, digits and `_`, at most 64";
inline constexpr std::string_view kIdForm = "use letters, digits and `_-.:`";

// A table or a column: a letter, then letters, digits and `_`; ASCII; at most kNameSizeMax.
bool is_name(std::string_view text);

// A thing, a rule, an endpoint: ASCII letters, digits and `_`, `-`, `.`, `:`; 1 to `size_max`.
bool is_id(std::string_view text, std::size_t size_max);

// "owner@example.org"; with `named` also "Tanks <owner@example.org>". ASCII in the address, no
// control characters anywhere, at most kMailAddressMax bytes.
inline constexpr std::size_t kMailAddressMax = 254;
bool is_mail_address(std::string_view text, bool named);

// "https://host[:port][/...]", without a user, at most kUrlMax bytes of printable ASCII.
inline constexpr std::size_t kUrlMax = 2048;
bool is_url(std::string_view text);

// "mail.example.org", "192.0.2.1", "::1": at most 253 bytes, no port.
bool is_server(std::string_view text);

// 127.x.x.x, ::1, localhost.
bool is_this_machine(std::string_view server);

// "7d" (at least a second), "today", "yesterday", "all", "2026-07-01/2026-07-08" (the second day
// not before the first).
bool is_range(std::string_view text);

// What is wrong with a topic to publish to: a few words, or empty if nothing is.
std::string_view topic_mistake(std::string_view topic);

// What is wrong with an endpoint's path: a few words, or empty if nothing is.
std::string_view path_mistake(std::string_view path);

}  // namespace nilo::stack
