// rules/evaluate.h: walks a checked tree.
//
// Threads: whatever thread owns the Context.
#pragma once

#include <span>

#include "rules/context.h"
#include "rules/syntax.h"

namespace nilo::rules {

// The value of `node`. After Context::stop() everything is Undefined.
Datum evaluate(Context& context, const Node& node);

// Is `condition` true? No condition is.
bool holds(Context& context, const NodePtr& condition);

// The values of the items of `select`, one each, into `values` (same size): `*` is `scope`.
void evaluate_items(Context& context, const Select& select, const Datum& scope,
                    std::span<Datum> values);

// What those values make together: one object, the sole `*`, or VALUE's value.
Datum assemble(Context& context, const Select& select, std::span<const Datum> values);

}  // namespace nilo::rules
