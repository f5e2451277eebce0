#include "stack/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "base/utf8.h"
#include "stack/error_table.h"
#include "value/value.h"

namespace nilo::stack {
namespace {

constexpr std::size_t kWidthMax = 100;    // characters of a line that are shown
constexpr std::size_t kMessageMax = 400;  // bytes of a sentence: names in it may be of any length
constexpr std::size_t kPlacesMax = 5;     // of the same mistake

// One mistake, and where else it was made.
struct Group {
  const Diagnostic* first;
  std::vector<const Place*> more;
};

// The line of a place as it can be shown, and what stands below it.
struct Snippet {
  std::string line;
  std::string indent;  // as wide as the line up to the marks
  std::size_t marks;   // carets
};

struct Palette {
  std::string_view error, frame, plain;
};
constexpr Palette kColours{"\x1b[1;31m", "\x1b[1;34m", "\x1b[0m"};
constexpr Palette kNoColours{"", "", ""};

const SourceFile* find_file(const SourceFiles& files, const std::string& name) {
  const auto at = std::find_if(files.begin(), files.end(),
                               [&](const SourceFile& file) { return file.name == name; });
  return at == files.end() ? nullptr : &*at;
}

// The line that `place` names; nothing without one.
std::optional<std::string_view> line_of(const Place& place, const SourceFiles& files) {
  const SourceFile* file = find_file(files, place.file);
  if (file == nullptr || place.line == 0) return std::nullopt;
  const std::string_view text = file->text;
  const std::size_t begin = byte_of(text, place.line, 1);
  std::string_view line = text.substr(begin, std::min(text.find('\n', begin), text.size()) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// How many characters of the line are marked: at least one, even behind its end.
std::size_t marked_size(const Place& place, std::string_view line) {
  const std::size_t behind = count_characters(line) + 1;
  return std::clamp<std::size_t>(place.size, 1, std::max(behind, place.column + 1) - place.column);
}

// A character as a terminal may get it: nothing that moves its cursor or colours it.
std::string_view harmless(std::string_view character) {
  if (character == "\t") return character;
  const bool is_control = character[0] >= 0 && (character[0] < ' ' || character[0] == '\x7f');
  const bool is_c1_control =
      character.size() == 2 && character >= "\xc2\x80" && character < "\xc2\xa0";
  return is_control || is_c1_control || !is_utf8(character) ? "\xef\xbf\xbd" : character;
}

Snippet snippet_of(const Place& place, std::string_view line) {
  // Of a long line, what surrounds the mark.
  const bool is_far = count_characters(line) > kWidthMax && place.column > kWidthMax * 3 / 4;
  const std::size_t first = is_far ? place.column - kWidthMax / 2 : 1;
  Snippet out;
  std::size_t column = 1;
  std::size_t at = byte_of(line, 1, first);
  if (first > 1) {
    out.line = "... ";
    out.indent = "    ";
    column = first;
  }
  for (; at < line.size() && column < first + kWidthMax; ++column) {
    const std::size_t next = byte_of(line.substr(at), 1, 2) + at;
    const std::string_view character = line.substr(at, next - at);
    out.line += harmless(character);
    if (column < place.column) out.indent += character == "\t" ? "\t" : " ";
    at = next;
  }
  if (at < line.size()) out.line += " ...";
  if (column < place.column) out.indent.append(place.column - column, ' ');
  const std::size_t room = std::max(column, place.column + 1) - place.column;
  out.marks = std::min(marked_size(place, line), room);
  return out;
}

std::string shown(const std::string& sentence) { return printable(sentence, kMessageMax); }

// In the order of the files, then of their lines.
std::vector<const Diagnostic*> sorted(const std::vector<Diagnostic>& diagnostics,
                                      const SourceFiles& files) {
  std::map<std::string_view, std::size_t> order;
  for (std::size_t i = 0; i < files.size(); ++i) order.emplace(files[i].name, i + 1);
  const auto rank = [&](const Diagnostic* diagnostic) {
    const auto at = order.find(diagnostic->place.file);
    return std::tuple(at == order.end() ? 0 : at->second, diagnostic->place.line,
                      diagnostic->place.column);
  };
  std::vector<const Diagnostic*> out;
  for (const Diagnostic& diagnostic : diagnostics) out.push_back(&diagnostic);
  std::stable_sort(out.begin(), out.end(),
                   [&](const Diagnostic* a, const Diagnostic* b) { return rank(a) < rank(b); });
  return out;
}

// The same wrong name (C2xx) is one cause wherever it stands; any other mistake is its own.
std::vector<Group> group(const std::vector<const Diagnostic*>& diagnostics) {
  std::vector<Group> groups;
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, std::size_t> known;
  for (const Diagnostic* diagnostic : diagnostics) {
    if (diagnostic->code.starts_with("C2")) {
      const auto [at, is_new] = known.try_emplace(
          {diagnostic->code, diagnostic->summary, diagnostic->detail}, groups.size());
      if (!is_new) {
        groups[at->second].more.push_back(&diagnostic->place);
        continue;
      }
    }
    groups.push_back({diagnostic, {}});
  }
  return groups;
}

// Secrets stay out of what is printed.
bool may_show_line(const Diagnostic& diagnostic) {
  return diagnostic.code != to_string(Code::secret_in_file);
}

std::string more_places(const std::vector<const Place*>& places) {
  std::string out;
  for (std::size_t i = 0; i < places.size() && i < kPlacesMax; ++i) {
    out += (i == 0 ? "" : ", ") + to_string(*places[i]);
  }
  if (places.size() > kPlacesMax) out += fmt::format(" and {} more", places.size() - kPlacesMax);
  return out;
}

void append_group(std::string& out, const Group& group, const SourceFiles& files,
                  const Palette& palette) {
  const Diagnostic& diagnostic = *group.first;
  const Place& place = diagnostic.place;
  out += fmt::format("{}error[{}]{}: {}\n", palette.error, diagnostic.code, palette.plain,
                     shown(diagnostic.summary));
  const std::string number = fmt::to_string(place.line);
  const std::string margin(place.line == 0 ? 2 : number.size() + 1, ' ');
  const auto frame = [&](std::string_view mark) {
    return fmt::format("{}{}{}", palette.frame, mark, palette.plain);
  };
  if (!place.file.empty()) {
    out += fmt::format("{}{} {}\n", margin, frame("-->"), shown(to_string(place)));
  }
  const auto line = may_show_line(diagnostic) ? line_of(place, files) : std::nullopt;
  if (line) {
    const Snippet snippet = snippet_of(place, *line);
    out += fmt::format("{} {}\n", margin, frame("|"));
    out += fmt::format(" {} {} {}\n", frame(number), frame("|"), snippet.line);
    out += fmt::format("{} {} {}{}{}{}{}\n", margin, frame("|"), snippet.indent, palette.error,
                       std::string(snippet.marks, '^'), palette.plain,
                       diagnostic.detail.empty() ? "" : " " + shown(diagnostic.detail));
  }
  if (!group.more.empty()) {
    out += fmt::format("{} {} also at {}\n", margin, frame("="), more_places(group.more));
  }
  if (!diagnostic.help.empty()) {
    out += fmt::format("{} {} help: {}\n", margin, frame("="), shown(diagnostic.help));
  } else if (line) {
    out += fmt::format("{} {}\n", margin, frame("|"));
  }
}

void append_position(std::string& out, std::string_view text, std::size_t line,
                     std::size_t column) {
  fmt::format_to(std::back_inserter(out), R"({{"line":{},"column":{},"byte":{}}})", line, column,
                 byte_of(text, line, column));
}

void append_range(std::string& out, const Place& place, const SourceFiles& files) {
  const auto line = line_of(place, files);
  if (!line) {
    out += "null";
    return;
  }
  const std::string_view text = find_file(files, place.file)->text;
  out += R"({"file":)";
  append_json_string(out, place.file);
  out += R"(,"start":)";
  append_position(out, text, place.line, place.column);
  out += R"(,"end":)";
  append_position(out, text, place.line, place.column + marked_size(place, *line));
  out += '}';
}

}  // namespace

std::string render(const std::vector<Diagnostic>& diagnostics, const SourceFiles& files,
                   bool colour) {
  if (diagnostics.empty()) return {};
  const std::vector<Group> groups = group(sorted(diagnostics, files));
  std::string out;
  for (std::size_t i = 0; i < groups.size() && i < kShownMax; ++i) {
    append_group(out, groups[i], files, colour ? kColours : kNoColours);
  }
  const std::size_t count = diagnostics.size();
  std::string total = fmt::format("{}{} error{}", count, count < kDiagnosticsMax ? "" : " or more",
                                  count == 1 ? "" : "s");
  if (groups.size() > kShownMax) total += fmt::format(" (the first {} are shown)", kShownMax);
  out += fmt::format("{:<50} explain: nilo help {}\n", total + ". Nothing was changed.",
                     groups.front().first->code);
  return out;
}

std::string render_json(const std::vector<Diagnostic>& diagnostics, const SourceFiles& files) {
  std::string out;
  for (const Diagnostic* diagnostic : sorted(diagnostics, files)) {
    out += R"({"severity":"error","code":)";
    append_json_string(out, diagnostic->code);
    out += R"(,"summary":)";
    append_json_string(out, diagnostic->summary);
    out += R"(,"detail":)";
    append_json_string(out, diagnostic->detail);
    out += R"(,"range":)";
    append_range(out, diagnostic->place, files);
    out += R"(,"snippet":)";
    const auto line = line_of(diagnostic->place, files);
    append_json_string(out, may_show_line(*diagnostic) ? line.value_or("") : "");
    out += R"(,"help":)";
    append_json_string(out, diagnostic->help);
    out += "}\n";
  }
  return out;
}

}  // namespace nilo::stack
