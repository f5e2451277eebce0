#include "value/policy_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/utf8.h"

namespace nilo {

namespace {

using What = PolicyVariable::What;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

struct Fixed {
  std::string_view name;  // in lower case
  What what;
};

constexpr Fixed kShort[] = {{"thing", What::thing},
                            {"thing.type", What::thing_type},
                            {"client_id", What::client_id},
                            {"user", What::user}};
constexpr Fixed kAws[] = {{"iot:clientid", What::client_id},
                          {"aws:sourceip", What::source_ip},
                          {"iot:connection.thing.thingname", What::attached_thing},
                          {"iot:connection.thing.thingtypename", What::attached_type},
                          {"iot:connection.thing.isattached", What::is_attached},
                          {"iot:certificateid", What::certificate_id},
                          {"iot:connectattributes", What::connect_attributes}};

constexpr std::string_view kAttributes = "iot:connection.thing.attributes[";
constexpr std::string_view kCertificate = "iot:certificate.";
// What a certificate says of its subject and of its issuer.
constexpr std::string_view kNameParts[] = {"Country",
                                           "Organization",
                                           "OrganizationalUnit",
                                           "State",
                                           "CommonName",
                                           "SerialNumber",
                                           "Title",
                                           "Surname",
                                           "GivenName",
                                           "Initials",
                                           "Pseudonym",
                                           "GenerationQualifier",
                                           "DistinguishedNameQualifier"};
constexpr std::string_view kAlternativeNames[] = {"RFC822Name", "DNSName", "DirectoryName",
                                                  "UniformResourceIdentifier", "IPAddress"};

// "CommonName" of "commonname"; empty: not one of `words`.
template <typename Words>
std::string_view spelled(std::string_view name, const Words& words) {
  for (const std::string_view word : words) {
    if (lower(word) == name) return word;
  }
  return {};
}

// `rest` behind "iot:Certificate.", in lower case.
std::optional<PolicyVariable> certificate_variable(std::string_view rest) {
  PolicyVariable out{What::certificate};
  if (rest == "serialnumber") {
    out.name = "SerialNumber";
    return out;
  }
  if (rest == "availablekeys") {
    out.name = "AvailableKeys";
    out.is_list = true;
    return out;
  }
  for (const std::string_view whose : {"Subject", "Issuer"}) {
    const std::string prefix = lower(whose) + ".";
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    const bool is_alternative = rest.starts_with("alternativename.");
    if (is_alternative) rest.remove_prefix(std::string_view("alternativename.").size());
    const std::size_t dot = rest.find('.');
    const std::string_view part = is_alternative ? spelled(rest.substr(0, dot), kAlternativeNames)
                                                 : spelled(rest.substr(0, dot), kNameParts);
    if (part.empty()) return std::nullopt;
    out.name = fmt::format("{}{}.{}", whose, is_alternative ? ".AlternativeName" : "", part);
    if (dot == std::string_view::npos) return out;
    const std::string_view which = rest.substr(dot + 1);
    out.is_list = which == "list";
    if (out.is_list) return out;
    const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), out.index);
    const bool is_number = error == std::errc() && end == which.data() + which.size();
    return is_number ? std::optional(out) : std::nullopt;
  }
  return std::nullopt;
}

const std::string* property_of(const PolicyThing& thing, std::string_view name) {
  const auto at = std::find_if(thing.properties.begin(), thing.properties.end(),
                               [&](const auto& each) { return each.first == name; });
  return at == thing.properties.end() ? nullptr : &at->second;
}

std::optional<std::string_view> unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<std::string_view> value_in(const PolicyThing* thing, What what,
                                         std::string_view name) {
  if (thing == nullptr) return std::nullopt;
  if (what == What::thing) return unless_empty(thing->id);
  if (what == What::thing_type) return unless_empty(thing->type);
  const std::string* const found = property_of(*thing, name);
  return found == nullptr ? std::nullopt : unless_empty(*found);
}

}  // namespace

std::optional<PolicyVariable> short_policy_variable(std::string_view name) {
  for (const Fixed& fixed : kShort) {
    if (fixed.name == name) return PolicyVariable{fixed.what};
  }
  constexpr std::string_view kThing = "thing.";
  if (!name.starts_with(kThing) || name.size() == kThing.size()) return std::nullopt;
  return PolicyVariable{What::thing_property, std::string(name.substr(kThing.size()))};
}

std::optional<PolicyVariable> aws_policy_variable(std::string_view name) {
  const std::string small = lower(name);
  for (const Fixed& fixed : kAws) {
    if (fixed.name == small) return PolicyVariable{fixed.what};
  }
  if (small.starts_with(kAttributes) && small.ends_with(']')) {
    name.remove_prefix(kAttributes.size());
    name.remove_suffix(1);
    if (name.empty()) return std::nullopt;
    return PolicyVariable{What::attached_property, std::string(name)};
  }
  if (!small.starts_with(kCertificate)) return std::nullopt;
  return certificate_variable(std::string_view(small).substr(kCertificate.size()));
}

std::optional<std::string_view> value_of(const PolicyVariable& variable,
                                         const PolicySubject& subject) {
  const PolicyThing* const attached = subject.is_attached() ? subject.thing.get() : nullptr;
  switch (variable.what) {
    case What::client_id:
      return unless_empty(subject.client_id);
    case What::user:
      return unless_empty(subject.user);
    case What::source_ip:
      return unless_empty(subject.source_ip);
    case What::thing:
    case What::thing_type:
    case What::thing_property:
      return value_in(subject.thing.get(), variable.what, variable.name);
    case What::attached_thing:
      return value_in(attached, What::thing, {});
    case What::attached_type:
      return value_in(attached, What::thing_type, {});
    case What::attached_property:
      return value_in(attached, What::thing_property, variable.name);
    case What::is_attached:
      return subject.is_attached() ? "true" : "false";
    case What::certificate_id:
      return unless_empty(subject.certificate_id);
    case What::certificate:
      break;
    case What::connect_attributes:
      return std::nullopt;
  }
  std::size_t left = variable.index;
  for (const auto& [name, value] : subject.certificate) {
    if (name == variable.name && left-- == 0) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> values_of(const PolicyVariable& variable,
                                        const PolicySubject& subject) {
  std::vector<std::string_view> out;
  if (variable.what == What::connect_attributes) {
    if (subject.is_persistent) out.emplace_back("PersistentConnect");
    if (subject.has_will) out.emplace_back("LastWill");
    return out;
  }
  if (!variable.is_list) {
    if (const auto value = value_of(variable, subject)) out.push_back(*value);
    return out;
  }
  for (const auto& [name, value] : subject.certificate) {
    if (name == variable.name) out.push_back(value);
  }
  return out;
}

bool is_topic_safe(std::string_view value) {
  return !value.starts_with('$') && value.find_first_of("/+#") == std::string_view::npos;
}

// Two texts as one, without joining them.
struct PolicyText::Joined {
  std::string_view head;
  std::string_view tail;

  std::size_t size() const { return head.size() + tail.size(); }
  char at(std::size_t i) const { return i < head.size() ? head[i] : tail[i - head.size()]; }
  bool has_at(std::size_t at_byte, std::string_view text) const {
    if (at_byte + text.size() > size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (at(at_byte + i) != text[i]) return false;
    }
    return true;
  }
  // Behind the character that begins at `i`.
  std::size_t next(std::size_t i) const {
    do {
      ++i;
    } while (i < size() && is_continuation(at(i)));
    return i;
  }
};

void PolicyText::append_literal(std::string_view text) {
  if (text.empty()) return;
  if (pieces_.empty() || pieces_.back().kind != Piece::Kind::literal) pieces_.emplace_back();
  pieces_.back().text += text;
}

Result<PolicyText::Piece> PolicyText::variable_piece(std::string_view name,
                                                     const Language& language) {
  // How a text says that it means a star: ${*}.
  if (language.has_wildcards && (name == "*" || name == "?" || name == "$")) {
    return Piece{Piece::Kind::literal, std::string(name), {}};
  }
  const auto variable = language.variable == nullptr ? std::nullopt : language.variable(name);
  const bool is_text = variable && !variable->is_list && variable->what != What::connect_attributes;
  if (is_text) return Piece{Piece::Kind::variable, {}, *variable};
  return Error{ErrorCode::invalid_argument,
               fmt::format("there is no variable ${{{}}}", printable(name, 80))};
}

Result<PolicyText> PolicyText::parse(std::string_view text, const Language& language) {
  if (text.size() > kPolicyTextSizeMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("longer than {} bytes", kPolicyTextSizeMax)};
  }
  PolicyText out;
  while (!text.empty()) {
    const std::size_t special = language.has_wildcards ? text.find_first_of("*?$") : text.find('$');
    out.append_literal(text.substr(0, special));
    text.remove_prefix(std::min(special, text.size()));
    if (text.empty()) break;
    if (text.front() != '$') {
      const bool is_many = text.front() == '*';
      out.pieces_.push_back({is_many ? Piece::Kind::many : Piece::Kind::one});
      text.remove_prefix(1);
      continue;
    }
    if (!text.starts_with("${")) {
      out.append_literal("$");
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) {
      return Error{ErrorCode::invalid_argument, "a variable ${... without its }"};
    }
    Piece piece = TRY(variable_piece(text.substr(2, end - 2), language));
    if (piece.kind == Piece::Kind::literal) {
      out.append_literal(piece.text);
    } else {
      out.pieces_.push_back(std::move(piece));
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

std::optional<std::string_view> PolicyText::value_of(const Piece& piece,
                                                     const PolicySubject& subject, Values values) {
  auto value = nilo::value_of(piece.variable, subject);
  if (value && values == Values::topic_safe && !is_topic_safe(*value)) value.reset();
  return value;
}

bool PolicyText::is_missing_value(const PolicySubject& subject, Values values) const {
  return std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
    return piece.kind == Piece::Kind::variable && !value_of(piece, subject, values);
  });
}

// With the last `*` as the only place to come back to: what an earlier one took can stay as it is.
bool PolicyText::matches(std::string_view head, std::string_view tail, const PolicySubject& subject,
                         Values values) const {
  const Joined text{head, tail};
  constexpr auto kNone = static_cast<std::size_t>(-1);
  std::size_t at = 0;
  std::size_t piece = 0;
  std::size_t star = kNone;  // the piece behind it
  std::size_t star_at = 0;   // how far it reaches
  while (piece < pieces_.size() || at < text.size()) {
    bool fits = false;
    if (piece < pieces_.size()) {
      const Piece& wanted = pieces_[piece];
      switch (wanted.kind) {
        case Piece::Kind::many:
          star = ++piece;
          star_at = at;
          continue;
        case Piece::Kind::one:
          fits = at < text.size();
          if (fits) at = text.next(at);
          break;
        case Piece::Kind::literal:
          fits = text.has_at(at, wanted.text);
          if (fits) at += wanted.text.size();
          break;
        case Piece::Kind::variable: {
          const auto value = value_of(wanted, subject, values);
          if (!value) return false;
          fits = text.has_at(at, *value);
          if (fits) at += value->size();
          break;
        }
      }
    }
    if (fits) {
      ++piece;
      continue;
    }
    if (star == kNone || star_at >= text.size()) return false;
    at = ++star_at;
    piece = star;
  }
  return true;
}

}  // namespace nilo
