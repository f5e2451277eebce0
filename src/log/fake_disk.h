// log/fake_disk.h: a disk in memory that forgets, tears and fails, for tests.
//
// What is not synced may be lost when the power goes: of a file, any of its 512-byte sectors, its
// growth and its cuts; of a folder, any creation, rename or removal. A failed sync forgets which
// sectors were dirty, as Linux does: the next sync succeeds and does not write them (Rebello et
// al., ATC 2020).
//
// Threads: safe to share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "log/disk.h"

namespace nilo::log {

class FakeDisk final : public Disk {
 public:
  // A call is anything asked of the disk or of one of its files, size() apart.
  struct Fault {
    std::uint64_t call = 0;       // the number of the call that fails, from 1
    std::uint64_t call_end = 0;   // the first one that succeeds again; 0 = `call` + 1
    int number = 0;               // errno; 0 = a write takes only half of its bytes
    bool only_writes = false;     // other calls succeed, as on a full disk
    bool first_is_short = false;  // the first write that would fail takes half of its bytes
  };

  FakeDisk();
  ~FakeDisk() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<std::string>> list(const std::string& dir) override;
  Result<void> make_dir(const std::string& dir) override;
  Result<void> remove(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> sync_dir(const std::string& dir) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  void set_fault(std::optional<Fault> fault);
  std::uint64_t call_count() const;
  std::uint64_t sync_count() const;  // of files, successful

  // From here on every call fails, also on files opened before.
  void cut_power();
  // The same, when call number `call` is made.
  void cut_power_at(std::uint64_t call);
  // The disk works again, with what was synced and, of the rest, what chance left. Files opened
  // before stay dead; locks are gone.
  void restore_power(std::mt19937_64& random);

  // The bytes as a reader sees them now; asserted: the file exists.
  std::string contents(const std::string& path) const;
  // Makes or replaces a file, durably.
  void set_contents(const std::string& path, std::string bytes);

 private:
  friend class FakeFile;
  friend class FakeLock;
  struct Inode {
    std::string bytes;            // as a reader sees them
    std::string written;          // and what was cut off them since the last sync
    std::string durable;          // as the platter has them
    std::set<std::size_t> dirty;  // sectors in which they may differ
  };
  using InodePtr = std::shared_ptr<Inode>;
  using Entries = std::map<std::string, InodePtr>;
  using Locks = Guarded<std::set<std::string>>;

  // What a call must do: fail with an Error, or (true) write short.
  Result<bool> enter(std::string_view what, std::string_view path, std::uint64_t power_cycle);
  static void lose_unsynced(Inode& inode, std::mt19937_64& random);

  mutable std::mutex mutex_;  // guards all below, the inodes' bytes included
  Entries entries_;
  Entries durable_entries_;
  std::shared_ptr<Locks> locks_;
  std::optional<Fault> fault_;
  bool has_written_short_ = false;
  std::uint64_t call_count_ = 0;
  std::uint64_t sync_count_ = 0;
  std::uint64_t power_cycle_ = 0;
  std::uint64_t power_cut_call_ = 0;  // 0 = none
  bool has_power_ = true;
};

}  // namespace nilo::log
