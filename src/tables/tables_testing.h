// tables/tables_testing.h: for tests: a house with tanks, and rows for it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tables/tables.h"

namespace nilo::tables {

inline constexpr TimeUs kNowUs = 1'763'750'000'000'000;

class TempFolder {
 public:
  TempFolder() {
    std::string name = testing::TempDir() + "nilo_tables_XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// tank_levels(device_id int, time timestamp; distance double cm; percent = 100*(89-distance)/89).
inline TableDeclaration tank_levels() {
  TableDeclaration out;
  TableSchema& schema = out.schema;
  schema.name = "tank_levels";
  schema.has_sort_key = true;
  Column distance{.name = "distance", .type = Type::float64, .unit = "cm"};
  Column percent{.name = "percent", .type = Type::float64, .unit = "%", .decimals = 2};
  percent.derived_sql = "100 * (89 - distance) / 89";
  schema.columns = {{.name = "device_id", .type = Type::int64},
                    {.name = "time", .type = Type::timestamp},
                    distance,
                    percent};
  out.derive = {[](std::span<const Value> cells) {
    if (cells[2].is_null()) return Value::null();
    return Value::float64(100 * (89 - cells[2].as_float64()) / 89);
  }};
  return out;
}

// devices(name text; note text, seen timestamp, ok bool, extra json): the last row of each name.
inline TableDeclaration devices() {
  TableDeclaration out;
  out.schema.name = "devices";
  out.schema.columns = {{.name = "name", .type = Type::text},
                        {.name = "note", .type = Type::text},
                        {.name = "seen", .type = Type::timestamp, .time_unit = TimeUnit::us},
                        {.name = "ok", .type = Type::boolean},
                        {.name = "extra", .type = Type::json}};
  return out;
}

using Cells = std::vector<std::pair<std::string, Value>>;

// Tables together with the log they would have.
class House {
 public:
  explicit House(std::string state_dir) : options_{.state_dir = std::move(state_dir)} {}

  TablesOptions& options() { return options_; }
  Tables& tables() { return *tables_; }
  std::vector<std::string>& log() { return log_; }

  // Opens, declares, replays the log from record `oldest` on, numbers what is new.
  void start(std::vector<TableDeclaration> declarations, Seq oldest = 1) {
    tables_.reset();
    auto opened = Tables::open(options_, *logger_, metrics_);
    ASSERT_TRUE(opened) << opened.error().message;
    tables_ = std::move(opened).value();
    const auto declared = tables_->declare(std::move(declarations));
    ASSERT_TRUE(declared) << declared.error().message;
    for (Seq seq = oldest; seq <= log_.size(); ++seq) tables_->apply(seq, log_[seq - 1]);
    std::string record;
    RecordWriter writer(record, kNowUs);
    if (tables_->number_new(writer)) append(std::move(record));
  }

  void append(std::string record) {
    log_.push_back(std::move(record));
    tables_->apply(log_.size(), log_.back());
  }

  std::string row(std::string_view table, const Cells& cells, TimeUs received_us = kNowUs) {
    std::string record;
    RecordWriter writer(record, received_us);
    const TableLayout& layout = *tables_->layout(table);
    RowWriter row_writer(layout);
    row_writer.begin(received_us);
    for (const auto& [name, value] : cells) {
      const auto set = row_writer.set(*layout.schema.find(name), value);
      EXPECT_TRUE(set) << set.error().message;
    }
    const auto finished = row_writer.finish(writer);
    EXPECT_TRUE(finished) << finished.error().message;
    return record;
  }

  // One reading, `second` seconds after kNowUs.
  void tank(std::int64_t id, std::int64_t second, double distance) {
    append(row("tank_levels",
               {{"device_id", Value::int64(id)},
                {"time", Value::timestamp(kNowUs + second * 1'000'000)},
                {"distance", Value::float64(distance)}},
               kNowUs + second * 1'000'000));
  }

 private:
  TablesOptions options_;
  Metrics metrics_;
  std::unique_ptr<Logger> logger_ = make_silent_logger();
  std::unique_ptr<Tables> tables_;
  std::vector<std::string> log_;
};

// "1 0 75 15.73\n2 ..." : device, seconds after kNowUs, distance, percent.
inline std::string tank_text(const Answer& answer) {
  std::string out;
  for (std::size_t row = 0; row < answer.row_count(); ++row) {
    append_json(out, answer.cell(row, 0));
    out += ' ' + std::to_string((answer.cell(row, 1).as_int64() - kNowUs) / 1'000'000) + ' ';
    append_json(out, answer.cell(row, 2));
    out += ' ';
    append_json(out, answer.cell(row, 3));
    out += '\n';
  }
  return out;
}

inline std::string tank_text(const Result<RowPage>& page) {
  return page ? tank_text(page->rows) : page.error().message;
}

}  // namespace nilo::tables
