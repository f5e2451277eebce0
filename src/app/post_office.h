// app/post_office.h: all that has to do with telling people: the outbox with its two channels, the
// ledger, the mail server's settings and a test mail.
//
// In/out:  the stack's [mail] and [site], rows of sys_notices -> mails and posts, outcomes.
// Threads: the outbox's, and one for test mails when somebody first asks. Everything but start()
//          and stop() from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/notice_backend.h"
#include "app/notice_ledger.h"
#include "app/notice_mail.h"
#include "app/notices.h"
#include "app/outbox.h"
#include "app/worker.h"
#include "base/clock.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "base/result.h"
#include "log/log.h"
#include "net/http_post.h"
#include "net/mail.h"
#include "stack/stack.h"
#include "tables/tables.h"

namespace nilo::app {

// While more notices wait than this, mails go without a chart: drawing is many milliseconds of the
// cores that take readings, and in a storm the words are what matters.
inline constexpr std::size_t kPicturesWaitingMax = 20;

// An error: the mail goes without a picture. Called on the mail's thread.
using DrawNotice = std::function<Result<NoticeChart>(const Notice&)>;

class PostOffice {
 public:
  struct Rooms {  // all must outlive the PostOffice
    tables::Tables& tables;
    log::Log& log;
    const stack::Stack& stack;
    const Clock& clock;
    Logger& logger;
    Metrics& metrics;
  };
  // `stack_dir`: where secret files are. A password that cannot be read is told in the log, and
  // mail waits: devices are served all the same.
  PostOffice(const Rooms& rooms, const std::string& stack_dir, DrawNotice draw);

  // From the table, before start().
  void load(const Notice& notice) { outbox_.saw(notice); }
  void start() { outbox_.start(); }
  // Before Log::stop(). The observer must live on until the tables thread has ended.
  void stop() {
    stopping_ = true;
    outbox_.stop();
  }
  ChangeObserver& observer() { return outbox_; }
  const NoticeLedger& ledger() const { return ledger_; }

  // What the API asks.
  api::NoticeBackend backend();
  // [NoticeItem,...] of one alert, newest first.
  std::string notices_of_alert_json(std::string_view alert_id, std::size_t limit) const;

 private:
  struct MailAccount {
    net::SmtpServer server;
    MailFrame frame;
    std::string problem;  // why it cannot be used; empty: it can
  };

  struct WebhookToken {
    std::string text;
    std::string problem;  // why it cannot be used; empty: it can
  };
  // By the names of the alert and of the URL.
  using WebhookTokens = std::map<std::pair<std::string, std::string>, WebhookToken>;

  MailAccount read_account(const std::string& stack_dir) const;
  WebhookTokens read_tokens(const std::string& stack_dir) const;
  Outbox::Rooms outbox_rooms();
  std::vector<Outbox::Channel> channels();
  net::Delivery send_mail(const Notice& notice, const net::GiveUp& give_up);
  net::Delivery send_post(const Notice& notice, const net::GiveUp& give_up);
  Result<void> record(const Notice& notice);
  void submit(const Notice& notice, std::function<void(const Result<void>&)> done);
  std::string list_json(std::optional<NoticeState> state, std::size_t limit) const;
  std::string settings_json() const;
  void retry(const std::string& id, const api::NoticeBackend::Answer& done);
  void test_mail(const std::string& to, const api::NoticeBackend::Answer& done);
  std::string items_json(const std::vector<std::int64_t>& numbers) const;

  Rooms rooms_;
  const DrawNotice draw_;
  const MailAccount account_;
  const WebhookTokens tokens_;
  net::Mailer mailer_;      // the mail channel's
  net::HttpPoster poster_;  // the webhook channel's
  NoticeLedger ledger_;
  Outbox outbox_;
  std::atomic<bool> stopping_{false};
  Worker test_worker_;
};

}  // namespace nilo::app
