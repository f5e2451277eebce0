#include "net/http_post.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "net/public_address.h"

namespace nilo::net {

namespace {

constexpr long kIdleMaxS = 60;  // a connection idle for longer is not used again

struct EasyDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using List = std::unique_ptr<curl_slist, ListDeleter>;

void append(List& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  NILO_ASSERT(longer != nullptr);  // out of memory
  [[maybe_unused]] curl_slist* const same = list.release();
  list.reset(longer);
}

struct Answer {
  std::string text;
  std::size_t size = 0;
};

std::size_t on_answer(char* bytes, std::size_t size, std::size_t count, void* to) {
  Answer& answer = *static_cast<Answer*>(to);
  const std::size_t kept = std::min(size * count, kAnswerTextSizeMax - answer.text.size());
  answer.text.append(bytes, kept);
  answer.size += size * count;
  return answer.size > kPostAnswerSizeMax ? 0 : size * count;
}

// Where the address is known and no packet has left yet.
curl_socket_t open_if_public(void* refused, curlsocktype /*purpose*/, curl_sockaddr* address) {
  if (!is_public(address->addr)) {
    *static_cast<bool*>(refused) = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int on_progress(void* give_up, curl_off_t /*in_all*/, curl_off_t /*in*/, curl_off_t /*out_all*/,
                curl_off_t /*out*/) {
  const GiveUp& asked = *static_cast<const GiveUp*>(give_up);
  return asked && asked() ? 1 : 0;
}

bool is_token(std::string_view name) {  // RFC 9110, 5.6.2
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_word(std::string_view name, std::string_view lower) {
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// A line of its own for each; control characters become spaces, so that it stays one.
Result<List> headers_of(const HttpPost& post) {
  List list;
  bool has_type = false;
  for (const auto& [name, value] : post.headers) {
    if (!is_token(name)) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("`{}` is not the name of a header", printable(name, 80)), ""};
    }
    has_type |= is_word(name, "content-type");
    std::string clean = value;
    const auto is_control = [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    std::replace_if(clean.begin(), clean.end(), is_control, ' ');
    // With ';' instead of ':' libcurl sends a header without value, which it drops otherwise.
    const bool is_empty = clean.find_first_not_of(' ') == std::string::npos;
    append(list, is_empty ? name + ";" : name + ": " + clean);
  }
  if (!has_type) append(list, "Content-Type: text/plain; charset=utf-8");
  append(list, "User-Agent: nilometer");
  append(list, "Expect:");  // no waiting for "100 Continue"
  return list;
}

Delivery delivery_of_status(long status, const Answer& answer) {
  using Verdict = Delivery::Verdict;
  std::string said = fmt::format("HTTP {}", status);
  const std::string text = printable(answer.text, kAnswerTextSizeMax);
  if (!text.empty()) said += ": " + text;
  if (status >= 200 && status < 300) return {Verdict::accepted, false, said};
  if (status >= 300 && status < 400) {
    return {Verdict::refused, false, said + " (redirects are not followed: use the new URL)"};
  }
  const bool may_pass = status == 408 || status == 425 || status == 429 || status >= 500;
  return {may_pass ? Verdict::failed : Verdict::refused, may_pass, said};
}

}  // namespace

Result<std::string> origin_of(std::string_view url) {
  const auto refuse = [&](std::string why) {
    return Error{ErrorCode::invalid_argument, "not a URL to post to: " + std::move(why),
                 "write it like https://ntfy.sh/my-topic"};
  };
  const auto is_odd = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
  if (std::any_of(url.begin(), url.end(), is_odd))
    return refuse("it has spaces or control characters");
  const std::unique_ptr<CURLU, UrlDeleter> parsed(curl_url());
  const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), 0);
  if (code != CURLUE_OK) return refuse(curl_url_strerror(code));
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, 0) != CURLUE_OK) return std::string();
    std::string out(text);
    curl_free(text);
    return out;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return refuse(fmt::format("`{}` is neither http nor https", printable(scheme, 20)));
  }
  const std::string port = part(CURLUPART_PORT);
  return scheme + "://" + part(CURLUPART_HOST) + (port.empty() ? "" : ":" + port);
}

class HttpPoster::Impl {
 public:
  Impl() : public_(curl_easy_init()), any_(curl_easy_init()) {
    NILO_ASSERT(public_ != nullptr);  // out of memory
    NILO_ASSERT(any_ != nullptr);
  }

  Delivery post(const HttpPost& post, const GiveUp& give_up) {
    using Verdict = Delivery::Verdict;
    const auto origin = origin_of(post.url);
    if (!origin) return {Verdict::refused, false, origin.error().message};
    const auto headers = headers_of(post);
    if (!headers) return {Verdict::refused, false, headers.error().message};
    Answer answer;
    bool is_private = false;
    // Apart, so that a connection made with leave never serves a post without it.
    CURL* const curl = (post.allow_private ? any_ : public_).get();
    curl_easy_reset(curl);  // keeps the connections
    set_limits(curl);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &give_up);
    curl_easy_setopt(curl, CURLOPT_URL, post.url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers->get());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post.body.data());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    if (!post.allow_private) {
      curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_if_public);
      curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &is_private);
    }
    const CURLcode code = curl_easy_perform(curl);
    if (is_private && code == CURLE_COULDNT_CONNECT) {
      return {Verdict::refused, false,
              *origin +
                  " is on this machine or its network, where posts do not go; to allow "
                  "it, set allow_private = true"};
    }
    return delivery_of(curl, code, answer);
  }

 private:
  void set_limits(CURL* curl) {
    error_[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");  // it would connect on our behalf, to anywhere
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kPostConnectMs));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(kPostTotalMs));
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, kIdleMaxS);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  }

  Delivery delivery_of(CURL* curl, CURLcode code, const Answer& answer) const {
    using Verdict = Delivery::Verdict;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    // An answer too long to be read to its end is one all the same.
    const bool is_answered = code == CURLE_OK || (code == CURLE_WRITE_ERROR && status >= 200);
    if (is_answered) return delivery_of_status(status, answer);
    if (code == CURLE_ABORTED_BY_CALLBACK) return {Verdict::stopped, false, "interrupted"};
    const std::string why = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
    long asked_size = 0;
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &asked_size);
    return {Verdict::failed, true, printable(why, kAnswerTextSizeMax), asked_size == 0};
  }

  char error_[CURL_ERROR_SIZE] = {};
  const Easy public_;  // only ever connected to public addresses
  const Easy any_;
};

HttpPoster::HttpPoster() : impl_(std::make_unique<Impl>()) {}
HttpPoster::~HttpPoster() = default;

Delivery HttpPoster::post(const HttpPost& post, const GiveUp& give_up) {
  return impl_->post(post, give_up);
}

}  // namespace nilo::net
