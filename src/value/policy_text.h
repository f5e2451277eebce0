// value/policy_text.h: the texts of policies: wildcards, variables, and what the variables are.
//
// A policy says `water${thing.number}/pub`; for one connection `${thing.number}` is `1`. Values are
// literals, never patterns: a `*` in a client id is a star. Where a text allows something to a
// topic a value that has `/`, `+` or `#`, or begins with `$`, counts as missing, and so does an
// empty one: whoever may choose a client id must not choose by it how far a policy reaches.
//
// In/out:  text -> pieces, once; pieces, subject and text -> yes or no.
// Threads: immutable after parse(); share freely.
// Limits:  kPolicyTextSizeMax bytes; a match takes at most pieces times text steps and allocates
//          nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace nilo {

inline constexpr std::size_t kPolicyTextSizeMax = 2048;

// The thing that a login belongs to.
struct PolicyThing {
  std::string id;
  std::string type;
  std::vector<std::pair<std::string, std::string>> properties;
};

// Who asks. Fixed for as long as a connection lasts.
struct PolicySubject {
  std::string client_id{};
  std::string user{};       // the name of the login
  std::string source_ip{};  // without a port
  std::shared_ptr<const PolicyThing> thing{};
  std::string certificate_id{};  // empty: it showed none
  // "Subject.CommonName" and its value; a name may be there more than once, in order.
  std::vector<std::pair<std::string, std::string>> certificate{};
  bool is_persistent = false;  // its session outlives the connection
  bool has_will = false;

  // Is it the thing itself, by AWS's measure: client id and thing have one name?
  bool is_attached() const { return thing != nullptr && thing->id == client_id; }
};

struct PolicyVariable {
  enum class What : std::uint8_t {
    client_id,
    user,
    source_ip,
    thing,
    thing_type,
    thing_property,  // `name`
    attached_thing,  // those of AWS: missing unless is_attached()
    attached_type,
    attached_property,  // `name`
    is_attached,        // "true", "false"
    certificate_id,
    certificate,         // `name`, the value of number `index`
    connect_attributes,  // only in conditions: PersistentConnect, LastWill
  };
  What what{};
  std::string name{};
  std::size_t index = 0;
  bool is_list = false;  // all values of the name
};

// "thing", "thing.type", "thing.PROPERTY", "client_id", "user".
std::optional<PolicyVariable> short_policy_variable(std::string_view name);
// "iot:ClientId", "aws:SourceIp", "iot:Certificate.Subject.CommonName.1", ... without case.
std::optional<PolicyVariable> aws_policy_variable(std::string_view name);

// nullopt: this subject has no such value. Views into the subject. Asserted: not of a list.
std::optional<std::string_view> value_of(const PolicyVariable& variable,
                                         const PolicySubject& subject);
// All values of a list, or the one; empty: missing.
std::vector<std::string_view> values_of(const PolicyVariable& variable,
                                        const PolicySubject& subject);

// May this value stand in a topic that somebody is allowed?
bool is_topic_safe(std::string_view value);

class PolicyText {
 public:
  struct Language {
    std::optional<PolicyVariable> (*variable)(std::string_view name);  // nullptr: there are none
    bool has_wildcards = true;                                         // `*` and `?`
  };
  // invalid_argument: a variable that is not known or not closed, too long; the message says what.
  static Result<PolicyText> parse(std::string_view text, const Language& language);

  // Which values of variables count as missing.
  enum class Values : std::uint8_t { all, topic_safe };
  // Does `head` followed by `tail` fit? False if a variable is missing.
  bool matches(std::string_view head, std::string_view tail, const PolicySubject& subject,
               Values values) const;
  bool is_missing_value(const PolicySubject& subject, Values values) const;

 private:
  struct Piece {
    enum class Kind : std::uint8_t { literal, one, many, variable };
    Kind kind = Kind::literal;
    std::string text{};
    PolicyVariable variable{};
  };
  struct Joined;
  static Result<Piece> variable_piece(std::string_view name, const Language& language);
  static std::optional<std::string_view> value_of(const Piece& piece, const PolicySubject& subject,
                                                  Values values);
  void append_literal(std::string_view text);
  std::vector<Piece> pieces_;
};

}  // namespace nilo
