#include <algorithm>
#include <array>

#include "stack/forms.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

struct SectionReader {
  std::string_view name;
  std::string_view written;  // as it stands in a file
  void (*read)(const Member&, Reading&);
  Node::Kind kind = Node::Kind::table;  // [[page]] is a list
};

constexpr SectionReader kSections[] = {
    {"things", "[things]", read_things},
    {"table", "[table.NAME]", read_tables},
    {"rule", "[rule.NAME]", read_rules},
    {"endpoint", "[endpoint.NAME]", read_endpoints},
    {"alert", "[alert.NAME]", read_alerts},
    {"mail", "[mail]", read_mail},
    {"page", "[[page]]", read_pages, Node::Kind::list},
    {"policy", "[policy.NAME]", read_policies},
    {"site", "[site]", read_site},
    {"listener", "[listener.NAME]", read_listeners},
    {"server", "[server]", read_settings},
    {"mqtt", "[mqtt]", read_settings},
    {"tables", "[tables]", read_settings},
    {"sql", "[sql]", read_settings},
};

// In the design, and not in this version.
constexpr std::string_view kLater[] = {"job", "webhook", "model", "log"};

void read_section(const Member& section, Reading& reading) {
  if (is_page_file(reading.file->name) && section.key != "page") {
    reading.tell(Code::not_in_page_file, section.key_place,
                 did_you_mean(section.key, std::array<std::string_view, 1>{"page"}), section.key);
    return;
  }
  if (std::find(std::begin(kLater), std::end(kLater), section.key) != std::end(kLater)) {
    reading.tell(Code::not_available, section.key_place, "", section.key, "");
    return;
  }
  const auto* known =
      std::find_if(std::begin(kSections), std::end(kSections),
                   [&](const SectionReader& reader) { return reader.name == section.key; });
  if (known == std::end(kSections)) {
    std::vector<std::string_view> names;
    std::vector<std::string_view> written;
    for (const SectionReader& reader : kSections) {
      names.push_back(reader.name);
      written.push_back(reader.written);
    }
    const std::string meant = did_you_mean(section.key, names);
    reading.tell(Code::unknown_section, section.key_place, meant, section.key,
                 meant.empty() ? fmt::format("there are {}", fmt::join(written, ", ")) : "");
    return;
  }
  if (section.node.kind != known->kind) {
    reading.tell(Code::not_a_section, section.key_place,
                 fmt::format("this is {}", words_for(section.node.kind)), section.key,
                 known->written);
    return;
  }
  known->read(section, reading);
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool declares(std::string_view word, const Member& member, std::size_t count, Reading& reading) {
  if (member.node.kind != Node::Kind::table) {
    reading.tell(Code::unknown_key, member.key_place, "", member.key, fmt::format("[{}]", word),
                 fmt::format("it has a name: [{}.NAME]", word));
    return false;
  }
  const bool is_table = word == "table";
  if (!(is_table ? is_name(member.key) : is_id(member.key, kNameSizeMax))) {
    reading.tell(Code::bad_name, member.key_place, "", member.key,
                 fmt::format("{} {}", word == "endpoint" || word == "alert" ? "an" : "a", word),
                 is_table ? kNameForm : kIdForm);
    return false;
  }
  const std::string name = is_table ? lower_case(member.key) : member.key;
  if (!reading.declare(fmt::format("{} `{}`", word, name), member.key_place)) return false;
  if (count >= kDeclaredMax) {
    reading.tell(Code::too_many_declared, member.key_place, "", kDeclaredMax, word);
    return false;
  }
  return true;
}

const Table* Stack::find_table(std::string_view name) const {
  const auto at = std::find_if(tables.begin(), tables.end(),
                               [&](const Table& table) { return table.schema.name == name; });
  return at == tables.end() ? nullptr : &*at;
}

bool is_page_file(std::string_view name) { return name.starts_with(kPagesFolder); }
bool is_policy_file(std::string_view name) { return name.starts_with(kPoliciesFolder); }

Loaded parse(SourceFiles files) {
  Reading reading;
  for (SourceFile& file : files) {
    // A byte order mark, as some editors write it, is not part of the text.
    if (file.text.starts_with("\xef\xbb\xbf")) file.text.erase(0, 3);
    if (is_policy_file(file.name)) reading.policy_files.push_back({&file});
  }
  for (const SourceFile& file : files) {
    if (is_policy_file(file.name)) continue;
    reading.file = &file;
    const auto root = parse_toml(file, reading.diagnostics);
    if (!root) continue;
    for (const Member& section : root->members) read_section(section, reading);
  }
  check_stack(reading);
  return {std::move(reading.stack), std::move(reading.diagnostics), std::move(files)};
}

}  // namespace nilo::stack
