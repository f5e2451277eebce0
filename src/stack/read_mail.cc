#include "stack/forms.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

struct Security {
  std::string_view word;
  Mail::Tls tls;
  int port;  // where servers usually offer it
};
constexpr Security kSecurities[] = {{"tls", Mail::Tls::tls, 465},
                                    {"starttls", Mail::Tls::starttls, 587},
                                    {"none", Mail::Tls::none, 25}};
constexpr std::string_view kSecurityWords[] = {"tls", "starttls", "none"};

// User and password belong together, and stay secret on their way.
void check_login(const Mail& mail, bool has_password_key, Section& keys, Reading& reading) {
  if (!mail.user.empty() && !has_password_key) {
    reading.tell(Code::mail_login, keys.place_of("user"), "", "`user` needs a `password`",
                 "write password = { env = \"MAIL_PASSWORD\" }");
  } else if (mail.user.empty() && has_password_key) {
    reading.tell(Code::mail_login, keys.place_of("password"), "", "`password` needs a `user`",
                 "write user = \"you@example.org\"");
  } else if (mail.tls == Mail::Tls::none && has_password_key && !is_this_machine(mail.server)) {
    reading.tell(Code::mail_login, keys.place_of("tls"), "",
                 "the password would cross the network in plain text",
                 "write tls = \"starttls\" or tls = \"tls\"");
  }
}

}  // namespace

void read_mail(const Member& section, Reading& reading) {
  if (!reading.declare("[mail]", section.key_place)) return;
  Section keys(section.node, section.key_place, "[mail]", reading);
  Mail mail;
  mail.place = section.key_place;
  constexpr Key kServer{"server", "\"mail.example.org\""};
  constexpr Key kFrom{"from", "\"tanks@example.org\""};
  keys.require(kServer);
  keys.require(kFrom);
  mail.server = keys.text(kServer).value_or("localhost");
  if (!is_server(mail.server)) {
    reading.tell(Code::not_a_host, keys.place_of("server"), "", mail.server);
  }
  const std::string word = keys.choice({"tls", "\"starttls\""}, kSecurityWords).value_or("tls");
  for (const Security& security : kSecurities) {
    if (security.word != word) continue;
    mail.tls = security.tls;
    mail.port = security.port;
  }
  mail.port = static_cast<int>(keys.integer({"port", "465"}, 1, 65535).value_or(mail.port));
  mail.user = keys.text({"user", "\"you@example.org\""}).value_or("");
  mail.password = keys.secret({"password", "MAIL_PASSWORD"});
  mail.from = keys.text(kFrom).value_or("nobody@localhost");
  if (!is_mail_address(mail.from, true)) {
    reading.tell(Code::not_a_mail_address, keys.place_of("from"), "", mail.from,
                 "\"Tanks <tanks@example.org>\"");
  }
  mail.ca = keys.text({"ca", "\"ca.pem\""}).value_or("");
  check_login(mail, keys.take("password") != nullptr, keys, reading);
  keys.finish();
  reading.stack.mail = std::move(mail);
}

void read_site(const Member& section, Reading& reading) {
  if (!reading.declare("[site]", section.key_place)) return;
  Section keys(section.node, section.key_place, "[site]", reading);
  Site& site = reading.stack.site;
  if (const auto name = keys.prose({"name", "\"Water tanks\""})) site.name = name->value;
  site.zone = keys.zone({"zone", "\"Europe/Rome\""}).value_or(site.zone);
  site.url = keys.text({"url", "\"https://tanks.example.org\""}).value_or("");
  while (site.url.ends_with('/')) site.url.pop_back();
  if (keys.take("url") != nullptr && !is_url(site.url)) {
    reading.tell(Code::not_a_url, keys.place_of("url"), "", site.url, "https://tanks.example.org");
  }
  keys.finish();
}

}  // namespace nilo::stack
