#include "app/admin_token.h"

#include <fstream>

#include "app/host.h"

namespace nilo::app {

namespace {
constexpr std::string_view kAdminTokenName = "local-admin";
}

Result<std::string> ensure_admin_token(Access& access, const std::string& path,
                                       const std::function<Result<void>(const Token&)>& store) {
  std::string secret;
  std::ifstream(path) >> secret;
  if (!secret.empty() && access.by_token(secret)) return secret;
  if (auto old = access.revoked(kAdminTokenName)) access.apply(*old);
  const auto made =
      TRY(access.make_token({.name = std::string(kAdminTokenName), .role = Role::admin}));
  TRY(store(made.token));
  access.apply(made.token);
  TRY(write_private_file(path, made.secret + "\n"));
  return made.secret;
}

}  // namespace nilo::app
