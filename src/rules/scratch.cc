#include "rules/scratch.h"

#include <fmt/format.h>

#include "rules/context.h"
#include "rules/convert.h"
#include "rules/evaluate.h"

namespace nilo::rules {

Scratch::Scratch() : context_(std::make_unique<Context>()) {}
Scratch::~Scratch() = default;
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch& Scratch::operator=(Scratch&&) noexcept = default;

namespace {

Error failure(const Context& context) { return {ErrorCode::invalid_argument, context.error}; }

// The whole result as one value.
Datum whole(Context& context) {
  const Program& program = *context.program;
  if (program.is_verbatim) return context.payload_as_json();
  return assemble(context, program.select, context.results);
}

}  // namespace

Result<std::span<const Output>> Scratch::outputs() {
  Context& context = *context_;
  NILO_ASSERT(context.outcome == Outcome::matched);
  const Program& program = *context.program;
  context.outputs.clear();
  if (!program.selects_all && !program.select.has_paths) {
    context.outputs.resize(context.results.size());
    for (std::size_t i = 0; i < context.results.size(); ++i) {
      context.outputs[i] = {program.output_names[i], to_cell(context, context.results[i])};
    }
  } else {
    const Datum object = whole(context);
    if (context.stopped()) return failure(context);
    if (!object.is_object()) {
      return Error{ErrorCode::invalid_argument, "the result is not a JSON object",
                   "a table needs named values"};
    }
    if (program.selects_all) {
      for_each_member(object, [&](std::string_view name, const Datum& value) {
        context.outputs.push_back({name, to_cell(context, value)});
      });
    } else {
      for (const std::string& name : program.output_names) {
        context.outputs.push_back({name, to_cell(context, object.member(name))});
      }
    }
  }
  if (context.stopped()) return failure(context);
  return std::span<const Output>(context.outputs);
}

Result<void> Scratch::append_json(std::string& out) {
  Context& context = *context_;
  NILO_ASSERT(context.outcome == Outcome::matched);
  if (context.program->is_verbatim) {
    out += context.message.payload;
    return {};
  }
  const Datum result = whole(context);
  if (context.stopped()) return failure(context);
  const std::size_t before = out.size();
  rules::append_json(out, result);
  if (out.size() - before <= kResultSizeMax) return {};
  const std::size_t size = out.size() - before;
  out.resize(before);
  return Error{ErrorCode::too_large,
               fmt::format("the result has {} bytes, the limit is {}", size, kResultSizeMax)};
}

const std::string& Scratch::error() const { return context_->error; }

}  // namespace nilo::rules
