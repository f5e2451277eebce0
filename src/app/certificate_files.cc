#include "app/certificate_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "app/hashes.h"
#include "app/host.h"
#include "base/assert.h"

namespace nilo::app {

namespace {

constexpr unsigned kPrivate = 0600;
constexpr unsigned kPublic = 0644;
constexpr std::size_t kCaNumberSize = 8;

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

std::string machine_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

Result<std::string> read_small_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    return Error{ErrorCode::not_found, fmt::format("there is no file {}", path), ""};
  }
  if (fd < 0) return disk_error(path);
  std::string bytes(net::kCertificateSizeMax + 1, '\0');
  std::size_t size = 0;
  ssize_t count = 0;
  while (size < bytes.size() &&
         (count = ::read(fd, bytes.data() + size, bytes.size() - size)) > 0) {
    size += static_cast<std::size_t>(count);
  }
  const Error error = disk_error(path);
  ::close(fd);
  if (count < 0) return error;
  if (size > net::kCertificateSizeMax) {
    return Error{ErrorCode::too_large, fmt::format("{} is too long for a certificate", path), ""};
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

std::vector<std::string> names_of_this_machine() {
  const std::string own = machine_name();
  std::vector<std::string> names;
  if (!own.empty() && own != "localhost") {
    names.push_back(own);
    if (own.find('.') == std::string::npos) names.push_back(own + ".local");
  }
  names.insert(names.end(), {"localhost", "127.0.0.1", "::1"});
  for (std::string& address : lan_addresses()) names.push_back(std::move(address));
  return names;
}

bool CertificateFiles::has_ca() const { return ::access(ca_path().c_str(), F_OK) == 0; }

Result<std::string> CertificateFiles::ca_certificate() const {
  auto pem = read_small_file(ca_path());
  if (!pem && pem.error().code == ErrorCode::not_found) {
    return Error{ErrorCode::not_found, "there is no CA yet", "make one with: nilo cert ca"};
  }
  return pem;
}

// The key comes first: a CA without its key would be there for ever, a key without its CA is made
// again.
Result<net::CertificateAndKey> CertificateFiles::ca(TimeUs now_us) const {
  if (!has_ca()) {
    TRY(make_private_dir(dir_));
    TRY(start_hashes());
    const std::string name =
        fmt::format("Nilometer CA {}", random_code("0123456789abcdef", kCaNumberSize));
    const auto made = TRY(net::make_ca(name, now_us - kClockSlackUs, now_us + kCaLifeUs));
    TRY(replace_file(ca_key_path(), made.key, kPrivate));
    TRY(replace_file(ca_path(), made.certificate, kPublic));
  }
  net::CertificateAndKey ca{TRY(ca_certificate()), {}};
  auto key = read_small_file(ca_key_path());
  if (!key) {
    return Error{ErrorCode::unavailable, key.error().message,
                 "the CA's key is needed to sign; bring it back, or move ca.crt away for a new CA"};
  }
  ca.key = std::move(*key);
  TRY(net::check_pair(ca));
  return ca;
}

Result<CertificateFiles::ServerCertificate> CertificateFiles::make_server(
    const std::vector<std::string>& names, TimeUs life_us, TimeUs now_us) const {
  NILO_ASSERT(!names.empty());
  const net::CertificateAndKey ca = TRY(this->ca(now_us));
  net::CertificateWish wish;
  wish.use = net::CertificateWish::Use::server;
  wish.common_name = names.front().substr(0, 64);
  wish.alternative_names = names;
  wish.not_before_us = now_us - kClockSlackUs;
  wish.not_after_us = now_us + life_us;
  const auto old = read_small_file(server_path());
  const auto old_key = read_small_file(server_key_path());
  if (!old && old_key) {
    return Error{ErrorCode::conflict,
                 fmt::format("there is a key {} without its certificate", server_key_path()),
                 "move it away, and a new pair is made"};
  }
  if (!old) {
    const auto made = TRY(net::issue(ca, wish));
    TRY(create_file(server_key_path(), made.key, kPrivate));
    TRY(replace_file(server_path(), made.certificate, kPublic));
    return ServerCertificate{TRY(net::read_certificate(made.certificate)), false};
  }
  if (!old_key) return old_key.error();
  for (const std::string& name : TRY(net::read_certificate(*old)).alternative_names) {
    auto& all = wish.alternative_names;
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  }
  const std::string renewed = TRY(net::issue_for_key(ca, wish, *old_key));
  TRY(replace_file(server_path(), renewed, kPublic));
  return ServerCertificate{TRY(net::read_certificate(renewed)), true};
}

}  // namespace nilo::app
