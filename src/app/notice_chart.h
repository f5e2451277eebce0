// app/notice_chart.h: the picture in a mail: what the notice is about, over the days before it.
//
// In/out:  a notice -> its field's line with the alert's limits as PNG, and the same in words.
// Threads: a pure function of what the tables hold; slow (30 ms), so not on a loop.
#pragma once

#include <string>

#include "app/notices.h"
#include "app/things.h"
#include "base/result.h"
#include "stack/stack.h"
#include "tables/tables.h"

namespace nilo::app {

struct NoticeChart {
  std::string png;
  std::string sentence;  // for who does not see it
};

// not_found: it is not about a field of numbers, or nothing was ever measured.
Result<NoticeChart> draw_notice(const Notice& notice, const Things& things,
                                const tables::Tables& tables, const stack::Stack& stack);

}  // namespace nilo::app
