#include "app/post_office.h"

#include <fmt/format.h>

#include <future>
#include <utility>

#include "app/secrets.h"
#include "base/utf8.h"

namespace nilo::app {

namespace {

constexpr std::size_t kTestMailsWaitingMax = 4;

net::SmtpServer::Tls tls_of(stack::Mail::Tls tls) {
  switch (tls) {
    case stack::Mail::Tls::none:
      return net::SmtpServer::Tls::none;
    case stack::Mail::Tls::starttls:
      return net::SmtpServer::Tls::starttls;
    case stack::Mail::Tls::tls:
      break;
  }
  return net::SmtpServer::Tls::tls;
}

std::size_t webhook_count(const stack::Stack& stack) {
  std::size_t count = 0;
  for (const stack::Alert& alert : stack.alerts) count += alert.webhooks.size();
  return count;
}

}  // namespace

PostOffice::PostOffice(const Rooms& rooms, const std::string& stack_dir, DrawNotice draw)
    : rooms_(rooms),
      draw_(std::move(draw)),
      account_(read_account(stack_dir)),
      tokens_(read_tokens(stack_dir)),
      mailer_(account_.server),
      outbox_(outbox_rooms(), channels()),
      test_worker_(kTestMailsWaitingMax) {
  rooms_.metrics.gauge("nilo_notices_waiting", "Notices not sent yet.",
                       [this] { return static_cast<double>(ledger_.counts().waiting); });
  rooms_.metrics.gauge("nilo_notices_parked", "Notices given up, for a person to retry.",
                       [this] { return static_cast<double>(ledger_.counts().parked); });
}

PostOffice::MailAccount PostOffice::read_account(const std::string& stack_dir) const {
  MailAccount account;
  account.frame.site_name = rooms_.stack.site.name;
  if (!rooms_.stack.mail) {
    account.problem = "the stack has no [mail]: whom should the mail be given to?";
    return account;
  }
  const stack::Mail& mail = *rooms_.stack.mail;
  account.frame.from = mail.from;
  account.server.host = mail.server;
  account.server.port = static_cast<std::uint16_t>(mail.port);
  account.server.tls = tls_of(mail.tls);
  account.server.user = mail.user;
  if (!mail.ca.empty()) account.server.ca_file = path_in(stack_dir, mail.ca);
  if (!mail.password) return account;
  auto password = read_secret(*mail.password, stack_dir);
  if (password) {
    account.server.password = *std::move(password);
    return account;
  }
  account.problem = "the mail password: " + password.error().message;
  rooms_.logger.error("mail.no_password",
                      {{"reason", password.error().message}, {"remedy", password.error().hint}});
  return account;
}

// They are not in the notices, which are rows of the log.
PostOffice::WebhookTokens PostOffice::read_tokens(const std::string& stack_dir) const {
  WebhookTokens tokens;
  for (const stack::Alert& alert : rooms_.stack.alerts) {
    for (const stack::WebhookNotice& webhook : alert.webhooks) {
      if (!webhook.token) continue;
      WebhookToken& token = tokens[{alert.name, webhook.url}];
      const auto text = read_secret(*webhook.token, stack_dir);
      if (text) {
        token.text = *text;
        continue;
      }
      token.problem = "the token of the webhook: " + text.error().message;
      rooms_.logger.error(
          "webhook.no_token",
          {{"alert", alert.name}, {"reason", text.error().message}, {"remedy", text.error().hint}});
    }
  }
  return tokens;
}

Outbox::Rooms PostOffice::outbox_rooms() {
  return {[this](std::int64_t number) { return find_notice(rooms_.tables, number); },
          [this](const Notice& notice) { return record(notice); },
          ledger_,
          rooms_.clock,
          rooms_.logger,
          rooms_.metrics};
}

std::vector<Outbox::Channel> PostOffice::channels() {
  const auto mail_server =
      [name = fmt::format("{}:{}", account_.server.host, account_.server.port)](const Notice&) {
        return name;
      };
  const auto post_server = [](const Notice& notice) {
    const auto origin = net::origin_of(notice.to);
    return origin ? *origin : std::string();
  };
  const auto mail = [this](const Notice& notice, const net::GiveUp& give_up) {
    return send_mail(notice, give_up);
  };
  const auto post = [this](const Notice& notice, const net::GiveUp& give_up) {
    return send_post(notice, give_up);
  };
  return {{kMailChannel, mail, mail_server}, {kWebhookChannel, post, post_server}};
}

net::Delivery PostOffice::send_mail(const Notice& notice, const net::GiveUp& give_up) {
  if (!account_.problem.empty()) {
    return {net::Delivery::Verdict::failed, true, account_.problem, true};
  }
  const bool is_storm = ledger_.counts().waiting > kPicturesWaitingMax;
  const auto chart = is_storm ? Result<NoticeChart>(Error{}) : draw_(notice);
  return mailer_.send(mail_of(notice, account_.frame, chart ? &*chart : nullptr), give_up);
}

net::Delivery PostOffice::send_post(const Notice& notice, const net::GiveUp& give_up) {
  net::HttpPost post;
  post.url = notice.to;
  post.body = notice.text;
  for (const NoticeHeader& header : notice.headers) {
    post.headers.emplace_back(header.name, header.value);
  }
  if (const auto token = tokens_.find({notice.alert, notice.to}); token != tokens_.end()) {
    const std::string& problem = token->second.problem;
    if (!problem.empty()) return {net::Delivery::Verdict::failed, false, problem};
    post.headers.emplace_back("Authorization", "Bearer " + token->second.text);
  }
  post.allow_private = notice.allow_private;
  return poster_.post(post, give_up);
}

// Straight to the log: no loop has a part in it.
void PostOffice::submit(const Notice& notice, std::function<void(const Result<void>&)> done) {
  auto batch = std::make_unique<log::Batch>();
  RecordWriter record(batch->begin_record(), rooms_.clock.wall_us());
  write_notice(rooms_.tables, notice, record);
  const auto ended = batch->end_record();
  NILO_ASSERT(ended.has_value());  // a notice's texts are cut to far less
  batch->done = [done = std::move(done)](const Result<void>& outcome, Seq /*first*/) {
    done(outcome);
  };
  rooms_.log.submit(std::move(batch));
}

Result<void> PostOffice::record(const Notice& notice) {
  std::promise<Result<void>> promise;
  auto outcome = promise.get_future();
  submit(notice, [&promise](const Result<void>& written) { promise.set_value(written); });
  return outcome.get();
}

std::string PostOffice::items_json(const std::vector<std::int64_t>& numbers) const {
  std::string out = "[";
  for (const std::int64_t number : numbers) {
    const auto notice = find_notice(rooms_.tables, number);
    if (!notice) continue;  // overwritten meanwhile
    if (out.size() > 1) out += ',';
    append_notice_json(out, *notice);
  }
  return out + "]";
}

std::string PostOffice::notices_of_alert_json(std::string_view alert_id, std::size_t limit) const {
  return items_json(ledger_.of_alert(alert_id, limit));
}

std::string PostOffice::list_json(std::optional<NoticeState> state, std::size_t limit) const {
  const NoticeLedger::Counts counts = ledger_.counts();
  return fmt::format(R"({{"notices":{},"counts":{{"waiting":{},"sent":{},"parked":{}}}}})",
                     items_json(ledger_.newest(state, limit)), counts.waiting, counts.sent,
                     counts.parked);
}

std::string PostOffice::settings_json() const {
  const bool configured = rooms_.stack.mail.has_value();
  std::string out = fmt::format(R"({{"mail":{{"configured":{},"server":)", configured);
  append_json_string(out, configured ? account_.server.host : "");
  append_json_string(out += R"(,"from":)", account_.frame.from);
  if (configured && !account_.problem.empty()) {
    append_json_string(out += R"(,"problem":)", account_.problem);
  }
  return out + fmt::format(R"(}},"webhooks":{}}})", webhook_count(rooms_.stack));
}

void PostOffice::retry(const std::string& id, const api::NoticeBackend::Answer& done) {
  const auto number = number_of(id);
  auto notice = number ? find_notice(rooms_.tables, *number) : std::nullopt;
  if (!notice || notice->id != id) {
    return done(Error{ErrorCode::not_found, fmt::format("no notice `{}`", printable(id, 80)),
                      "list them with: nilo notices ls"});
  }
  if (notice->state == kSent) {
    return done(Error{ErrorCode::conflict, fmt::format("notice {} was sent already", id), ""});
  }
  notice->state = kWaiting;
  notice->tries = 0;
  notice->next_try_us = rooms_.clock.wall_us();
  submit(*notice, [this, notice = *notice, done](const Result<void>& written) {
    if (!written) return done(written.error());
    outbox_.hurry(notice);
    std::string json;
    append_notice_json(json, notice);
    done(json);
  });
}

void PostOffice::test_mail(const std::string& to, const api::NoticeBackend::Answer& done) {
  if (const auto address = net::bare_address(to); !address) return done(address.error());
  if (!account_.problem.empty()) {
    return done(Error{ErrorCode::unavailable, account_.problem,
                      "see [mail] in docs/mail.md; the server reads it when it starts"});
  }
  const bool taken = test_worker_.post([this, to, done] {
    Notice notice;
    notice.created_us = rooms_.clock.wall_us();
    notice.id = fmt::format("test-{:x}", notice.created_us);
    notice.event = "test";
    notice.channel = kMailChannel;
    notice.to = to;
    notice.subject = "Test mail from " + account_.frame.site_name;
    notice.text = "This is a test. Mail from here arrives.";
    notice.link = rooms_.stack.site.url;
    // A connection of its own: this is not the mail channel's thread.
    net::Mailer mailer(account_.server);
    const net::Delivery delivery =
        mailer.send(mail_of(notice, account_.frame, nullptr), [this] { return stopping_.load(); });
    if (delivery.verdict == net::Delivery::Verdict::accepted) return done(delivery.answer);
    done(Error{ErrorCode::unavailable, delivery.answer,
               fmt::format("said by, or about, the mail server {}:{}", account_.server.host,
                           account_.server.port)});
  });
  if (!taken) {
    done(Error{ErrorCode::resource_exhausted, "other test mails are still under way",
               "wait for them"});
  }
}

api::NoticeBackend PostOffice::backend() {
  api::NoticeBackend backend;
  backend.list_json = [this](std::string_view state, std::size_t limit) -> Result<std::string> {
    if (state.empty()) return list_json(std::nullopt, limit);
    return list_json(TRY(notice_state_of_word(state)), limit);
  };
  backend.retry = [this](const std::string& id, const api::NoticeBackend::Answer& done) {
    retry(id, done);
  };
  backend.settings_json = [this] { return settings_json(); };
  backend.test_mail = [this](const std::string& to, const api::NoticeBackend::Answer& done) {
    test_mail(to, done);
  };
  return backend;
}

}  // namespace nilo::app
