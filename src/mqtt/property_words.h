// mqtt/property_words.h: properties and reasons as words, for tests that are read by people.
//
// In/out:  a line -> words; words <-> properties and reasons.
// Errors:  a word that makes no sense throws std::invalid_argument; the test shows it.
// Source:  tests/mqtt/README.md describes the notation.
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mqtt/codec.h"
#include "mqtt/fake_host.h"

namespace nilo::mqtt {

using Words = std::vector<std::string>;

inline std::uint32_t number_of(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, is_hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw std::invalid_argument("not a number: " + std::string(text));
  }
  return value;
}

// Splits at blanks. Double quotes hold a word together; \xNN is a byte, everywhere.
inline Words words_of(std::string_view line) {
  Words words;
  bool is_inside = false;  // of a word
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == ' ' && !is_quoted) {
      is_inside = false;
      continue;
    }
    if (!std::exchange(is_inside, true)) words.emplace_back();
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (line.substr(i, 2) == "\\x" && i + 3 < line.size()) {
      words.back() += from_hex(line.substr(i + 2, 2));
      i += 3;
    } else {
      words.back().push_back(c);
    }
  }
  return words;
}

// The opposite of words_of().
inline std::string line_of(const Words& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    const bool needs_quotes = word.empty() || word.find(' ') != std::string::npos;
    if (needs_quotes) line += '"';
    for (const char c : word) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7f) {
        line += c;
      } else {
        line += "\\x" + to_hex(std::string_view(&c, 1));
      }
    }
    if (needs_quotes) line += '"';
  }
  return line;
}

// The `name` of `name=value`; empty for other words.
inline std::string_view name_of(std::string_view word) {
  const std::size_t at = word.find('=');
  const std::string_view name = at == std::string_view::npos ? "" : word.substr(0, at);
  const bool is_name = std::all_of(name.begin(), name.end(), [](char c) {
    return ('a' <= c && c <= 'z') || c == '_' || c == '.';
  });
  return is_name ? name : std::string_view();
}
inline std::string_view value_of(std::string_view word) { return word.substr(word.find('=') + 1); }

// The order of `name=value` words does not matter, but for user properties.
inline Words sorted(Words words) {
  std::stable_sort(words.begin(), words.end(), [](const std::string& a, const std::string& b) {
    if (name_of(a) != name_of(b)) return name_of(a) < name_of(b);
    return name_of(a) == "subscription_identifier" && a < b;
  });
  return words;
}

// --- properties

struct PropertyName {
  Property id;
  std::string_view name;
  bool is_text;
};

inline constexpr PropertyName kPropertyNames[] = {
    {Property::payload_format, "payload_format", false},
    {Property::message_expiry, "message_expiry", false},
    {Property::content_type, "content_type", true},
    {Property::response_topic, "response_topic", true},
    {Property::correlation_data, "correlation_data", true},
    {Property::session_expiry, "session_expiry", false},
    {Property::assigned_client_id, "assigned_client_id", true},
    {Property::server_keep_alive, "server_keep_alive", false},
    {Property::authentication_method, "authentication_method", true},
    {Property::authentication_data, "authentication_data", true},
    {Property::request_problem_information, "request_problem_information", false},
    {Property::will_delay, "will_delay", false},
    {Property::request_response_information, "request_response_information", false},
    {Property::response_information, "response_information", true},
    {Property::server_reference, "server_reference", true},
    {Property::reason_string, "reason_string", true},
    {Property::receive_maximum, "receive_maximum", false},
    {Property::topic_alias_maximum, "topic_alias_maximum", false},
    {Property::topic_alias, "topic_alias", false},
    {Property::maximum_qos, "maximum_qos", false},
    {Property::retain_available, "retain_available", false},
    {Property::maximum_packet_size, "maximum_packet_size", false},
    {Property::wildcard_available, "wildcard_available", false},
    {Property::subscription_identifiers_available, "subscription_identifiers_available", false},
    {Property::shared_available, "shared_available", false},
};

// Does `word` tell what the server can do, or why in words? A test names those that it means.
inline bool is_unasked(std::string_view word) {
  constexpr std::string_view kNames[] = {
      "receive_maximum",  "topic_alias_maximum", "maximum_qos",
      "retain_available", "wildcard_available",  "maximum_packet_size",
      "shared_available", "reason_string",       "subscription_identifiers_available"};
  return std::find(std::begin(kNames), std::end(kNames), name_of(word)) != std::end(kNames);
}

// Properties out of words; views of the words, and of what it keeps itself.
class PropertyWords {
 public:
  // True: `word` was a property, and is taken.
  bool take(std::string_view word) {
    const std::string_view name = name_of(word);
    const std::string_view value = value_of(word);
    if (name == "user_property") {
      const std::size_t colon = std::min(value.find(':'), value.size());
      append_user_property(repeated_, value.substr(0, colon),
                           value.substr(std::min(colon + 1, value.size())));
      return true;
    }
    if (name == "subscription_identifier") {
      append_subscription_identifier(repeated_, number_of(value));
      return true;
    }
    for (const PropertyName& known : kPropertyNames) {
      if (known.name != name) continue;
      if (known.is_text) {
        properties_.set(known.id, value);
      } else {
        properties_.set(known.id, number_of(value));
      }
      return true;
    }
    return false;
  }
  const Properties& get() {
    properties_.set_repeated(repeated_);
    return properties_;
  }

 private:
  Properties properties_;
  std::string repeated_;
};

inline void append_words(Words& words, const Properties& properties) {
  for (const PropertyName& known : kPropertyNames) {
    if (!properties.has(known.id)) continue;
    words.push_back(std::string(known.name) + "=" +
                    (known.is_text ? std::string(properties.text(known.id))
                                   : std::to_string(properties.number(known.id, 0))));
  }
  std::uint32_t identifier = 0;
  for (std::size_t at = 0; properties.next_subscription_identifier(at, identifier);) {
    words.push_back("subscription_identifier=" + std::to_string(identifier));
  }
  std::string_view name;
  std::string_view value;
  for (std::size_t at = 0; properties.next_user(at, name, value);) {
    words.push_back("user_property=" + std::string(name) + ":" + std::string(value));
  }
}

// --- reasons: "not_authorized" is 0x87

inline std::string word_of(Reason reason) {
  std::string word(text_of(reason));
  for (char& c : word) {
    c = c == ' ' || c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return word;
}

inline Reason reason_of_word(std::string_view word) {
  for (int code = 0; code < 256; ++code) {
    const auto reason = static_cast<Reason>(code);
    if (word_of(reason) == word && word != "unknown_reason") return reason;
  }
  return static_cast<Reason>(number_of(word));
}

inline std::string subscribed_word(Reason reason) {
  const auto code = static_cast<unsigned>(reason);
  return code <= 2 ? std::to_string(code) : word_of(reason);
}

}  // namespace nilo::mqtt
