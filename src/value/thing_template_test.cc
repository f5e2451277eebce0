#include "value/thing_template.h"

#include <gmock/gmock.h>

namespace nilo {
namespace {

using testing::HasSubstr;

TableSchema schema_of(const std::vector<std::pair<std::string, Type>>& key) {
  TableSchema schema;
  for (const auto& [name, type] : key) schema.columns.push_back({.name = name, .type = type});
  schema.partition_count = key.size();
  schema.columns.push_back({.name = "distance"});
  return schema;
}

ThingTemplate made(std::string_view text, const TableSchema& schema) {
  auto made = ThingTemplate::parse(text, schema);
  EXPECT_TRUE(made) << (made ? "" : made.error().message);
  return *made;
}

std::string mistake_of(std::string_view text, const TableSchema& schema) {
  const auto made = ThingTemplate::parse(text, schema);
  return made ? "none" : made.error().message;
}

const TableSchema kTanks = schema_of({{"device_id", Type::int64}});

TEST(ThingTemplate, NamesTheThingOfARowAndFindsItsKeyAgain) {
  const ThingTemplate tank = made("tank-{device_id}", kTanks);
  EXPECT_EQ(tank.id_of(std::vector<Value>{Value::int64(2)}), "tank-2");
  EXPECT_EQ(tank.id_of(std::vector<Value>{Value::int64(-7)}), "tank--7");
  EXPECT_EQ(tank.key_of("tank-2"), "2");
  EXPECT_EQ(tank.key_of("tank--7"), "-7");
}

TEST(ThingTemplate, FindsNoKeyForWhatNoRowIsAbout) {
  const ThingTemplate tank = made("tank-{device_id}", kTanks);
  for (const auto* id : {"", "tank-", "tank", "pump-2", "tank-2x", "tank-02", "tank-+2", "tank-2.0",
                         "tank-%32", "tank-99999999999999999999", "xtank-2", "tank-2 "}) {
    EXPECT_EQ(tank.key_of(id), std::nullopt) << id;
  }
}

TEST(ThingTemplate, KeepsWordsBehindTheColumn) {
  const ThingTemplate tank = made("t{device_id}.level", kTanks);
  EXPECT_EQ(tank.id_of(std::vector<Value>{Value::int64(2)}), "t2.level");
  EXPECT_EQ(tank.key_of("t2.level"), "2");
  EXPECT_EQ(tank.key_of("t2"), std::nullopt);
}

TEST(ThingTemplate, WritesTextSoThatItCanStandInASelectorAndAnAddress) {
  const ThingTemplate pump = made("{name}", schema_of({{"name", Type::text}}));
  const std::string text = "barn/3 *,%\n\xc4\x8d";
  const std::string id = pump.id_of(std::vector<Value>{Value::text(text)});
  EXPECT_EQ(id, "barn%2F3%20%2A%2C%25%0A\xc4\x8d");
  EXPECT_EQ(pump.key_of(id), "barn%2F3 *,%25%0A\xc4\x8d");  // as value/key.h writes it
  EXPECT_EQ(pump.key_of("barn%2"), std::nullopt);
  EXPECT_EQ(pump.key_of("barn%zz"), std::nullopt);
}

TEST(ThingTemplate, TakesColumnsInAnyOrderAndTheKeyInItsOwn) {
  const ThingTemplate sensor =
      made("{slot}-{site}", schema_of({{"site", Type::text}, {"slot", Type::int64}}));
  EXPECT_EQ(sensor.id_of(std::vector<Value>{Value::text("a-b"), Value::int64(3)}), "3-a-b");
  EXPECT_EQ(sensor.key_of("3-a-b"), "a-b/3");
}

TEST(ThingTemplate, ComesBackForEveryTypeOfKey) {
  const TableSchema all = schema_of({{"n", Type::float64}, {"b", Type::boolean}});
  const ThingTemplate odd = made("x{n}_{b}", all);
  const std::vector<Value> cells{Value::float64(1e300), Value::boolean(true)};
  const std::string id = odd.id_of(cells);
  EXPECT_EQ(id, "x1e%2B300_true");
  EXPECT_EQ(odd.key_of(id), "1e+300/true");
  EXPECT_EQ(odd.key_of("x1_maybe"), std::nullopt);
}

TEST(ThingTemplate, NamesNoThingWhoseIdWouldBeTooLong) {
  const ThingTemplate pump = made("{name}", schema_of({{"name", Type::text}}));
  const std::string longest(kThingIdSizeMax, 'a');
  EXPECT_EQ(pump.id_of(std::vector<Value>{Value::text(longest)}), longest);
  const std::string longer = longest + "a";
  EXPECT_EQ(pump.id_of(std::vector<Value>{Value::text(longer)}), "");
  EXPECT_EQ(pump.key_of(longer), std::nullopt);
}

TEST(ThingTemplate, SaysWhatIsWrongWithIt) {
  const TableSchema two = schema_of({{"site", Type::text}, {"slot", Type::int64}});
  EXPECT_THAT(mistake_of("tank-{devise_id}", kTanks), HasSubstr("did you mean `device_id`?"));
  EXPECT_THAT(mistake_of("tank-{distance}", kTanks),
              HasSubstr("`distance`, which is not in the key"));
  EXPECT_THAT(mistake_of("tank-{device_id", kTanks), HasSubstr("without its `}`"));
  EXPECT_THAT(mistake_of("tank-device_id}", kTanks), HasSubstr("without its `{`"));
  EXPECT_THAT(mistake_of("{slot}", two), HasSubstr("leaves out `site`"));
  EXPECT_THAT(mistake_of("{slot}{slot}{site}", two), HasSubstr("names `slot` twice"));
  EXPECT_THAT(mistake_of("tank", kTanks), HasSubstr("leaves out `device_id`"));
}

}  // namespace
}  // namespace nilo
