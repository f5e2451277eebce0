// TLS: bytes in and out, and how a connection ends.
#include "net/test_tls.h"

namespace nilo::net {
namespace {

using TlsStreams = TlsTest;

TEST_F(TlsStreams, CarriesMuchBothWaysForASlowReader) {
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.shake_hands());
  Echo& echo = peer();
  std::string big(8 * 1024 * 1024, '\0');
  for (std::size_t at = 0; at < big.size(); ++at) big[at] = static_cast<char>(at * 7 + at / 4096);
  ASSERT_TRUE(client.send("go"));
  thread_.wait_until([&] { return echo.received == "go"; });
  thread_.call([&] {
    echo.stream->send(big);
    EXPECT_GT(echo.stream->unsent(), 0U);
  });
  EXPECT_TRUE(client.read(big.size() + 2) == "go" + big);
  wait_until([&] { return echo.flushed > 0; });
}

TEST_F(TlsStreams, LeavesBytesAtThePeerWhileReadingIsPaused) {
  prepare_ = [](Echo& echo) { echo.on_received = [&echo] { echo.stream->pause_reading(); }; };
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.shake_hands());
  // In one piece: the second record is already here when the first one makes it pause.
  const std::string first(16 * 1024, 'a');
  ASSERT_TRUE(client.send(first + "later"));
  Echo& echo = peer();
  wait_until([&] { return !echo.received.empty(); });
  for (int turn = 0; turn < 100; ++turn) thread_.call([] {});
  EXPECT_EQ(thread_.call([&] { return echo.received; }), first);
  thread_.call([&] { echo.stream->resume_reading(); });
  wait_until([&] { return echo.received == first + "later"; });
}

// The first bytes decide where it is at home; those behind them must not be lost on the way.
TEST_F(TlsStreams, MovesToAnotherLoopWithWhatItHasReadAndNotSaid) {
  LoopThread other;
  prepare_ = [&](Echo& echo) {
    echo.on_received = [&] {
      echo.on_received = nullptr;
      echo.stream->detach();
      other.loop().post([&] {
        echo.stream->send("nobody hears this");
        ASSERT_TRUE(echo.stream->attach(other.loop(), echo));
        echo.stream->send("here|");
      });
    };
  };
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.shake_hands());
  const std::string first(16 * 1024, 'a');
  ASSERT_TRUE(client.send(first + "second"));
  EXPECT_EQ(client.read(11), "here|second");
  ASSERT_TRUE(client.send("third"));
  EXPECT_EQ(client.read(5), "third");
  other.call([&] { peers_[0]->stream->close(); });
}

TEST_F(TlsStreams, SaysGoodbyeAndHearsIt) {
  prepare_ = [](Echo& echo) {
    echo.on_received = [&echo] {
      echo.stream->send("bye");
      echo.stream->close_after_flush();
    };
  };
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.shake_hands() && client.send("hello"));
  EXPECT_EQ(client.read(100), "bye");
  EXPECT_TRUE(client.got_goodbye());
  client.tcp().close();
  EXPECT_EQ(reason_of(0), "closed");

  TlsClient second(address());
  ASSERT_TRUE(second.shake_hands());
  second.say_goodbye();
  second.read(1);
  EXPECT_TRUE(second.got_goodbye());
  // Nobody waits for more: our end of the connection is still open.
  EXPECT_EQ(reason_of(1), "closed by the peer");
  EXPECT_TRUE(peer(1).ended);
}

TEST_F(TlsStreams, ReportsAConnectionThatIsCutShort) {
  start();
  TlsClient client(address());
  ASSERT_TRUE(client.echoes("hello"));
  client.tcp().end_sending();
  EXPECT_EQ(reason_of(0), "closed by the peer");
  TlsClient second(address());
  ASSERT_TRUE(second.echoes("hello"));
  second.tcp().reset();
  EXPECT_EQ(reason_of(1), "Connection reset by peer");
}

TEST_F(TlsStreams, AStreamMayBeDestroyedOrClosedByItsOwnHandler) {
  start();
  for (const bool destroys : {true, false}) {
    const std::size_t number = destroys ? 0 : 1;
    TlsClient client(address());
    ASSERT_TRUE(client.shake_hands());
    Echo& echo = peer(number);
    thread_.call([&] {
      echo.on_received = [&echo, destroys] {
        if (destroys) echo.stream.reset();
        if (!destroys) echo.stream->close();
      };
    });
    client.send(std::string(40'000, 'x'));
    EXPECT_EQ(client.read(1), "");
    EXPECT_EQ(thread_.call([&] { return echo.closed; }), 0);
  }
}

}  // namespace
}  // namespace nilo::net
