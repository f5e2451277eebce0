// What [alert], [mail] and [site] become; their mistakes are in tests/stack/alerts.txt.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/stack.h"

namespace nilo::stack {
namespace {

using std::chrono::minutes;
using testing::ElementsAre;

constexpr const char* kTanks = R"(
[things]
tank-1 = { type = "tank" }
[table.levels]
key = ["device_id int"]
columns = { distance = "double" }
thing = "tank-{device_id}"
[mail]
server = "localhost"
from = "a@b"
)";

Loaded parse_more(const std::string& text) { return parse({{"nilo.toml", kTanks + text}}); }

Stack stack_of(const std::string& text) {
  Loaded loaded = parse_more(text);
  EXPECT_TRUE(loaded.ok()) << render(loaded.diagnostics, loaded.files, false);
  return std::move(loaded.stack);
}

TEST(Alert, HasWhatWasWritten) {
  const Stack stack = stack_of(R"(
[alert.level]
of = "type:tank/distance"
low = 20
clear = 2
remind = "30m"
silent = "10m"
mail = { to = ["a@b"], subject = "${thing.name}" }
webhook = { url = "http://a", headers = { Title = "x" } }
)");
  ASSERT_EQ(stack.alerts.size(), 1U);
  const Alert& alert = stack.alerts[0];
  EXPECT_EQ(alert.name, "level");
  EXPECT_EQ(alert.of.text(), "type:tank/distance");
  EXPECT_EQ(alert.low, 20);
  EXPECT_EQ(alert.high, std::nullopt);
  EXPECT_EQ(alert.clear, 2);
  EXPECT_EQ(alert.hold, minutes(0));
  EXPECT_EQ(alert.remind, minutes(30));
  EXPECT_EQ(alert.silent, minutes(10));
  EXPECT_EQ(alert.invalid, std::nullopt);
  EXPECT_TRUE(alert.recovery);
  EXPECT_EQ(alert.severity, "warning");
  ASSERT_TRUE(alert.mail);
  EXPECT_THAT(alert.mail->to, ElementsAre("a@b"));
  EXPECT_EQ(alert.mail->subject.value, "${thing.name}");
  EXPECT_EQ(to_string(alert.mail->subject.place), "nilo.toml:18:35");
  EXPECT_TRUE(alert.mail->text.empty());
  ASSERT_EQ(alert.webhooks.size(), 1U);
  EXPECT_EQ(alert.webhooks[0].headers.at(0).second.value, "x");
  EXPECT_FALSE(alert.webhooks[0].allow_private);
}

TEST(Alert, LearnsHowLongSilenceIs) {
  const Stack stack = stack_of("[alert.a]\nof = 'tank-1'\nsilent = 'learned'");
  EXPECT_TRUE(stack.alerts.at(0).silent_learned);
  EXPECT_EQ(stack.alerts.at(0).silent, std::nullopt);
}

// `count` times `one`, behind `before`, in an alert.
bool is_taken(const std::string& before, const std::string& one, std::size_t count,
              const std::string& after) {
  std::string text = "[alert.a]\nof = 'tank-1'\nsilent = '10m'\n" + before;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format(fmt::runtime(one), i);
  return parse_more(text + after).ok();
}

TEST(Alert, TellsSoManyAndNoMore) {
  EXPECT_TRUE(is_taken("mail = { to = [", "'a{}@b',", 20, "] }"));
  EXPECT_FALSE(is_taken("mail = { to = [", "'a{}@b',", 21, "] }"));
  EXPECT_TRUE(is_taken("webhook = [", "'http://a{}',", 10, "]"));
  EXPECT_FALSE(is_taken("webhook = [", "'http://a{}',", 11, "]"));
  const std::string headers = "[alert.a.webhook]\nurl = 'http://a'\n[alert.a.webhook.headers]\n";
  EXPECT_TRUE(is_taken(headers, "h{} = 'x'\n", 20, ""));
  EXPECT_FALSE(is_taken(headers, "h{} = 'x'\n", 21, ""));
}

TEST(Mail, TakesThePortOfItsSecurity) {
  const auto port = [](const std::string& more) {
    Loaded loaded = parse({{"nilo.toml", "[mail]\nserver = 'a'\nfrom = 'a@b'\n" + more}});
    return loaded.stack.mail->port;
  };
  EXPECT_EQ(port(""), 465);
  EXPECT_EQ(port("tls = 'starttls'"), 587);
  EXPECT_EQ(port("tls = 'none'"), 25);
  EXPECT_EQ(port("tls = 'none'\nport = 2525"), 2525);
}

TEST(Mail, MayLogInWithoutSecurityOnThisMachineOnly) {
  const auto is_ok = [](const std::string& server) {
    return parse({{"nilo.toml", "[mail]\nserver = '" + server +
                                    "'\nfrom = 'a@b'\ntls = 'none'\nuser = 'u'\n"
                                    "password = { env = 'P' }"}})
        .ok();
  };
  EXPECT_TRUE(is_ok("127.0.0.1"));
  EXPECT_FALSE(is_ok("192.168.1.5"));
}

TEST(Site, IsOfUtcIfNothingIsSaid) {
  EXPECT_EQ(stack_of("").site.zone, "UTC");
  const Stack stack = stack_of("[site]\nurl = 'http://a:8080/'\nzone = 'America/New_York'");
  EXPECT_EQ(stack.site.url, "http://a:8080");
  EXPECT_EQ(stack.site.zone, "America/New_York");
}

}  // namespace
}  // namespace nilo::stack
