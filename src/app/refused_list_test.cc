#include "app/refused_list.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace nilo::app {
namespace {

api::RefusedClient refusal(std::string client, TimeUs time_us = 1, std::string what = "connect") {
  api::RefusedClient out;
  out.what = std::move(what);
  out.client = std::move(client);
  out.ip = "::1";
  out.time_us = time_us;
  return out;
}

TEST(RefusedList, CountsTheSameClientOnceAndPutsItFirst) {
  RefusedList list;
  list.add(refusal("a", 1));
  list.add(refusal("b", 2));
  list.add(refusal("a", 3));
  list.add(refusal("a", 4, "publish"));
  const auto all = list.list();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].what, "publish");
  EXPECT_EQ(all[1].client, "a");
  EXPECT_EQ(all[1].count, 2U);
  EXPECT_EQ(all[1].time_us, 3);
  EXPECT_EQ(all[2].client, "b");
}

TEST(RefusedList, ForgetsTheOneNotSeenForLongest) {
  RefusedList list;
  for (std::size_t i = 0; i < api::kRefusedMax; ++i) list.add(refusal(std::to_string(i)));
  list.add(refusal("0"));
  EXPECT_EQ(list.list().size(), api::kRefusedMax);
  list.add(refusal("one more"));
  const auto all = list.list();
  EXPECT_EQ(all.size(), api::kRefusedMax);
  EXPECT_EQ(all[1].client, "0");
  EXPECT_EQ(all.back().client, "2");
}

TEST(RefusedList, KeepsTheTopicsOfAClientApartAndNotTooMany) {
  RefusedList list;
  list.add(refusal("quiet", 1, "publish"));
  for (std::ptrdiff_t i = 0; i <= kRefusedTopicsMax; ++i) {
    auto one = refusal("loud", 2, "publish");
    one.topic = std::to_string(i);
    list.add(one);
  }
  const auto all = list.list();
  ASSERT_EQ(all.size(), static_cast<std::size_t>(kRefusedTopicsMax) + 1);
  EXPECT_EQ(all.front().topic, std::to_string(kRefusedTopicsMax));
  EXPECT_EQ(all[all.size() - 2].topic, "1");
  EXPECT_EQ(all.back().client, "quiet");
}

TEST(RefusedList, ForgetsWhoWasLetIn) {
  RefusedList list;
  list.add(refusal("a"));
  const std::uint64_t id = list.list().at(0).id;
  EXPECT_TRUE(list.forget(id));
  EXPECT_FALSE(list.forget(id));
  list.add(refusal("a"));
  EXPECT_NE(list.list().at(0).id, id);
}

TEST(RefusedList, ShowsWhatStrangersSentPrintableAndShort) {
  RefusedList list;
  list.add(refusal("x\r\n" + std::string(1000, 'y')));
  const std::string client = list.list().at(0).client;
  EXPECT_TRUE(client.starts_with("x\\x0d\\x0ayyy")) << client;
  EXPECT_LT(client.size(), kRefusedTextMax + 10);
}

}  // namespace
}  // namespace nilo::app
