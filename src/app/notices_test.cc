#include "app/notices.h"

#include <gtest/gtest.h>

#include "app/own_tables_testing.h"
#include "base/utf8.h"

namespace nilo::app {
namespace {

class Notices : public ::testing::Test {
 protected:
  void write(const Notice& notice) {
    tables_.write([&](RecordWriter& record) { write_notice(*tables_, notice, record); });
  }

  FakeClock clock_{1};
  OwnTables tables_{clock_, {{notices_schema(), {}}}};
};

Notice notice_for(std::string id) {
  Notice notice;
  notice.id = std::move(id);
  notice.alert = "level";
  notice.thing = "tank-2";
  notice.condition = "low";
  notice.event = "firing";
  notice.channel = kMailChannel;
  notice.to = "owner@example.org";
  notice.text = "Orchard is at 15.73 %.";
  notice.created_us = 1'000'000;
  return notice;
}

TEST_F(Notices, AreReadAsTheyWereWritten) {
  Notice notice = notice_for("7-f4240");
  notice.headers = {{"Title", "Orchard \"low\""}, {"Tags", "droplet"}};
  notice.allow_private = true;
  notice.sent_us = 5;
  notice.tries = 2;
  notice.answer = "250 OK";
  write(notice);
  const auto read = find_notice(*tables_, 7);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, notice.id);
  EXPECT_EQ(read->thing, "tank-2");
  EXPECT_EQ(read->text, notice.text);
  ASSERT_EQ(read->headers.size(), 2u);
  EXPECT_EQ(read->headers[0].name, "Title");
  EXPECT_EQ(read->headers[0].value, "Orchard \"low\"");
  EXPECT_TRUE(read->allow_private);
  EXPECT_EQ(read->tries, 2);
  EXPECT_EQ(read->sent_us, 5);
  EXPECT_EQ(read->answer, "250 OK");
}

TEST_F(Notices, OfAThousandHeadersOfControlCharactersFitTheirCell) {
  Notice notice = notice_for("1-1");
  for (int i = 100; i < 1100; ++i) {
    notice.headers.push_back(
        {std::to_string(i) + std::string(10'000, '\1'), std::string(10'000, '\1')});
  }
  write(notice);
  EXPECT_EQ(find_notice(*tables_, 1)->headers.size(), kNoticeHeadersMax);
}

TEST_F(Notices, AreCutAtTheirLimitsBetweenCharacters) {
  Notice notice = notice_for("1-1");
  notice.text = std::string(kNoticeTextSizeMax, 'x');
  notice.subject = std::string(kNoticeFieldSizeMax - 1, 'x') + "\xc3\xa9";  // n and n+1
  notice.thing_name = "\xff<b>";
  write(notice);
  const auto read = find_notice(*tables_, 1);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text.size(), kNoticeTextSizeMax);
  EXPECT_EQ(read->subject.size(), kNoticeFieldSizeMax - 1);
  EXPECT_TRUE(is_utf8(read->thing_name));
}

TEST_F(Notices, GiveTheirPlaceToTheNewestWhenTheRingIsFull) {
  write(notice_for("1-1"));
  write(notice_for(std::to_string(kNoticesMax) + "-1"));
  EXPECT_TRUE(find_notice(*tables_, 1));
  write(notice_for(std::to_string(kNoticesMax + 1) + "-1"));
  EXPECT_FALSE(find_notice(*tables_, 1));
  EXPECT_TRUE(find_notice(*tables_, kNoticesMax + 1));
}

TEST(NoticeNumbers, GoOnBehindTheHighestSeen) {
  NoticeNumbers numbers;
  EXPECT_EQ(numbers.next_id(255), "1-ff");
  numbers.saw("41-ff");
  numbers.saw("7-ff");
  numbers.saw("not an id");
  EXPECT_EQ(numbers.next_id(256), "42-100");
}

TEST(NoticeNumbers, AreReadFromIdsOfOursOnly) {
  EXPECT_EQ(number_of("42-100"), 42);
  for (const char* bad : {"", "42", "-1-5", "0-5", "x", "99999999999999999999-1"}) {
    EXPECT_FALSE(number_of(bad)) << bad;
  }
}

}  // namespace
}  // namespace nilo::app
