#include "net/mail.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/utf8.h"
#include "net/address.h"

namespace nilo::net {

namespace {

constexpr long kIdleMaxS = 60;  // a connection idle for longer is not used again
constexpr int kServiceClosing = 221;
constexpr int kServiceUnavailable = 421;

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

// What the server said last, and how far the mail had come.
struct Conversation {
  std::string reply;  // all lines of it
  bool is_reply_open = false;
  int code = 0;
  bool mail_begun = false;  // connected, logged in, and asked to take this mail

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
  }
};

std::size_t on_reply(char* bytes, std::size_t size, std::size_t count, void* conversation) {
  static_cast<Conversation*>(conversation)->heard({bytes, size * count});
  return size * count;
}

// Only to see how far we are: what goes out here has the login in it, and is shown to nobody.
int on_trace(CURL* /*curl*/, curl_infotype type, char* bytes, std::size_t size,
             void* conversation) {
  const bool is_mail =
      type == CURLINFO_HEADER_OUT && std::string_view(bytes, size).starts_with("MAIL FROM:");
  if (is_mail) static_cast<Conversation*>(conversation)->mail_begun = true;
  return 0;
}

int on_progress(void* give_up, curl_off_t /*in_all*/, curl_off_t /*in*/, curl_off_t /*out_all*/,
                curl_off_t /*out*/) {
  const GiveUp& asked = *static_cast<const GiveUp*>(give_up);
  return asked && asked() ? 1 : 0;
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
  explicit Impl(SmtpServer server) : server_(std::move(server)), curl_(curl_easy_init()) {
    NILO_ASSERT(curl_ != nullptr);  // out of memory
  }

  Delivery send(const Mail& mail, const GiveUp& give_up) {
    using Verdict = Delivery::Verdict;
    const auto from = bare_address(mail.from);
    if (!from) return {Verdict::refused, true, from.error().message};
    const auto to = bare_address(mail.to);
    if (!to) return {Verdict::refused, false, to.error().message};
    if (const auto unsafe = unsafe_login()) return {Verdict::refused, true, *unsafe};
    conversation_ = {};
    error_[0] = '\0';
    CURL* const curl = curl_.get();
    curl_easy_reset(curl);  // keeps the connection
    set_server();
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &give_up);
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
    return delivery_of(code);
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

  void set_server() {
    CURL* const curl = curl_.get();
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // whatever the environment says
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kMailConnectMs));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(kMailTotalMs));
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, kIdleMaxS);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &conversation_);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &conversation_);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_trace);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &conversation_);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
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

  Delivery delivery_of(CURLcode code) const {
    using Verdict = Delivery::Verdict;
    const std::string said = printable(conversation_.reply, kAnswerTextSizeMax);
    if (code == CURLE_OK) return {Verdict::accepted, false, said};
    if (code == CURLE_ABORTED_BY_CALLBACK) return {Verdict::stopped, false, "interrupted"};
    const std::string why = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
    const bool is_own_fault = code == CURLE_PEER_FAILED_VERIFICATION ||
                              code == CURLE_SSL_CACERT_BADFILE || code == CURLE_USE_SSL_FAILED;
    if (is_own_fault) return {Verdict::refused, true, printable(why, kAnswerTextSizeMax)};
    const bool is_verdict = conversation_.code >= 400;
    const bool is_blameless = !conversation_.mail_begun;
    if (!is_verdict) {
      return {Verdict::failed, true, printable(why, kAnswerTextSizeMax), is_blameless};
    }
    const bool is_wide = is_blameless || conversation_.code == kServiceUnavailable;
    return {conversation_.code >= 500 ? Verdict::refused : Verdict::failed, is_wide, said,
            is_blameless};
  }

  const SmtpServer server_;
  Conversation conversation_;
  char error_[CURL_ERROR_SIZE] = {};
  const Easy curl_;  // last: says goodbye to the server while the others still live
};

Mailer::Mailer(SmtpServer server) : impl_(std::make_unique<Impl>(std::move(server))) {}
Mailer::~Mailer() = default;

Delivery Mailer::send(const Mail& mail, const GiveUp& give_up) {
  return impl_->send(mail, give_up);
}

}  // namespace nilo::net
