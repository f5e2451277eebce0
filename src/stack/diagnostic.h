// stack/diagnostic.h: a mistake in a stack, as people and editors are told of it.
//
// In/out:  code and place -> Diagnostic; Diagnostics and the files' text -> words or JSON lines.
// Threads: values and pure functions.
// Limits:  render() shows kShownMax mistakes and counts the rest; load() stops looking for more
//          at kDiagnosticsMax.
// Source:  the shape of the words is rustc's, that of the JSON is Terraform's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stack/source.h"

namespace nilo::stack {

inline constexpr std::size_t kShownMax = 20;
inline constexpr std::size_t kDiagnosticsMax = 1000;

struct Diagnostic {
  std::string code;      // "C204", see error_table.h
  std::string summary;   // one sentence: what is wrong
  Place place{};         //
  std::string detail{};  // a few words behind the marked text: "did you mean `cooldown`?"
  std::string help{};    // what to write instead, or empty
};

// For people: each mistake with its line, the marked text and the remedy, then how many there are
// and that nothing was changed. The same wrong name (C2xx) is shown once and lists its places.
// Order: as the files, then by line. Empty for no diagnostics.
std::string render(const std::vector<Diagnostic>& diagnostics, const SourceFiles& files,
                   bool colour);

// For editors: one JSON object a line, all mistakes:
// {"severity","code","summary","detail","range":{"file","start":{"line","column","byte"},"end":
// {...}},"snippet","help"}. `byte` counts from 0 in the file; `range` is null without a place.
std::string render_json(const std::vector<Diagnostic>& diagnostics, const SourceFiles& files);

}  // namespace nilo::stack
