#include "render/typeface.h"

#include <ft2build.h>

#include <array>
#include <utility>

#include "base/utf8.h"
#include "render/fonts.h"
#include FT_FREETYPE_H
#include FT_MULTIPLE_MASTERS_H
#include FT_OUTLINE_H

namespace nilo::render {

namespace {

// Collects a glyph's outline in text sizes.
struct Pen {
  std::vector<OutlineStep>* out;
  double scale;  // font units to text sizes
  double left;   // where the glyph begins
  double x = 0;  // the current point
  double y = 0;

  double to_x(FT_Pos font_x) const { return left + static_cast<double>(font_x) * scale; }
  double to_y(FT_Pos font_y) const { return -static_cast<double>(font_y) * scale; }

  void add(OutlineStep::Kind kind, double end_x, double end_y) {
    OutlineStep step;
    step.kind = kind;
    step.x[2] = x = end_x;
    step.y[2] = y = end_y;
    out->push_back(step);
  }
  void curve(double x1, double y1, double x2, double y2, double end_x, double end_y) {
    add(OutlineStep::Kind::curve, end_x, end_y);
    OutlineStep& step = out->back();
    step.x[0] = x1;
    step.y[0] = y1;
    step.x[1] = x2;
    step.y[1] = y2;
  }
};

int move_to(const FT_Vector* to, void* user) {
  auto& pen = *static_cast<Pen*>(user);
  pen.add(OutlineStep::Kind::move, pen.to_x(to->x), pen.to_y(to->y));
  return 0;
}

int line_to(const FT_Vector* to, void* user) {
  auto& pen = *static_cast<Pen*>(user);
  pen.add(OutlineStep::Kind::line, pen.to_x(to->x), pen.to_y(to->y));
  return 0;
}

// A quadratic Bezier as the cubic one that is the same curve.
int conic_to(const FT_Vector* control, const FT_Vector* to, void* user) {
  auto& pen = *static_cast<Pen*>(user);
  const double control_x = pen.to_x(control->x);
  const double control_y = pen.to_y(control->y);
  const double end_x = pen.to_x(to->x);
  const double end_y = pen.to_y(to->y);
  pen.curve(pen.x + (control_x - pen.x) * 2 / 3, pen.y + (control_y - pen.y) * 2 / 3,
            end_x + (control_x - end_x) * 2 / 3, end_y + (control_y - end_y) * 2 / 3, end_x, end_y);
  return 0;
}

int cubic_to(const FT_Vector* control1, const FT_Vector* control2, const FT_Vector* to,
             void* user) {
  auto& pen = *static_cast<Pen*>(user);
  pen.curve(pen.to_x(control1->x), pen.to_y(control1->y), pen.to_x(control2->x),
            pen.to_y(control2->y), pen.to_x(to->x), pen.to_y(to->y));
  return 0;
}

constexpr FT_Outline_Funcs kPenFunctions = {move_to, line_to, conic_to, cubic_to, 0, 0};

constexpr double kBoxWidth = 0.6;  // of a character that no font has

double box(double left, std::vector<OutlineStep>& out) {
  Pen pen{&out, 1, left};
  const auto frame = [&pen, left](double inset) {
    const double right = left + kBoxWidth - 0.1 - inset;
    pen.add(OutlineStep::Kind::move, left + 0.05 + inset, -inset);
    // The inner frame turns the other way round, which makes it a hole.
    if (inset == 0) pen.add(OutlineStep::Kind::line, right, -inset);
    if (inset != 0) pen.add(OutlineStep::Kind::line, left + 0.05 + inset, inset - 0.7);
    pen.add(OutlineStep::Kind::line, right, inset - 0.7);
    if (inset == 0) pen.add(OutlineStep::Kind::line, left + 0.05, inset - 0.7);
    if (inset != 0) pen.add(OutlineStep::Kind::line, right, -inset);
  };
  frame(0);
  frame(0.05);
  return kBoxWidth;
}

}  // namespace

class Typeface::Impl {
 public:
  ~Impl() {
    for (const FT_Face face : faces_) FT_Done_Face(face);
    if (library_ != nullptr) FT_Done_FreeType(library_);
  }

  Result<void> open() {
    if (FT_Init_FreeType(&library_) != 0) return refused();
    for (const std::string_view font : fonts()) {
      FT_Face face = nullptr;
      const auto* bytes = reinterpret_cast<const FT_Byte*>(font.data());
      if (FT_New_Memory_Face(library_, bytes, static_cast<FT_Long>(font.size()), 0, &face) != 0) {
        return refused();
      }
      faces_.push_back(face);
    }
    return {};
  }

  double outline(std::string_view utf8, double weight, std::vector<OutlineStep>& out) {
    set_weight(weight);
    double x = 0;
    while (!utf8.empty()) x += glyph(take_code_point(utf8), x, out);
    return x;
  }

 private:
  static Error refused() {
    return {ErrorCode::internal, "FreeType does not open the program's font",
            "its library lacks WOFF2 (brotli), or there is no memory"};
  }

  void set_weight(double weight) {
    if (weight == weight_) return;
    weight_ = weight;
    for (const FT_Face face : faces_) {
      FT_Fixed coordinates[] = {static_cast<FT_Fixed>(weight * 65536)};
      FT_Set_Var_Design_Coordinates(face, 1, coordinates);
    }
  }

  // Returns the advance.
  double glyph(std::uint32_t code_point, double left, std::vector<OutlineStep>& out) {
    for (const FT_Face face : faces_) {
      const FT_UInt index = FT_Get_Char_Index(face, code_point);
      if (index == 0 || FT_Load_Glyph(face, index, FT_LOAD_NO_SCALE) != 0) continue;
      const double scale = 1.0 / face->units_per_EM;
      Pen pen{&out, scale, left};
      FT_Outline_Decompose(&face->glyph->outline, &kPenFunctions, &pen);
      return static_cast<double>(face->glyph->metrics.horiAdvance) * scale;
    }
    return box(left, out);
  }

  FT_Library library_ = nullptr;
  std::vector<FT_Face> faces_;
  double weight_ = 0;
};

Typeface::Typeface(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Typeface::~Typeface() = default;

Result<std::unique_ptr<Typeface>> Typeface::open() {
  auto impl = std::make_unique<Impl>();
  TRY(impl->open());
  return std::unique_ptr<Typeface>(new Typeface(std::move(impl)));
}

double Typeface::outline(std::string_view utf8, double weight, std::vector<OutlineStep>& out) {
  return impl_->outline(utf8, weight, out);
}

}  // namespace nilo::render
