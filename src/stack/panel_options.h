// stack/panel_options.h: the page language as a table: which panels there are, and which options
// each of them takes.
//
// In/out:  a name -> what it takes. read_pages.cc checks by it; docs/pages.md describes it to
//          people, and the web draws it (web/src/panels).
// Threads: constants.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace nilo::stack {

// What a value must look like.
enum class Form : std::uint8_t {
  text,       // not blank
  link,       // https://..., or a place of ours: /things
  boolean,    //
  number,     //
  integer,    // `min` to `max`
  duration,   // "1d"
  range,      // "7d", "today", ...
  choice,     // one of `words`
  choices,    // a list of them
  selectors,  // one, or a list, of any fields
  series,     // the same, of fields with numbers
  lines,      // [{ at = 20, label = "nearly empty" }]
  axis,       // { min = 0, max = 100 }
  columns,    // ["name", { name = "distance", unit = "cm", decimals = 1 }]
  column,     // one of the table's, "-" before it for the highest first
  faces,      // one of `words`, or { low = "...", high = "..." }
  markdown,   // text, with {{tank-1/percent}} in it
  later,      // belongs to the language, and not to this version
};

struct PanelOption {
  std::string_view name;
  Form form;
  std::string_view example{};  // a value as it would be written
  std::string_view words{};    // of a choice, separated by spaces
  std::string_view not_yet{};  // words of the language that are not available yet
  int min = 0;
  int max = 0;
  bool required = false;
};

struct PanelKind {
  std::string_view name;
  std::span<const PanelOption> options;  // besides common_panel_options(); empty: not available yet
};

std::span<const PanelKind> panel_kinds();
std::span<const PanelOption> common_panel_options();

}  // namespace nilo::stack
