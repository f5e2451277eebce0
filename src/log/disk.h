// log/disk.h: the file system as the log needs it, small enough to be faked.
//
// In/out:  paths and bytes -> the kernel, and what it answered.
// Threads: a Disk may be shared; a File belongs to one thread at a time.
// Limits:  none of its own; a write may be short, as the kernel's may (write_all completes it).
// Source:  POSIX pread, pwritev, fdatasync, ftruncate, flock; open(2) of Linux for directories.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nilo::log {

// Every call fails with: resource_exhausted (disk or quota full), permission_denied (rights, or a
// read-only file system), not_found, conflict (exists, or locked), unavailable (all else); the
// message names operation, path and the kernel's reason.
class File {
 public:
  virtual ~File() = default;
  // Fills `out` from `offset`; fewer bytes only at the end of the file. Returns the count.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const = 0;
  // Writes a prefix of the pieces' bytes, at least one byte unless they are empty. Returns the
  // count.
  virtual Result<std::size_t> write_at(std::uint64_t offset,
                                       std::span<const std::string_view> pieces) = 0;
  // When this returns, the bytes and the size survive a power cut. After a failure nobody knows
  // which bytes do, and asking again proves nothing.
  virtual Result<void> sync() = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() const = 0;
};

// Held as long as the object lives; given back by the kernel when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Disk {
 public:
  enum class OpenMode : std::uint8_t {
    read,        // must exist
    read_write,  // must exist
    create,      // read and write; made or emptied
  };

  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Names of the entries in `dir`, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& dir) = 0;
  // Makes `dir` and its missing parents, for the owner only, to survive a power cut. No error if it
  // exists.
  virtual Result<void> make_dir(const std::string& dir) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  // Replaces `to` in one step.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  // Makes creations, renames and removals in `dir` survive a power cut.
  virtual Result<void> sync_dir(const std::string& dir) = 0;
  // Takes the file `path` (made if missing) for this process. conflict: somebody else has it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// Writes all pieces, completing short writes. On failure an unknown prefix has been written.
Result<void> write_all(File& file, std::uint64_t offset, std::span<const std::string_view> pieces);

// The Error for a failed system call: `what` e.g. "write", `number` its errno.
Error error_of(int number, std::string_view what, std::string_view path);

// The kernel's file system. Files are for the owner only (0600).
std::unique_ptr<Disk> make_disk();

}  // namespace nilo::log
