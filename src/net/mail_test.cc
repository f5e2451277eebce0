#include "net/mail.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace nilo::net {
namespace {

using Verdict = Delivery::Verdict;
using std::chrono::milliseconds;

// An SMTP server that takes its time. Each connection has a thread.
class SlowServer {
 public:
  // `answer(line)`: what it says to a command, "." for the end of the data, after what time.
  struct Answer {
    std::string text;
    milliseconds after{0};
    bool waits_for_release = false;
  };
  explicit SlowServer(std::function<Answer(const std::string&)> answer)
      : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, any, size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, any, &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~SlowServer() {
    {
      const std::lock_guard lock(mutex_);  // who speaks waits already, or sees that we stop
      stopping_ = true;
    }
    changed_.notify_all();
    acceptor_.join();
    for (std::thread& talk : talks_) talk.join();
    ::close(listener_);
  }
  SlowServer(const SlowServer&) = delete;
  SlowServer& operator=(const SlowServer&) = delete;

  SmtpServer settings() const {
    return {.host = "127.0.0.1", .port = port_, .tls = SmtpServer::Tls::none};
  }
  int connections() const { return connections_; }
  int mails() const { return mails_; }  // whose data came
  // Lets it say what waits for that; returns when it has been said.
  void release() {
    std::unique_lock lock(mutex_);
    is_released_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return has_said_; });
  }

 private:
  // False: the test is over.
  bool wait(int fd) const {
    pollfd waiting{fd, POLLIN, 0};
    while (!stopping_) {
      if (::poll(&waiting, 1, 10) == 1) return true;
    }
    return false;
  }
  void accept() {
    while (wait(listener_)) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connections_;
      talks_.emplace_back([this, fd] {
        talk(fd);
        ::close(fd);
      });
    }
  }
  void talk(int fd) {
    say(fd, {"220 slow"});
    std::string bytes;
    bool in_data = false;
    char buffer[4096];
    while (wait(fd)) {
      const ssize_t size = ::recv(fd, buffer, sizeof buffer, 0);
      if (size <= 0) return;
      bytes.append(buffer, static_cast<std::size_t>(size));
      for (std::size_t end = 0; (end = bytes.find("\r\n")) != std::string::npos;) {
        const std::string line = bytes.substr(0, end);
        bytes.erase(0, end + 2);
        if (in_data && line != ".") continue;
        if (in_data) ++mails_;
        in_data = line == "DATA";
        say(fd, answer_(line));
      }
    }
  }
  void say(int fd, const Answer& answer) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, answer.after, [this] { return stopping_.load(); });
    changed_.wait(lock, [&] { return !answer.waits_for_release || is_released_ || stopping_; });
    const std::string line = answer.text + "\r\n";
    if (!answer.text.empty()) ::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
    has_said_ |= answer.waits_for_release;
    changed_.notify_all();
  }

  const std::function<Answer(const std::string&)> answer_;
  const int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> mails_{0};
  std::mutex mutex_;  // held while it speaks
  std::condition_variable changed_;
  bool is_released_ = false;
  bool has_said_ = false;
  std::thread acceptor_;
  std::vector<std::thread> talks_;  // the acceptor's, until it has ended
};

SlowServer::Answer usual(const std::string& line) {
  return {line == "DATA" ? "354 go on" : line == "QUIT" ? "221 bye" : "250 OK"};
}

const Mail kMail{.from = "a@b.org", .to = "c@d.org", .text = "--\r\n--\r\n", .message_id = "1@b"};

TEST(BareAddress, IsFoundInsideOfAMailbox) {
  EXPECT_EQ(bare_address("anna@example.org").value(), "anna@example.org");
  EXPECT_EQ(bare_address("Anna B <anna@example.org>").value(), "anna@example.org");
  EXPECT_EQ(bare_address("\"Ünal, A\" <a.b+c@exämple.org>").value(), "a.b+c@exämple.org");
}

TEST(BareAddress, RefusesWhatCouldBeTwoOrSpeakToTheServer) {
  for (const std::string bad :
       {"", "anna", "@b", "a@", "a@b@c", "a@b\r\nRCPT TO:<x@y>", "a@b> SIZE=1", "a b@c", "<a@b",
        "a@b>", "a@b,c@d", "x\n<a@b>", "<a@b> x", "a@b;"}) {
    const auto address = bare_address(bad);
    ASSERT_FALSE(address) << bad;
    EXPECT_EQ(address.error().code, ErrorCode::invalid_argument);
  }
}

TEST(BareAddress, HasAtMost254Bytes) {
  const std::string domain = "@" + std::string(250, 'd');
  EXPECT_TRUE(bare_address("aaa" + domain));
  EXPECT_FALSE(bare_address("aaaa" + domain));
}

TEST(HeaderText, LeavesPlainTextAsItIs) {
  EXPECT_EQ(header_text("Orchard almost empty: 15.73 %"), "Orchard almost empty: 15.73 %");
}

TEST(HeaderText, NeverHoldsALineEndOfTheTextItself) {
  EXPECT_EQ(header_text("a\r\nBcc: x@y"), "a  Bcc: x@y");
  EXPECT_EQ(header_text(std::string_view("a\0b\x7f", 4)), "a b ");
}

TEST(HeaderText, EncodesWhatIsNotAscii) {
  EXPECT_EQ(header_text("Zisterne fast leer: K\xc3\xbc"
                        "che"),
            "=?UTF-8?B?WmlzdGVybmUgZmFzdCBsZWVyOiBLw7xjaGU=?=");
  EXPECT_TRUE(header_text("=?UTF-8?Q?forged?=").starts_with("=?UTF-8?B?")) << "shown as it is";
  EXPECT_TRUE(header_text("\xff").find('\xff') == std::string::npos);
}

TEST(HeaderText, FoldsLongTextBetweenCharactersIntoLinesOf78) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "\xe2\x82\xac";
  const std::string header = header_text(text);
  std::size_t at = 0;
  while (at < header.size()) {
    const std::size_t end = std::min(header.find("\r\n ", at), header.size());
    EXPECT_LE(end - at, 75u);
    EXPECT_EQ(header.substr(at, 10), "=?UTF-8?B?");
    // 42 bytes are 14 of these characters: base64 without remainder.
    EXPECT_EQ(header.substr(end - 2, 2), "?=");
    at = end + 3;
  }
  EXPECT_EQ(header_text(std::string(66, 'x')), std::string(66, 'x'));
  EXPECT_NE(header_text(std::string(67, 'x')), std::string(67, 'x'));
}

TEST(MailDate, IsAsRfc5322Says) {
  EXPECT_EQ(mail_date(0), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(mail_date(1'795'341'600'999'999), "Sun, 22 Nov 2026 10:00:00 +0000");
}

TEST(Mailer, SendsNoPasswordOverAPlainConnectionToElsewhere) {
  for (const char* host : {"192.0.2.1", "127.example.invalid"}) {
    Mailer mailer({.host = host, .tls = SmtpServer::Tls::none, .user = "u", .password = "p"});
    const Delivery delivery = mailer.send({.from = "a@b.org", .to = "c@d.org", .text = "x"});
    EXPECT_EQ(delivery.verdict, Delivery::Verdict::failed) << host;
    EXPECT_TRUE(delivery.is_server_wide) << host;
    EXPECT_TRUE(delivery.is_blameless) << host;
    EXPECT_NE(delivery.answer.find("starttls"), std::string::npos) << delivery.answer;
  }
}

TEST(Mailer, GivesAServerTimeToTakeAWholeMail) {
  SlowServer server([](const std::string& line) -> SlowServer::Answer {
    if (line == ".") return {"250 stored", milliseconds(3000)};
    return usual(line);
  });
  Mailer mailer(server.settings(), {.connect_ms = 2000, .send_ms = 2000, .verdict_ms = 20'000});
  for (int i = 0; i < 2; ++i) {
    const Delivery delivery = mailer.send(kMail);
    EXPECT_EQ(delivery.verdict, Verdict::accepted) << delivery.answer;
    EXPECT_EQ(delivery.answer, "250 stored");
  }
  EXPECT_EQ(server.mails(), 2);
  EXPECT_EQ(server.connections(), 1);
}

TEST(Mailer, GivesAServerLittleTimeBeforeItHasTheMail) {
  SlowServer server([](const std::string& line) -> SlowServer::Answer {
    if (line.starts_with("RCPT")) return {"250 OK", milliseconds(60'000)};
    return usual(line);
  });
  const auto began = std::chrono::steady_clock::now();
  Mailer mailer(server.settings(), {.connect_ms = 5000, .send_ms = 2000, .verdict_ms = 60'000});
  const Delivery delivery = mailer.send(kMail);
  EXPECT_EQ(delivery.verdict, Verdict::failed);
  EXPECT_TRUE(delivery.is_server_wide);
  EXPECT_FALSE(delivery.is_blameless);
  EXPECT_NE(delivery.answer.find("timed out"), std::string::npos) << delivery.answer;
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

// The late "250" would be heard as the answer to MAIL FROM of the next mail, and so on.
TEST(Mailer, HearsNoLateAnswerAsOneToTheNextMail) {
  std::atomic<int> mails{0};
  SlowServer server([&](const std::string& line) -> SlowServer::Answer {
    if (line == "." && ++mails == 1) return {"250 late", milliseconds(0), true};
    if (line == ".") return {"451 not now"};
    return usual(line);
  });
  Mailer mailer(server.settings(), {.connect_ms = 5000, .send_ms = 5000, .verdict_ms = 500});
  const Delivery late = mailer.send(kMail);
  EXPECT_EQ(late.verdict, Verdict::failed);
  EXPECT_NE(late.answer.find("it may have arrived"), std::string::npos) << late.answer;
  server.release();
  EXPECT_EQ(mailer.send(kMail).answer, "451 not now");
  EXPECT_EQ(server.mails(), 2);
  EXPECT_EQ(server.connections(), 2);
}

TEST(Mailer, EndsAtOnceThoughTheServerHangs) {
  SlowServer server([](const std::string& line) -> SlowServer::Answer {
    if (line == "." || line == "QUIT") return {""};
    return usual(line);
  });
  const auto began = std::chrono::steady_clock::now();
  {
    Mailer mailer(server.settings());
    const Delivery delivery = mailer.send(kMail, [&] { return server.mails() > 0; });
    EXPECT_EQ(delivery.verdict, Verdict::stopped) << delivery.answer;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST(Mailer, WaitsForNoGoodbye) {
  SlowServer server([](const std::string& line) -> SlowServer::Answer {
    if (line == "QUIT") return {""};
    return usual(line);
  });
  const auto began = std::chrono::steady_clock::now();
  {
    Mailer mailer(server.settings());
    EXPECT_EQ(mailer.send(kMail).verdict, Verdict::accepted);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST(Mailer, IsRefusedOnlyWhatIsAboutThisMail) {
  const struct {
    std::string command, answer;
    bool is_refused, is_server_wide, is_blameless;
  } cases[] = {
      {"EHLO", "554 you are not welcome", false, true, true},
      {"AUTH", "535 wrong password", false, true, true},
      {"MAIL", "550 not your address", false, true, false},
      {"MAIL", "552 too large", true, false, false},
      {"MAIL", "421 going down", false, true, false},
      {"RCPT", "550 no such user", true, false, false},
      {"RCPT", "450 later", false, false, false},
      {".", "554 looks like spam", true, false, false},
      {".", "451 later", false, false, false},
      {".", "421 going down", false, true, false},
  };
  for (const auto& expected : cases) {
    SlowServer server([&](const std::string& line) -> SlowServer::Answer {
      const bool is_hello = line.starts_with("EHLO") || line.starts_with("HELO");
      if (expected.command == "EHLO" && is_hello) return {expected.answer};
      if (line.starts_with(expected.command)) return {expected.answer};
      if (is_hello) return {"250-slow\r\n250 AUTH PLAIN"};
      if (line.starts_with("AUTH")) return {"334 "};
      return line.starts_with("AGFu") ? SlowServer::Answer{"235 in"} : usual(line);  // the login
    });
    SmtpServer settings = server.settings();
    settings.user = settings.password = "anna";
    const Delivery delivery = Mailer(settings).send(kMail);
    const std::string at = expected.command + ": " + delivery.answer;
    EXPECT_EQ(delivery.verdict, expected.is_refused ? Verdict::refused : Verdict::failed) << at;
    EXPECT_EQ(delivery.is_server_wide, expected.is_server_wide) << at;
    EXPECT_EQ(delivery.is_blameless, expected.is_blameless) << at;
    EXPECT_EQ(delivery.answer, expected.answer);
  }
}

TEST(Mailer, FailsForNowWhereNobodyListens) {
  Mailer mailer({.host = "127.0.0.1", .port = 1, .tls = SmtpServer::Tls::none});
  const Delivery delivery = mailer.send({.from = "a@b.org", .to = "c@d.org", .text = "x"});
  EXPECT_EQ(delivery.verdict, Delivery::Verdict::failed);
  EXPECT_TRUE(delivery.is_server_wide);
  EXPECT_NE(delivery.answer.find("127.0.0.1"), std::string::npos) << delivery.answer;
}

TEST(Mailer, RefusesAnAddressThatIsNoneWithoutAskingTheServer) {
  Mailer mailer({.host = "127.0.0.1", .port = 1, .tls = SmtpServer::Tls::none});
  const Delivery delivery = mailer.send({.from = "a@b.org", .to = "c@d\r\nDATA", .text = "x"});
  EXPECT_EQ(delivery.verdict, Delivery::Verdict::refused);
  EXPECT_FALSE(delivery.is_server_wide);
}

}  // namespace
}  // namespace nilo::net
