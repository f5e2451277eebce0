// app/alert_words.h: what people are told of an alert, in the stack's words or in our own.
//
// Templates of the stack (`subject`, `text`, `body`, headers) tell that a level, or the only thing
// the alert looks for, fires or still does. That it is over, that it flaps, and silence beside a
// level are told in our own words: "almost ${state}" would not fit them.
//
// Threads: immutable once made.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerts/engine.h"
#include "alerts/template.h"
#include "app/alert_rows.h"
#include "app/notices.h"
#include "stack/stack.h"

namespace nilo::app {

// What an alert's words are about.
struct AlertFacts {
  const stack::Site* site;
  const stack::Thing* thing;  // nullptr: not named in the stack
  int decimals = -1;          // of the field
  // The cell of the thing's newest row in this column as people read it; empty: there is none.
  std::function<std::string(std::string_view column)> field;
  std::string link;
  std::string acknowledge_link;
};

class AlertWords {
 public:
  // Asserted: check_alert_texts() found nothing (alert_texts.h).
  explicit AlertWords(const stack::Alert& alert);

  // "Orchard is nearly empty: 15.73 %". `row` without its text.
  std::string sentence(const AlertRow& row, int decimals) const;

  // One notice for each recipient, without ids. `event`: a word of alerts::Event, or "test".
  // `has_mail`: the stack has a [mail].
  std::vector<Notice> notices(const AlertRow& row, std::string_view event, const AlertFacts& facts,
                              bool has_mail) const;

 private:
  struct Webhook {
    const stack::WebhookNotice* notice;
    alerts::Template body;
    std::vector<std::pair<std::string, alerts::Template>> headers;
  };
  bool uses_templates(const AlertRow& row, std::string_view event) const;
  std::string own_subject(const AlertRow& row, std::string_view event) const;
  std::string own_text(const AlertRow& row, std::string_view event, const AlertFacts& facts) const;

  const stack::Alert& alert_;
  alerts::Template subject_;
  alerts::Template text_;
  std::vector<Webhook> webhooks_;
};

// "10 minutes", "1 hour", "90 seconds".
std::string shown_duration(std::int64_t us);

}  // namespace nilo::app
