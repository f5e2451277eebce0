#include "app/page_versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "app/host.h"
#include "stack/stack.h"

namespace nilo::app {

namespace fs = std::filesystem;

// FNV-1a.
std::string version_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

std::string read_page_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(stack::kFileSizeMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::vector<PageVersions::Kept> PageVersions::list(const std::string& name) const {
  std::vector<Kept> out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(dir_of(name), none)) {
    const std::string stem = entry.path().stem().string();
    Kept kept{0, "", entry.path().string()};
    const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), kept.time_ms);
    if (error != std::errc() || end == stem.data() + stem.size()) continue;
    kept.version = std::string(end + 1, stem.data() + stem.size());
    out.push_back(std::move(kept));
  }
  std::sort(out.begin(), out.end(),
            [](const Kept& a, const Kept& b) { return a.time_ms > b.time_ms; });
  return out;
}

Result<void> PageVersions::keep(const std::string& name, std::string_view text) const {
  const std::string dir = dir_of(name);
  TRY(make_private_dir(dir));
  const std::vector<Kept> kept = list(name);
  // Later than what is there, also if the clock was set back.
  const std::int64_t newest_ms = kept.empty() ? 0 : kept.front().time_ms;
  const std::int64_t now_ms = std::max(clock_.wall_us() / 1000, newest_ms + 1);
  TRY(write_private_file(fmt::format("{}/{:013}-{}.toml", dir, now_ms, version_of(text)), text));
  for (std::size_t i = kPageVersionsMax - 1; i < kept.size(); ++i) {
    std::error_code none;
    fs::remove(kept[i].path, none);
  }
  return {};
}

std::optional<std::string> PageVersions::text(const std::string& name,
                                              std::string_view version) const {
  for (const Kept& kept : list(name)) {
    if (kept.version == version) return read_page_file(kept.path);
  }
  return std::nullopt;
}

}  // namespace nilo::app
