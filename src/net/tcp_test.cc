#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "net/tcp_listener.h"
#include "net/tcp_stream.h"
#include "net/test_net.h"

namespace nilo::net {
namespace {

// Sends back what it gets, and remembers what happened.
class Echo final : public StreamHandler {
 public:
  explicit Echo(int fd) : stream_owner(std::make_unique<TcpStream>(fd)), stream(*stream_owner) {}

  void on_bytes(std::string_view bytes) override {
    received.append(bytes);
    // A copy, for it may replace itself, or destroy all this.
    if (const auto react = on_received) return react();
    if (echoes) stream.send(bytes);
  }
  void on_flushed() override { ++flushed; }
  bool on_end() override {
    ended = true;
    return stays_after_end;
  }
  void on_closed(std::string_view why) override {
    ++closed;
    reason = why;
  }

  std::unique_ptr<Stream> stream_owner;
  Stream& stream;
  std::string received;
  std::function<void()> on_received;
  bool echoes = true;
  bool stays_after_end = false;
  bool ended = false;
  int flushed = 0;
  int closed = 0;
  std::string reason;
};

// A server on a loop of its own.
class TcpServerTest : public testing::Test {
 protected:
  void SetUp() override {
    thread_.call([this] {
      listener_ = TcpListener::listen(thread_.loop(), {"127.0.0.1", 0}, *logger_,
                                      [this](int fd, std::string ip) {
                                        ips_.push_back(std::move(ip));
                                        peers_.push_back(std::make_unique<Echo>(fd));
                                        Echo& echo = *peers_.back();
                                        ASSERT_TRUE(echo.stream.attach(thread_.loop(), echo));
                                        if (prepare_) prepare_(echo);
                                      })
                      .value();
    });
  }
  void TearDown() override {
    thread_.call([this] {
      peers_.clear();
      listener_.reset();
    });
  }
  TestClient connect() { return TestClient(listener_->address()); }
  Echo& peer(std::size_t number = 0) {
    thread_.wait_until([=, this] { return peers_.size() > number; });
    return *peers_[number];
  }
  void wait_until(const std::function<bool()>& condition) { thread_.wait_until(condition); }

  LoopThread thread_;
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  std::unique_ptr<TcpListener> listener_;
  std::vector<std::unique_ptr<Echo>> peers_;
  std::vector<std::string> ips_;
  std::function<void(Echo&)> prepare_;
};

TEST_F(TcpServerTest, SendsBackWhatItGets) {
  TestClient client = connect();
  client.send("hello");
  EXPECT_EQ(client.read(5), "hello");
  EXPECT_EQ(ips_, std::vector<std::string>{"127.0.0.1"});
}

TEST_F(TcpServerTest, GetsBytesThatComeOneByOneInTheirOrder) {
  TestClient client = connect();
  std::string all;
  for (int count = 0; count < 300; ++count) {
    const char byte = static_cast<char>(count);
    all.push_back(byte);
    client.send({&byte, 1});
  }
  EXPECT_EQ(client.read(all.size()), all);
}

TEST(TcpStream, SetsNoDelayAndClosesItsSocket) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int no_delay = 0;
  int keep_alive = 0;
  socklen_t size = sizeof no_delay;
  {
    const TcpStream stream(fd);
    ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
    ::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keep_alive, &size);
  }
  EXPECT_NE(no_delay, 0);
  EXPECT_NE(keep_alive, 0);
  EXPECT_EQ(::close(fd), -1);
}

TEST_F(TcpServerTest, ReportsTheEndOfThePeerOnce) {
  TestClient client = connect();
  Echo& echo = peer();
  client.close();
  wait_until([&] { return echo.closed > 0; });
  EXPECT_TRUE(echo.ended);
  EXPECT_EQ(echo.closed, 1);
  EXPECT_EQ(echo.reason, "closed by the peer");
  EXPECT_FALSE(echo.stream.is_open());
}

TEST_F(TcpServerTest, ReportsAReset) {
  TestClient client = connect();
  Echo& echo = peer();
  client.reset();
  wait_until([&] { return echo.closed > 0; });
  EXPECT_EQ(echo.reason, "Connection reset by peer");
}

TEST_F(TcpServerTest, CanAnswerAPeerThatSendsNoMore) {
  prepare_ = [](Echo& echo) { echo.stays_after_end = true; };
  TestClient client = connect();
  Echo& echo = peer();
  client.end_sending();
  wait_until([&] { return echo.ended; });
  thread_.call([&] {
    echo.stream.send("bye");
    echo.stream.close_after_flush();
  });
  EXPECT_EQ(client.read_all(), "bye");
  wait_until([&] { return echo.closed == 1; });
}

TEST_F(TcpServerTest, KeepsWhatASlowReaderDoesNotTakeAndSendsItInOrder) {
  TestClient client = connect();
  Echo& echo = peer();
  std::string big(16 * 1024 * 1024, '\0');
  for (std::size_t at = 0; at < big.size(); ++at) big[at] = static_cast<char>(at * 7 + at / 4096);
  thread_.call([&] {
    echo.stream.send(big);
    EXPECT_GT(echo.stream.unsent(), 0U);
    echo.stream.send("end");
  });
  const std::string received = client.read(big.size() + 3);
  EXPECT_EQ(received.size(), big.size() + 3);
  EXPECT_TRUE(received == big + "end");
  wait_until([&] { return echo.flushed == 1; });
  EXPECT_EQ(thread_.call([&] { return echo.stream.unsent(); }), 0U);
}

TEST_F(TcpServerTest, FlushesAllBeforeItCloses) {
  TestClient client = connect();
  Echo& echo = peer();
  const std::string big(8 * 1024 * 1024, 'x');
  thread_.call([&] {
    echo.stream.send(big);
    echo.stream.close_after_flush();
    echo.stream.send("too late");
  });
  EXPECT_EQ(client.read_all().size(), big.size());
  EXPECT_EQ(thread_.call([&] { return echo.closed; }), 0);  // it waits for our end
  client.close();
  wait_until([&] { return echo.closed == 1; });
}

// Closing with unread bytes in the kernel would reset the connection and lose the last words.
TEST_F(TcpServerTest, LastWordsReachAPeerThatIsStillSending) {
  prepare_ = [](Echo& echo) {
    echo.on_received = [&echo] {
      echo.stream.send("refused");
      echo.stream.close_after_flush();
    };
  };
  TestClient client = connect();
  client.send(std::string(4 * 1024 * 1024, 'x'));
  EXPECT_EQ(client.read_all(), "refused");
}

TEST_F(TcpServerTest, CutsAPeerThatDoesNotTakeTheLastWords) {
  TestClient client = connect();
  Echo& echo = peer();
  thread_.call([&] {
    echo.stream.send(std::string(32 * 1024 * 1024, 'x'));
    echo.stream.close_after_flush();
  });
  wait_until([&] { return echo.closed == 1; });
  EXPECT_EQ(echo.reason, "closed; the peer did not take the rest");
}

TEST_F(TcpServerTest, LeavesBytesInTheKernelWhileReadingIsPaused) {
  prepare_ = [](Echo& echo) { echo.stream.pause_reading(); };
  TestClient client = connect();
  Echo& echo = peer();
  client.send("later");
  // The loop turns many times and does not read.
  for (int turn = 0; turn < 100; ++turn) thread_.call([] {});
  EXPECT_EQ(thread_.call([&] { return echo.received; }), "");
  thread_.call([&] { echo.stream.resume_reading(); });
  EXPECT_EQ(client.read(5), "later");
}

TEST_F(TcpServerTest, ReportsAPeerThatIsLostWhileReadingIsPaused) {
  prepare_ = [](Echo& echo) { echo.stream.pause_reading(); };
  TestClient client = connect();
  Echo& echo = peer();
  client.reset();
  wait_until([&] { return echo.closed == 1; });
}

TEST_F(TcpServerTest, SendingOnALostConnectionReportsItLater) {
  prepare_ = [](Echo& echo) { echo.stream.pause_reading(); };
  TestClient client = connect();
  Echo& echo = peer();
  client.reset();
  thread_.call([&] {
    for (int count = 0; count < 1000; ++count) echo.stream.send("x");
  });
  wait_until([&] { return echo.closed > 0; });
  EXPECT_EQ(echo.closed, 1);
}

TEST_F(TcpServerTest, AStreamMayBeDestroyedByItsOwnHandler) {
  TestClient client = connect();
  peer();
  thread_.call([&] { peers_[0]->on_received = [this] { peers_.clear(); }; });
  client.send("die");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(TcpServerTest, AStreamMayBeClosedByItsOwnHandler) {
  TestClient client = connect();
  Echo& echo = peer();
  thread_.call([&] { echo.on_received = [&] { echo.stream.close(); }; });
  client.send("die");
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(thread_.call([&] { return echo.closed; }), 0);  // the owner knows
}

// On a loop of its own from now on; what it had not sent leaves from there.
TEST_F(TcpServerTest, AConnectionMovesToAnotherLoopWithAllThatIsUnsent) {
  TestClient client = connect();
  Echo& echo = peer();
  LoopThread other;
  const std::string big(32 * 1024 * 1024, 'x');  // more than the kernel's buffers take
  std::promise<std::size_t> unsent;
  thread_.call([&] {
    echo.on_received = [&] {
      echo.on_received = nullptr;
      echo.stream.send(big);
      const std::size_t left = echo.stream.unsent();
      echo.stream.detach();
      other.loop().post([&] { ASSERT_TRUE(echo.stream.attach(other.loop(), echo)); });
      unsent.set_value(left);
    };
  });
  client.send("one");
  EXPECT_GT(unsent.get_future().get(), 0U);  // nobody reads yet
  EXPECT_EQ(client.read(big.size()).size(), big.size());
  client.send("two");
  EXPECT_EQ(client.read(3), "two");
  EXPECT_EQ(other.call([&] { return echo.received; }), "onetwo");
  other.call([&] { echo.stream.close(); });
}

TEST_F(TcpServerTest, ServesAThousandConnections) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;  // both ends are here: 2,000 descriptors, often 1,024 at first
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<TestClient> clients;
  for (int count = 0; count < 1000; ++count) clients.push_back(connect());
  for (std::size_t number = 0; number < clients.size(); ++number) {
    clients[number].send("client " + std::to_string(number) + ";");
  }
  for (std::size_t number = 0; number < clients.size(); ++number) {
    EXPECT_EQ(clients[number].read_to(";"), "client " + std::to_string(number) + ";");
  }
  clients.clear();
  wait_until([&] {
    return std::all_of(peers_.begin(), peers_.end(), [](auto& echo) { return echo->closed == 1; });
  });
}

TEST_F(TcpServerTest, WaitsForDescriptorsAndServesWhoWaited) {
  TestClient first = connect();
  peer();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const int waiting_fd = connect_tcp(listener_->address(), kTestPatience).value();
  peer(1);
  std::vector<int> clients;
  std::vector<int> taken;
  // Sockets for two more clients, then no descriptor is left for the server.
  for (int count = 0; count < 2; ++count) {
    clients.push_back(::socket(AF_INET, SOCK_STREAM, 0));
  }
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(clients.back()) + 1;
  ::setrlimit(RLIMIT_NOFILE, &none);
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener_->address().port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (const int fd : clients) {
    ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  for (int turn = 0; turn < 100; ++turn) thread_.call([] {});
  EXPECT_EQ(thread_.call([&] { return peers_.size(); }), 2U);
  for (const int fd : taken) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
  wait_until([&] { return peers_.size() == 4; });
  for (const int fd : clients) ::close(fd);
  ::close(waiting_fd);
}

TEST_F(TcpServerTest, SaysWhoHasThePort) {
  thread_.call([&] {
    const auto second = TcpListener::listen(thread_.loop(), listener_->address(), *logger_,
                                            [](int, std::string) {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::conflict);
    EXPECT_EQ(second.error().message,
              "cannot listen on " + listener_->address().text() + ": the port is in use");
    EXPECT_THAT(second.error().hint,
                testing::HasSubstr("(pid " + std::to_string(::getpid()) + ")"));
  });
}

TEST_F(TcpServerTest, ListensOnEveryInterfaceInBothFamilies) {
  std::unique_ptr<TcpListener> both;
  std::vector<std::string> ips;
  thread_.call([&] {
    both = TcpListener::listen(thread_.loop(), {"", 0}, *logger_, [&](int fd, std::string ip) {
             ips.push_back(std::move(ip));
             ::close(fd);
           }).value();
  });
  const std::uint16_t port = both->address().port;
  ::close(connect_tcp({"127.0.0.1", port}, kTestPatience).value());
  wait_until([&] { return ips.size() == 1; });
  const auto over_ipv6 = connect_tcp({"::1", port}, kTestPatience);
  if (over_ipv6) {  // not every machine has it
    wait_until([&] { return ips.size() == 2; });
    EXPECT_EQ(ips[1], "::1");
    ::close(*over_ipv6);
  }
  EXPECT_EQ(ips[0], "127.0.0.1");
  thread_.call([&] { both.reset(); });
}

TEST_F(TcpServerTest, RefusesAnAddressThatIsNotHere) {
  thread_.call([&] {
    const auto listener =
        TcpListener::listen(thread_.loop(), {"192.0.2.1", 0}, *logger_, [](int, std::string) {});
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, ErrorCode::unavailable);
  });
}

}  // namespace
}  // namespace nilo::net
