// app/page_versions.h: the texts of files of pages that were replaced, so that a change can be
// taken back.
//
// On disk: DIR/tanks.toml/1784106000000-<version>.toml: when it was replaced, in milliseconds since
// 1970, and what it was.
// Threads: any, but keep() of one file one at a time; reads and syncs files.
// Limits:  kPageVersionsMax texts of each file; then the oldest goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace nilo::app {

inline constexpr std::size_t kPageVersionsMax = 20;

// Tells two texts apart, proves nothing: 16 hexadecimal digits.
std::string version_of(std::string_view text);

// The text of a file, with at most one byte more than a stack's file may have, so that the checker
// sees when it is too large. Empty: there is none.
std::string read_page_file(const std::string& path);

class PageVersions {
 public:
  struct Kept {
    std::int64_t time_ms = 0;  // when it was replaced
    std::string version;       // as version_of()
    std::string path;
  };
  // `dir` is made by the first keep(). `clock` outlives this.
  PageVersions(std::string dir, const Clock& clock) : dir_(std::move(dir)), clock_(clock) {}

  // `name`: of the file, without folders ("tanks.toml").
  // unavailable, permission_denied: names the file or folder; nothing was kept.
  Result<void> keep(const std::string& name, std::string_view text) const;
  // Newest first.
  std::vector<Kept> list(const std::string& name) const;
  std::optional<std::string> text(const std::string& name, std::string_view version) const;

 private:
  std::string dir_of(const std::string& name) const { return dir_ + "/" + name; }

  const std::string dir_;
  const Clock& clock_;
};

}  // namespace nilo::app
