// base/logger.h: lines for the person who runs the server, on stderr.
//
// Format: logfmt, one event a line: `time=... level=info event=log.opened segments=3`. Event names
// are stable. Under journald (JOURNAL_STREAM set) no time, and a <N> priority in front.
// Threads: safe to share. Never pass secrets: nothing here can tell them apart.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace nilo {

struct LogField {
  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  template <typename T>
  requires std::is_arithmetic_v<T> LogField(std::string_view field_name, T number)
      : name(field_name), value(std::to_string(number)) {}

  std::string_view name;
  std::string value;
};

class Logger {
 public:
  enum class Level : std::uint8_t { debug, info, warn, error };
  using Fields = std::initializer_list<LogField>;

  virtual ~Logger() = default;
  virtual void write(Level level, std::string_view event, Fields fields) = 0;

  void debug(std::string_view event, Fields fields = {}) { write(Level::debug, event, fields); }
  void info(std::string_view event, Fields fields = {}) { write(Level::info, event, fields); }
  void warn(std::string_view event, Fields fields = {}) { write(Level::warn, event, fields); }
  void error(std::string_view event, Fields fields = {}) { write(Level::error, event, fields); }
};

// Writes lines of `least` and above to stderr.
std::unique_ptr<Logger> make_stderr_logger(Logger::Level least);

// Says nothing: for tests and one-shot commands.
std::unique_ptr<Logger> make_silent_logger();

}  // namespace nilo
