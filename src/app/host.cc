#include "app/host.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace nilo::app {

int cores_allowed(int most) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::clamp(CPU_COUNT(&cores), 1, most);
}

std::size_t raise_descriptors(Logger& logger) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return limit.rlim_cur;
  logger.warn("server.descriptors_not_raised", {{"limit", before}});
  return before;
}

void limit_memory(std::uint64_t size, Logger& logger) {
  rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = std::min<rlim_t>(size, limit.rlim_max);
  if (::setrlimit(RLIMIT_DATA, &limit) != 0) logger.warn("server.memory_not_limited");
}

Result<void> make_private_dir(const std::string& path) {
  std::error_code failure;
  const bool is_new = std::filesystem::create_directories(path, failure);
  if (is_new && !failure) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, failure);
  }
  const bool is_usable = !failure && ::access(path.c_str(), W_OK | X_OK) == 0;
  if (is_usable) return {};
  if (!failure) failure.assign(errno, std::generic_category());
  return Error{ErrorCode::permission_denied,
               fmt::format("data folder {}: {}", path, failure.message()),
               "give another one: --data DIR"};
}

Result<void> write_private_file(const std::string& path, std::string_view bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  const bool is_written =
      fd >= 0 && ::fchmod(fd, 0600) == 0 &&
      ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  const int failure = errno;
  if (fd >= 0) ::close(fd);
  if (is_written) return {};
  return Error{ErrorCode::unavailable, fmt::format("{}: {}", path, std::strerror(failure)),
               "remove it; a new one is written at the next start"};
}

std::vector<std::string> lan_addresses() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  std::vector<std::string> v4;
  std::vector<std::string> v6;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    const std::string_view name = one->ifa_name;
    const bool is_virtual = name.starts_with("docker") || name.starts_with("br-") ||
                            name.starts_with("veth") || name.starts_with("virbr");
    if (one->ifa_addr == nullptr || is_virtual) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    char text[NI_MAXHOST];
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (::getnameinfo(one->ifa_addr, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) {
      continue;
    }
    const std::string_view address = text;
    const bool is_local = address.starts_with("127.") || address.starts_with("169.254.") ||
                          address == "::1" || address.starts_with("fe80:");
    if (!is_local) (family == AF_INET ? v4 : v6).emplace_back(address);
  }
  ::freeifaddrs(all);
  v4.insert(v4.end(), v6.begin(), v6.end());
  return v4;
}

std::string executable_dir() {
  std::error_code failure;
  return std::filesystem::read_symlink("/proc/self/exe", failure).parent_path().string();
}

}  // namespace nilo::app
