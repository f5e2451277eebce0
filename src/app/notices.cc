#include "app/notices.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "app/own_row.h"
#include "base/utf8.h"
#include "value/json.h"

namespace nilo::app {

namespace {

// In the order of the schema.
enum Cell : std::size_t {
  slot,
  id,
  alert,
  thing,
  condition,
  field,
  thing_name,
  event,
  value,
  channel,
  to,
  subject,
  text,
  headers,
  allow_private,
  link,
  acknowledge_link,
  state,
  tries,
  created,
  next_try,
  sent,
  answer,
  kCellCount
};

// At most `size_max` bytes of UTF-8, never half a character.
void cut(std::string& text, std::size_t size_max) {
  if (!is_utf8(text)) text = printable(text, size_max);
  text.resize(front_of(text, size_max).size());
}

Notice cut(Notice notice) {
  for (std::string* text :
       {&notice.id, &notice.alert, &notice.thing, &notice.condition, &notice.field,
        &notice.thing_name, &notice.event, &notice.value, &notice.channel, &notice.to,
        &notice.subject, &notice.link, &notice.acknowledge_link, &notice.state, &notice.answer}) {
    cut(*text, kNoticeFieldSizeMax);
  }
  cut(notice.text, kNoticeTextSizeMax);
  if (notice.headers.size() > kNoticeHeadersMax) notice.headers.resize(kNoticeHeadersMax);
  for (NoticeHeader& header : notice.headers) {
    cut(header.name, kNoticeHeaderNameSizeMax);
    cut(header.value, kNoticeHeaderValueSizeMax);
  }
  return notice;
}

// {"Title":"...","Tags":"..."}: a cell's limit, even if JSON escapes every byte as \u00XX.
static_assert(kNoticeHeadersMax * (kNoticeHeaderNameSizeMax + kNoticeHeaderValueSizeMax + 2) * 6 <
              kTextCellSizeMax);
std::string headers_json(const std::vector<NoticeHeader>& headers) {
  std::string out = "{";
  for (const NoticeHeader& header : headers) {
    if (out.size() > 1) out += ',';
    append_json_string(out, header.name);
    out += ':';
    append_json_string(out, header.value);
  }
  return out + "}";
}

std::vector<NoticeHeader> headers_of(const Value& cell) {
  std::vector<NoticeHeader> out;
  if (cell.is_null()) return out;
  JsonDocument document;
  const auto root = document.parse(cell.as_text());
  if (!root) return out;
  for (const JsonMember& member : (*root)->members()) {
    out.push_back({std::string(member.key), std::string(member.value.text())});
  }
  return out;
}

}  // namespace

std::string NoticeNumbers::next_id(TimeUs created_us) {
  return fmt::format("{}-{:x}", next_.fetch_add(1), created_us);
}

void NoticeNumbers::saw(std::string_view id) {
  const std::int64_t after = number_of(id).value_or(0) + 1;
  std::int64_t next = next_.load();
  while (next < after && !next_.compare_exchange_weak(next, after)) {
  }
}

std::optional<std::int64_t> number_of(std::string_view notice_id) {
  std::int64_t number = 0;
  const char* const last = notice_id.data() + notice_id.size();
  const auto [end, failure] = std::from_chars(notice_id.data(), last, number);
  const bool is_ours = failure == std::errc() && number > 0 && end != last && *end == '-';
  return is_ours ? std::optional(number) : std::nullopt;
}

TableSchema notices_schema() {
  TableSchema schema;
  schema.name = kNoticesTable;
  schema.is_private = true;  // acknowledge links let anybody in who has them
  const auto add = [&](const char* name, Type type) {
    schema.columns.push_back(own_column(name, type));
  };
  add("slot", Type::int64);
  for (const char* name : {"id", "alert", "thing", "condition", "field", "thing_name", "event",
                           "value", "channel", "to", "subject", "text"}) {
    add(name, Type::text);
  }
  add("headers", Type::json);
  add("allow_private", Type::boolean);
  for (const char* name : {"link", "acknowledge_link", "state"}) add(name, Type::text);
  add("tries", Type::int64);
  for (const char* name : {"created", "next_try", "sent"}) add(name, Type::timestamp);
  add("answer", Type::text);
  NILO_ASSERT(schema.columns.size() == kCellCount);
  return schema;
}

void write_notice(const tables::Tables& tables, const Notice& notice, RecordWriter& record) {
  const Notice fits = cut(notice);
  const std::string headers_text = headers_json(fits.headers);
  const auto number = number_of(fits.id);
  NILO_ASSERT(number.has_value());
  const std::array<Value, kCellCount> cells = {
      Value::int64(*number % kNoticesMax),
      Value::text(fits.id),
      text_or_null(fits.alert),
      text_or_null(fits.thing),
      text_or_null(fits.condition),
      text_or_null(fits.field),
      text_or_null(fits.thing_name),
      text_or_null(fits.event),
      text_or_null(fits.value),
      Value::text(fits.channel),
      Value::text(fits.to),
      text_or_null(fits.subject),
      text_or_null(fits.text),
      fits.headers.empty() ? Value::null() : Value::json(headers_text),
      Value::boolean(fits.allow_private),
      text_or_null(fits.link),
      text_or_null(fits.acknowledge_link),
      Value::text(fits.state),
      Value::int64(fits.tries),
      Value::timestamp(fits.created_us),
      Value::timestamp(fits.next_try_us),
      time_or_null(fits.sent_us),
      text_or_null(fits.answer),
  };
  write_own_row(tables, kNoticesTable, fits.created_us, cells, record);
}

Notice notice_of(std::span<const Value> cells) {
  NILO_ASSERT(cells.size() >= kCellCount);
  Notice notice;
  notice.id = text_in(cells[id]);
  notice.alert = text_in(cells[alert]);
  notice.thing = text_in(cells[thing]);
  notice.condition = text_in(cells[condition]);
  notice.field = text_in(cells[field]);
  notice.thing_name = text_in(cells[thing_name]);
  notice.event = text_in(cells[event]);
  notice.value = text_in(cells[value]);
  notice.channel = text_in(cells[channel]);
  notice.to = text_in(cells[to]);
  notice.subject = text_in(cells[subject]);
  notice.text = text_in(cells[text]);
  notice.headers = headers_of(cells[headers]);
  notice.allow_private = number_in(cells[allow_private]) != 0;
  notice.link = text_in(cells[link]);
  notice.acknowledge_link = text_in(cells[acknowledge_link]);
  notice.state = text_in(cells[state]);
  notice.tries = number_in(cells[tries]);
  notice.created_us = number_in(cells[created]);
  notice.next_try_us = number_in(cells[next_try]);
  notice.sent_us = number_in(cells[sent]);
  notice.answer = text_in(cells[answer]);
  return notice;
}

std::optional<Notice> find_notice(const tables::Tables& tables, std::int64_t number) {
  const std::string key = std::to_string(number % kNoticesMax);
  const auto page = tables.latest({.table = kNoticesTable, .key = key, .limit = 1});
  if (!page || page->rows.row_count() == 0) return std::nullopt;
  std::vector<Value> cells;
  for (std::size_t i = 0; i < kCellCount; ++i) cells.push_back(page->rows.cell(0, i));
  Notice notice = notice_of(cells);
  if (number_of(notice.id) != number) return std::nullopt;
  return notice;
}

}  // namespace nilo::app
