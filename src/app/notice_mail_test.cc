#include "app/notice_mail.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/secrets.h"

namespace nilo::app {
namespace {

const MailFrame kFrame{"Tanks <tanks@example.org>", "Water tanks"};

Notice sample() {
  Notice notice;
  notice.id = "42-ff";
  notice.alert = "level";
  notice.thing = "tank-2";
  notice.condition = "low";
  notice.event = "firing";
  notice.thing_name = "Orchard";
  notice.value = "15.73 %";
  notice.channel = kMailChannel;
  notice.to = "anna@example.org";
  notice.subject = "Orchard almost empty";
  notice.text = "Orchard is at 15.73 % (75 cm).\nSecond line.";
  notice.link = "https://tanks.example.org/things/tank-2";
  notice.acknowledge_link = "https://tanks.example.org/ack/abc";
  notice.created_us = 1'795'341'600'000'000;
  return notice;
}

TEST(NoticeMail, SaysWhatWhereAndWhatToDo) {
  const NoticeChart chart{"PNG", "Orchard: 15.7 to 88.8 %"};
  const net::Mail mail = mail_of(sample(), kFrame, &chart);
  EXPECT_EQ(mail.subject, "Orchard almost empty");
  EXPECT_EQ(mail.message_id, "42-ff@example.org");
  for (const char* part :
       {"15.73 %", "Orchard", "Second line.", "https://tanks.example.org/ack/abc", "cid:chart",
        "alt=\"Orchard: 15.7 to 88.8 %\"", "Water tanks"}) {
    EXPECT_NE(mail.html.find(part), std::string::npos) << part;
  }
  EXPECT_NE(mail.text.find("https://tanks.example.org/ack/abc"), std::string::npos);
  EXPECT_EQ(mail.png, "PNG");
}

TEST(NoticeMail, IsTheSameForEachTry) {
  Notice again = sample();
  again.tries = 7;
  again.answer = "451 later";
  EXPECT_EQ(mail_of(again, kFrame, nullptr).html, mail_of(sample(), kFrame, nullptr).html);
  EXPECT_EQ(mail_of(again, kFrame, nullptr).message_id,
            mail_of(sample(), kFrame, nullptr).message_id);
  EXPECT_EQ(mail_of(again, kFrame, nullptr).date_us, sample().created_us);
}

TEST(NoticeMail, WithoutAPictureSpeaksOfNone) {
  EXPECT_EQ(mail_of(sample(), kFrame, nullptr).html.find("<img"), std::string::npos);
}

TEST(NoticeMail, MakesNoElementOfWhatStrangersSay) {
  const std::string evil = "<script>alert(1)</script>\"'><img src=x onerror=y>&";
  Notice notice = sample();
  notice.thing_name = notice.value = notice.subject = notice.text = notice.alert = notice.thing =
      evil;
  const NoticeChart chart{"PNG", evil};
  const std::string html = mail_of(notice, {"a@b.org", evil}, &chart).html;
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<img src=x"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
}

TEST(NoticeMail, LinksToHttpOnly) {
  Notice notice = sample();
  notice.link = "javascript:alert(1)";
  notice.acknowledge_link = "https://a/\" onclick=\"x";
  const net::Mail mail = mail_of(notice, kFrame, nullptr);
  EXPECT_EQ(mail.html.find("javascript:"), std::string::npos);
  EXPECT_EQ(mail.text.find("javascript:"), std::string::npos);
  EXPECT_EQ(mail.html.find("\" onclick"), std::string::npos);
}

TEST(HtmlEscaped, LeavesOtherTextAlone) {
  EXPECT_EQ(html_escaped("a<b>&\"'ü"), "a&lt;b&gt;&amp;&quot;&#39;ü");
}

class Secrets : public ::testing::Test {
 protected:
  Secrets() {
    char folder[] = "/tmp/nilo-secrets-XXXXXX";
    folder_ = ::mkdtemp(folder);
  }
  ~Secrets() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& bytes, mode_t mode) const {
    std::ofstream(folder_ + "/" + name) << bytes;
    ::chmod((folder_ + "/" + name).c_str(), mode);
  }
  std::string folder_;
};

TEST_F(Secrets, AreTheFirstLineOfAFileNobodyElseMayRead) {
  write("password", "s3cret\r\nmore\n", 0600);
  EXPECT_EQ(read_secret({.file = "password"}, folder_).value(), "s3cret");
  EXPECT_EQ(read_secret({.file = folder_ + "/password"}, "/elsewhere").value(), "s3cret");
  write("shared", "s3cret", 0644);
  const auto shared = read_secret({.file = "shared"}, folder_);
  ASSERT_FALSE(shared);
  EXPECT_EQ(shared.error().code, ErrorCode::permission_denied);
  EXPECT_NE(shared.error().hint.find("chmod 600"), std::string::npos);
}

TEST_F(Secrets, ThatAreMissingEmptyOrNoLineOfTextSaySoWithoutShowingThem) {
  write("empty", "\n", 0600);
  write("binary", "s3\1cret", 0600);
  write("most", std::string(kSecretSizeMax, 'x'), 0600);
  write("more", std::string(kSecretSizeMax + 1, 'x'), 0600);
  EXPECT_TRUE(read_secret({.file = "most"}, folder_));
  for (const char* name : {"none", "empty", "binary", "more", "."}) {
    const auto secret = read_secret({.file = name}, folder_);
    ASSERT_FALSE(secret) << name;
    EXPECT_EQ(secret.error().message.find("cret"), secret.error().message.find("crets-")) << name;
  }
}

TEST_F(Secrets, ComeFromTheEnvironmentOrACredential) {
  ::setenv("NILO_TEST_SECRET", "s3cret", 1);
  EXPECT_EQ(read_secret({.env = "NILO_TEST_SECRET"}, folder_).value(), "s3cret");
  EXPECT_FALSE(read_secret({.env = "NILO_TEST_NO_SECRET"}, folder_));
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_FALSE(read_secret({.cred = "mail"}, folder_));
  write("mail", "s3cret\n", 0444);  // as systemd makes them
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  EXPECT_EQ(read_secret({.cred = "mail"}, folder_).value(), "s3cret");
  EXPECT_FALSE(read_secret({.cred = "../mail"}, folder_));
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

}  // namespace
}  // namespace nilo::app
