#include "render/canvas.h"

#include <cairo/cairo-svg.h>
#include <cairo/cairo.h>

#include <numbers>
#include <utility>
#include <vector>

#include "render/typeface.h"

namespace nilo::render {

namespace {

cairo_status_t append(void* out, const unsigned char* bytes, unsigned size) {
  static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), size);
  return CAIRO_STATUS_SUCCESS;
}

template <auto kDestroy>
struct Destroy {
  template <typename T>
  void operator()(T* thing) const {
    kDestroy(thing);
  }
};
using Surface = std::unique_ptr<cairo_surface_t, Destroy<cairo_surface_destroy>>;
using Context = std::unique_ptr<cairo_t, Destroy<cairo_destroy>>;

}  // namespace

class Canvas::Impl {
 public:
  Result<void> open(Format format, int width, int height, int scale) {
    typeface_ = TRY(Typeface::open());
    format_ = format;
    if (format == Format::png) {
      surface_.reset(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width * scale, height * scale));
    } else {
      surface_.reset(cairo_svg_surface_create_for_stream(append, &bytes_, width, height));
    }
    context_.reset(cairo_create(surface_.get()));
    if (format == Format::png) cairo_scale(context_.get(), scale, scale);
    cairo_set_line_join(context_.get(), CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(context_.get(), CAIRO_LINE_CAP_ROUND);
    return check();
  }

  Result<void> check() const {
    const cairo_status_t status = cairo_status(context_.get());
    if (status == CAIRO_STATUS_SUCCESS) return {};
    return Error{ErrorCode::internal, std::string("cairo: ") + cairo_status_to_string(status), ""};
  }

  void set_colour(Colour colour) {
    const auto part = [&](int shift) { return ((colour.rgb >> shift) & 0xffU) / 255.0; };
    cairo_set_source_rgba(cr(), part(16), part(8), part(0), colour.alpha);
  }

  void path(std::span<const Point> points) {
    for (const Point& point : points) cairo_line_to(cr(), point.x, point.y);
  }

  void text(Point at, std::string_view utf8, const TextStyle& style) {
    std::vector<OutlineStep> steps;
    const double width = typeface_->outline(utf8, style.weight, steps) * style.size;
    if (style.align == Align::middle) at.x -= width / 2;
    if (style.align == Align::right) at.x -= width;
    const auto x = [&](double each) { return at.x + each * style.size; };
    const auto y = [&](double each) { return at.y + each * style.size; };
    for (const OutlineStep& step : steps) {
      switch (step.kind) {
        case OutlineStep::Kind::move:
          cairo_move_to(cr(), x(step.x[2]), y(step.y[2]));
          break;
        case OutlineStep::Kind::line:
          cairo_line_to(cr(), x(step.x[2]), y(step.y[2]));
          break;
        case OutlineStep::Kind::curve:
          cairo_curve_to(cr(), x(step.x[0]), y(step.y[0]), x(step.x[1]), y(step.y[1]), x(step.x[2]),
                         y(step.y[2]));
          break;
      }
    }
    set_colour(style.colour);
    cairo_fill(cr());
  }

  Result<std::string> finish() {
    TRY(check());
    cairo_surface_flush(surface_.get());
    if (format_ == Format::png) cairo_surface_write_to_png_stream(surface_.get(), append, &bytes_);
    cairo_surface_finish(surface_.get());
    TRY(check());
    return std::move(bytes_);
  }

  cairo_t* cr() { return context_.get(); }
  Typeface& typeface() { return *typeface_; }

 private:
  std::string bytes_;  // cairo writes here until its surface ends
  std::unique_ptr<Typeface> typeface_;
  Format format_ = Format::png;
  Surface surface_;
  Context context_;
};

Canvas::Canvas(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Canvas::~Canvas() = default;

Result<std::unique_ptr<Canvas>> Canvas::make(Format format, int width, int height, int scale) {
  auto impl = std::make_unique<Impl>();
  TRY(impl->open(format, width, height, scale));
  return std::unique_ptr<Canvas>(new Canvas(std::move(impl)));
}

void Canvas::fill(Point from, Point to, Colour colour) {
  impl_->set_colour(colour);
  cairo_rectangle(impl_->cr(), from.x, from.y, to.x - from.x, to.y - from.y);
  cairo_fill(impl_->cr());
}

void Canvas::line(std::span<const Point> points, const Stroke& stroke) {
  impl_->set_colour(stroke.colour);
  cairo_set_line_width(impl_->cr(), stroke.width);
  cairo_set_dash(impl_->cr(), &stroke.dash, stroke.dash > 0 ? 1 : 0, 0);
  impl_->path(points);
  cairo_stroke(impl_->cr());
}

void Canvas::area(std::span<const Point> points, Colour colour) {
  impl_->set_colour(colour);
  impl_->path(points);
  cairo_fill(impl_->cr());
}

void Canvas::dot(Point at, double radius, Colour colour) {
  impl_->set_colour(colour);
  cairo_arc(impl_->cr(), at.x, at.y, radius, 0, 2 * std::numbers::pi);
  cairo_fill(impl_->cr());
}

void Canvas::text(Point at, std::string_view utf8, const TextStyle& style) {
  impl_->text(at, utf8, style);
}

double Canvas::text_width(std::string_view utf8, const TextStyle& style) {
  std::vector<OutlineStep> steps;
  return impl_->typeface().outline(utf8, style.weight, steps) * style.size;
}

void Canvas::clip(Point from, Point to) {
  cairo_save(impl_->cr());
  cairo_rectangle(impl_->cr(), from.x, from.y, to.x - from.x, to.y - from.y);
  cairo_clip(impl_->cr());
}

void Canvas::unclip() { cairo_restore(impl_->cr()); }

Result<std::string> Canvas::finish() { return impl_->finish(); }

}  // namespace nilo::render
