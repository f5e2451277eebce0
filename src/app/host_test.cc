#include "app/host.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace nilo::app {
namespace {

namespace fs = std::filesystem;

class HostTest : public testing::Test {
 protected:
  HostTest() { fs::create_directories(folder_); }
  ~HostTest() override { fs::remove_all(folder_); }

  static unsigned mode_of(const std::string& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
  }
  static std::string text_of(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const std::string folder_ = testing::TempDir() + "/host-" + std::to_string(::getpid());
};

TEST_F(HostTest, AFolderThatIsMadeIsPrivate) {
  ASSERT_TRUE(make_private_dir(folder_ + "/a/b"));
  EXPECT_EQ(mode_of(folder_ + "/a/b"), 0700U);
  ASSERT_TRUE(make_private_dir(folder_ + "/a/b")) << "and may be there";
}

TEST_F(HostTest, AFolderThatWasThereKeepsItsMode) {
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  ASSERT_TRUE(make_private_dir(folder_));
  EXPECT_EQ(mode_of(folder_), 0755U);
}

TEST_F(HostTest, AFileInTheWayOfAFolderIsNamed) {
  std::ofstream(folder_ + "/file") << "x";
  const auto made = make_private_dir(folder_ + "/file/data");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("file/data"), std::string::npos);
}

TEST_F(HostTest, APrivateFileIsPrivateEvenIfItWasNot) {
  const std::string path = folder_ + "/token";
  std::ofstream(path) << "what was there before";
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  ASSERT_TRUE(write_private_file(path, "secret\n"));
  EXPECT_EQ(text_of(path), "secret\n");
  EXPECT_EQ(mode_of(path), 0600U);
}

TEST_F(HostTest, APrivateFileIsNotWrittenThroughALink) {
  std::ofstream(folder_ + "/precious") << "precious";
  fs::create_symlink(folder_ + "/precious", folder_ + "/token");
  EXPECT_EQ(write_private_file(folder_ + "/token", "secret").error().code, ErrorCode::unavailable);
  EXPECT_EQ(text_of(folder_ + "/precious"), "precious");
}

}  // namespace
}  // namespace nilo::app
