#include "app/policy_certificate.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "value/distinguished_name.h"

namespace nilo::app {
namespace {

// How OpenSSL writes a type of a name, and how policies call it.
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"C", "Country"},
    {"O", "Organization"},
    {"OU", "OrganizationalUnit"},
    {"ST", "State"},
    {"CN", "CommonName"},
    {"serialNumber", "SerialNumber"},
    {"title", "Title"},
    {"SN", "Surname"},
    {"GN", "GivenName"},
    {"initials", "Initials"},
    {"pseudonym", "Pseudonym"},
    {"generationQualifier", "GenerationQualifier"},
    {"dnQualifier", "DistinguishedNameQualifier"}};

void add_name(std::string_view whose, std::string_view name, PolicySubject& subject) {
  for (NamePart& part : parts_of_name(name)) {
    for (const auto& [type, word] : kTypes) {
      if (part.type != type || part.value.empty()) continue;
      subject.certificate.emplace_back(fmt::format("{}.{}", whose, word), std::move(part.value));
      break;
    }
  }
}

}  // namespace

void add_certificate(PolicySubject& subject, const net::Certificate& shown) {
  subject.certificate_id = shown.fingerprint;
  add_name("Subject", shown.subject, subject);
  add_name("Issuer", shown.issuer, subject);
  for (const std::string& name : shown.alternative_names) {
    PolicyCondition::Network address;
    const bool is_address = PolicyCondition::parse_network(name, address);
    subject.certificate.emplace_back(
        is_address ? "Subject.AlternativeName.IPAddress" : "Subject.AlternativeName.DNSName", name);
  }
  if (!shown.serial.empty()) subject.certificate.emplace_back("SerialNumber", shown.serial);
}

}  // namespace nilo::app
