#include "app/csv.h"

#include <fmt/format.h>

namespace nilo::app {

namespace {

constexpr std::string_view kBom = "\xef\xbb\xbf";

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {
    if (text_.starts_with(kBom)) at_ = kBom.size();
  }
  bool at_end() const { return at_ >= text_.size(); }

  Result<CsvRow> row() {
    CsvRow row{line_, {}};
    bool has_more = true;
    while (has_more) {
      row.cells.push_back(TRY(cell()));
      has_more = take(',');
    }
    take('\r');
    if (take('\n')) ++line_;
    return row;
  }

 private:
  bool take(char wanted) {
    if (at_end() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  Result<std::string> cell() {
    if (take('"')) return quoted();
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    const std::string_view cell = text_.substr(at_, end - at_);
    at_ = end;
    return std::string(cell);
  }

  Result<std::string> quoted() {
    const std::size_t first_line = line_;
    std::string out;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '\n') ++line_;
      if (c != '"') {
        out += c;
      } else if (take('"')) {
        out += '"';
      } else if (at_end() || text_[at_] == ',' || text_[at_] == '\r' || text_[at_] == '\n') {
        return out;
      } else {
        return Error{ErrorCode::invalid_argument,
                     fmt::format("line {}: text behind a closing quote", line_), ""};
      }
    }
    return Error{ErrorCode::invalid_argument,
                 fmt::format("line {}: a quote that does not end", first_line), ""};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> read_csv(std::string_view text) {
  std::vector<CsvRow> rows;
  for (Reader reader(text); !reader.at_end();) {
    CsvRow row = TRY(reader.row());
    const bool is_empty = row.cells.size() == 1 && row.cells.front().empty();
    if (!is_empty) rows.push_back(std::move(row));
  }
  return rows;
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) {
    if (&cell != cells.data()) out += ',';
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
      out += cell;
      continue;
    }
    out += '"';
    for (const char c : cell) {
      if (c == '"') out += c;
      out += c;
    }
    out += '"';
  }
  return out + "\n";
}

}  // namespace nilo::app
