#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "net/tcp_listener.h"

namespace nilo::net {
namespace {

namespace fs = std::filesystem;

// The inode of the socket that listens on `port`, from one table of proc(5):
// "  0: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 INODE ..."
std::optional<std::string> listening_inode(const char* table, std::uint16_t port) {
  char port_text[8];
  std::snprintf(port_text, sizeof port_text, ":%04X", static_cast<unsigned>(port));
  std::ifstream file(table);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
        timeout >> inode;
    if (state == "0A" && local.ends_with(port_text)) return inode;
  }
  return std::nullopt;
}

bool has_descriptor(const fs::path& process, const std::string& target) {
  std::error_code error;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end;
       at.increment(error)) {
    std::error_code unreadable;
    if (fs::read_symlink(at->path(), unreadable) == target) return true;
  }
  return false;
}

}  // namespace

std::string owner_of_port(std::uint16_t port) {
  std::optional<std::string> inode = listening_inode("/proc/net/tcp", port);
  if (!inode) inode = listening_inode("/proc/net/tcp6", port);
  if (!inode) return {};
  const std::string target = "socket:[" + *inode + "]";
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string pid = at->path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!has_descriptor(at->path(), target)) continue;
    std::string name;
    std::getline(std::ifstream(at->path() / "comm"), name);
    return name + " (pid " + pid + ")";
  }
  return {};
}

}  // namespace nilo::net
