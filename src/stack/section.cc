#include "stack/section.h"

#include <algorithm>
#include <cmath>

#include "stack/forms.h"
#include "value/time_zone.h"

namespace nilo::stack {

bool Reading::declare(const std::string& what, const Place& place) {
  const auto [at, is_new] = declared_.emplace(what, place);
  if (!is_new) tell(Code::declared_twice, place, "first at " + to_string(at->second), what);
  return is_new;
}

void tell_wrong_type(Reading& reading, Key key, std::string_view wanted, const Node& node) {
  reading.tell(Code::wrong_type, node.place, fmt::format("this is {}", words_for(node.kind)),
               key.name, wanted, key.example);
}

std::optional<Text> read_sql(Key key, const Node& node, Reading& reading) {
  if (node.kind != Node::Kind::text) {
    tell_wrong_type(reading, key, words_for(Node::Kind::text), node);
    return std::nullopt;
  }
  if (node.text.find_first_not_of(" \t\r\n") == std::string::npos) {
    reading.tell(Code::text_empty, node.place, "", key.name, key.example);
    return std::nullopt;
  }
  return text_at(*reading.file, node.place, node.text);
}

std::optional<Selector> read_selector(Key key, const Node& node, Reading& reading) {
  if (node.kind != Node::Kind::text) {
    tell_wrong_type(reading, key, words_for(Node::Kind::text), node);
    return std::nullopt;
  }
  auto parsed = parse_selector(node.text);
  if (parsed) return *std::move(parsed);
  reading.tell(Code::bad_selector, node.place, "", parsed.error().message, parsed.error().hint);
  return std::nullopt;
}

std::string did_you_mean_one_of(std::string_view word, std::vector<std::string_view> candidates) {
  std::vector<std::string> found;
  while (found.size() < 3) {
    const std::string_view next = nearest(word, candidates);
    if (next.empty()) break;
    found.push_back(fmt::format("`{}`", next));
    std::erase(candidates, next);
  }
  if (found.empty()) return {};
  const std::string last = found.back();
  found.pop_back();
  return found.empty() ? fmt::format("did you mean {}?", last)
                       : fmt::format("did you mean {} or {}?", fmt::join(found, ", "), last);
}

std::optional<Type> read_type(std::string_view word, const Place& place, Reading& reading) {
  constexpr std::string_view kWords[] = {"int", "double", "bool", "text", "timestamp", "json"};
  const auto type = type_of_word(word);
  if (type) return *type;
  reading.tell(Code::bad_type_word, place, did_you_mean(word, kWords), word);
  return std::nullopt;
}

const Node* Section::find(std::string_view key) const {
  for (const Member& member : table_.members) {
    if (member.key == key) return &member.node;
  }
  return nullptr;
}

const Node* Section::take(std::string_view key) {
  if (std::find(taken_.begin(), taken_.end(), key) == taken_.end()) taken_.push_back(key);
  return find(key);
}

const Node* Section::require(Key key) {
  const Node* node = take(key.name);
  if (node == nullptr) {
    reading_.tell(Code::key_missing, place_, "", where_, key.name, key.example);
  }
  return node;
}

const Node* Section::take(Key key, Node::Kind kind) {
  const Node* node = take(key.name);
  if (node == nullptr || node->kind == kind) return node;
  tell_wrong_type(reading_, key, words_for(kind), *node);
  return nullptr;
}

std::optional<std::string> Section::text(Key key) {
  const Node* node = take(key, Node::Kind::text);
  if (node == nullptr) return std::nullopt;
  return node->text;
}

std::optional<bool> Section::boolean(Key key) {
  const Node* node = take(key, Node::Kind::boolean);
  if (node == nullptr) return std::nullopt;
  return node->boolean;
}

std::optional<double> Section::number(Key key) {
  const Node* node = take(key.name);
  if (node == nullptr) return std::nullopt;
  if (!node->is_number()) {
    tell_wrong_type(reading_, key, "a number", *node);
    return std::nullopt;
  }
  if (!std::isfinite(node->number)) {
    reading_.tell(Code::out_of_range, node->place, "", key.name, "finite");
    return std::nullopt;
  }
  return node->number;
}

std::optional<std::int64_t> Section::integer(Key key, std::int64_t min, std::int64_t max) {
  const Node* node = take(key, Node::Kind::integer);
  if (node == nullptr) return std::nullopt;
  if (node->integer < min || node->integer > max) {
    reading_.tell(Code::out_of_range, node->place, "", key.name, fmt::format("{} to {}", min, max));
    return std::nullopt;
  }
  return node->integer;
}

template <typename T, typename Parse>
std::optional<T> Section::formed(Key key, Code code, Parse parse) {
  const Node* node = take(key.name);
  if (node == nullptr) return std::nullopt;
  std::optional<T> value;
  if (node->kind == Node::Kind::text) value = parse(node->text);
  if (!value) {
    const bool is_text = node->kind == Node::Kind::text;
    reading_.tell(code, node->place,
                  is_text ? "" : fmt::format("this is {}", words_for(node->kind)), key.name,
                  key.example);
  }
  return value;
}

std::optional<Duration> Section::duration(Key key) {
  return formed<Duration>(key, Code::not_a_duration, parse_duration);
}

std::optional<std::uint64_t> Section::size(Key key) {
  return formed<std::uint64_t>(key, Code::not_a_size, parse_size);
}

std::optional<std::string> Section::address(Key key) {
  return formed<std::string>(key, Code::not_an_address,
                             [](std::string_view text) -> std::optional<std::string> {
                               if (!is_address(text)) return std::nullopt;
                               return std::string(text);
                             });
}

const Node* Section::table(Key key) { return take(key, Node::Kind::table); }

const Node* Section::list(Key key) { return take(key, Node::Kind::list); }

std::optional<Text> Section::sql(Key key) {
  const Node* node = require(key);
  if (node == nullptr) return std::nullopt;
  return read_sql(key, *node, reading_);
}

std::optional<Text> Section::prose(Key key) {
  const Node* node = take(key.name);
  if (node == nullptr) return std::nullopt;
  return read_sql(key, *node, reading_);
}

std::optional<std::string> Section::choice(Key key, std::span<const std::string_view> choices) {
  auto word = text(key);
  if (!word || std::find(choices.begin(), choices.end(), *word) != choices.end()) return word;
  reading_.tell(Code::not_a_choice, place_of(key.name), did_you_mean(*word, choices), key.name,
                *word, fmt::to_string(fmt::join(choices, ", ")));
  return std::nullopt;
}

std::optional<Selector> Section::selector(Key key) {
  const Node* node = take(key.name);
  if (node == nullptr) return std::nullopt;
  return read_selector(key, *node, reading_);
}

std::optional<std::string> Section::zone(Key key) {
  auto name = text(key);
  if (!name) return name;
  const bool is_offset = name->starts_with('+') || name->starts_with('-');
  if (!is_offset && TimeZone::find(*name)) return name;
  reading_.tell(Code::not_a_zone, place_of(key.name), is_offset ? "an offset knows no summer" : "",
                *name, fmt::format("{} = {}", key.name, key.example));
  return std::nullopt;
}

std::optional<std::string> Section::range(Key key) {
  auto words = text(key);
  if (!words || is_range(*words)) return words;
  reading_.tell(Code::not_a_range, place_of(key.name), "", *words,
                fmt::format("{} = {}", key.name, key.example));
  return std::nullopt;
}

std::optional<Secret> Section::secret(Key key) {
  const Node* node = take(key.name);
  if (node == nullptr) return std::nullopt;
  if (node->kind == Node::Kind::text) {
    reading_.tell(
        Code::secret_in_file, node->place, "", key.name, where_,
        fmt::format("write {} = {{ env = \"{}\" }}, or {{ file = ... }}, or {{ cred = ... "
                    "}}: where it is",
                    key.name, key.example));
    return std::nullopt;
  }
  if (node->kind != Node::Kind::table || node->members.size() != 1) {
    reading_.tell(Code::bad_secret, node->place, "", key.name, key.example);
    return std::nullopt;
  }
  Section keys(*node, node->place, fmt::format("`{}` of {}", key.name, where_), reading_);
  Secret out;
  out.file = keys.text({"file", "\"mail.password\""}).value_or("");
  out.env = keys.text({"env", "\"MAIL_PASSWORD\""}).value_or("");
  out.cred = keys.text({"cred", "\"mail\""}).value_or("");
  keys.finish();
  const bool is_set = !out.file.empty() || !out.env.empty() || !out.cred.empty();
  if (is_set) return out;
  reading_.tell(Code::bad_secret, node->place, "", key.name, key.example);
  return std::nullopt;
}

const Place& Section::place_of(std::string_view key) const {
  const Node* node = find(key);
  return node == nullptr ? place_ : node->place;
}

void Section::finish() {
  constexpr std::string_view kSecrets[] = {"password", "passwd", "secret", "token", "api_key"};
  for (const Member& member : table_.members) {
    if (std::find(taken_.begin(), taken_.end(), member.key) != taken_.end()) continue;
    if (std::find(std::begin(kSecrets), std::end(kSecrets), member.key) != std::end(kSecrets)) {
      reading_.tell(Code::secret_in_file, member.key_place, "", member.key, where_,
                    "leave it out; tokens are made with `nilo token new NAME`");
      continue;
    }
    const std::string meant = did_you_mean(member.key, taken_);
    reading_.tell(Code::unknown_key, member.key_place, meant, member.key, where_,
                  meant.empty() ? fmt::format("known keys: {}", fmt::join(taken_, ", ")) : "");
  }
}

}  // namespace nilo::stack
