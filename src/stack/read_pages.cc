#include "stack/forms.h"
#include "stack/panel_reader.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

constexpr std::size_t kPanelsMax = 100;
constexpr std::size_t kPageIdSizeMax = 64;

// False, and told, if the page has no id of its own.
bool read_id(Section& keys, Page& page, Reading& reading) {
  constexpr Key kId{"id", "\"tanks\""};
  keys.require(kId);
  const auto id = keys.text(kId);
  if (!id) return false;
  const Place& place = keys.place_of("id");
  if (!is_id(*id, kPageIdSizeMax) || id->starts_with('.')) {
    reading.tell(Code::bad_name, place, "", *id, "a page", kIdForm);
    return false;
  }
  page.id = *id;
  return reading.declare(fmt::format("page `{}`", *id), place);
}

// for = "type:tank": things, without a field.
void read_for(Section& keys, Page& page, Reading& reading) {
  page.for_things = keys.selector({"for", "\"type:tank\""});
  if (!page.for_things) return;
  const Place& place = keys.place_of("for");
  if (page.for_things->is_relative() || page.for_things->field != "*") {
    reading.tell(Code::bad_selector, place, "", "`for` names things, without a field",
                 "write for = \"type:tank\"");
    page.for_things.reset();
    return;
  }
  reading.selectors.push_back({*page.for_things, place, FieldKind::any});
}

void read_page_zone(Section& keys, Page& page) {
  constexpr Key kZone{"zone", "\"site\", \"viewer\" or \"Europe/Rome\""};
  const Node* node = keys.take(kZone.name);
  const bool is_word = node != nullptr && node->kind == Node::Kind::text &&
                       (node->text == "site" || node->text == "viewer");
  if (is_word) {
    page.zone = node->text;
  } else {
    page.zone = keys.zone(kZone).value_or(page.zone);
  }
}

void read_page(const Node& node, Reading& reading) {
  Page page{};
  page.place = node.place;
  Section keys(node, page.place, "[[page]]", reading);
  const bool has_id = read_id(keys, page, reading);
  const auto title = keys.prose({"title", "\"Water tanks\""});
  page.title = title ? title->value : page.id;
  read_for(keys, page, reading);
  page.range = keys.range({"range", "\"7d\""}).value_or(page.range);
  read_page_zone(keys, page);
  for (const std::string_view later : {"pick", "share"}) {
    if (keys.take(later) == nullptr) continue;
    reading.tell(Code::not_available, keys.place_of(later), "", later, "");
  }
  constexpr Key kPanel{"panel", "[{ kind = \"alerts\" }], or [[page.panel]] below"};
  const Node* panels = keys.require(kPanel) == nullptr ? nullptr : keys.list(kPanel);
  keys.finish();
  if (panels == nullptr) return;
  if (panels->items.size() > kPanelsMax) {
    return reading.tell(Code::too_many_items, page.place, "", "[[page]]", kPanelsMax, "panels");
  }
  for (const Node& panel : panels->items) {
    if (panel.kind != Node::Kind::table) {
      tell_wrong_type(reading, kPanel, "a list of tables", panel);
    } else if (auto read = read_panel(panel, page, reading)) {
      page.panels.push_back(std::move(*read));
    }
  }
  if (has_id) reading.stack.pages.push_back(std::move(page));
}

}  // namespace

void read_pages(const Member& section, Reading& reading) {
  for (const Node& node : section.node.items) {
    if (node.kind != Node::Kind::table) {
      tell_wrong_type(reading, {"page", "[{ id = \"tanks\" }], or [[page]]"}, "a list of tables",
                      node);
    } else if (reading.stack.pages.size() >= kDeclaredMax) {
      return reading.tell(Code::too_many_declared, node.place, "", kDeclaredMax, "page");
    } else {
      read_page(node, reading);
    }
  }
}

}  // namespace nilo::stack
