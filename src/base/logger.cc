#include "base/logger.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "base/utf8.h"

namespace nilo {

namespace {

constexpr std::size_t kFieldSizeMax = 512;

void append_field(std::string& line, std::string_view name, std::string_view value) {
  const std::string shown = printable(value, kFieldSizeMax);
  const bool bare = !shown.empty() && shown.find_first_of(" \"=") == std::string::npos;
  line += ' ';
  line += name;
  line += '=';
  if (bare) {
    line += shown;
    return;
  }
  line += '"';
  for (const char c : shown) {
    if (c == '"') line += '\\';
    line += c;
  }
  line += '"';
}

class StderrLogger final : public Logger {
 public:
  explicit StderrLogger(Level least)
      : sink_("nilo", std::make_shared<spdlog::sinks::stderr_sink_mt>()), least_(least) {
    const bool journald = std::getenv("JOURNAL_STREAM") != nullptr;
    sink_.set_pattern(journald ? "level=%l %v" : "time=%Y-%m-%dT%H:%M:%S.%e%z level=%l %v");
    sink_.set_level(spdlog::level::trace);
  }
  void write(Level level, std::string_view event, Fields fields) override {
    if (level < least_) return;
    std::string line = "event=";
    line += event;
    for (const LogField& field : fields) append_field(line, field.name, field.value);
    sink_.log(spdlog_level(level), line);
  }

 private:
  static spdlog::level::level_enum spdlog_level(Level level) {
    switch (level) {
      case Level::debug:
        return spdlog::level::debug;
      case Level::info:
        return spdlog::level::info;
      case Level::warn:
        return spdlog::level::warn;
      case Level::error:
        return spdlog::level::err;
    }
    return spdlog::level::err;
  }
  spdlog::logger sink_;
  Level least_;
};

class SilentLogger final : public Logger {
 public:
  void write(Level /*level*/, std::string_view /*event*/, Fields /*fields*/) override {}
};

}  // namespace

std::unique_ptr<Logger> make_stderr_logger(Logger::Level least) {
  return std::make_unique<StderrLogger>(least);
}

std::unique_ptr<Logger> make_silent_logger() { return std::make_unique<SilentLogger>(); }

}  // namespace nilo
