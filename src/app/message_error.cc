#include "app/message_error.h"

#include "app/own_row.h"
#include "base/assert.h"
#include "base/utf8.h"

namespace nilo::app {

namespace {

constexpr std::size_t kShownTextSizeMax = 1024;  // of a payload, or of a reason
constexpr std::size_t kShownNameSizeMax = 256;

}  // namespace

TableSchema errors_schema() {
  TableSchema schema;
  schema.name = kErrorsTable;
  schema.columns = {own_column("slot", Type::int64),  own_column("time", Type::timestamp),
                    own_column("source", Type::text), own_column("reason", Type::text),
                    own_column("topic", Type::text),  own_column("client", Type::text),
                    own_column("payload", Type::text)};
  return schema;
}

std::string payload_of(const MessageError& error) {
  const MessageView& about = error.about;
  std::string json;
  append_json_string(json += R"({"reason":)", error.reason);
  append_json_string(json += R"(,"topic":)", about.topic);
  append_json_string(json += R"(,"client":)", about.client_id);
  append_json_string(json += R"(,"principal":)", about.principal);
  append_json_string(json += R"(,"payload":)", printable(about.payload, kShownTextSizeMax));
  append_json_string(json += R"(,"received":)", iso_time(about.received_us));
  return json + "}";
}

void write_error(RowWriter& writer, RecordWriter& record, std::int64_t slot,
                 const MessageError& error) {
  const MessageView& about = error.about;
  const std::string reason = printable(error.reason, kShownTextSizeMax);
  const std::string topic = printable(about.topic, kShownNameSizeMax);
  const std::string client = printable(about.client_id, kShownNameSizeMax);
  const std::string payload = printable(about.payload, kShownTextSizeMax);
  const Value cells[] = {Value::int64(slot),        Value::timestamp(about.received_us),
                         Value::text(error.source), Value::text(reason),
                         Value::text(topic),        Value::text(client),
                         Value::text(payload)};
  write_own_row(writer, about.received_us, cells, record);
}

ErrorPlace error_place_of(std::span<const Value> cells) {
  NILO_ASSERT(cells.size() >= 2);
  return {number_in(cells[0]), number_in(cells[1])};
}

}  // namespace nilo::app
