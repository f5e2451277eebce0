#include "app/page_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/whole_file.h"
#include "base/nearest.h"
#include "value/value.h"

namespace nilo::app {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kNewFolderMode = 0755;

// "pages/tanks.toml" -> "tanks.toml"
std::string name_in_folder(const std::string& file) {
  return file.substr(stack::kPagesFolder.size());
}

// "pages/tanks.toml": one level below pages/, and a name that no shell or file system minds.
bool is_safe_name(std::string_view file) {
  if (!stack::is_page_file(file) || !file.ends_with(".toml") || file.size() > 128) return false;
  const std::string_view name = file.substr(stack::kPagesFolder.size());
  return !name.starts_with('.') && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

const std::string* find_text(const stack::SourceFiles& files, std::string_view name) {
  for (const stack::SourceFile& file : files) {
    if (file.name == name) return &file.text;
  }
  return nullptr;
}

// `files` with another text of `name`, or without it. In the order in which a start reads them.
stack::SourceFiles with_text(stack::SourceFiles files, const std::string& name,
                             const std::string* text) {
  std::erase_if(files, [&](const stack::SourceFile& file) { return file.name == name; });
  if (text == nullptr) return files;
  const auto behind = std::find_if(files.begin(), files.end(), [&](const stack::SourceFile& file) {
    return stack::is_page_file(file.name) && file.name > name;
  });
  files.insert(behind, {name, *text});
  return files;
}

std::string diagnostics_json(const stack::Loaded& loaded) {
  std::string lines = render_json(loaded.diagnostics, loaded.files);
  if (!lines.empty()) lines.pop_back();
  std::replace(lines.begin(), lines.end(), '\n', ',');  // JSON has none of its own
  return "[" + lines + "]";
}

void append_page(std::string& out, const stack::Page& page) {
  append_json_string(out += R"({"id":)", page.id);
  append_json_string(out += R"(,"title":)", page.title);
  out += R"(,"for":)";
  append_json(out, page.for_things ? Value::text(page.for_things->text()) : Value::null());
}

const stack::Page* find_page(const std::vector<stack::Page>& pages, std::string_view id) {
  const auto at = std::find_if(pages.begin(), pages.end(),
                               [&](const stack::Page& page) { return page.id == id; });
  return at == pages.end() ? nullptr : &*at;
}

Result<const stack::Page*> page_called(const std::vector<stack::Page>& pages, std::string_view id) {
  if (const stack::Page* page = find_page(pages, id)) return page;
  std::vector<std::string_view> ids;
  for (const stack::Page& page : pages) ids.push_back(page.id);
  const std::string_view near = nearest(id, ids);
  return Error{
      ErrorCode::not_found, fmt::format("no page '{}'", id),
      near.empty() ? "all pages are at /api/v1/pages" : fmt::format("did you mean '{}'?", near)};
}

Error failed(const std::string& path) {
  const int reason = errno;
  return {ErrorCode::unavailable, fmt::format("{}: {}", path, std::strerror(reason)),
          "the file is as it was; change it with an editor, or let this server write there"};
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

void sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

PageFiles::PageFiles(const Options& options, const Clock& clock, stack::SourceFiles files,
                     std::vector<stack::Page> pages)
    : stack_dir_(options.stack_dir),
      versions_(options.versions_dir, clock),
      state_(State{std::move(files), std::move(pages), {}, {}}) {}

std::string PageFiles::path_of(const std::string& file) const { return stack_dir_ + "/" + file; }

// Every file in pages/, as the disk has it now.
std::map<std::string, PageFiles::Stamp> PageFiles::look() const {
  std::map<std::string, Stamp> out;
  if (stack_dir_.empty()) return out;
  std::error_code none;
  for (const auto& entry :
       fs::directory_iterator(path_of(std::string(stack::kPagesFolder)), none)) {
    const std::string name = entry.path().filename().string();
    struct stat found {};
    if (name.starts_with('.') || !name.ends_with(".toml")) continue;
    if (::stat(entry.path().c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
    out[std::string(stack::kPagesFolder) + name] = {
        found.st_ino, found.st_size, found.st_ctim.tv_sec * 1'000'000'000 + found.st_ctim.tv_nsec};
    if (out.size() >= stack::kFilesMax) break;
  }
  return out;
}

void PageFiles::refresh(State& state) const {
  const auto found = look();
  std::vector<std::string> changed;
  for (const auto& [name, stamp] : found) {
    const auto known = state.stamps.find(name);
    if (known == state.stamps.end() || known->second != stamp) changed.push_back(name);
  }
  for (const auto& [name, stamp] : state.stamps) {
    if (found.find(name) == found.end()) changed.push_back(name);
  }
  state.stamps = found;
  for (const std::string& name : changed) refresh_file(state, name);
}

// One file at a time: a mistake in one does not hold up another.
void PageFiles::refresh_file(State& state, const std::string& name) const {
  const bool is_there = state.stamps.find(name) != state.stamps.end();
  const std::string text = is_there ? read_page_file(path_of(name)) : "";
  const std::string* used = find_text(state.files, name);
  state.problems.erase(name);
  if (is_there && used != nullptr && *used == text) return;
  stack::Loaded loaded = stack::parse(with_text(state.files, name, is_there ? &text : nullptr));
  if (!loaded.ok()) {
    state.problems[name] = {text, diagnostics_json(loaded)};
    return;
  }
  state.files = std::move(loaded.files);
  state.pages = std::move(loaded.stack.pages);
}

bool PageFiles::is_writable(const std::string& file) const {
  struct stat found {};
  const std::string path = path_of(file);
  const std::string folder = path_of(std::string(stack::kPagesFolder));
  // A link leads elsewhere, and a mode without w is meant, also for root.
  return !stack_dir_.empty() && is_safe_name(file) && ::lstat(path.c_str(), &found) == 0 &&
         S_ISREG(found.st_mode) && (found.st_mode & 0222) != 0 &&
         ::access(path.c_str(), W_OK) == 0 && ::access(folder.c_str(), W_OK | X_OK) == 0;
}

std::string PageFiles::json_of(const State& state, const stack::Page& page) const {
  const std::string& file = page.place.file;
  std::string out;
  append_page(out, page);
  append_json_string(out += R"(,"range":)", page.range);
  append_json_string(out += R"(,"zone":)", page.zone);
  append_json_string(out += R"(,"pick":[],"file":)", file);
  const std::string* text = find_text(state.files, file);
  out += fmt::format(R"(,"line":{},"version":"{}","writable":{},"panels":[)", page.place.line,
                     text == nullptr ? "" : version_of(*text), is_writable(file));
  for (const stack::Panel& panel : page.panels) {
    if (out.back() == '}') out += ',';
    append_json_string(out += R"({"kind":)", panel.kind);
    out += fmt::format(R"(,"line":{})", panel.line);
    out += panel.options_json.size() > 2 ? "," + panel.options_json.substr(1) : "}";
  }
  out += ']';
  const auto problem = state.problems.find(file);
  if (problem != state.problems.end()) out += R"(,"problems":)" + problem->second.diagnostics;
  return out + "}";
}

std::string PageFiles::text_json(const std::string& file, std::string_view text) const {
  std::string out;
  append_json_string(out += R"({"file":)", file);
  append_json_string(out += R"(,"text":)", text);
  out += fmt::format(R"(,"version":"{}","writable":{}}})", version_of(text), is_writable(file));
  return out;
}

std::string PageFiles::list() {
  return state_.with([this](State& state) {
    refresh(state);
    std::string out = R"({"pages":[)";
    for (const stack::Page& page : state.pages) {
      if (out.back() == '}') out += ',';
      append_page(out, page);
      out += '}';
    }
    return out + "]}";
  });
}

Result<std::string> PageFiles::show(const std::string& id) {
  return state_.with([&](State& state) -> Result<std::string> {
    refresh(state);
    return json_of(state, *TRY(page_called(state.pages, id)));
  });
}

// The newest text, also if it has mistakes: it is there that they are put right.
Result<std::string> PageFiles::text(const std::string& id) {
  return state_.with([&](State& state) -> Result<std::string> {
    refresh(state);
    const std::string& file = TRY(page_called(state.pages, id))->place.file;
    const auto problem = state.problems.find(file);
    const std::string* used = find_text(state.files, file);
    const bool is_text = problem != state.problems.end() || used != nullptr;
    if (!is_text) return Error{ErrorCode::not_found, fmt::format("no file '{}'", file)};
    return text_json(file, problem != state.problems.end() ? problem->second.text : *used);
  });
}

Result<std::string> PageFiles::check(const std::string& file, std::string text) {
  if (!is_safe_name(file)) {
    return Error{ErrorCode::invalid_argument, fmt::format("'{}' is no file of pages", file),
                 "a file of pages is pages/NAME.toml"};
  }
  if (text.size() > kPageTextMax) {
    return Error{ErrorCode::too_large, "the text is too large", "at most 256 KiB"};
  }
  return state_.with([&](State& state) -> Result<std::string> {
    refresh(state);
    const stack::Loaded loaded = stack::parse(with_text(state.files, file, &text));
    State made{loaded.files, loaded.stack.pages, {}, {}};
    std::string out = R"({"pages":[)";
    for (const stack::Page& page : made.pages) {
      if (page.place.file != file) continue;
      if (out.back() == '}') out += ',';
      out += json_of(made, page);
    }
    return out + R"(],"diagnostics":)" + diagnostics_json(loaded) + "}";
  });
}

PageFiles::Saved PageFiles::save(const api::PageEdit& edit) {
  return state_.with([&](State& state) { return save(state, edit); });
}

PageFiles::Saved PageFiles::save(State& state, const api::PageEdit& edit) const {
  refresh(state);
  const auto page = page_called(state.pages, edit.id);
  if (!page) return {page.error()};
  const std::string file = (*page)->place.file;
  if (edit.text.size() > kPageTextMax) {
    return {Error{ErrorCode::too_large, "the text is too large", "at most 256 KiB"}};
  }
  if (!is_writable(file)) {
    return {Error{ErrorCode::permission_denied, fmt::format("'{}' cannot be changed here", file),
                  stack::is_page_file(file) ? "the file, or its folder, is read-only"
                                            : "only files in pages/ can; use an editor"}};
  }
  const std::string before = read_page_file(path_of(file));
  if (version_of(before) != edit.version) {
    return {Error{ErrorCode::conflict, fmt::format("'{}' was changed by somebody else", file),
                  "load it again and repeat your change"}};
  }
  stack::Loaded loaded = stack::parse(with_text(state.files, file, &edit.text));
  if (!loaded.ok()) {
    return {Error{ErrorCode::invalid_argument, "the text has mistakes; nothing was changed"},
            diagnostics_json(loaded)};
  }
  const auto& pages = loaded.stack.pages;
  const auto first = std::find_if(pages.begin(), pages.end(),
                                  [&](const stack::Page& made) { return made.place.file == file; });
  if (first == pages.end()) {
    return {Error{ErrorCode::invalid_argument, "the text has no [[page]]; nothing was changed"}};
  }
  if (const auto kept = versions_.keep(name_in_folder(file), before); !kept) return {kept.error()};
  if (const auto written = write(file, edit.text); !written) return {written.error()};
  state.files = std::move(loaded.files);
  state.pages = std::move(loaded.stack.pages);
  state.problems.erase(file);
  // The page may have got another id.
  const stack::Page* same = find_page(state.pages, edit.id);
  const auto in_file = [&](const stack::Page& made) { return made.place.file == file; };
  if (same == nullptr) same = &*std::find_if(state.pages.begin(), state.pages.end(), in_file);
  return {json_of(state, *same)};
}

// Aside, synced, renamed: after a crash the file is the old or the new one, whole.
Result<void> PageFiles::write(const std::string& file, std::string_view text) const {
  const std::string path = path_of(file);
  const std::string folder = path_of(std::string(stack::kPagesFolder));
  const std::string aside = fmt::format("{}.{}.new", folder, name_in_folder(file));
  struct stat old {};
  if (::stat(path.c_str(), &old) != 0) return failed(path);
  ::unlink(aside.c_str());  // of a crash
  const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return failed(aside);
  // Who owns the file stays so where that is possible; the mode always does.
  const bool owner_kept = ::fchown(fd, old.st_uid, old.st_gid) == 0 || errno == EPERM;
  const bool is_whole = owner_kept && ::fchmod(fd, old.st_mode & 07777) == 0 && write_all(fd, text);
  Result<void> outcome;
  if (!is_whole) outcome = failed(aside);
  ::close(fd);
  if (outcome && ::rename(aside.c_str(), path.c_str()) != 0) outcome = failed(path);
  if (!outcome) ::unlink(aside.c_str());
  if (outcome) sync_folder(folder);
  return outcome;
}

Result<stack::Stack> PageFiles::change(const std::string& file, const Edit& edit) {
  return state_.with([&](State& state) { return change(state, file, edit); });
}

Result<stack::Stack> PageFiles::change(State& state, const std::string& file,
                                       const Edit& edit) const {
  refresh(state);
  struct stat found {};
  const std::string path = path_of(file);
  const bool is_there = ::stat(path.c_str(), &found) == 0;
  const std::string before = is_there ? read_page_file(path) : "";
  const stack::Loaded old =
      stack::parse(with_text(state.files, file, is_there ? &before : nullptr));
  if (!old.ok()) {
    return Error{ErrorCode::conflict,
                 fmt::format("{} has a mistake: {}", to_string(old.diagnostics.front().place),
                             old.diagnostics.front().summary),
                 "put it right first: nilo check"};
  }
  const std::string text = TRY(edit(before, old.stack));
  stack::Loaded loaded = stack::parse(with_text(state.files, file, &text));
  if (!loaded.ok()) {
    const stack::Diagnostic& first = loaded.diagnostics.front();
    return Error{ErrorCode::invalid_argument,
                 fmt::format("{}: {}; nothing was changed", to_string(first.place), first.summary),
                 first.help};
  }
  const std::string folder = path.substr(0, path.rfind('/'));
  if (!stack_dir_.empty()) ::mkdir(folder.c_str(), kNewFolderMode);
  const bool is_ours = !stack_dir_.empty() && ::access(folder.c_str(), W_OK | X_OK) == 0 &&
                       (!is_there || (found.st_mode & 0222) != 0);
  const auto written = is_ours
                           ? replace_file(path, text, is_there ? found.st_mode & 0777 : kPublicMode)
                           : Result<void>(Error{});
  if (!written) {
    return Error{ErrorCode::permission_denied, fmt::format("{} cannot be written here", file), ""};
  }
  state.files = std::move(loaded.files);
  state.pages = std::move(loaded.stack.pages);
  loaded.stack.pages.clear();
  return std::move(loaded.stack);
}

Result<std::string> PageFiles::versions(const std::string& id) {
  return state_.with([&](State& state) -> Result<std::string> {
    refresh(state);
    const std::string& file = TRY(page_called(state.pages, id))->place.file;
    std::string out = R"({"versions":[)";
    if (!is_safe_name(file)) return out + "]}";
    for (const PageVersions::Kept& kept : versions_.list(name_in_folder(file))) {
      if (out.back() == '}') out += ',';
      append_json_string(out += R"({"version":)", kept.version);
      out += fmt::format(R"(,"time":{}}})", kept.time_ms);
    }
    return out + "]}";
  });
}

Result<std::string> PageFiles::old_text(const std::string& id, const std::string& version) {
  return state_.with([&](State& state) -> Result<std::string> {
    refresh(state);
    const std::string& file = TRY(page_called(state.pages, id))->place.file;
    if (is_safe_name(file)) {
      const auto kept = versions_.text(name_in_folder(file), version);
      if (kept) return text_json(file, *kept);
    }
    return Error{ErrorCode::not_found, fmt::format("no version '{}' of page '{}'", version, id),
                 fmt::format("the last {} are kept", kPageVersionsMax)};
  });
}

api::PageBackend page_backend(PageFiles& files, Worker& worker) {
  using Done = api::PageBackend::Done;
  const auto busy = [] {
    return Error{ErrorCode::resource_exhausted, "too many questions about pages are waiting",
                 "ask again"};
  };
  const auto ask = [&worker, busy](const Done& done, std::function<Result<std::string>()> answer) {
    const bool waits = worker.post([done, answer = std::move(answer)] { done(answer()); });
    if (!waits) done(busy());
  };
  api::PageBackend out;
  out.list = [&files, ask](const Done& done) {
    ask(done, [&files]() -> Result<std::string> { return files.list(); });
  };
  out.show = [&files, ask](const std::string& id, const Done& done) {
    ask(done, [&files, id] { return files.show(id); });
  };
  out.text = [&files, ask](const std::string& id, const Done& done) {
    ask(done, [&files, id] { return files.text(id); });
  };
  out.check = [&files, ask](const api::PageEdit& edit, const Done& done) {
    ask(done, [&files, edit] { return files.check(edit.file, edit.text); });
  };
  out.save = [&files, &worker, busy](const api::PageEdit& edit,
                                     const api::PageBackend::Saved& done) {
    const bool waits = worker.post([&files, edit, done] {
      const PageFiles::Saved saved = files.save(edit);
      done(saved.page, saved.diagnostics);
    });
    if (!waits) done(busy(), "");
  };
  out.versions = [&files, ask](const std::string& id, const Done& done) {
    ask(done, [&files, id] { return files.versions(id); });
  };
  out.old_text = [&files, ask](const std::string& id, const std::string& version,
                               const Done& done) {
    ask(done, [&files, id, version] { return files.old_text(id, version); });
  };
  return out;
}

}  // namespace nilo::app
