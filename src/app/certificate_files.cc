#include "app/certificate_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "app/hashes.h"
#include "app/host.h"
#include "app/whole_file.h"
#include "base/assert.h"

namespace nilo::app {

namespace {

constexpr std::size_t kCaNumberSize = 8;

std::string machine_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

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
    TRY(replace_file(ca_key_path(), made.key, kPrivateMode));
    TRY(replace_file(ca_path(), made.certificate, kPublicMode));
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
    TRY(create_file(server_key_path(), made.key, kPrivateMode));
    TRY(replace_file(server_path(), made.certificate, kPublicMode));
    return ServerCertificate{TRY(net::read_certificate(made.certificate)), false};
  }
  if (!old_key) return old_key.error();
  for (const std::string& name : TRY(net::read_certificate(*old)).alternative_names) {
    auto& all = wish.alternative_names;
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  }
  const std::string renewed = TRY(net::issue_for_key(ca, wish, *old_key));
  TRY(replace_file(server_path(), renewed, kPublicMode));
  return ServerCertificate{TRY(net::read_certificate(renewed)), true};
}

}  // namespace nilo::app
