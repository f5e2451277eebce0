#include "app/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace nilo::app {

namespace {

Error disk_error(const std::string& path) {
  return {ErrorCode::unavailable, fmt::format("{}: {}", path, std::strerror(errno)), ""};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// A synced file of a name that nobody else uses, beside `path`.
Result<std::string> write_aside(const std::string& path, std::string_view bytes, unsigned mode) {
  const std::string aside = fmt::format("{}.{}.new", path, ::getpid());
  ::unlink(aside.c_str());
  const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) return disk_error(path);
  const bool is_written = ::fchmod(fd, mode) == 0 && write_all(fd, bytes) && ::fsync(fd) == 0;
  const Error error = disk_error(path);
  ::close(fd);
  if (is_written) return aside;
  ::unlink(aside.c_str());
  return error;
}

// So that the name lasts, too.
void sync_folder_of(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

Result<std::string> read_small_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    return Error{ErrorCode::not_found, fmt::format("there is no file {}", path), ""};
  }
  if (fd < 0) return disk_error(path);
  std::string bytes(kSmallFileSizeMax + 1, '\0');
  std::size_t size = 0;
  ssize_t count = 0;
  while (size < bytes.size() &&
         (count = ::read(fd, bytes.data() + size, bytes.size() - size)) > 0) {
    size += static_cast<std::size_t>(count);
  }
  const Error error = disk_error(path);
  ::close(fd);
  if (count < 0) return error;
  if (size > kSmallFileSizeMax) {
    return Error{ErrorCode::too_large, fmt::format("{} is longer than 1 MiB", path), ""};
  }
  bytes.resize(size);
  return bytes;
}

Result<void> replace_file(const std::string& path, std::string_view bytes, unsigned mode) {
  const std::string aside = TRY(write_aside(path, bytes, mode));
  if (::rename(aside.c_str(), path.c_str()) != 0) {
    const Error error = disk_error(path);
    ::unlink(aside.c_str());
    return error;
  }
  sync_folder_of(path);
  return {};
}

Result<void> create_file(const std::string& path, std::string_view bytes, unsigned mode) {
  const std::string aside = TRY(write_aside(path, bytes, mode));
  const bool is_made = ::link(aside.c_str(), path.c_str()) == 0;
  const bool was_there = !is_made && errno == EEXIST;
  const Error error = disk_error(path);
  ::unlink(aside.c_str());
  if (was_there) {
    return Error{ErrorCode::conflict, fmt::format("{} exists already", path),
                 "nothing is ever written over a key; move it away first"};
  }
  if (!is_made) return error;
  sync_folder_of(path);
  return {};
}

}  // namespace nilo::app
