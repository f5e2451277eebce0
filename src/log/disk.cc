#include "log/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace nilo::log {

namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirMode = 0700;
constexpr std::size_t kPiecesMax = 64;  // of one write; far below the kernel's 1024

// Repeats a system call that a signal interrupted.
template <typename F>
auto retried(F&& call) {
  auto answer = call();
  while (answer < 0 && errno == EINTR) answer = call();
  return answer;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

Result<Descriptor> open_descriptor(const std::string& path, int flags) {
  const int number = retried([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); });
  if (number < 0) return error_of(errno, "open", path);
  return Descriptor(number);
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
    std::size_t filled = 0;
    while (filled < out.size()) {
      const ssize_t count = retried([&] {
        return ::pread(descriptor_.number(), out.data() + filled, out.size() - filled,
                       static_cast<off_t>(offset + filled));
      });
      if (count < 0) return error_of(errno, "read", path_);
      if (count == 0) break;
      filled += static_cast<std::size_t>(count);
    }
    return filled;
  }

  Result<std::size_t> write_at(std::uint64_t offset,
                               std::span<const std::string_view> pieces) override {
    std::array<iovec, kPiecesMax> vectors;
    const std::size_t count = std::min(pieces.size(), kPiecesMax);
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
    }
    const ssize_t written = retried([&] {
      return ::pwritev(descriptor_.number(), vectors.data(), static_cast<int>(count),
                       static_cast<off_t>(offset));
    });
    if (written < 0) return error_of(errno, "write", path_);
    return static_cast<std::size_t>(written);
  }

  // A file system that shuts down (its disk fails, or is pulled out) while fdatasync() waits may
  // let it succeed with nothing on the disk. From then on it refuses reads, also of cached bytes:
  // decision 6.
  Result<void> sync() override {
    const int file = descriptor_.number();
    char first = 0;
    const bool is_synced = retried([&] { return ::fdatasync(file); }) == 0 &&
                           retried([&] { return ::pread(file, &first, 1, 0); }) >= 0;
    if (is_synced) return {};
    return error_of(errno, "sync", path_);
  }

  Result<void> truncate(std::uint64_t size) override {
    const auto length = static_cast<off_t>(size);
    if (retried([&] { return ::ftruncate(descriptor_.number(), length); }) == 0) return {};
    return error_of(errno, "truncate", path_);
  }

  Result<std::uint64_t> size() const override {
    struct stat info {};
    if (::fstat(descriptor_.number(), &info) != 0) return error_of(errno, "stat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  std::string path_;
  Descriptor descriptor_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;  // the lock is given back when it is closed
};

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    Descriptor descriptor = TRY(open_descriptor(path, flags_of(mode)));
    return std::unique_ptr<File>(std::make_unique<PosixFile>(path, std::move(descriptor)));
  }

  Result<std::vector<std::string>> list(const std::string& dir) override {
    DIR* handle = ::opendir(dir.c_str());
    if (handle == nullptr) return error_of(errno, "list", dir);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(handle)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int failure = errno;
    ::closedir(handle);
    if (failure != 0) return error_of(failure, "list", dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<void> make_dir(const std::string& dir) override {
    for (std::size_t at = 0; at != std::string::npos;) {
      at = dir.find('/', at + 1);
      const std::string part = dir.substr(0, at);
      if (::mkdir(part.c_str(), kDirMode) == 0) {
        TRY(sync_dir(parent_of(part)));
      } else if (errno != EEXIST) {
        // A parent may be there and not be ours to write to.
        struct stat info {};
        const int failure = errno;
        if (::stat(part.c_str(), &info) != 0) return error_of(failure, "make folder", part);
      }
    }
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return error_of(errno, "remove", path);
    return {};
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return error_of(errno, "rename", from);
    return {};
  }

  Result<void> sync_dir(const std::string& dir) override {
    const Descriptor descriptor = TRY(open_descriptor(dir, O_RDONLY | O_DIRECTORY));
    if (retried([&] { return ::fsync(descriptor.number()); }) == 0) return {};
    return error_of(errno, "sync", dir);
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    Descriptor descriptor = TRY(open_descriptor(path, O_RDWR | O_CREAT));
    if (retried([&] { return ::flock(descriptor.number(), LOCK_EX | LOCK_NB); }) != 0) {
      return error_of(errno, "lock", path);
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(std::move(descriptor)));
  }

 private:
  static std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
  }

  static int flags_of(OpenMode mode) {
    switch (mode) {
      case OpenMode::read:
        return O_RDONLY;
      case OpenMode::read_write:
        return O_RDWR;
      case OpenMode::create:
        return O_RDWR | O_CREAT | O_TRUNC;
    }
    return O_RDONLY;
  }
};

ErrorCode code_of(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::resource_exhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::permission_denied;
    case ENOENT:
      return ErrorCode::not_found;
    case EEXIST:
    case EWOULDBLOCK:  // flock: somebody else has it
      return ErrorCode::conflict;
    default:
      return ErrorCode::unavailable;
  }
}

}  // namespace

Error error_of(int number, std::string_view what, std::string_view path) {
  const ErrorCode code = code_of(number);
  const std::string reason = std::generic_category().message(number);
  if (code == ErrorCode::resource_exhausted) {
    return {code, fmt::format("disk full: cannot {} {}: {}", what, path, reason),
            "free some space"};
  }
  return {code, fmt::format("cannot {} {}: {}", what, path, reason)};
}

Result<void> write_all(File& file, std::uint64_t offset, std::span<const std::string_view> pieces) {
  std::vector<std::string_view> left(pieces.begin(), pieces.end());
  for (std::size_t first = 0; first < left.size();) {
    if (left[first].empty()) {
      ++first;
      continue;
    }
    std::size_t written = TRY(file.write_at(offset, std::span(left).subspan(first)));
    if (written == 0) return Error{ErrorCode::unavailable, "the disk wrote nothing"};
    offset += written;
    while (written > 0) {
      const std::size_t part = std::min(written, left[first].size());
      left[first].remove_prefix(part);
      written -= part;
      if (left[first].empty()) ++first;
    }
  }
  return {};
}

std::unique_ptr<Disk> make_disk() { return std::make_unique<PosixDisk>(); }

}  // namespace nilo::log
