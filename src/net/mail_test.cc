#include "net/mail.h"

#include <gtest/gtest.h>

namespace nilo::net {
namespace {

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
    EXPECT_EQ(delivery.verdict, Delivery::Verdict::refused) << host;
    EXPECT_TRUE(delivery.is_server_wide) << host;
    EXPECT_NE(delivery.answer.find("starttls"), std::string::npos) << delivery.answer;
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
