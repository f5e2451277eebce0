// stack/error_table.h: every mistake a stack can have, once, with its words.
//
// A code never changes its meaning. `{0}`, `{1}`, ... are filled by diagnose(); docs/stack.md and
// `nilo help CODE` print `explanation`. C0xx files, C1xx forms, C2xx names, C3xx meaning; C4xx are
// found by the rule compiler and reported by the program.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "stack/diagnostic.h"

namespace nilo::stack {

enum class Code : std::uint16_t {
  folder_missing = 1,
  main_file_missing = 2,
  file_unreadable = 3,
  file_too_large = 4,
  too_many_files = 5,
  not_toml = 6,
  nested_too_deep = 7,

  wrong_type = 101,
  key_missing = 102,
  text_empty = 103,
  bad_name = 104,
  bad_type_word = 105,
  bad_key_entry = 106,
  bad_topic = 107,
  bad_path = 108,
  bad_version = 109,
  bad_time_unit = 110,
  out_of_range = 111,
  bad_thing_pattern = 112,
  not_a_section = 113,
  bad_selector = 114,
  not_a_choice = 115,
  not_a_mail_address = 116,
  not_a_duration = 117,
  not_a_size = 118,
  not_an_address = 119,
  not_a_url = 120,
  bad_secret = 121,
  not_a_host = 122,
  bad_header = 123,
  not_a_zone = 124,
  not_a_range = 125,
  bad_topic_pattern = 130,
  bad_policy = 131,

  unknown_section = 201,
  not_available = 202,
  secret_in_file = 203,
  unknown_key = 204,
  unknown_table = 205,
  unknown_column = 206,
  reserved_name = 207,
  declared_twice = 208,
  no_such_thing = 209,
  no_such_field = 210,
  not_in_page_file = 211,
  no_policy_file = 230,
  unused_policy_file = 231,
  no_such_policy_word = 232,

  too_many_columns = 301,
  min_above_max = 302,
  option_needs_type = 303,
  bad_key_type = 304,
  key_without_partition = 305,
  type_differs = 306,
  rule_without_action = 307,
  parameter_unnamed = 308,
  parameter_without_type = 309,
  parameter_unused = 310,
  too_many_declared = 311,
  low_above_high = 312,
  clear_too_large = 313,
  alert_without_condition = 314,
  mail_missing = 315,
  mail_login = 316,
  limits_need_one_field = 317,
  too_many_items = 318,
  thing_without_page = 319,
  listener_tls = 320,
  policy_form = 330,

  rule_sql = 401,
  rule_table_mismatch = 402,
  derived_sql = 403,
  alert_text = 404,
};

struct ErrorText {
  Code code;
  std::string_view summary;
  std::string_view help;
  std::string_view explanation;
};

// All of them, by code.
std::span<const ErrorText> error_texts();

// Asserted: the table has it.
const ErrorText& text_of(Code code);

// "C204".
std::string to_string(Code code);

// The explanation of "C204", or empty if there is no such code.
std::string_view explain(std::string_view code);

// `arguments` fill the summary and the help of `code`'s entry; `detail` stands behind the marked
// text.
template <typename... Arguments>
Diagnostic diagnose(Code code, Place place, std::string detail, const Arguments&... arguments) {
  const ErrorText& text = text_of(code);
  return {to_string(code), fmt::format(fmt::runtime(text.summary), arguments...), std::move(place),
          std::move(detail), fmt::format(fmt::runtime(text.help), arguments...)};
}

}  // namespace nilo::stack
