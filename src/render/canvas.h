// render/canvas.h: a sheet to draw on; all that is known of cairo.
//
// Units: CSS pixels, from the upper left corner. Threads: an object belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nilo::render {

struct Point {
  double x = 0;
  double y = 0;
};

struct Colour {
  std::uint32_t rgb = 0;  // 0xRRGGBB
  double alpha = 1;
};

struct Stroke {
  Colour colour{};
  double width = 1;
  double dash = 0;  // length of the dashes and of the gaps between them; 0 = none
};

enum class Align : std::uint8_t { left, middle, right };

struct TextStyle {
  Colour colour{};
  double size = 13;
  double weight = 400;  // 200 to 900
  Align align = Align::left;
};

class Canvas {
 public:
  enum class Format : std::uint8_t { png, svg };
  // internal: cairo or FreeType refuses (no memory).
  static Result<std::unique_ptr<Canvas>> make(Format format, int width, int height, int scale);
  ~Canvas();

  void fill(Point from, Point to, Colour colour);
  void line(std::span<const Point> points, const Stroke& stroke);
  void area(std::span<const Point> points, Colour colour);  // closed
  void dot(Point at, double radius, Colour colour);
  // `at`: on the baseline.
  void text(Point at, std::string_view utf8, const TextStyle& style);
  double text_width(std::string_view utf8, const TextStyle& style);
  // What is drawn until unclip() shows only in here.
  void clip(Point from, Point to);
  void unclip();

  // The picture's bytes. Nothing may be drawn afterwards.
  Result<std::string> finish();

 private:
  class Impl;
  explicit Canvas(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nilo::render
