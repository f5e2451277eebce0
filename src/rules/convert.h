// rules/convert.h: the implicit conversions, and comparing and computing with what they give.
//
// Every function takes any value and answers Undefined, or nothing, where the language does.
// Source: docs/rules.md, "Conversions" and "Operators".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "rules/context.h"
#include "rules/datum.h"

namespace nilo::rules {

// What a number of the payload is: Int (also 10.0, in version 2016-03-23) or Decimal. Other values
// come back as they are; a number beyond 1E999 is Undefined.
Datum resolved(Context& context, const Datum& value);

// Numbers, and texts that read as one (those are Decimals), else Undefined.
Datum to_number(Context& context, const Datum& value);
// A number of to_number() that is Int, or a Decimal computed exactly or in double precision.
bool is_int(const Datum& number);
Decimal decimal_of(const Datum& number);
double double_of(const Datum& number);

// Int, a Decimal or text rounded. Undefined: no number, or more than 34 digits.
Datum to_int(Context& context, const Datum& value, Decimal::Rounding rounding);
// A count or position, rounded down and limited to 64 bits.
std::optional<std::int64_t> to_count(Context& context, const Datum& value);
// The position of get(): to the nearest, a text cut.
std::optional<std::int64_t> to_index(Context& context, const Datum& value);
std::optional<double> to_double(Context& context, const Datum& value);

// Booleans and the texts true and false in any case.
std::optional<bool> to_boolean(const Datum& value);
// Everything but Null and Undefined. A view into the value or the arena.
std::optional<std::string_view> to_text(Context& context, const Datum& value);

// -1, 0, 1 by numeric order; nothing if one of them is no number.
std::optional<int> compare(Context& context, const Datum& a, const Datum& b);
// =: true, false or Undefined.
Datum equals(Context& context, const Datum& a, const Datum& b);
// + - * / %.
Datum compute(Context& context, Op op, const Datum& a, const Datum& b);
// A finite double, else Undefined.
Datum finite(double number);

// As a table's cell (scratch.h, Output). Containers become JSON text in the arena.
Value to_cell(Context& context, const Datum& value);

}  // namespace nilo::rules
