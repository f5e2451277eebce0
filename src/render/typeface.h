// render/typeface.h: text as outlines; all that is known of FreeType.
//
// Outlines and not a text library: the same picture as PNG and as SVG, on a machine without fonts.
// Left-to-right scripts only, no ligatures, no kerning.
// Threads: an object belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nilo::render {

// A step of an outline, in text sizes: y grows downwards from the baseline.
struct OutlineStep {
  enum class Kind : std::uint8_t { move, line, curve } kind = Kind::move;
  // move, line: the last one; curve: two control points and the end (a cubic Bezier).
  double x[3] = {};
  double y[3] = {};
};

class Typeface {
 public:
  // internal: FreeType refuses a font (no memory).
  static Result<std::unique_ptr<Typeface>> open();
  ~Typeface();

  // Appends the outline of `utf8`, which begins at 0,0, for a size of 1 and a weight from 200 to
  // 900. Returns its width. A character that no font has is a hollow box.
  double outline(std::string_view utf8, double weight, std::vector<OutlineStep>& out);

 private:
  class Impl;
  explicit Typeface(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nilo::render
