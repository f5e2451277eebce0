// The conversations in tests/mqtt/packets.txt.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "mqtt/fake_host.h"

namespace nilo::mqtt {
namespace {

struct Case {
  std::string name;
  Version version = Version::v3_1_1;
  bool is_connected = false;
  std::vector<std::string> steps;  // "> hex", "< hex"
  bool ends_closed = false;
};

bool takes_prefix(std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.erase(0, prefix.size());
  return true;
}

std::vector<Case> read_cases() {
  std::ifstream file(NILO_SOURCE_DIR "/tests/mqtt/packets.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (takes_prefix(line, "== ")) {
      Case& one = cases.emplace_back();
      one.name = line;
      if (takes_prefix(line, "5 ")) {
        one.version = Version::v5;
      } else if (!takes_prefix(line, "3.1.1 ")) {
        EXPECT_TRUE(takes_prefix(line, "3.1 ")) << line;
        one.version = Version::v3_1;
      }
      one.is_connected = takes_prefix(line, "connected ");
    } else if (line == "closed") {
      cases.back().ends_closed = true;
    } else {
      EXPECT_TRUE(line[0] == '>' || line[0] == '<') << line;
      cases.back().steps.push_back(line);
    }
  }
  return cases;
}

Limits case_limits() {
  Limits limits;
  limits.reasons = false;
  limits.receive_max = 20;
  limits.topic_alias_max = 10;
  limits.packet_size_max = kPacketSizeMax;
  return limits;
}

void run(const Case& one) {
  SCOPED_TRACE(one.name);
  FakeHost host(case_limits());
  Peer peer = one.is_connected ? Peer(host, "client", one.version) : Peer(host);
  for (const std::string& step : one.steps) {
    const std::string bytes = from_hex(step.substr(1));
    if (step[0] == '>') {
      peer.send(bytes);
    } else {
      EXPECT_EQ(peer.take_hex(), to_hex(bytes));
    }
  }
  EXPECT_EQ(peer.take_hex(), "") << "nothing more was expected";
  EXPECT_EQ(peer.is_closed(), one.ends_closed);
  if (one.ends_closed) return;
  peer.send_hex("C0 00");
  EXPECT_EQ(peer.take_hex(), "D000");
}

TEST(Packets, AreAnsweredAsWritten) {
  const std::vector<Case> cases = read_cases();
  ASSERT_GT(cases.size(), 40u);
  for (const Case& one : cases) run(one);
}

}  // namespace
}  // namespace nilo::mqtt
