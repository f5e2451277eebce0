// app/own_tables_testing.h: for tests: tables of the program's own (sys_...), without a log.
//
// In/out:  what a test writes as one record -> in the tables at once, as if the disk were very
//          fast. The folder ends with this.
// Threads: one, as tables::Tables has it for apply.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/logger.h"
#include "base/metrics.h"
#include "tables/tables_testing.h"
#include "value/record.h"

namespace nilo::app {

class OwnTables {
 public:
  OwnTables(const Clock& clock, std::vector<tables::TableDeclaration> declarations)
      : clock_(clock) {
    EXPECT_TRUE(tables_->declare(std::move(declarations)));
    write([this](RecordWriter& record) { tables_->number_new(record); });
  }

  tables::Tables& operator*() { return *tables_; }
  tables::Tables* operator->() { return tables_.get(); }

  void write(const std::function<void(RecordWriter&)>& fill) {
    std::string bytes;
    RecordWriter record(bytes, clock_.wall_us());
    fill(record);
    tables_->apply(++seq_, bytes);
  }
  Seq record_count() const { return seq_; }

 private:
  const Clock& clock_;
  const tables::TempFolder folder_;
  Metrics metrics_;
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  std::unique_ptr<tables::Tables> tables_ =
      tables::Tables::open({.state_dir = folder_.path()}, *logger_, metrics_).value();
  Seq seq_ = 0;
};

}  // namespace nilo::app
