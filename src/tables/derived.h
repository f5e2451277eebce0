// tables/derived.h: what an expression gave, as its column keeps it.
#pragma once

#include "value/schema.h"
#include "value/value.h"

namespace nilo::tables {

// Converts between the number types, rounds to Column::decimals (half away from zero). Null for
// what the column's type cannot hold, and for NaN and infinities.
Value derived_cell(const Column& column, const Value& value);

}  // namespace nilo::tables
