// net/mail.h: one mail to one recipient, over SMTP.
//
//   Mailer -> libcurl -> SMTP server:  multipart/related
//                                        multipart/alternative: text/plain, text/html
//                                        image/png, Content-ID <kChartContentId>
//
// Blocks; never on a loop. The connection is kept and serves the mails that follow, but only after
// a mail that was taken: what a server says too late must not be heard as an answer to the next.
// Threads: a Mailer belongs to one; the functions are pure.
// Limits:  MailLimits. Whoever is slower has failed, for now. The one for the answer to a whole
//          mail is long on purpose (RFC 5321, 4.5.3.2.6): a server that has stored it and is given
//          up gets it again, and again. A goodbye is said, and no answer to it awaited.
// Source:  RFC 5321 (SMTP), 3207 (STARTTLS), 8314 (TLS on 465), 5322 and 2047 (headers), 2387
//          (related), 2392 (cid), 3834 (Auto-Submitted).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "net/delivery.h"

namespace nilo::net {

inline constexpr std::string_view kChartContentId = "chart";

struct SmtpServer {
  enum class Tls : std::uint8_t {
    none,      // plain, on purpose
    starttls,  // begins plain and must change to TLS before anything else; never stays plain
    tls,       // TLS from the first byte
  };
  std::string host;
  std::uint16_t port = 587;
  Tls tls = Tls::starttls;
  std::string user{};  // empty: no login
  std::string password{};
  std::string ca_file{};  // PEM; empty: the system's. Certificates are always checked.
};

struct Mail {
  std::string from;  // "nilo@example.org" or "Water tanks <nilo@example.org>"
  std::string to;    // the same forms
  std::string subject{};
  std::string text;
  std::string html{};        // empty: the mail is its text alone
  std::string png{};         // shown by the HTML as <img src="cid:chart">; empty: none
  std::string message_id{};  // without <>; the same for every try
  TimeUs date_us = 0;
};

struct MailLimits {
  std::int64_t connect_ms = 10'000;   // until it has greeted, agreed on TLS and taken the login
  std::int64_t send_ms = 60'000;      // from the beginning until all of the mail is sent
  std::int64_t verdict_ms = 600'000;  // from there until it says whether it takes it
};

// The address in "Name <a@b>" or "a@b".
// invalid_argument: not one address; control characters, spaces, no '@', over 254 bytes.
Result<std::string> bare_address(std::string_view mailbox);

// `text` as the value of a header: control characters (CR and LF above all) become spaces; what is
// not plain ASCII, or long, becomes encoded words (RFC 2047) on folded lines.
std::string header_text(std::string_view text);

// "Sun, 22 Nov 2026 10:00:00 +0000"
std::string mail_date(TimeUs us);

class Mailer {
 public:
  explicit Mailer(SmtpServer server, const MailLimits& limits = {});
  ~Mailer();

  // refused: a recipient's address that is none, and a 5xx to the recipient or the mail (or 552,
  // too large, to the sender). failed: the rest. That a login, a certificate or the sender does not
  // fit is the server's or its owner's to mend, and passes then. `give_up` may be empty.
  Delivery send(const Mail& mail, const GiveUp& give_up = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nilo::net
