// base/result.h: a value, or the reason why there is none.
//
// Why our own: g++ 12 has std::expected only with -std=c++23, and neither it nor tl::expected
// lets the compiler refuse a dropped error. Names follow std::expected.
// Threads: values; no sharing.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/error_code.h"

namespace nilo {

// What went wrong (`message`: what and where) and what to do about it (`hint`, may be empty).
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string hint{};
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // Asserted: has_value().
  T& value() & { return checked(std::get_if<0>(&state_)); }
  const T& value() const& { return checked(std::get_if<0>(&state_)); }
  T&& value() && { return std::move(checked(std::get_if<0>(&state_))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Asserted: !has_value().
  Error& error() & { return checked(std::get_if<1>(&state_)); }
  const Error& error() const& { return checked(std::get_if<1>(&state_)); }
  Error&& error() && { return std::move(checked(std::get_if<1>(&state_))); }

 private:
  template <typename P>
  static P& checked(P* pointer) {
    NILO_ASSERT(pointer != nullptr);
    return *pointer;
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  void value() const { NILO_ASSERT(has_value()); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<std::monostate, Error> state_;
};

// Says on purpose that a failure changes nothing here.
template <typename T>
void ignore(const Result<T>& /*result*/) {}

}  // namespace nilo

#define NILO_TRY_JOIN2(a, b) a##b
#define NILO_TRY_JOIN(a, b) NILO_TRY_JOIN2(a, b)
#define NILO_TRY_NAMED(name, ...)              \
  __extension__({                              \
    auto&& name = (__VA_ARGS__);               \
    if (!name) return std::move(name).error(); \
    std::move(name).value();                   \
  })
// The value of a Result, or return its error from the enclosing function.
#define TRY(...) NILO_TRY_NAMED(NILO_TRY_JOIN(try_result_, __COUNTER__), __VA_ARGS__)
