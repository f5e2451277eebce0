#include "value/thing_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/nearest.h"
#include "value/key.h"

namespace nilo {

namespace {

constexpr std::string_view kForm =
    R"(write thing = "tank-{device_id}", with key columns in braces)";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || std::string_view("_-.:").find(c) != std::string_view::npos;
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

// Nothing: a `%` that no byte's two digits follow.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    unsigned byte = 0;
    const char* begin = text.data() + at + 1;
    const char* end = begin + std::min<std::size_t>(2, text.size() - at - 1);
    const auto read = std::from_chars(begin, end, byte, 16);
    if (read.ec != std::errc() || read.ptr != begin + 2) return std::nullopt;
    out += static_cast<char>(byte);
    at += 2;
  }
  return out;
}

// What an id shows of one key cell.
void append_cell(std::string& out, const Value& cell) {
  if (cell.type() == Type::text || cell.type() == Type::json) {
    append_escaped(out, cell.as_text());
    return;
  }
  std::string number;
  append_key_text(number, std::span(&cell, 1));
  append_escaped(out, number);  // the `+` of 1e+300
}

template <typename T>
std::optional<T> number_in(std::string_view text) {
  T number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The cell of `type` that is shown as `text`, whose unescaped form is given; nothing if none is.
std::optional<Value> cell_of(Type type, std::string_view text) {
  switch (type) {
    case Type::int64:
      if (const auto number = number_in<std::int64_t>(text)) return Value::int64(*number);
      break;
    case Type::timestamp:
      if (const auto number = number_in<std::int64_t>(text)) return Value::timestamp(*number);
      break;
    case Type::float64:
      if (const auto number = number_in<double>(text)) return Value::float64(*number);
      break;
    case Type::boolean:
      if (text == "true" || text == "false") return Value::boolean(text == "true");
      break;
    case Type::text:
      return Value::text(text);
    case Type::json:
      return Value::json(text);
    case Type::null:
      break;
  }
  return std::nullopt;
}

Error refused(std::string_view why) {
  return {ErrorCode::invalid_argument, fmt::format("it {}", why), std::string(kForm)};
}

}  // namespace

Result<ThingTemplate> ThingTemplate::parse(std::string_view text, const TableSchema& schema) {
  ThingTemplate out;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < schema.partition_count; ++i) names.push_back(schema.columns[i].name);
  std::vector<bool> taken(names.size());
  std::string words;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '}') return refused("has a `}` without its `{`");
    if (text[at] != '{') {
      words += text[at];
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) return refused("has a `{` without its `}`");
    const std::string_view name = text.substr(at + 1, end - at - 1);
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      const std::string_view near = nearest(name, names);
      return refused(near.empty() ? fmt::format("names `{}`, which is not in the key", name)
                                  : fmt::format("names `{}`: did you mean `{}`?", name, near));
    }
    const auto column = static_cast<std::size_t>(found - names.begin());
    if (taken[column]) return refused(fmt::format("names `{}` twice", name));
    taken[column] = true;
    out.parts_.push_back({std::exchange(words, {}), column, schema.columns[column].type});
    at = end;
  }
  out.after_ = std::move(words);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!taken[i]) return refused(fmt::format("leaves out `{}` of the key", names[i]));
  }
  return out;
}

std::string ThingTemplate::id_of(std::span<const Value> cells) const {
  std::string id;
  for (const Part& part : parts_) {
    id += part.before;
    NILO_ASSERT(!cells[part.column].is_null());
    append_cell(id, cells[part.column]);
  }
  id += after_;
  if (id.size() > kThingIdSizeMax) id.clear();
  return id;
}

std::optional<std::string> ThingTemplate::key_of(std::string_view id) const {
  std::vector<Value> cells(parts_.size());
  std::vector<std::string> texts(parts_.size());
  std::string_view left = id;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!left.starts_with(parts_[i].before)) return std::nullopt;
    left.remove_prefix(parts_[i].before.size());
    const bool is_last = i + 1 == parts_.size();
    const std::string& next = is_last ? after_ : parts_[i + 1].before;
    if (is_last && !left.ends_with(next)) return std::nullopt;
    const std::size_t end = is_last ? left.size() - next.size() : left.find(next);
    if (end == std::string_view::npos) return std::nullopt;
    auto text = unescaped(left.substr(0, end));
    if (!text) return std::nullopt;
    texts[i] = std::move(*text);
    const auto cell = cell_of(parts_[i].type, texts[i]);
    if (!cell) return std::nullopt;
    cells[parts_[i].column] = *cell;
    left.remove_prefix(end);
  }
  // Only the text that these cells have: not "tank-007", not "tank-%31".
  if (id_of(cells) != id) return std::nullopt;
  std::string key;
  append_key_text(key, cells);
  return key;
}

}  // namespace nilo
