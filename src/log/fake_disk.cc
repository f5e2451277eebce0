#include "log/fake_disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace nilo::log {

namespace {

constexpr std::size_t kSectorSize = 512;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Copies one sector of `from` to `to`, where both have it.
void copy_sector(std::size_t sector, const std::string& from, std::string& to) {
  const std::size_t begin = sector * kSectorSize;
  const std::size_t end = std::min({begin + kSectorSize, from.size(), to.size()});
  if (begin < end) std::memcpy(to.data() + begin, from.data() + begin, end - begin);
}

}  // namespace

class FakeFile final : public File {
 public:
  FakeFile(FakeDisk& disk, std::string path, FakeDisk::InodePtr inode, std::uint64_t power_cycle)
      : disk_(disk), path_(std::move(path)), inode_(std::move(inode)), power_cycle_(power_cycle) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
    const std::lock_guard lock(disk_.mutex_);
    TRY(disk_.enter("read", path_, power_cycle_));
    const std::string& bytes = inode_->bytes;
    if (offset >= bytes.size()) return std::size_t{0};
    return bytes.copy(out.data(), out.size(), static_cast<std::size_t>(offset));
  }

  Result<std::size_t> write_at(std::uint64_t offset,
                               std::span<const std::string_view> pieces) override {
    const std::lock_guard lock(disk_.mutex_);
    const bool is_short = TRY(disk_.enter("write", path_, power_cycle_));
    std::string all;
    for (const std::string_view piece : pieces) all += piece;
    if (is_short && all.size() > 1) all.resize(all.size() / 2);
    if (all.empty()) return std::size_t{0};
    const auto begin = static_cast<std::size_t>(offset);
    const std::size_t size_before = inode_->bytes.size();
    for (std::string* bytes : {&inode_->bytes, &inode_->written}) {
      if (bytes->size() < begin + all.size()) bytes->resize(begin + all.size());
      std::memcpy(bytes->data() + begin, all.data(), all.size());
    }
    mark_dirty(std::min(begin, size_before), begin + all.size());
    return all.size();
  }

  Result<void> sync() override {
    const std::lock_guard lock(disk_.mutex_);
    const auto outcome = disk_.enter("sync", path_, power_cycle_);
    if (outcome) {
      inode_->durable.resize(inode_->bytes.size());
      for (const std::size_t sector : inode_->dirty) {
        copy_sector(sector, inode_->bytes, inode_->durable);
      }
      inode_->written = inode_->bytes;
      ++disk_.sync_count_;
    }
    if (disk_.has_power_) inode_->dirty.clear();  // also after a failure: see the header
    if (!outcome) return outcome.error();
    return {};
  }

  Result<void> truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    TRY(disk_.enter("truncate", path_, power_cycle_));
    const std::size_t size_before = inode_->bytes.size();
    inode_->bytes.resize(static_cast<std::size_t>(size));
    if (size > size_before) mark_dirty(size_before, inode_->bytes.size());
    return {};
  }

  Result<std::uint64_t> size() const override {
    const std::lock_guard lock(disk_.mutex_);
    return std::uint64_t{inode_->bytes.size()};
  }

 private:
  void mark_dirty(std::size_t begin, std::size_t end) {
    for (std::size_t sector = begin / kSectorSize; sector * kSectorSize < end; ++sector) {
      inode_->dirty.insert(sector);
    }
  }

  FakeDisk& disk_;
  const std::string path_;
  const FakeDisk::InodePtr inode_;
  const std::uint64_t power_cycle_;
};

class FakeLock final : public FileLock {
 public:
  FakeLock(std::shared_ptr<FakeDisk::Locks> locks, std::string path)
      : locks_(std::move(locks)), path_(std::move(path)) {}
  ~FakeLock() override {
    locks_->with([&](auto& paths) { paths.erase(path_); });
  }

 private:
  const std::shared_ptr<FakeDisk::Locks> locks_;
  const std::string path_;
};

FakeDisk::FakeDisk() : locks_(std::make_shared<Locks>()) {}
FakeDisk::~FakeDisk() = default;

Result<bool> FakeDisk::enter(std::string_view what, std::string_view path,
                             std::uint64_t power_cycle) {
  const std::uint64_t call = ++call_count_;
  if (call == power_cut_call_) has_power_ = false;
  if (!has_power_ || power_cycle != power_cycle_) return error_of(EIO, what, path);
  if (!fault_ || call < fault_->call) return false;
  if (call >= std::max(fault_->call_end, fault_->call + 1)) return false;
  if (fault_->only_writes && what != "write") return false;
  const bool is_first_write = what == "write" && !std::exchange(has_written_short_, true);
  if (fault_->number == 0 || (fault_->first_is_short && is_first_write)) return true;
  return error_of(fault_->number, what, path);
}

Result<std::unique_ptr<File>> FakeDisk::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  TRY(enter("open", path, power_cycle_));
  const auto found = entries_.find(path);
  if (found == entries_.end() && mode != OpenMode::create) return error_of(ENOENT, "open", path);
  InodePtr& inode = entries_[path];
  if (inode == nullptr) inode = std::make_shared<Inode>();
  if (mode == OpenMode::create) inode->bytes.clear();
  return std::unique_ptr<File>(std::make_unique<FakeFile>(*this, path, inode, power_cycle_));
}

Result<std::vector<std::string>> FakeDisk::list(const std::string& dir) {
  const std::lock_guard lock(mutex_);
  TRY(enter("list", dir, power_cycle_));
  std::vector<std::string> names;
  for (const auto& [path, inode] : entries_) {
    if (parent_of(path) == dir) names.push_back(path.substr(dir.size() + 1));
  }
  return names;
}

Result<void> FakeDisk::make_dir(const std::string& dir) {
  const std::lock_guard lock(mutex_);
  TRY(enter("make folder", dir, power_cycle_));
  return {};
}

Result<void> FakeDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(enter("remove", path, power_cycle_));
  if (entries_.erase(path) == 0) return error_of(ENOENT, "remove", path);
  return {};
}

Result<void> FakeDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  TRY(enter("rename", from, power_cycle_));
  const auto found = entries_.find(from);
  if (found == entries_.end()) return error_of(ENOENT, "rename", from);
  const InodePtr inode = found->second;
  entries_.erase(found);
  entries_[to] = inode;
  return {};
}

Result<void> FakeDisk::sync_dir(const std::string& dir) {
  const std::lock_guard lock(mutex_);
  TRY(enter("sync", dir, power_cycle_));
  const auto is_inside = [&](const auto& entry) { return parent_of(entry.first) == dir; };
  std::erase_if(durable_entries_, is_inside);
  std::copy_if(entries_.begin(), entries_.end(),
               std::inserter(durable_entries_, durable_entries_.end()), is_inside);
  return {};
}

Result<std::unique_ptr<FileLock>> FakeDisk::lock(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(enter("lock", path, power_cycle_));
  const bool is_free = locks_->with([&](auto& paths) { return paths.insert(path).second; });
  if (!is_free) return error_of(EWOULDBLOCK, "lock", path);
  return std::unique_ptr<FileLock>(std::make_unique<FakeLock>(locks_, path));
}

void FakeDisk::set_fault(std::optional<Fault> fault) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
  has_written_short_ = false;
}

std::uint64_t FakeDisk::call_count() const {
  const std::lock_guard lock(mutex_);
  return call_count_;
}

std::uint64_t FakeDisk::sync_count() const {
  const std::lock_guard lock(mutex_);
  return sync_count_;
}

void FakeDisk::cut_power() {
  const std::lock_guard lock(mutex_);
  has_power_ = false;
}

void FakeDisk::cut_power_at(std::uint64_t call) {
  const std::lock_guard lock(mutex_);
  power_cut_call_ = call;
}

void FakeDisk::lose_unsynced(Inode& inode, std::mt19937_64& random) {
  const auto [small, large] =
      std::minmax({inode.durable.size(), inode.bytes.size(), inode.written.size()});
  std::string left = inode.durable;
  left.resize(std::uniform_int_distribution<std::size_t>(small, large)(random));
  for (const std::size_t sector : inode.dirty) {
    if (random() % 2 == 0) copy_sector(sector, inode.written, left);
  }
  inode.durable = left;
  inode.written = left;
  inode.bytes = std::move(left);
  inode.dirty.clear();
}

void FakeDisk::restore_power(std::mt19937_64& random) {
  const std::lock_guard lock(mutex_);
  Entries left;
  for (const Entries* entries : {&durable_entries_, &entries_}) {
    for (const auto& [path, inode] : *entries) {
      const auto now = entries_.find(path);
      const auto then = durable_entries_.find(path);
      const bool is_synced =
          now != entries_.end() && then != durable_entries_.end() && now->second == then->second;
      if (is_synced || random() % 2 == 0) left[path] = inode;
    }
  }
  std::set<InodePtr> inodes;
  for (const auto& [path, inode] : left) inodes.insert(inode);
  for (const InodePtr& inode : inodes) lose_unsynced(*inode, random);
  entries_ = left;
  durable_entries_ = std::move(left);
  locks_ = std::make_shared<Locks>();
  fault_.reset();
  power_cut_call_ = 0;
  has_power_ = true;
  ++power_cycle_;
}

std::string FakeDisk::contents(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(path);
  NILO_ASSERT(found != entries_.end());
  return found->second->bytes;
}

void FakeDisk::set_contents(const std::string& path, std::string bytes) {
  const std::lock_guard lock(mutex_);
  const auto inode = std::make_shared<Inode>();
  inode->durable = bytes;
  inode->written = bytes;
  inode->bytes = std::move(bytes);
  entries_[path] = inode;
  durable_entries_[path] = inode;
}

}  // namespace nilo::log
