#include "value/row.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "value/key.h"

namespace nilo {
namespace {

constexpr TimeUs kNowUs = 1'763'750'000'123'000;

TableLayout tank_layout() {
  TableLayout layout;
  layout.table_id = 7;
  TableSchema& schema = layout.schema;
  schema.name = "tank_levels";
  schema.has_sort_key = true;
  Column device{.name = "device_id", .type = Type::int64};
  Column time{.name = "time", .type = Type::timestamp};
  Column distance{.name = "distance", .type = Type::float64, .unit = "cm"};
  distance.min = 0;
  distance.max = 89;
  distance.invalid = {0};
  Column percent{.name = "percent", .unit = "%", .decimals = 2};
  percent.derived_sql = "100 * (89 - distance) / 89";
  schema.columns = {device, time, distance, percent};
  layout.column_ids = {1, 2, 5};
  return layout;
}

class RowTest : public testing::Test {
 protected:
  // The error of setting `distance`, or "".
  std::string refusal(const Value& distance) {
    writer_.begin(kNowUs);
    const auto result = writer_.set(2, distance);
    return result ? "" : result.error().message;
  }
  const TableLayout layout_ = tank_layout();
  RowWriter writer_{layout_};
};

TEST_F(RowTest, ComesBackAsItWentIn) {
  std::string bytes;
  RecordWriter record(bytes, kNowUs);
  writer_.begin(kNowUs);
  ASSERT_TRUE(writer_.set(0, Value::float64(2)));
  ASSERT_TRUE(writer_.set(2, Value::int64(75)));
  ASSERT_TRUE(writer_.finish(record));

  RecordReader in(bytes);
  Effect effect;
  ASSERT_TRUE(in.next(effect));
  EXPECT_EQ(effect.kind, EffectKind::row);
  EXPECT_EQ(table_id_of_row(effect.body), 7U);
  std::vector<Value> cells(3);
  ASSERT_TRUE(RowReader(layout_).read(effect.body, cells));
  EXPECT_EQ(cells[0], Value::int64(2));
  EXPECT_EQ(cells[1], Value::timestamp(kNowUs));
  EXPECT_EQ(cells[2], Value::float64(75));
  EXPECT_FALSE(in.next(effect));
  EXPECT_TRUE(in.ok());
}

TEST_F(RowTest, RefusesReadingsThatAreNone) {
  EXPECT_EQ(refusal(Value::int64(75)), "");
  EXPECT_EQ(refusal(Value::text("75.5")), "");
  EXPECT_EQ(refusal(Value::int64(0)),
            "distance 0 cm is listed in `invalid`: a reading that is none");
  EXPECT_EQ(refusal(Value::int64(95)), "distance 95 cm is above max 89 cm");
  EXPECT_EQ(refusal(Value::float64(-0.5)), "distance -0.5 cm is below min 0 cm");
  EXPECT_EQ(refusal(Value::float64(89)), "");
  EXPECT_EQ(refusal(Value::text("75x")), "distance \"75x\" is not a number");
  EXPECT_EQ(refusal(Value::float64(std::nan(""))), "distance nan cm is not a finite number");
  EXPECT_EQ(refusal(Value::float64(std::numeric_limits<double>::infinity())),
            "distance inf cm is not a finite number");
  EXPECT_EQ(refusal(Value::boolean(true)), "distance true is not a number");
}

TEST_F(RowTest, NeedsItsKeyAndAtLeastOneValue) {
  std::string bytes;
  RecordWriter record(bytes, kNowUs);
  writer_.begin(kNowUs);
  ASSERT_TRUE(writer_.set(2, Value::int64(75)));
  EXPECT_EQ(writer_.finish(record).error().message,
            "device_id is missing: it is the key of table tank_levels");
  writer_.begin(kNowUs);
  ASSERT_TRUE(writer_.set(0, Value::int64(1)));
  EXPECT_EQ(writer_.finish(record).error().message, "no value for any column of table tank_levels");
  EXPECT_EQ(bytes.size(), sizeof(TimeUs)) << "a refused row leaves nothing in the record";
}

TEST(Key, IsOneTopicLevelAColumn) {
  const auto key_of = [](std::vector<Value> cells) {
    std::string out;
    append_key_text(out, cells);
    return out;
  };
  EXPECT_EQ(key_of({Value::int64(-2), Value::text("barn/3+#%\n")}), "-2/barn%2F3%2B%23%25%0A");
  EXPECT_EQ(key_of({Value::boolean(true), Value::float64(0.1), Value::timestamp(kNowUs)}),
            "true/0.1/1763750000123000");
}

TEST(Key, EndsAtItsLimit) {
  TableLayout layout;
  layout.table_id = 1;
  layout.schema.name = "logs";
  layout.schema.columns = {{.name = "host", .type = Type::text},
                           {.name = "line", .type = Type::text}};
  layout.column_ids = {1, 2};
  RowWriter writer(layout);
  std::string bytes;
  RecordWriter record(bytes, kNowUs);
  const std::string key(kKeySizeMax + 1, 'x');
  writer.begin(kNowUs);
  ASSERT_TRUE(writer.set(0, Value::text(std::string_view(key).substr(1))));
  ASSERT_TRUE(writer.set(1, Value::text("hello")));
  EXPECT_TRUE(writer.finish(record));
  ASSERT_TRUE(writer.set(0, Value::text(key)));
  EXPECT_EQ(writer.finish(record).error().message, "host is a key of 257 bytes, more than 256");
}

TEST_F(RowTest, QuarantinesAClockThatIsOff) {
  writer_.begin(kNowUs);
  EXPECT_TRUE(writer_.set(1, Value::int64(kNowUs / 1000 + 24 * 3600 * 1000)));
  EXPECT_FALSE(writer_.set(1, Value::int64(kNowUs / 1000 + 24 * 3600 * 1000 + 1)));
  EXPECT_FALSE(writer_.set(1, Value::int64(5000)));
  EXPECT_TRUE(writer_.set(1, Value::text("2025-11-21T18:33:20.123Z")));
  EXPECT_FALSE(writer_.set(1, Value::text("yesterday")));
}

TEST_F(RowTest, EveryPrefixOfARowIsRefusedNotMisread) {
  std::string bytes;
  RecordWriter record(bytes, kNowUs);
  writer_.begin(kNowUs);
  ASSERT_TRUE(writer_.set(0, Value::int64(2)));
  ASSERT_TRUE(writer_.set(2, Value::int64(75)));
  ASSERT_TRUE(writer_.finish(record));
  const std::string_view body = std::string_view(bytes).substr(13);
  std::vector<Value> cells(3);
  const RowReader reader(layout_);
  ASSERT_TRUE(reader.read(body, cells));
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(reader.read(body.substr(0, size), cells)) << size;
  }
}

TEST(IsoTime, ReadsWhatItWrites) {
  EXPECT_EQ(iso_time(kNowUs), "2025-11-21T18:33:20.123Z");
  EXPECT_EQ(parse_iso_time("2025-11-21T18:33:20.123Z").value(), kNowUs);
  EXPECT_EQ(parse_iso_time("2025-11-21 19:33:20.123+01:00").value(), kNowUs);
  EXPECT_EQ(parse_iso_time("1969-12-31T23:59:59.5").value(), -500'000);
  EXPECT_EQ(iso_time(-500'000), "1969-12-31T23:59:59.5Z");
  EXPECT_FALSE(parse_iso_time("2025-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_iso_time("2025-11-21T18:33:20.Z"));
  EXPECT_FALSE(parse_iso_time("2025-11-21T18:33:20Zx"));
}

TEST(Json, EscapesTextAndMendsBadBytes) {
  std::string out;
  append_json_string(out, "a\"b\\\n\x01\xff");
  EXPECT_EQ(out, "\"a\\\"b\\\\\\n\\u0001\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace nilo
