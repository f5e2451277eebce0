#include "app/secrets.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace nilo::app {

namespace {

Result<std::string> checked(std::string secret, const std::string& where) {
  if (!secret.empty() && secret.back() == '\r') secret.pop_back();
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (secret.empty()) return Error{ErrorCode::invalid_argument, where + " is empty", ""};
  if (secret.size() > kSecretSizeMax) {
    return Error{ErrorCode::invalid_argument, where + " is longer than 4096 bytes", ""};
  }
  if (std::any_of(secret.begin(), secret.end(), is_control)) {
    return Error{ErrorCode::invalid_argument, where + " has control characters",
                 "it is one line of text"};
  }
  return secret;
}

// `private_only`: refuse a file that is open to everybody. systemd sees to its credentials itself.
Result<std::string> first_line(const std::string& path, bool private_only) {
  const std::string where = "the file " + path;
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    const ErrorCode code = errno == EACCES ? ErrorCode::permission_denied : ErrorCode::not_found;
    return Error{code, fmt::format("{} cannot be read: {}", where, std::strerror(errno)),
                 "write the secret into it, in one line"};
  }
  if (private_only && (about.st_mode & S_IROTH) != 0) {
    return Error{ErrorCode::permission_denied,
                 fmt::format("{} can be read by everybody on this machine", where),
                 "chmod 600 " + path};
  }
  std::ifstream in(path);
  std::string line;
  if (!in || !S_ISREG(about.st_mode)) {
    return Error{ErrorCode::permission_denied, where + " cannot be read", "whose is it?"};
  }
  for (char c = 0; line.size() <= kSecretSizeMax && in.get(c) && c != '\n';) line += c;
  return checked(std::move(line), where);
}

}  // namespace

std::string path_in(const std::string& stack_dir, const std::string& file) {
  return (std::filesystem::path(stack_dir) / file).string();  // an absolute one stays as it is
}

Result<std::string> read_secret(const stack::Secret& secret, const std::string& stack_dir) {
  if (!secret.env.empty()) {
    const char* const value = std::getenv(secret.env.c_str());
    const std::string where = "the environment variable " + secret.env;
    if (value == nullptr) {
      return Error{ErrorCode::not_found, where + " is not set", "set it where nilo is started"};
    }
    return checked(value, where);
  }
  if (!secret.cred.empty()) {
    const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr) {
      return Error{ErrorCode::not_found,
                   fmt::format("no credential {}: $CREDENTIALS_DIRECTORY is not set", secret.cred),
                   "run it under systemd with LoadCredential="};
    }
    if (secret.cred.find('/') != std::string::npos) {
      return Error{ErrorCode::invalid_argument, "a credential is a name, not a path", ""};
    }
    return first_line(std::string(folder) + "/" + secret.cred, false);
  }
  return first_line(path_in(stack_dir, secret.file), true);
}

}  // namespace nilo::app
