// Section String of docs/rules.md. "str" arguments are everything but Null and Undefined, which
// make the result Undefined.
#include <algorithm>

#include "base/utf8.h"
#include "rules/convert.h"
#include "rules/digest.h"
#include "rules/functions.h"
#include "rules/pattern.h"
#include "rules/text_case.h"

namespace nilo::rules {

namespace {

// A text argument; going through it is counted.
std::optional<std::string_view> text_argument(const Call& call, std::size_t i) {
  const auto text = to_text(call.context, call[i]);
  if (text && !call.context.spend_on(*text)) return std::nullopt;
  return text;
}

// The buffer, cleared for use: read all arguments before.
std::string& cleared_buffer(const Call& call) {
  call.context.buffer.clear();
  return call.context.buffer;
}
Datum text_in_buffer(const Call& call) { return call.context.make_text(call.context.buffer); }

std::int64_t characters_in(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); });
}

// The byte at which character `index` begins, or the end.
std::size_t byte_of_character(std::string_view text, std::int64_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) {
    do {
      ++at;
    } while (at < text.size() && is_continuation(text[at]));
  }
  return at;
}

Datum chr(const Call& call) {
  const auto code = to_count(call.context, call[0]);
  if (!code || *code < 0 || *code > 127) return {};
  const char c = static_cast<char>(*code);
  return call.context.make_text({&c, 1});
}

// With an array among them: one array of all arguments, arrays spliced.
Datum concatenated_arrays(const Call& call) {
  std::size_t size = 0;
  for (const Datum& arg : call.args) size += arg.is_array() ? arg.size() : 1;
  const std::span<Datum> items = call.context.make_array<Datum>(size);
  if (items.size() != size) return {};
  std::size_t count = 0;
  for (const Datum& arg : call.args) {
    if (arg.is_array()) {
      for_each_item(arg, [&](const Datum& item) { items[count++] = item; });
    } else if (!arg.is_undefined()) {
      items[count++] = arg;
    }
  }
  return call.context.spend(size) ? Datum::array(items.first(count)) : Datum::undefined();
}

Datum concat(const Call& call) {
  if (call.count() == 0) return {};
  if (call.count() == 1) return call[0];
  if (std::any_of(call.args.begin(), call.args.end(),
                  [](const Datum& arg) { return arg.is_array(); })) {
    return concatenated_arrays(call);
  }
  const std::span<std::string_view> parts = call.context.make_array<std::string_view>(call.count());
  std::size_t size = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = text_argument(call, i);
    if (!part) return {};
    parts[i] = *part;
    size += part->size();
  }
  const std::span<char> out = call.context.make_array<char>(size);
  if (out.size() != size) return {};
  char* at = out.data();
  for (const std::string_view part : parts) at = std::copy(part.begin(), part.end(), at);
  return Datum::text({out.data(), size});
}

Datum starts_with(const Call& call) {
  const auto text = text_argument(call, 0);
  const auto part = text_argument(call, 1);
  return text && part ? Datum::boolean(text->starts_with(*part)) : Datum::undefined();
}

Datum ends_with(const Call& call) {
  const auto text = text_argument(call, 0);
  const auto part = text_argument(call, 1);
  return text && part ? Datum::boolean(text->ends_with(*part)) : Datum::undefined();
}

// string_view::find() may compare the whole part at every position.
std::size_t find_in(Context& context, std::string_view text, std::string_view part,
                    std::size_t from) {
  while (from <= text.size() && !part.empty()) {
    const std::size_t at = text.find(part[0], from);
    if (at == std::string_view::npos || !context.spend(1 + part.size() / kStepBytes)) break;
    if (text.substr(at).starts_with(part)) return at;
    from = at + 1;
  }
  return part.empty() && from <= text.size() ? from : std::string_view::npos;
}

Datum index_of(const Call& call) {
  if (call[0].is_array() || call[1].is_array()) return {};
  const auto text = text_argument(call, 0);
  const auto part = text_argument(call, 1);
  if (!text || !part) return {};
  const std::size_t at = find_in(call.context, *text, *part, 0);
  return Datum::integer(at == std::string_view::npos ? -1 : characters_in(text->substr(0, at)));
}

Datum length(const Call& call) {
  const auto text = text_argument(call, 0);
  return text ? Datum::integer(characters_in(*text)) : Datum::undefined();
}

Datum byte_count(const Call& call) {
  const auto text = text_argument(call, 0);
  return text ? Datum::integer(static_cast<std::int64_t>(text->size())) : Datum::undefined();
}

template <void (*Append)(std::string&, std::string_view)>
Datum mapped(const Call& call) {
  const auto text = text_argument(call, 0);
  if (!text) return {};
  Append(cleared_buffer(call), *text);
  return text_in_buffer(call);
}

template <Digest digest>
Datum digest_of(const Call& call) {
  const auto text = text_argument(call, 0);
  if (!text || !call.context.spend(text->size() / 16)) return {};
  append_hex_digest(cleared_buffer(call), digest, *text);
  return text_in_buffer(call);
}

enum class Side { left, right, both };

template <Side side>
Datum padded(const Call& call) {
  constexpr std::int64_t kPadMax = 1000;
  const auto text = text_argument(call, 0);
  const auto count = to_count(call.context, call[1]);
  if (!text || !count) return {};
  const auto spaces = static_cast<std::size_t>(std::clamp<std::int64_t>(*count, 0, kPadMax));
  std::string& out = cleared_buffer(call);
  if (side == Side::left) out.append(spaces, ' ');
  out += *text;
  if (side == Side::right) out.append(spaces, ' ');
  return text_in_buffer(call);
}

template <Side side>
Datum trimmed(const Call& call) {
  constexpr std::string_view kBlank = " \t";
  auto text = text_argument(call, 0);
  if (!text) return {};
  if (side != Side::right) {
    text->remove_prefix(std::min(text->find_first_not_of(kBlank), text->size()));
  }
  if (side != Side::left) *text = text->substr(0, text->find_last_not_of(kBlank) + 1);
  return Datum::text(*text);
}

// The regular expression of argument 1: compiled with the statement if it is a literal.
std::shared_ptr<const Pattern> pattern_argument(const Call& call) {
  if (call.node.pattern) return call.node.pattern;
  const auto text = to_text(call.context, call[1]);
  if (!text) return nullptr;
  Context& context = call.context;
  if (context.last_pattern && context.last_pattern_text == *text) return context.last_pattern;
  constexpr std::size_t kCompileSteps = 1000;
  if (!context.spend(kCompileSteps + text->size())) return nullptr;
  std::string why;
  context.last_pattern = Pattern::compile(*text, why);
  context.last_pattern_text = *text;
  return context.last_pattern;
}

Datum regexp_matches(const Call& call) {
  const auto text = text_argument(call, 0);
  const auto pattern = pattern_argument(call);
  if (!text || !pattern || !call.context.spend(pattern->steps_for(text->size()))) return {};
  return Datum::boolean(pattern->is_in(*text));
}

Datum regexp_substr(const Call& call) {
  const auto text = text_argument(call, 0);
  const auto pattern = pattern_argument(call);
  if (!text || !pattern || !call.context.spend(pattern->steps_for(text->size()))) return {};
  const auto match = pattern->find(*text);
  return match ? Datum::text(*match) : Datum::undefined();
}

Datum regexp_replace(const Call& call) {
  const auto text = text_argument(call, 0);
  const auto replacement = text_argument(call, 2);
  const auto pattern = pattern_argument(call);
  if (!text || !replacement || !pattern || !pattern->is_replacement(*replacement)) return {};
  std::string& out = cleared_buffer(call);
  const bool done =
      pattern->replace(*text, *replacement, kArenaSizeMax, call.context.steps_left, out);
  if (!done) {
    call.context.stop_for_steps();
    return {};
  }
  return text_in_buffer(call);
}

Datum replace(const Call& call) {
  const auto text = text_argument(call, 0);
  const auto from = text_argument(call, 1);
  const auto to = text_argument(call, 2);
  if (!text || !from || !to) return {};
  if (from->empty()) return Datum::text(*text);
  std::string& out = cleared_buffer(call);
  std::size_t at = 0;
  while (out.size() <= kArenaSizeMax && !call.context.stopped()) {
    const std::size_t found = find_in(call.context, *text, *from, at);
    if (found == std::string_view::npos) break;
    out.append(*text, at, found - at).append(*to);
    at = found + from->size();
  }
  out.append(*text, at);
  return text_in_buffer(call);
}

Datum substring(const Call& call) {
  const auto text = text_argument(call, 0);
  const auto from = to_count(call.context, call[1]);
  const auto to = call.count() > 2 ? to_count(call.context, call[2]) : INT64_MAX;
  if (!text || !from || !to) return {};
  const std::size_t begin = byte_of_character(*text, *from);
  const std::size_t end = byte_of_character(*text, *to);
  return Datum::text(begin < end ? text->substr(begin, end - begin) : std::string_view());
}

// Its `*` is the payload as it came, even if that is no text (Op::raw).
Datum encode(const Call& call) {
  const auto bytes = text_argument(call, 0);
  if (!bytes) return {};
  append_base64(cleared_buffer(call), *bytes);
  return text_in_buffer(call);
}

Datum decode(const Call& call) {
  const auto text = text_argument(call, 0);
  if (!text) return {};
  if (!append_decoded_base64(cleared_buffer(call), *text)) return Datum::null();
  if (!is_utf8(call.context.buffer)) return Datum::null();
  const Datum decoded = text_in_buffer(call);
  if (!decoded.is_text()) return {};
  const auto root = call.context.next_document().parse(decoded.as_text());
  return root ? Datum::of(**root) : decoded;
}

constexpr FunctionInfo text(std::string_view name, Datum (*run)(const Call&),
                            std::size_t count = 1) {
  return {.name = name, .run = run, .count_min = count, .count_max = count};
}
constexpr FunctionInfo text_2016(std::string_view name, Datum (*run)(const Call&),
                                 std::size_t count = 1) {
  FunctionInfo out = text(name, run, count);
  out.since_2016 = true;
  return out;
}
constexpr FunctionInfo regexp(std::string_view name, Datum (*run)(const Call&), std::size_t count) {
  FunctionInfo out = text(name, run, count);
  out.pattern_argument = 1;
  return out;
}

constexpr FunctionInfo kFunctions[] = {
    text("chr", chr),
    {.name = "concat", .run = concat, .count_max = FunctionInfo::kAny},
    text_2016("decode", decode, 2),
    text_2016("encode", encode, 2),
    text("endswith", ends_with, 2),
    text_2016("indexof", index_of, 2),
    text_2016("length", length),
    text("lower", mapped<append_lower>),
    text("lpad", padded<Side::left>, 2),
    text("ltrim", trimmed<Side::left>),
    text("md2", digest_of<Digest::md2>),
    text("md5", digest_of<Digest::md5>),
    text_2016("numbytes", byte_count),
    regexp("regexp_matches", regexp_matches, 2),
    regexp("regexp_replace", regexp_replace, 3),
    regexp("regexp_substr", regexp_substr, 2),
    text("replace", replace, 3),
    text("rpad", padded<Side::right>, 2),
    text("rtrim", trimmed<Side::right>),
    text("sha1", digest_of<Digest::sha1>),
    text("sha224", digest_of<Digest::sha224>),
    text("sha256", digest_of<Digest::sha256>),
    text("sha384", digest_of<Digest::sha384>),
    text("sha512", digest_of<Digest::sha512>),
    text("startswith", starts_with, 2),
    {.name = "substring", .run = substring, .count_min = 2, .count_max = 3},
    text("trim", trimmed<Side::both>),
    text("upper", mapped<append_upper>),
};

}  // namespace

std::span<const FunctionInfo> text_functions() { return kFunctions; }

}  // namespace nilo::rules
