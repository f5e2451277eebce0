#include "app/alert_links.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace nilo::app {
namespace {

constexpr TimeUs kSinceUs = 1'763'750'000'000'000;

class AlertLinksTest : public testing::Test {
 protected:
  ~AlertLinksTest() override { std::remove(path_.c_str()); }
  const std::string path_ = testing::TempDir() + "alert-key-" + std::to_string(::getpid());
};

TEST_F(AlertLinksTest, NameTheAlertAlsoAfterARestart) {
  const std::string token = AlertLinks::open(path_).value().token("level~tank-2~low", kSinceUs);
  const auto named = AlertLinks::open(path_).value().read(token);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->alert_id, "level~tank-2~low");
  EXPECT_EQ(named->since_us, kSinceUs);
  struct stat file {};
  ASSERT_EQ(::stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
}

TEST_F(AlertLinksTest, AreWorthNothingWithOneLetterChanged) {
  const AlertLinks links = AlertLinks::open(path_).value();
  const std::string token = links.token("level~tank-2~low", kSinceUs);
  // The last letter of each part has bits that say nothing; a changed one is refused all the same.
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string spoiled = token;
    spoiled[i] = spoiled[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(links.read(spoiled)) << i;
    EXPECT_FALSE(links.read(token.substr(0, i))) << i;
  }
  EXPECT_FALSE(links.read(token + "A"));
}

TEST_F(AlertLinksTest, OfAnotherKeyAreNotOurs) {
  const std::string token = AlertLinks::open(path_).value().token("level~tank-2~low", kSinceUs);
  std::remove(path_.c_str());
  EXPECT_FALSE(AlertLinks::open(path_).value().read(token));
}

TEST_F(AlertLinksTest, SayWhenTheKeyIsNone) {
  std::ofstream(path_) << "hello\n";
  const auto links = AlertLinks::open(path_);
  ASSERT_FALSE(links);
  EXPECT_EQ(links.error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace nilo::app
