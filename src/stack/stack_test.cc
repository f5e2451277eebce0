#include "stack/stack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "stack/error_table.h"
#include "stack/toml.h"

namespace nilo::stack {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// The codes of all mistakes, in order.
std::vector<std::string> codes_of(const Loaded& loaded) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : loaded.diagnostics) out.push_back(diagnostic.code);
  return out;
}

Loaded parse_one(std::string text) { return parse({{"nilo.toml", std::move(text)}}); }

// A folder that is gone after the test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "nilo-stack-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

TEST(WaterTanks, AreReadCompletely) {
  const Loaded loaded = load(NILO_SOURCE_DIR "/examples/water-tanks");
  ASSERT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  const Stack& stack = loaded.stack;

  ASSERT_EQ(stack.things.size(), 3U);
  EXPECT_EQ(stack.things[1].id, "tank-2");
  EXPECT_EQ(stack.things[1].type, "tank");
  EXPECT_EQ(stack.things[1].name, "Orchard");
  ASSERT_EQ(stack.things[1].properties.size(), 1U);
  EXPECT_EQ(stack.things[1].properties[0].text, "89 cm");
  EXPECT_EQ(stack.things[1].properties[0].number, 89);
  EXPECT_EQ(stack.things[1].properties[0].unit, "cm");

  ASSERT_EQ(stack.tables.size(), 1U);
  const Table& table = stack.tables[0];
  EXPECT_EQ(table.schema.name, "tank_levels");
  EXPECT_EQ(table.schema.partition_count, 1U);
  EXPECT_TRUE(table.schema.has_sort_key);
  EXPECT_EQ(table.schema.thing, "tank-{device_id}");
  EXPECT_EQ(table.keep, std::chrono::hours(5 * 365 * 24));
  ASSERT_EQ(table.schema.columns.size(), 4U);
  EXPECT_EQ(table.schema.stored_count(), 3U);
  EXPECT_EQ(table.schema.columns[0].type, Type::int64);
  EXPECT_EQ(table.schema.columns[1].type, Type::timestamp);
  const Column& distance = table.schema.columns[2];
  EXPECT_EQ(distance.type, Type::float64);
  EXPECT_EQ(distance.unit, "cm");
  EXPECT_EQ(distance.min, 0);
  EXPECT_EQ(distance.max, 89);
  EXPECT_THAT(distance.invalid, ElementsAre(0));
  const Column& percent = table.schema.columns[3];
  EXPECT_EQ(percent.derived_sql, "100 * (89 - distance) / 89");
  EXPECT_EQ(percent.decimals, 2);
  ASSERT_EQ(table.derived.size(), 1U);

  ASSERT_EQ(stack.rules.size(), 1U);
  EXPECT_EQ(stack.rules[0].put, "tank_levels");
  EXPECT_EQ(stack.rules[0].version, "2016-03-23");
  EXPECT_FALSE(stack.rules[0].disabled);

  ASSERT_EQ(stack.endpoints.size(), 1U);
  EXPECT_EQ(stack.endpoints[0].path, "/prod/data");
  ASSERT_EQ(stack.endpoints[0].parameters.size(), 1U);
  EXPECT_EQ(stack.endpoints[0].parameters[0].name, "device_id");
  EXPECT_EQ(stack.endpoints[0].parameters[0].type, Type::int64);
  EXPECT_FALSE(stack.endpoints[0].open);
}

TEST(Stack, KeepsTheOrderOfTheFile) {
  const Loaded loaded = parse_one(
      "[table.zulu]\nkey = ['id int']\n"
      "columns = { yankee = 'int', alpha = 'text', mike = 'bool' }\n"
      "[table.alpha]\nkey = ['id int']\n");
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.stack.tables.size(), 2U);
  EXPECT_EQ(loaded.stack.tables[0].schema.name, "zulu");
  EXPECT_EQ(loaded.stack.tables[0].schema.columns[1].name, "yankee");
  EXPECT_EQ(loaded.stack.tables[0].schema.columns[3].name, "mike");
  EXPECT_FALSE(loaded.stack.tables[0].schema.has_sort_key);
}

TEST(Stack, ReadsOptionsOfAKeyColumnAndOfTimes) {
  const Loaded loaded = parse_one(
      "[table.t]\nkey = ['id int', 'time timestamp']\n"
      "columns = { time = { number = 's' }, made = { type = 'timestamp', number = 'us' } }\n");
  ASSERT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  const TableSchema& schema = loaded.stack.tables[0].schema;
  ASSERT_EQ(schema.columns.size(), 3U);
  EXPECT_EQ(schema.columns[1].time_unit, TimeUnit::s);
  EXPECT_EQ(schema.columns[2].time_unit, TimeUnit::us);
}

TEST(Stack, ReadsSettingsFromSeveralFiles) {
  const Loaded loaded =
      parse({{"nilo.toml", "[server]\nmqtt = ':1883'\n"},
             {"nilo.d/b.toml", "[server]\nhttp = '[::1]:0'\n[tables]\nmemory = '1GiB'\n"},
             {"nilo.d/c.toml", "[sql]\ntime = '500ms'\nmemory = '256MB'\n"}});
  ASSERT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  const Settings& settings = loaded.stack.settings;
  EXPECT_EQ(settings.mqtt_listen, ":1883");
  EXPECT_EQ(settings.http_listen, "[::1]:0");
  EXPECT_EQ(settings.tables_memory_bytes, 1U << 30);
  EXPECT_EQ(settings.sql_time, std::chrono::milliseconds(500));
  EXPECT_EQ(settings.sql_memory_bytes, 256'000'000U);
}

TEST(Stack, ReadsRepublishAndFlags) {
  const Loaded loaded = parse_one(
      "[rule.a]\nsql = \"SELECT * FROM 'a'\"\nrepublish = 'b/c'\nversion = '2015-10-08'\n"
      "[rule.b]\nsql = \"SELECT * FROM 'a'\"\nrepublish = { topic = 'd', qos = 1 }\n"
      "disabled = true\n"
      "[endpoint.e]\npath = '/e'\nsql = 'SELECT $x, $y, $x'\nmany = true\nopen = true\n"
      "params = { x = 'double', y = 'text' }\n");
  ASSERT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  EXPECT_EQ(loaded.stack.rules[0].republish->topic, "b/c");
  EXPECT_EQ(loaded.stack.rules[0].republish->qos, 0);
  EXPECT_EQ(loaded.stack.rules[0].version, "2015-10-08");
  EXPECT_EQ(loaded.stack.rules[1].republish->qos, 1);
  EXPECT_TRUE(loaded.stack.rules[1].disabled);
  const Endpoint& endpoint = loaded.stack.endpoints[0];
  EXPECT_TRUE(endpoint.many);
  EXPECT_TRUE(endpoint.open);
  ASSERT_EQ(endpoint.parameters.size(), 2U);
  EXPECT_EQ(endpoint.parameters[0].type, Type::float64);
  EXPECT_EQ(endpoint.parameters[1].type, Type::text);
}

// A table with `columns` columns in all.
std::string table_of(std::size_t columns) {
  std::string out = "[table.t]\nkey = ['id int']\n[table.t.columns]\n";
  for (std::size_t i = 1; i < columns; ++i) out += fmt::format("c{} = 'int'\n", i);
  return out;
}

TEST(Limits, ATableHasAtMostSoManyColumns) {
  EXPECT_TRUE(parse_one(table_of(kColumnsMax)).ok());
  EXPECT_THAT(codes_of(parse_one(table_of(kColumnsMax + 1))), ElementsAre("C301"));
}

TEST(Limits, AStackHasAtMostSoManyRules) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += fmt::format("[rule.r{}]\nsql = 'SELECT 1'\nrepublish = 'a'\n", i);
  }
  EXPECT_TRUE(parse_one(text).ok());
  text += "[rule.more]\nsql = 'SELECT 1'\nrepublish = 'a'\n";
  EXPECT_THAT(codes_of(parse_one(text)), ElementsAre("C311"));
}

TEST(Limits, AFileHasAtMostOneMebibyte) {
  EXPECT_TRUE(parse_one(std::string(kFileSizeMax, '\n')).ok());
  EXPECT_THAT(codes_of(parse_one(std::string(kFileSizeMax + 1, '\n'))), ElementsAre("C004"));
}

TEST(Limits, NestingHasABottom) {
  const auto lists = [](std::size_t depth) {
    return "[things]\na = { b = 1, c = " + std::string(depth, '[') + std::string(depth, ']') +
           " }\n";
  };
  EXPECT_THAT(codes_of(parse_one(lists(kDepthMax - 1))), ElementsAre("C101"));  // a list
  EXPECT_THAT(codes_of(parse_one(lists(kDepthMax))), ElementsAre("C007"));
  std::string keys;
  for (int i = 0; i < 100'000; ++i) keys += "a.";
  EXPECT_THAT(codes_of(parse_one(keys + "b = 1")), ElementsAre("C007"));
}

TEST(Limits, MistakesAreCollectedUpToALimit) {
  std::string text = "[server]\n";
  for (std::size_t i = 0; i < kDiagnosticsMax + 1; ++i) text += fmt::format("k{} = 1\n", i);
  const Loaded loaded = parse_one(text);
  EXPECT_EQ(loaded.diagnostics.size(), kDiagnosticsMax);
  const std::string words = render(loaded.diagnostics, loaded.files, false);
  EXPECT_THAT(words,
              HasSubstr("1000 or more errors (the first 20 are shown). Nothing was changed."));
}

TEST(Load, ReadsMoreFilesInTheOrderOfTheirNames) {
  const Folder folder;
  folder.write("nilo.toml", "[things]\na = {}\n");
  folder.write("nilo.d/20.toml", "[things]\nc = {}\n");
  folder.write("nilo.d/10.toml", "[things]\nb = {}\n");
  folder.write("nilo.d/readme.txt", "not TOML");
  const Loaded loaded = load(folder.path());
  ASSERT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  ASSERT_EQ(loaded.stack.things.size(), 3U);
  EXPECT_EQ(loaded.stack.things[1].id, "b");
  EXPECT_EQ(loaded.stack.things[2].place, (Place{"nilo.d/20.toml", 2, 1, 1}));
}

TEST(Load, ReadsFilesOfPages) {
  const Folder folder;
  folder.write("nilo.toml", "");
  folder.write("pages/a.toml", "[[page]]\nid = 'a'\npanel = [{ kind = 'alerts' }]\n");
  const Loaded loaded = load(folder.path());
  ASSERT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  ASSERT_EQ(loaded.stack.pages.size(), 1U);
  EXPECT_EQ(loaded.stack.pages[0].place.file, "pages/a.toml");
}

TEST(Load, TellsOfAMissingFolder) {
  const Folder folder;
  EXPECT_THAT(codes_of(load(folder.path() + "/none")), ElementsAre("C001"));
}

TEST(Load, TellsOfAMissingMainFile) {
  const Folder folder;
  folder.write("nilo.d/a.toml", "");
  EXPECT_THAT(codes_of(load(folder.path())), ElementsAre("C002"));
}

TEST(Load, TellsOfAFileThatCannotBeReadAndChecksTheOthers) {
  const Folder folder;
  folder.write("nilo.toml/x", "");  // a folder in its place
  folder.write("nilo.d/a.toml", "[sever]");
  EXPECT_THAT(codes_of(load(folder.path())), ElementsAre("C003", "C201"));
}

TEST(Load, TellsOfATooLargeFileAndTooManyFiles) {
  const Folder folder;
  folder.write("nilo.toml", std::string(kFileSizeMax + 1, ' '));
  for (std::size_t i = 1; i < kFilesMax; ++i) folder.write(fmt::format("nilo.d/{}.toml", i), "");
  EXPECT_THAT(codes_of(load(folder.path())), ElementsAre("C004"));
  folder.write("nilo.d/more.toml", "");
  EXPECT_THAT(codes_of(load(folder.path())), ElementsAre("C005", "C004"));
}

}  // namespace
}  // namespace nilo::stack
