#include "net/address.h"

#include <gtest/gtest.h>

namespace nilo::net {
namespace {

TEST(Address, ReadsHostAndPort) {
  const Address address = parse_address("127.0.0.1:1883").value();
  EXPECT_EQ(address.host, "127.0.0.1");
  EXPECT_TRUE(address.is_loopback());
  EXPECT_FALSE(parse_address("127.example.com:1883")->is_loopback());
  EXPECT_EQ(address.port, 1883);
  EXPECT_EQ(address.text(), "127.0.0.1:1883");
}

TEST(Address, ReadsEveryInterface) {
  const Address address = parse_address(":0").value();
  EXPECT_EQ(address.host, "");
  EXPECT_EQ(address.text(), ":0");
  EXPECT_FALSE(address.is_loopback());
}

TEST(Address, ReadsIpv6InBrackets) {
  const Address address = parse_address("[::1]:8080").value();
  EXPECT_EQ(address.host, "::1");
  EXPECT_EQ(address.text(), "[::1]:8080");
  EXPECT_TRUE(address.is_loopback());
}

TEST(Address, TakesTheDefaultPortOnlyIfThereIsOne) {
  EXPECT_EQ(parse_address("localhost", 80).value().port, 80);
  EXPECT_FALSE(parse_address("localhost"));
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text : {"", ":", "host:", "host:x", "host:65536", "host:-1", "host:1 ", "[::1",
                           "::1:80", "a b:80", "user@host:80", "1883"}) {
    const auto address = parse_address(text);
    EXPECT_FALSE(address) << text;
  }
  EXPECT_TRUE(parse_address("host:65535"));
}

TEST(ConnectTcp, NamesTheAddressThatDoesNotAnswer) {
  const auto fd = connect_tcp({"127.0.0.1", 1}, std::chrono::seconds(1));
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, ErrorCode::unavailable);
  EXPECT_EQ(fd.error().message, "cannot connect to 127.0.0.1:1: Connection refused");
}

}  // namespace
}  // namespace nilo::net
