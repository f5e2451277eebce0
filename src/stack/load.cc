#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "stack/error_table.h"
#include "stack/stack.h"

namespace nilo::stack {
namespace {

namespace fs = std::filesystem;

// Appends the file, or tells why it cannot be read. Reads one byte more than is allowed, so that
// parse() sees when a file is too large.
void read_file(const fs::path& folder, const std::string& name, Loaded& out) {
  errno = 0;
  std::ifstream in(folder / name, std::ios::binary);
  std::string text(kFileSizeMax + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() && !in) {
    const char* reason = errno != 0 ? std::strerror(errno) : "it is not a file";
    out.diagnostics.push_back(diagnose(Code::file_unreadable, {name}, "", name, reason));
    return;
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  out.files.push_back({name, std::move(text)});
}

// `more`/*.toml, or with another ending, sorted.
std::vector<std::string> more_files(const fs::path& folder, const std::string& more, Loaded& out,
                                    std::string_view ending = ".toml") {
  std::vector<std::string> names;
  std::error_code error;
  if (!fs::exists(folder / more, error)) return names;
  auto at = fs::directory_iterator(folder / more, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    // Editors keep their own files here, under names that begin with a dot.
    if (name.ends_with(ending) && !name.starts_with('.')) names.push_back(more + "/" + name);
  }
  if (error) {
    out.diagnostics.push_back(diagnose(Code::file_unreadable, {more}, "", more, error.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Loaded load(const std::string& folder) {
  Loaded read;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    read.diagnostics.push_back(diagnose(Code::folder_missing, {folder}, "", folder));
    return read;
  }
  if (!fs::exists(fs::path(folder) / "nilo.toml", error)) {
    read.diagnostics.push_back(diagnose(Code::main_file_missing, {folder}, "", folder));
    return read;
  }
  read_file(folder, "nilo.toml", read);
  std::vector<std::string> names = more_files(folder, "nilo.d", read);
  for (std::string& name : more_files(folder, "pages", read)) names.push_back(std::move(name));
  for (std::string& name : more_files(folder, "policies", read, ".json")) {
    names.push_back(std::move(name));
  }
  if (names.size() + 1 > kFilesMax) {
    read.diagnostics.push_back(diagnose(Code::too_many_files, {folder}, "", kFilesMax - 1));
    names.clear();
  }
  for (const std::string& name : names) read_file(folder, name, read);

  Loaded out = parse(std::move(read.files));
  out.diagnostics.insert(out.diagnostics.begin(), read.diagnostics.begin(), read.diagnostics.end());
  return out;
}

}  // namespace nilo::stack
