#include "net/mail.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/utf8.h"
#include "net/address.h"

namespace nilo::net {

namespace {

constexpr long kIdleMaxS = 60;  // a connection idle for longer is not used again
constexpr int kServiceClosing = 221;
constexpr int kServiceUnavailable = 421;
constexpr int kTooLarge = 552;

struct EasyDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct MimeDeleter {
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using Mime = std::unique_ptr<curl_mime, MimeDeleter>;
using List = std::unique_ptr<curl_slist, ListDeleter>;

void append(List& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  NILO_ASSERT(longer != nullptr);  // out of memory
  [[maybe_unused]] curl_slist* const same = list.release();
  list.reset(longer);
}

using Moment = std::chrono::steady_clock::time_point;
Moment in_ms(std::int64_t ms) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
}

// What the server said last, how far the mail has come, and for how long that may last.
struct Conversation {
  Conversation(const MailLimits& with, const GiveUp& when)
      : limits(with), give_up(when), send_until(in_ms(with.send_ms)) {}

  const MailLimits& limits;
  const GiveUp& give_up;
  std::string reply;  // all lines of it
  bool is_reply_open = false;
  int code = 0;
  bool mail_begun = false;  // connected, logged in, and asked to take this mail
  bool has_recipient = false;
  std::string sent_last;  // the last bytes of the mail that went out
  bool is_sent = false;   // all of the mail, and no answer yet
  bool is_taken = false;
  bool is_late = false;
  Moment send_until;
  Moment answer_until{};

  // A mail of ours ends with the last delimiter of its parts (RFC 2046, 5.1.1), after which a newer
  // libcurl shows SMTP's own end, too. It does not tell when it has sent all. Where the same bytes
  // stand in the middle, more will follow.
  void sent(std::string_view bytes) {
    constexpr std::string_view kEnd = "--\r\n.\r\n";
    constexpr std::string_view kEndOfParts = "--\r\n";
    sent_last += bytes.substr(bytes.size() - std::min(bytes.size(), kEnd.size()));
    sent_last.erase(0, sent_last.size() - std::min(sent_last.size(), kEnd.size()));
    is_sent = sent_last == kEnd || sent_last.ends_with(kEndOfParts);
    answer_until = in_ms(limits.verdict_ms);
  }
  bool is_over() {
    is_late = std::chrono::steady_clock::now() > (is_sent ? answer_until : send_until);
    return is_late || (give_up && give_up());
  }
  void heard(std::string_view line) {
    int number = 0;
    if (line.size() < 3) return;
    const auto [end, failure] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (failure != std::errc() || end != line.data() + 3) return;
    if (number == kServiceClosing) return;  // to our goodbye: says nothing about the mail
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (!is_reply_open) reply.clear();
    // Further lines without their code.
    if (is_reply_open) line.remove_prefix(std::min<std::size_t>(line.size(), 4));
    is_reply_open = end < line.data() + line.size() && *end == '-';
    if (!reply.empty()) reply += ' ';
    if (reply.size() < kAnswerTextSizeMax) reply += line;
    code = number;
    if (!is_sent || is_reply_open) return;
    is_sent = false;
    is_taken = code / 100 == 2;
    send_until = in_ms(limits.connect_ms);  // to take leave
  }
};

std::size_t on_reply(char* bytes, std::size_t size, std::size_t count, void* conversation) {
  static_cast<Conversation*>(conversation)->heard({bytes, size * count});
  return size * count;
}

// Only to see how far we are: what goes out here has the login in it, and is shown to nobody.
int on_trace(CURL* /*curl*/, curl_infotype type, char* bytes, std::size_t size, void* to) {
  Conversation& conversation = *static_cast<Conversation*>(to);
  const std::string_view text(bytes, size);
  if (type == CURLINFO_DATA_OUT) conversation.sent(text);
  if (type != CURLINFO_HEADER_OUT) return 0;
  conversation.mail_begun |= text.starts_with("MAIL FROM:");
  conversation.has_recipient |= text.starts_with("RCPT TO:");
  return 0;
}

int on_progress(void* conversation, curl_off_t /*in_all*/, curl_off_t /*in*/,
                curl_off_t /*out_all*/, curl_off_t /*out*/) {
  return static_cast<Conversation*>(conversation)->is_over() ? 1 : 0;
}

// "a.b@c" -> "c"
std::string_view domain_of(std::string_view address) {
  return address.substr(address.find('@') + 1);
}

// "Anna <anna@example.org>" with the name as header text.
std::string header_mailbox(std::string_view mailbox, const std::string& address) {
  const std::size_t open = mailbox.find('<');
  std::string_view name = mailbox.substr(0, open == std::string_view::npos ? 0 : open);
  while (name.ends_with(' ')) name.remove_suffix(1);
  if (name.empty()) return address;
  const std::string text = header_text(name);
  const bool is_encoded = text.starts_with("=?");
  std::string quoted;
  for (const char c : text) {
    if (c != '"' && c != '\\') quoted += c;
  }
  return is_encoded ? text + " <" + address + ">" : "\"" + quoted + "\" <" + address + ">";
}

void add_text(curl_mime* to, const std::string& text, const char* type) {
  curl_mimepart* const part = curl_mime_addpart(to);
  curl_mime_data(part, text.data(), text.size());
  curl_mime_type(part, type);
  curl_mime_encoder(part, "quoted-printable");
}

// Ownership of what this makes goes to `to`.
void add_alternatives(CURL* curl, curl_mime* to, const Mail& mail) {
  curl_mime* const both = curl_mime_init(curl);
  add_text(both, mail.text, "text/plain; charset=utf-8");
  add_text(both, mail.html, "text/html; charset=utf-8");
  curl_mimepart* const part = curl_mime_addpart(to);
  curl_mime_subparts(part, both);
  curl_mime_type(part, "multipart/alternative");
}

void add_picture(curl_mime* to, const std::string& png) {
  curl_mimepart* const part = curl_mime_addpart(to);
  curl_mime_data(part, png.data(), png.size());
  curl_mime_type(part, "image/png");
  curl_mime_encoder(part, "base64");
  List headers;
  append(headers, fmt::format("Content-ID: <{}>", kChartContentId));
  append(headers, "Content-Disposition: inline; filename=\"chart.png\"");
  curl_mime_headers(part, headers.release(), 1);
}

// The parts of the mail, and the type of the whole.
Mime parts_of(CURL* curl, const Mail& mail, std::string& type) {
  Mime mime(curl_mime_init(curl));
  NILO_ASSERT(mime != nullptr);  // out of memory
  type = "multipart/mixed";
  if (mail.html.empty()) {
    add_text(mime.get(), mail.text, "text/plain; charset=utf-8");
  } else if (mail.png.empty()) {
    type = "multipart/alternative";
    add_text(mime.get(), mail.text, "text/plain; charset=utf-8");
    add_text(mime.get(), mail.html, "text/html; charset=utf-8");
  } else {
    type = "multipart/related; type=\"multipart/alternative\"";
    add_alternatives(curl, mime.get(), mail);
    add_picture(mime.get(), mail.png);
  }
  return mime;
}

List headers_of(const Mail& mail, const std::string& from, const std::string& to,
                const std::string& type) {
  List headers;
  append(headers, "Date: " + mail_date(mail.date_us));
  append(headers, "From: " + header_mailbox(mail.from, from));
  append(headers, "To: " + header_mailbox(mail.to, to));
  append(headers, "Subject: " + header_text(mail.subject));
  append(headers, "Message-ID: <" + header_text(mail.message_id) + ">");
  append(headers, "Auto-Submitted: auto-generated");
  append(headers, "Content-Type: " + type);
  return headers;
}

}  // namespace

class Mailer::Impl {
 public:
  Impl(SmtpServer server, const MailLimits& limits)
      : server_(std::move(server)), limits_(limits), curl_(new_easy()) {}
  ~Impl() { hang_up(SHUT_RD); }

  Delivery send(const Mail& mail, const GiveUp& give_up) {
    using Verdict = Delivery::Verdict;
    const auto from = bare_address(mail.from);
    if (!from) return {Verdict::failed, true, from.error().message, true};
    const auto to = bare_address(mail.to);
    if (!to) return {Verdict::refused, false, to.error().message};
    if (const auto unsafe = unsafe_login()) return {Verdict::failed, true, *unsafe, true};
    Conversation conversation(limits_, give_up);
    error_[0] = '\0';
    CURL* const curl = curl_.get();
    curl_easy_reset(curl);  // keeps the connection
    set_server();
    follow(conversation);
    List recipients;
    append(recipients, "<" + *to + ">");
    const std::string sender = "<" + *from + ">";
    std::string type;
    const Mime mime = parts_of(curl, mail, type);
    const List headers = headers_of(mail, *from, *to, type);
    const std::string url = url_for(domain_of(*from));
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime.get());
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, nullptr);
    if (code != CURLE_OK) {
      hang_up(conversation.code >= 400 ? SHUT_RD : SHUT_RDWR);
      curl_ = new_easy();
    } else {
      curl_easy_reset(curl);  // `conversation` ends here
    }
    return delivery_of(code, conversation);
  }

 private:
  // A password is not sent where others can read it.
  std::optional<std::string> unsafe_login() const {
    const bool is_here = Address{server_.host, server_.port}.is_loopback();
    if (server_.tls != SmtpServer::Tls::none || server_.user.empty() || is_here) return {};
    return fmt::format(
        "not sent: without TLS the password would go to {} for all to read; "
        "set tls = \"starttls\" or \"tls\"",
        printable(server_.host, 80));
  }

  // The path is the name we say hello with (RFC 5321, 4.1.1.1).
  std::string url_for(std::string_view domain) const {
    const char* const scheme = server_.tls == SmtpServer::Tls::tls ? "smtps" : "smtp";
    const bool is_v6 = server_.host.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}/{}", scheme, is_v6 ? "[" : "", server_.host,
                       is_v6 ? "]" : "", server_.port, domain);
  }

  static Easy new_easy() {
    Easy curl(curl_easy_init());
    NILO_ASSERT(curl != nullptr);  // out of memory
    return curl;
  }

  // libcurl says goodbye when it closes a connection, and waits minutes for the answer. With
  // SHUT_RD it is told at once that there is none, with SHUT_RDWR it says nothing either.
  void hang_up(int how) {
    curl_socket_t kept = CURL_SOCKET_BAD;
    curl_easy_getinfo(curl_.get(), CURLINFO_ACTIVESOCKET, &kept);
    if (kept != CURL_SOCKET_BAD) ::shutdown(kept, how);
  }

  void follow(Conversation& conversation) {
    CURL* const curl = curl_.get();
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &conversation);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &conversation);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_trace);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &conversation);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &conversation);
  }

  void set_server() {
    CURL* const curl = curl_.get();
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect_ms));
    // libcurl's own limits know no phases; on_progress() does.
    const auto all_ms = static_cast<long>(limits_.send_ms + limits_.verdict_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, all_ms);
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, all_ms / 1000 + 1);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, kIdleMaxS);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_);
    const bool starttls = server_.tls == SmtpServer::Tls::starttls;
    if (starttls) curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!server_.ca_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, server_.ca_file.c_str());
    }
    if (server_.user.empty()) return;
    curl_easy_setopt(curl, CURLOPT_USERNAME, server_.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, server_.password.c_str());
  }

  // What went wrong, in words.
  std::string reason_of(CURLcode code, const Conversation& conversation) const {
    const bool is_open = conversation.is_sent;
    std::string why = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
    if (conversation.is_late) {
      why = fmt::format("timed out: no answer within {} s",
                        (is_open ? limits_.verdict_ms : limits_.send_ms) / 1000);
    }
    if (is_open) why += ", after all was sent: it may have arrived";
    return printable(why, kAnswerTextSizeMax);
  }

  Delivery delivery_of(CURLcode code, const Conversation& conversation) const {
    using Verdict = Delivery::Verdict;
    const std::string said = printable(conversation.reply, kAnswerTextSizeMax);
    if (code == CURLE_OK || conversation.is_taken) return {Verdict::accepted, false, said};
    const bool is_verdict = conversation.code >= 400;
    const bool is_stopped = code == CURLE_ABORTED_BY_CALLBACK && !conversation.is_late;
    if (is_stopped && !is_verdict) return {Verdict::stopped, false, "interrupted"};
    const std::string why = reason_of(code, conversation);
    const bool is_blameless = !conversation.mail_begun;
    const bool is_unsafe = code == CURLE_PEER_FAILED_VERIFICATION ||
                           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_USE_SSL_FAILED;
    if (!is_verdict || is_unsafe) {
      return {Verdict::failed, true, why, is_blameless};
    }
    const bool is_about_this = conversation.has_recipient || conversation.code == kTooLarge;
    const bool is_wide = !is_about_this || conversation.code == kServiceUnavailable;
    const bool is_refused = conversation.code >= 500 && !is_wide;
    return {is_refused ? Verdict::refused : Verdict::failed, is_wide, said, is_blameless};
  }

  const SmtpServer server_;
  const MailLimits limits_;
  char error_[CURL_ERROR_SIZE] = {};
  Easy curl_;  // last: says goodbye to the server while the others still live
};

Mailer::Mailer(SmtpServer server, const MailLimits& limits)
    : impl_(std::make_unique<Impl>(std::move(server), limits)) {}
Mailer::~Mailer() = default;

Delivery Mailer::send(const Mail& mail, const GiveUp& give_up) {
  return impl_->send(mail, give_up);
}

}  // namespace nilo::net
