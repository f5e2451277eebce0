// value/json.h: reads JSON text (RFC 8259), keeping every digit.
//
// In/out:  bytes -> a tree of nodes, whole document checked: grammar, UTF-8, nothing after the end.
// Threads: one JsonDocument per thread. It is made to be reused: once warm it allocates nothing.
// Limits:  kJsonDepthMax nested containers, kJsonSizeMax bytes; time and memory linear in the text
//          (n log n in the members of one object).
// Why our own and not simdjson: docs/decisions/0030-json-reader.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/result.h"

namespace nilo {

inline constexpr std::size_t kJsonDepthMax = 128;
inline constexpr std::size_t kJsonSizeMax = 64 * 1024 * 1024;

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

// One value of a parsed document. Nodes lie in document order, a container before its children, so
// a reference is all that is needed to walk. Valid until the document parses again, and as long as
// the parsed bytes live.
class JsonNode {
 public:
  JsonKind kind() const { return kind_; }
  bool is_object() const { return kind_ == JsonKind::object; }
  bool is_array() const { return kind_ == JsonKind::array; }
  bool is_string() const { return kind_ == JsonKind::string; }
  bool is_number() const { return kind_ == JsonKind::number; }
  // Asserted: kind() == boolean.
  bool is_true() const {
    NILO_ASSERT(kind_ == JsonKind::boolean);
    return flag_;
  }
  // A string without quotes and escapes, or a number exactly as it was written ("1.50", "-0",
  // "1E400"). Asserted: kind() is string or number.
  std::string_view text() const {
    NILO_ASSERT(is_string() || is_number());
    return {text_, size_};
  }
  // Elements of an array or members of an object; 0 for everything else.
  std::size_t size() const { return is_array() || is_object() ? size_ : 0; }

  // The member called `key`, or nullptr. When a key is there twice, the last one counts.
  const JsonNode* find(std::string_view key) const;

  class Elements;
  class Members;
  // Empty unless this is an array, or an object, respectively. Members come in document order;
  // those replaced by a later one of the same key are skipped.
  Elements elements() const;
  Members members() const;

 private:
  friend class JsonDocument;
  friend class JsonParser;
  const JsonNode* next() const { return this + (is_array() || is_object() ? span_ : 1); }

  JsonKind kind_ = JsonKind::null;
  bool flag_ = false;       // boolean: true; key of a member: replaced by a later one
  std::uint32_t size_ = 0;  // bytes of text, or number of children
  union {
    const char* text_ = nullptr;
    std::size_t span_;  // containers: nodes in here, this one included
  };
};

class JsonNode::Elements {
 public:
  class Iterator {
   public:
    explicit Iterator(const JsonNode* at) : at_(at) {}
    const JsonNode& operator*() const { return *at_; }
    Iterator& operator++() {
      at_ = at_->next();
      return *this;
    }
    bool operator==(const Iterator& other) const = default;

   private:
    const JsonNode* at_;
  };
  Elements(const JsonNode* first, const JsonNode* end) : first_(first), end_(end) {}
  Iterator begin() const { return Iterator(first_); }
  Iterator end() const { return Iterator(end_); }

 private:
  const JsonNode* first_;
  const JsonNode* end_;
};

struct JsonMember {
  std::string_view key;
  const JsonNode& value;
};

class JsonNode::Members {
 public:
  class Iterator {
   public:
    Iterator(const JsonNode* key, const JsonNode* end) : key_(key), end_(end) { skip_replaced(); }
    JsonMember operator*() const { return {key_->text(), key_[1]}; }
    Iterator& operator++() {
      key_ = key_[1].next();
      skip_replaced();
      return *this;
    }
    bool operator==(const Iterator& other) const { return key_ == other.key_; }

   private:
    void skip_replaced() {
      while (key_ != end_ && key_->flag_) key_ = key_[1].next();
    }
    const JsonNode* key_;
    const JsonNode* end_;
  };
  Members(const JsonNode* first, const JsonNode* end) : first_(first), end_(end) {}
  Iterator begin() const { return Iterator(first_, end_); }
  Iterator end() const { return Iterator(end_, end_); }

 private:
  const JsonNode* first_;
  const JsonNode* end_;
};

class JsonDocument {
 public:
  // The root of `bytes`, which must stay alive while nodes are used: texts are views into it,
  // except strings with escapes, which are kept here.
  // invalid_argument: "not JSON at byte 12: expected ',' or '}'" (bytes count from 0).
  // too_large: over kJsonSizeMax.
  Result<const JsonNode*> parse(std::string_view bytes);

 private:
  friend class JsonParser;
  void mark_replaced(std::size_t object_at);

  std::vector<JsonNode> nodes_;
  std::string unescaped_;  // never grows while parsing: nodes point into it
  std::vector<const JsonNode*> keys_;
};

// Appends `node` as JSON without white space; numbers digit for digit as they were written.
void append_json(std::string& out, const JsonNode& node);

}  // namespace nilo
