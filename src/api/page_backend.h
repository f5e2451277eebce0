// api/page_backend.h: what the API needs of pages, as functions the app fills in.
//
// Documents are JSON that the app writes; docs/pages.md describes them.
// Threads: all may be called from any thread; `done` may be called from any thread, exactly once.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace nilo::api {

struct PageEdit {
  std::string id;         // of a page in the file to change; empty: `file` says which
  std::string file{};     // "pages/tanks.toml"
  std::string text{};     // the whole file
  std::string version{};  // of the text that was edited
};

struct PageBackend {
  using Done = std::function<void(Result<std::string>)>;

  std::function<void(Done)> list;
  // not_found: no such page; names the nearest.
  std::function<void(const std::string& id, Done)> show;
  std::function<void(const std::string& id, Done)> text;
  // {"pages","diagnostics"} of edit.text as edit.file; nothing is changed.
  std::function<void(PageEdit edit, Done)> check;
  // The page as it is now. If the text has mistakes nothing is changed: the same error, and
  // `diagnostics` is a list, otherwise empty. conflict: the file is another than edit.version.
  using Saved = std::function<void(Result<std::string> page, std::string diagnostics)>;
  std::function<void(PageEdit edit, Saved)> save;
  // {"versions"}: texts that were replaced, newest first; and one of them.
  std::function<void(const std::string& id, Done)> versions;
  std::function<void(const std::string& id, const std::string& version, Done)> old_text;
};

}  // namespace nilo::api
