#include "log/disk.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <random>

#include "log/fake_disk.h"
#include "log/log_test_kit.h"

namespace nilo::log::test {
namespace {

class DiskTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/nilo-disk-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir); }

  std::string dir;
  std::unique_ptr<Disk> disk = make_disk();
};

std::string read_all(const File& file) {
  std::string bytes(static_cast<std::size_t>(*file.size()), '\0');
  EXPECT_EQ(*file.read_at(0, bytes), bytes.size());
  return bytes;
}

TEST_F(DiskTest, KeepsWhatIsWritten) {
  const std::string path = dir + "/a/b/file";
  ASSERT_TRUE(disk->make_dir(dir + "/a/b"));
  ASSERT_TRUE(disk->make_dir(dir + "/a/b/"));
  const auto file = *disk->open(path, Disk::OpenMode::create);
  std::vector<std::string_view> pieces{"", "one", "", "two"};
  pieces.resize(5000, "x");  // more than one system call takes
  ASSERT_TRUE(write_all(*file, 2, pieces));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(disk->sync_dir(dir + "/a/b"));
  EXPECT_EQ(read_all(*file), std::string("\0\0onetwo", 8) + std::string(4996, 'x'));
  ASSERT_TRUE(file->truncate(5));
  EXPECT_EQ(read_all(*file), std::string("\0\0one", 5));
  ASSERT_TRUE(disk->rename(path, path + "2"));
  EXPECT_EQ(*disk->list(dir + "/a/b"), std::vector<std::string>{"file2"});
  ASSERT_TRUE(disk->remove(path + "2"));
  EXPECT_TRUE(disk->list(dir + "/a/b")->empty());
}

TEST_F(DiskTest, ReadsFewerBytesOnlyAtTheEnd) {
  const auto file = *disk->open(dir + "/file", Disk::OpenMode::create);
  const std::string_view piece = "hello";
  ASSERT_TRUE(write_all(*file, 0, std::span(&piece, 1)));
  char bytes[10];
  EXPECT_EQ(*file->read_at(0, bytes), 5u);
  EXPECT_EQ(*file->read_at(3, bytes), 2u);
  EXPECT_EQ(*file->read_at(5, bytes), 0u);
  EXPECT_EQ(*file->read_at(50, bytes), 0u);
}

TEST_F(DiskTest, SaysWhatIsMissing) {
  const auto file = disk->open(dir + "/none", Disk::OpenMode::read);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::not_found);
  EXPECT_EQ(file.error().message, "cannot open " + dir + "/none: No such file or directory");
  EXPECT_EQ(disk->list(dir + "/none").error().code, ErrorCode::not_found);
}

TEST_F(DiskTest, LocksAFileOnce) {
  auto lock = disk->lock(dir + "/LOCK");
  ASSERT_TRUE(lock);
  EXPECT_EQ(disk->lock(dir + "/LOCK").error().code, ErrorCode::conflict);
  lock->reset();
  EXPECT_TRUE(disk->lock(dir + "/LOCK"));
}

TEST_F(DiskTest, MakesFilesForTheOwnerOnly) {
  ASSERT_TRUE(disk->make_dir(dir + "/d"));
  ASSERT_TRUE(disk->open(dir + "/d/file", Disk::OpenMode::create));
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(dir + "/d").permissions(), perms::owner_all);
  EXPECT_EQ(std::filesystem::status(dir + "/d/file").permissions(),
            perms::owner_read | perms::owner_write);
}

TEST_F(DiskTest, CarriesALogThroughAFullDiskAndBack) {
  World world;
  LogOptions options = world.options();
  options.dir = dir + "/log";
  auto log = *Log::open(*disk, world.clock, world.logger, world.metrics, options);
  log->start(world.follower);
  EXPECT_TRUE(append(*log, {"before"}).outcome);
  // A file size limit makes the kernel write short and then refuse, as a full disk does.
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 10'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Answer refused = append(*log, {std::string(20'000, 'x')});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_FALSE(refused.outcome);
  EXPECT_FALSE(log->failure());
  EXPECT_TRUE(append(*log, {"after"}).outcome);
  log.reset();
  log = *Log::open(*disk, world.clock, world.logger, world.metrics, options);
  EXPECT_EQ(replayed(*log), (Records{{1, "before"}, {2, "after"}}));
}

TEST(FakeDisk, MayLoseWhatIsNotSyncedAndKeepsWhatIs) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    FakeDisk disk;
    const auto file = *disk.open("/d/file", Disk::OpenMode::create);
    ASSERT_TRUE(disk.sync_dir("/d"));
    const std::string old(1024, 'a');
    const std::string young(1024, 'b');
    std::string_view piece = old;
    ASSERT_TRUE(write_all(*file, 0, std::span(&piece, 1)));
    ASSERT_TRUE(file->sync());
    piece = young;
    ASSERT_TRUE(write_all(*file, 512, std::span(&piece, 1)));
    disk.cut_power();
    EXPECT_FALSE(file->sync());
    std::mt19937_64 random(seed);
    disk.restore_power(random);
    EXPECT_FALSE(file->sync()) << "opened before the power went";
    const std::string bytes = disk.contents("/d/file");
    EXPECT_EQ(bytes.substr(0, 512), old.substr(0, 512));
    EXPECT_GE(bytes.size(), 1024u);
    seen.insert(bytes.substr(512, 1));
  }
  EXPECT_EQ(seen.size(), 2u) << "the second sector is lost sometimes";
}

TEST(FakeDisk, MayForgetAFileWhoseFolderIsNotSynced) {
  std::set<std::size_t> counts;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    FakeDisk disk;
    ASSERT_TRUE(disk.open("/d/file", Disk::OpenMode::create));
    disk.cut_power();
    std::mt19937_64 random(seed);
    disk.restore_power(random);
    counts.insert(disk.list("/d")->size());
  }
  EXPECT_EQ(counts.size(), 2u);
}

TEST(FakeDisk, DoesNotWriteAfterAFailedSyncWhatWasDirtyThen) {
  FakeDisk disk;
  const auto file = *disk.open("/d/file", Disk::OpenMode::create);
  ASSERT_TRUE(disk.sync_dir("/d"));
  const std::string_view piece = "hello";
  ASSERT_TRUE(write_all(*file, 0, std::span(&piece, 1)));
  disk.set_fault(FakeDisk::Fault{disk.call_count() + 1, 0, EIO, false, false});
  EXPECT_FALSE(file->sync());
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(read_all(*file), "hello");
  disk.cut_power();
  std::mt19937_64 random(1);
  disk.restore_power(random);
  EXPECT_EQ(disk.contents("/d/file"), std::string(5, '\0'));
}

}  // namespace
}  // namespace nilo::log::test
