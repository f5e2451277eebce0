#include "tables/catalog.h"

#include <gtest/gtest.h>

namespace nilo::tables {
namespace {

TEST(Catalog, CountsTablesAndColumnsFromOne) {
  Catalog catalog;
  EXPECT_EQ(catalog.give(0, "tanks").table_id, 1U);
  EXPECT_EQ(catalog.give(0, "pumps").table_id, 2U);
  EXPECT_EQ(catalog.give(2, "time").column_id, 1U);
  EXPECT_EQ(catalog.give(2, "flow").column_id, 2U);
  EXPECT_EQ(catalog.give(1, "flow").column_id, 1U);
  EXPECT_EQ(catalog.find(0, "pumps"), 2U);
  EXPECT_EQ(catalog.find(2, "flow"), 2U);
  EXPECT_EQ(catalog.find(2, "Flow"), 0U);
  EXPECT_EQ(catalog.find(7, "flow"), 0U);
}

TEST(Catalog, GivesNoNumberTwice) {
  Catalog catalog;
  ASSERT_TRUE(catalog.add({5, 0, "old"}));
  EXPECT_EQ(catalog.give(0, "new").table_id, 6U);
}

TEST(Catalog, HearsTheSameTwiceButRefusesAnotherMeaning) {
  Catalog catalog;
  EXPECT_TRUE(catalog.add({1, 0, "tanks"}).value());
  EXPECT_FALSE(catalog.add({1, 0, "tanks"}).value());
  EXPECT_EQ(catalog.add({1, 0, "pumps"}).error().code, ErrorCode::corrupt);
  EXPECT_EQ(catalog.add({2, 0, "tanks"}).error().code, ErrorCode::corrupt);
  EXPECT_TRUE(catalog.add({1, 1, "tanks"}).value()) << "columns have numbers of their own";
}

TEST(Catalog, EntriesComeBackAndEveryPrefixIsRefused) {
  std::string bytes;
  append_catalog_entry(bytes, {300, 7, "level"});
  const auto entry = parse_catalog_entry(bytes);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->table_id, 300U);
  EXPECT_EQ(entry->column_id, 7U);
  EXPECT_EQ(entry->name, "level");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_catalog_entry(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_catalog_entry(bytes + "x"));
}

TEST(Catalog, EndsAtItsLimit) {
  std::string bytes;
  append_catalog_entry(bytes, {kCatalogNumberMax, kCatalogNumberMax, "x"});
  EXPECT_TRUE(parse_catalog_entry(bytes));
  bytes.clear();
  append_catalog_entry(bytes, {kCatalogNumberMax + 1, 1, "x"});
  EXPECT_FALSE(parse_catalog_entry(bytes));
  bytes.clear();
  append_catalog_entry(bytes, {1, kCatalogNumberMax + 1, "x"});
  EXPECT_FALSE(parse_catalog_entry(bytes));
}

}  // namespace
}  // namespace nilo::tables
