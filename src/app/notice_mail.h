// app/notice_mail.h: a notice as a mail: text, HTML, and the chart where there is one.
//
// Everything in a notice may come from strangers (names, payloads, topics): in HTML all of it is
// escaped, and links are made of http and https only.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "app/notice_chart.h"
#include "app/notices.h"
#include "net/mail.h"

namespace nilo::app {

struct MailFrame {
  std::string from;       // as in the stack
  std::string site_name;  // for the footer
};

// `chart`: nullptr: without a picture. The mail is the same for each try, so that a reader sees one
// where two came.
net::Mail mail_of(const Notice& notice, const MailFrame& frame, const NoticeChart* chart);

// For text between tags and for attributes in double quotes.
std::string html_escaped(std::string_view text);

}  // namespace nilo::app
