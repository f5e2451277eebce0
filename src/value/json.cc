#include "value/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "value/value.h"

namespace nilo {

namespace {

// What a byte means inside a string: most are copied as they are.
enum class InString : std::uint8_t { plain, quote, escape, control, high };

constexpr auto kInString = [] {
  struct Table {
    InString of[256] = {};
  } table;
  for (int c = 0; c < 0x20; ++c) table.of[c] = InString::control;
  for (int c = 0x80; c < 0x100; ++c) table.of[c] = InString::high;
  table.of[std::uint8_t{'"'}] = InString::quote;
  table.of[std::uint8_t{'\\'}] = InString::escape;
  return table;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void put_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | (code >> 6));
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

// Objects up to this size compare their keys pair by pair; larger ones are sorted.
constexpr std::size_t kPairwiseMax = 12;

}  // namespace

// A loop instead of recursion: the open containers are a fixed array, so depth costs no stack.
// Inner loops walk with a local pointer: bytes read through at_ itself might be at_, for all the
// compiler knows, and it would be stored and loaded again for each of them.
class JsonParser {
 public:
  JsonParser(JsonDocument& document, std::string_view bytes)
      : document_(document),
        nodes_(document.nodes_),
        begin_(bytes.data()),
        at_(bytes.data()),
        end_(bytes.data() + bytes.size()) {}

  // Nullptr: the whole text is one JSON value. Otherwise what was expected at position().
  const char* run() {
    const char* wrong = value_or_open();
    while (wrong == nullptr && depth_ > 0) {
      wrong = nodes_[open_.at[depth_ - 1]].is_object() ? next_member() : next_element();
    }
    if (wrong != nullptr) return wrong;
    skip_space();
    return at_ == end_ ? nullptr : "expected the end of the text";
  }
  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  void skip_space() {
    const char* at = at_;
    while (at != end_ && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
      ++at;
    at_ = at;
  }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  JsonNode& append(JsonKind kind) {
    JsonNode& node = nodes_.emplace_back();
    node.kind_ = kind;
    return node;
  }

  const char* next_member() {
    JsonNode& object = nodes_[open_.at[depth_ - 1]];
    skip_space();
    if (take('}')) return close();
    if (object.size_ > 0) {
      if (!take(',')) return "expected ',' or '}'";
      skip_space();
    }
    ++object.size_;
    if (!take('"')) return object.size_ == 1 ? "expected '\"' or '}'" : "expected '\"'";
    if (const char* wrong = string()) return wrong;
    skip_space();
    if (!take(':')) return "expected ':'";
    return value_or_open();
  }

  const char* next_element() {
    JsonNode& array = nodes_[open_.at[depth_ - 1]];
    skip_space();
    if (take(']')) return close();
    if (array.size_ > 0 && !take(',')) return "expected ',' or ']'";
    ++array.size_;
    return value_or_open();
  }

  const char* open(JsonKind kind) {
    if (depth_ == kJsonDepthMax) return "nested too deeply, the limit is 128";
    ++at_;
    open_.at[depth_++] = nodes_.size();
    append(kind);
    return nullptr;
  }

  const char* close() {
    const std::size_t at = open_.at[--depth_];
    JsonNode& node = nodes_[at];
    node.span_ = nodes_.size() - at;
    if (node.is_object() && node.size_ > 1) document_.mark_replaced(at);
    return nullptr;
  }

  // A scalar, or the opening bracket of a container.
  const char* value_or_open() {
    skip_space();
    if (at_ == end_) return "the text ends too early";
    switch (*at_) {
      case '{':
        return open(JsonKind::object);
      case '[':
        return open(JsonKind::array);
      case '"':
        ++at_;
        return string();
      case 't':
        return word("true", JsonKind::boolean, true);
      case 'f':
        return word("false", JsonKind::boolean, false);
      case 'n':
        return word("null", JsonKind::null, false);
      default:
        return number();
    }
  }

  const char* word(std::string_view expected, JsonKind kind, bool flag) {
    const auto left = static_cast<std::size_t>(end_ - at_);
    if (!std::string_view(at_, left).starts_with(expected)) return "expected a value";
    at_ += expected.size();
    append(kind).flag_ = flag;
    return nullptr;
  }

  bool digits() {
    const char* at = at_;
    while (at != end_ && is_digit(*at)) ++at;
    return std::exchange(at_, at) != at;
  }

  const char* number() {
    const char* first = at_;
    const bool negative = take('-');
    if (!take('0') && !digits()) return negative ? "expected a digit" : "expected a value";
    if (take('.') && !digits()) return "expected a digit";
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return "expected a digit";
    }
    text_node(JsonKind::number, {first, static_cast<std::size_t>(at_ - first)});
    return nullptr;
  }

  void text_node(JsonKind kind, std::string_view text) {
    JsonNode& node = append(kind);
    node.text_ = text.data();
    node.size_ = static_cast<std::uint32_t>(text.size());
  }

  // After the opening quote. The common string has no escapes and stays where it is.
  const char* string() {
    const char* const first = at_;
    const char* at = first;
    bool high = false;
    auto meaning = InString::plain;
    for (; at != end_; ++at) {
      meaning = kInString.of[static_cast<unsigned char>(*at)];
      if (meaning == InString::plain) continue;
      if (meaning != InString::high) break;
      high = true;
    }
    at_ = at;
    if (at == end_) return "the string has no end";
    if (meaning == InString::control) return "a control character must be escaped";
    if (meaning == InString::escape) return escaped_string(first);
    const std::string_view text(first, static_cast<std::size_t>(at - first));
    if (high && !is_utf8(text)) return bad_utf8(first);
    ++at_;
    text_node(JsonKind::string, text);
    return nullptr;
  }

  const char* bad_utf8(const char* first) {
    at_ = first;
    return "the string is not UTF-8";
  }

  // The slow way: `first` is the string's begin, at_ its first backslash.
  const char* escaped_string(const char* first) {
    std::string& out = document_.unescaped_;
    const std::size_t out_at = out.size();
    out.append(first, at_);
    while (at_ != end_) {
      const char c = *at_;
      switch (kInString.of[static_cast<unsigned char>(c)]) {
        case InString::plain:
        case InString::high:
          out.push_back(c);
          ++at_;
          break;
        case InString::control:
          return "a control character must be escaped";
        case InString::escape:
          if (const char* wrong = escape(out)) return wrong;
          break;
        case InString::quote: {
          const std::string_view text = std::string_view(out).substr(out_at);
          if (!is_utf8(text)) return bad_utf8(first);
          ++at_;
          text_node(JsonKind::string, text);
          return nullptr;
        }
      }
    }
    return "the string has no end";
  }

  const char* escape(std::string& out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (end_ - at_ < 2) return "the string has no end";
    if (at_[1] == 'u') return unicode_escape(out);
    const std::size_t index = kNames.find(at_[1]);
    if (index == std::string_view::npos) return "no such escape";
    out.push_back(kMeanings[index]);
    at_ += 2;
    return nullptr;
  }

  // \uXXXX at `at`, or -1.
  int code_unit(const char* at) const {
    if (end_ - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
    int code = 0;
    for (int i = 2; i < 6; ++i) {
      const int digit = hex_value(at[i]);
      if (digit < 0) return -1;
      code = code * 16 + digit;
    }
    return code;
  }

  const char* unicode_escape(std::string& out) {
    const int first = code_unit(at_);
    if (first < 0) return "\\u needs four hexadecimal digits";
    auto code = static_cast<std::uint32_t>(first);
    std::ptrdiff_t size = 6;
    if (code >= 0xd800 && code < 0xe000) {
      const int second = code_unit(at_ + 6);
      const bool is_pair = code < 0xdc00 && second >= 0xdc00 && second < 0xe000;
      if (!is_pair) return "half of a surrogate pair";
      code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(second) - 0xdc00);
      size = 12;
    }
    put_utf8(out, code);
    at_ += size;
    return nullptr;
  }

  JsonDocument& document_;
  std::vector<JsonNode>& nodes_;
  const char* begin_;
  const char* at_;
  const char* end_;
  std::size_t depth_ = 0;
  struct {
    std::size_t at[kJsonDepthMax];  // deliberately not zeroed: most documents open one or two
  } open_;
};

// Several times for each message: sizes tell most keys apart.
const JsonNode* JsonNode::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  const JsonNode* const end = this + span_;
  for (const JsonNode* at = this + 1; at != end; at = at[1].next()) {
    if (at->size_ == key.size() && at->text() == key && !at->flag_) return at + 1;
  }
  return nullptr;
}

JsonNode::Elements JsonNode::elements() const {
  return is_array() ? Elements(this + 1, this + span_) : Elements(this, this);
}

JsonNode::Members JsonNode::members() const {
  return is_object() ? Members(this + 1, this + span_) : Members(this, this);
}

Result<const JsonNode*> JsonDocument::parse(std::string_view bytes) {
  if (bytes.size() > kJsonSizeMax) {
    return Error{ErrorCode::too_large,
                 fmt::format("JSON text of {} bytes, the limit is {}", bytes.size(), kJsonSizeMax)};
  }
  nodes_.clear();
  unescaped_.clear();
  // Text without escapes is never longer than with them, so this is enough for all of it.
  if (unescaped_.capacity() < bytes.size()) unescaped_.reserve(bytes.size());
  JsonParser parser(*this, bytes);
  if (const char* wrong = parser.run()) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("not JSON at byte {}: {}", parser.position(), wrong)};
  }
  return &nodes_[0];
}

// Flags the keys in the object at nodes_[object_at] that come again later, and takes them out of
// its size.
void JsonDocument::mark_replaced(std::size_t object_at) {
  JsonNode& object = nodes_[object_at];
  keys_.clear();
  std::uint64_t sizes = 0;  // a bit for each, modulo 64
  bool may_repeat = false;
  for (const JsonNode* key = &object + 1; key != &object + object.span_; key = key[1].next()) {
    keys_.push_back(key);
    const std::uint64_t size = std::uint64_t{1} << key->size_ % 64;
    may_repeat |= (sizes & size) != 0;
    sizes |= size;
  }
  if (!may_repeat) return;  // the keys of most readings differ in size
  const auto replace = [&](const JsonNode* key) {
    nodes_[static_cast<std::size_t>(key - nodes_.data())].flag_ = true;
    --object.size_;
  };
  if (keys_.size() <= kPairwiseMax) {
    for (std::size_t i = 0; i + 1 < keys_.size(); ++i) {
      for (std::size_t j = i + 1; j < keys_.size(); ++j) {
        if (keys_[i]->text() == keys_[j]->text()) {
          replace(keys_[i]);
          break;
        }
      }
    }
    return;
  }
  std::sort(keys_.begin(), keys_.end(), [](const JsonNode* a, const JsonNode* b) {
    const int order = a->text().compare(b->text());
    return order != 0 ? order < 0 : a < b;
  });
  for (std::size_t i = 0; i + 1 < keys_.size(); ++i) {
    if (keys_[i]->text() == keys_[i + 1]->text()) replace(keys_[i]);
  }
}

namespace {

template <typename Range, typename Append>
void append_list(std::string& out, char open, char close, const Range& range, Append append) {
  out += open;
  bool first = true;
  for (const auto& item : range) {
    if (!first) out += ',';
    first = false;
    append(item);
  }
  out += close;
}

}  // namespace

// Recursion is bounded by kJsonDepthMax.
void append_json(std::string& out, const JsonNode& node) {
  switch (node.kind()) {
    case JsonKind::null:
      out += "null";
      return;
    case JsonKind::boolean:
      out += node.is_true() ? "true" : "false";
      return;
    case JsonKind::number:
      out += node.text();
      return;
    case JsonKind::string:
      append_json_string(out, node.text());
      return;
    case JsonKind::array:
      append_list(out, '[', ']', node.elements(),
                  [&out](const JsonNode& element) { append_json(out, element); });
      return;
    case JsonKind::object:
      append_list(out, '{', '}', node.members(), [&out](const JsonMember& member) {
        append_json_string(out, member.key);
        out += ':';
        append_json(out, member.value);
      });
      return;
  }
}

}  // namespace nilo
