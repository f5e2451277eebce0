#include "rules/evaluate.h"

#include "rules/convert.h"
#include "rules/functions.h"

namespace nilo::rules {

namespace {

Datum scope_of(Context& context) {
  return context.is_nested ? context.scope : context.payload_as_json();
}

// Looking a name up is linear in the object, so it costs accordingly.
Datum member_of(Context& context, const Datum& object, std::string_view key) {
  constexpr std::size_t kMembersPerStep = 16;
  if (!context.spend(object.size() / kMembersPerStep)) return {};
  return object.member(key);
}

Datum column(Context& context, const Node& node) {
  const Value& cell = context.cells[node.index];
  switch (cell.type()) {
    case Type::null:
      return Datum::null();
    case Type::int64:
      return Datum::integer(cell.as_int64());
    case Type::float64:
      return finite(cell.as_float64());
    case Type::boolean:
      return Datum::boolean(cell.as_boolean());
    case Type::timestamp:
      return Datum::integer(cell.as_int64() / 1000);
    case Type::text:
    case Type::json:
      return Datum::text(cell.as_text());
  }
  return {};
}

// A variable is computed once per message, in the outermost scope, wherever it is used first.
Datum variable(Context& context, const Node& node) {
  const std::uint32_t bit = std::uint32_t{1} << node.index;
  if ((context.variables_known & bit) != 0) return context.variables[node.index];
  const bool was_nested = context.is_nested;
  context.is_nested = false;
  const Datum value = evaluate(context, *context.program->variables[node.index].value);
  context.is_nested = was_nested;
  context.set_variable(node.index, value);
  return value;
}

// AND and OR of three values: false AND anything is false, true OR anything is true.
Datum logical(Context& context, const Node& node) {
  const bool decisive = node.op == Op::logical_or;
  const auto a = to_boolean(evaluate(context, *node.children[0]));
  if (a && *a == decisive) return Datum::boolean(decisive);
  const auto b = to_boolean(evaluate(context, *node.children[1]));
  if (b && *b == decisive) return Datum::boolean(decisive);
  return a && b ? Datum::boolean(!decisive) : Datum::undefined();
}

Datum comparison(Context& context, const Node& node) {
  const Datum a = evaluate(context, *node.children[0]);
  const Datum b = evaluate(context, *node.children[1]);
  if (node.op == Op::equal) return equals(context, a, b);
  if (node.op == Op::unequal) {
    const Datum same = equals(context, a, b);
    return same.is_undefined() ? same : Datum::boolean(same.is_false());
  }
  const auto order = compare(context, a, b);
  if (!order) return {};
  switch (node.op) {
    case Op::less:
      return Datum::boolean(*order < 0);
    case Op::less_equal:
      return Datum::boolean(*order <= 0);
    case Op::greater:
      return Datum::boolean(*order > 0);
    default:
      return Datum::boolean(*order >= 0);
  }
}

Datum choose(Context& context, const Node& node) {
  const Datum value = evaluate(context, *node.children[0]);
  if (value.is_undefined()) return {};
  std::size_t i = 1;
  for (; i + 1 < node.children.size(); i += 2) {
    const Datum when = evaluate(context, *node.children[i]);
    if (equals(context, value, when).is_true()) return evaluate(context, *node.children[i + 1]);
  }
  return i < node.children.size() ? evaluate(context, *node.children[i]) : Datum::undefined();
}

Datum object(Context& context, const Node& node) {
  const std::span<Member> members = context.make_array<Member>(node.children.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Datum value = evaluate(context, *node.children[i]);
    if (!value.is_undefined()) members[count++] = {node.keys[i], value};
  }
  return Datum::object(members.first(count));
}

Datum array(Context& context, const Node& node) {
  const std::span<Datum> items = context.make_array<Datum>(node.children.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Datum value = evaluate(context, *node.children[i]);
    if (!value.is_undefined()) items[count++] = value;
  }
  return Datum::array(items.first(count));
}

Datum cast_to_decimal(Context& context, const Datum& value) {
  if (value.kind() == Kind::boolean) return context.make_decimal(Decimal(value.is_true() ? 1 : 0));
  const Datum number = to_number(context, value);
  return is_int(number) ? context.make_decimal(decimal_of(number)) : number;
}

Datum cast(Context& context, const Node& node) {
  const Datum value = evaluate(context, *node.children[0]);
  switch (node.cast_type) {
    case CastType::text: {
      const auto text = to_text(context, value);
      return text ? Datum::text(*text) : Datum::undefined();
    }
    case CastType::integer:
      if (value.kind() == Kind::boolean) return Datum::integer(value.is_true() ? 1 : 0);
      return to_int(context, value, Decimal::Rounding::down);
    case CastType::decimal:
      return cast_to_decimal(context, value);
    case CastType::boolean:
      if (value.is_number()) {
        const Datum number = resolved(context, value);
        if (number.is_undefined()) return {};
        return Datum::boolean(!decimal_of(number).is_zero());
      }
      if (const auto yes = to_boolean(value)) return Datum::boolean(*yes);
      return {};
  }
  return {};
}

Datum call(Context& context, const Node& node) {
  constexpr std::size_t kInline = 4;
  Datum inline_args[kInline];
  const std::size_t count = node.children.size();
  const std::span<Datum> args =
      count <= kInline ? std::span(inline_args, count) : context.make_array<Datum>(count);
  if (args.size() != count) return {};
  for (std::size_t i = 0; i < count; ++i) args[i] = evaluate(context, *node.children[i]);
  if (context.stopped()) return {};
  return node.function->run({context, node, args});
}

// Restores the scope when a nested SELECT is done.
class NestedScope {
 public:
  explicit NestedScope(Context& context)
      : context_(context), scope_(context.scope), was_nested_(context.is_nested) {
    context_.is_nested = true;
  }
  ~NestedScope() {
    context_.scope = scope_;
    context_.is_nested = was_nested_;
  }
  NestedScope(const NestedScope&) = delete;
  NestedScope& operator=(const NestedScope&) = delete;

 private:
  Context& context_;
  Datum scope_;
  bool was_nested_;
};

// What a nested SELECT makes of one element; Undefined if WHERE is not true.
Datum nested_element(Context& context, const Select& select, const Datum& element) {
  context.scope = element;
  if (!holds(context, select.where)) return {};
  const std::span<Datum> values = context.make_array<Datum>(select.items.size());
  if (values.empty()) return {};
  evaluate_items(context, select, element, values);
  return assemble(context, select, values);
}

Datum nested(Context& context, const Select& select) {
  const Datum from = evaluate(context, *select.from);
  const NestedScope restore(context);
  if (from.is_object()) return nested_element(context, select, from);
  if (!from.is_array()) return {};
  const std::span<Datum> out = context.make_array<Datum>(from.size());
  std::size_t count = 0;
  for_each_item(from, [&](const Datum& element) {
    if (context.stopped() || out.empty()) return;
    const Datum made = nested_element(context, select, element);
    if (!made.is_undefined()) out[count++] = made;
  });
  return Datum::array(out.first(count));
}

Datum evaluate_op(Context& context, const Node& node) {
  switch (node.op) {
    case Op::literal:
      return node.value;
    case Op::payload:
      return scope_of(context);
    case Op::raw:
      return Datum::text(context.message.payload);
    case Op::name:
      return member_of(context, scope_of(context), node.text);
    case Op::column:
      return column(context, node);
    case Op::member:
      return member_of(context, evaluate(context, *node.children[0]), node.text);
    case Op::variable:
      return variable(context, node);
    case Op::negate:
      return compute(context, Op::subtract, Datum::integer(0),
                     evaluate(context, *node.children[0]));
    case Op::logical_not: {
      const auto yes = to_boolean(evaluate(context, *node.children[0]));
      return yes ? Datum::boolean(!*yes) : Datum::undefined();
    }
    case Op::logical_and:
    case Op::logical_or:
      return logical(context, node);
    case Op::equal:
    case Op::unequal:
    case Op::less:
    case Op::less_equal:
    case Op::greater:
    case Op::greater_equal:
      return comparison(context, node);
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::divide:
    case Op::remainder: {
      const Datum a = evaluate(context, *node.children[0]);
      return compute(context, node.op, a, evaluate(context, *node.children[1]));
    }
    case Op::choose:
      return choose(context, node);
    case Op::object:
      return object(context, node);
    case Op::array:
      return array(context, node);
    case Op::cast:
      return cast(context, node);
    case Op::call:
      return call(context, node);
    case Op::nested:
      return nested(context, *node.select);
  }
  return {};
}

// A node with a slot depends on nothing but the topic.
Datum evaluate_cached(Context& context, const Node& node) {
  if (context.topic_entry == nullptr) {
    context.topic_entry = &context.topic_cache.entry(context.program, context.message.topic);
  }
  if (const Datum* known = context.topic_entry->find(node.slot)) return *known;
  const Datum value = evaluate_op(context, node);
  if (!context.stopped()) context.topic_entry->keep(node.slot, value);
  return value;
}

}  // namespace

Datum evaluate(Context& context, const Node& node) {
  if (!context.spend(1)) return {};
  if (node.slot != Node::kNoSlot) return evaluate_cached(context, node);
  return evaluate_op(context, node);
}

bool holds(Context& context, const NodePtr& condition) {
  if (!condition) return true;
  const auto yes = to_boolean(evaluate(context, *condition));
  return yes.value_or(false) && !context.stopped();
}

void evaluate_items(Context& context, const Select& select, const Datum& scope,
                    std::span<Datum> values) {
  for (std::size_t i = 0; i < select.items.size(); ++i) {
    const Item& item = select.items[i];
    values[i] = item.is_all ? scope : evaluate(context, *item.value);
  }
}

namespace {

// `object` with `value` at key.path; whatever stood in the way is replaced.
Datum with_member(Context& context, const Datum& object, std::string_view key,
                  std::span<const std::string> path, const Datum& value) {
  const Datum inner =
      path.empty() ? value
                   : with_member(context, object.member(key), path[0], path.subspan(1), value);
  const std::span<Member> members = context.make_array<Member>(object.size() + 1);
  if (members.empty() || !context.spend(members.size())) return {};
  std::size_t count = 0;
  bool is_set = false;
  for_each_member(object, [&](std::string_view old_key, const Datum& old) {
    const bool here = old_key == key;
    is_set = is_set || here;
    members[count++] = {old_key, here ? inner : old};
  });
  if (!is_set) members[count++] = {key, inner};
  return Datum::object(members.first(count));
}

Datum merged(Context& context, const Datum& base, const Datum& all) {
  if (!all.is_object()) return context.stop("SELECT * with further items needs a JSON object");
  if (base.size() == 0) return all;
  Datum out = base;
  for_each_member(all, [&](std::string_view key, const Datum& value) {
    if (!context.stopped()) out = with_member(context, out, key, {}, value);
  });
  return out;
}

}  // namespace

Datum assemble(Context& context, const Select& select, std::span<const Datum> values) {
  if (select.is_value || (select.has_all && values.size() == 1)) return values[0];
  if (select.has_all || select.has_paths) {
    Datum out = Datum::object({});
    for (std::size_t i = 0; i < values.size() && !context.stopped(); ++i) {
      const Item& item = select.items[i];
      if (item.is_all) {
        out = merged(context, out, values[i]);
      } else if (!values[i].is_undefined()) {
        const std::span<const std::string> path = item.path;
        out = with_member(context, out, path[0], path.subspan(1), values[i]);
      }
    }
    return out;
  }
  const std::span<Member> members = context.make_array<Member>(values.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!values[i].is_undefined()) members[count++] = {select.items[i].path[0], values[i]};
  }
  return Datum::object(members.first(count));
}

}  // namespace nilo::rules
