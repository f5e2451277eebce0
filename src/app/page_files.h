// app/page_files.h: the pages of a running server: files that people change, here or by an editor.
//
// The text on the disk is the page; nothing else is kept. Each question first looks whether a file
// in pages/ is another than it was. A text with mistakes is never used: the page stays as it was,
// and says what is wrong. A text saved here is checked in the same way, written aside, synced and
// renamed; what it replaces is kept (app/page_versions.h).
//
// In/out:  JSON documents for the API (docs/pages.md), texts of files.
// Threads: any; each call reads the disk, save() syncs it. page_backend() calls them on a worker.
// Limits:  kPageTextMax bytes of a text that is saved.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/page_backend.h"
#include "app/page_versions.h"
#include "app/worker.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "stack/stack.h"

namespace nilo::app {

inline constexpr std::size_t kPageTextMax = 256 * 1024;
inline constexpr std::size_t kPageRequestsMax = 256;  // waiting for the worker; then refused

class PageFiles {
 public:
  struct Options {
    std::string stack_dir;     // has pages/; empty: there are no files
    std::string versions_dir;  // made when a text is first replaced
  };
  // `files`, `pages`: as loaded, without mistakes. `clock` outlives this.
  PageFiles(const Options& options, const Clock& clock, stack::SourceFiles files,
            std::vector<stack::Page> pages);

  std::string list();
  Result<std::string> show(const std::string& id);
  Result<std::string> text(const std::string& id);
  // invalid_argument: `file` is none of pages/; too_large.
  Result<std::string> check(const std::string& file, std::string text);

  struct Saved {
    Result<std::string> page;
    std::string diagnostics{};  // a JSON list, or empty
  };
  Saved save(const api::PageEdit& edit);

  // Changes another file of the stack, or makes it: `edit` makes the new text of the old one and of
  // the stack that it belongs to. What the stack is then.
  // invalid_argument: the stack would have a mistake; says the first. conflict: it has one already,
  // by somebody's editor. permission_denied: it cannot be written. What `edit` says.
  using Edit = std::function<Result<std::string>(const std::string& text, const stack::Stack&)>;
  Result<stack::Stack> change(const std::string& file, const Edit& edit);

  Result<std::string> versions(const std::string& id);
  Result<std::string> old_text(const std::string& id, const std::string& version);

 private:
  // A file as the disk had it when it was read; equal means unchanged.
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Problem {
    std::string text;
    std::string diagnostics;  // a JSON list
  };
  struct State {
    stack::SourceFiles files;  // what `pages` are made of
    std::vector<stack::Page> pages;
    std::map<std::string, Stamp> stamps;      // of files in pages/, as last looked at
    std::map<std::string, Problem> problems;  // files whose newest text is not used
  };

  void refresh(State& state) const;
  void refresh_file(State& state, const std::string& name) const;
  std::map<std::string, Stamp> look() const;
  std::string path_of(const std::string& file) const;
  bool is_writable(const std::string& file) const;
  Result<void> write(const std::string& file, std::string_view text) const;
  std::string json_of(const State& state, const stack::Page& page) const;
  std::string text_json(const std::string& file, std::string_view text) const;
  Saved save(State& state, const api::PageEdit& edit) const;
  Result<stack::Stack> change(State& state, const std::string& file, const Edit& edit) const;

  const std::string stack_dir_;
  const PageVersions versions_;
  Guarded<State> state_;
};

// The API's questions, answered on `worker`. Both outlive the backend's last call.
api::PageBackend page_backend(PageFiles& files, Worker& worker);

}  // namespace nilo::app
