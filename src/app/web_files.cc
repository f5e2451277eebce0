#include "app/web_files.h"

#include <cstddef>
#include <cstdint>

// Written by tools/embed_web.py.
struct NiloWebFile {
  const char* name;
  const char* bytes;
  std::size_t size;
  const char* gzip;
  std::size_t gzip_size;
};
// NOLINTBEGIN(readability-identifier-naming): as the generated file names them
extern "C" const NiloWebFile nilo_web_files[];
extern "C" const std::uint64_t nilo_web_file_count;
// NOLINTEND(readability-identifier-naming)

namespace nilo::app {

std::vector<api::Asset> web_files() {
  std::vector<api::Asset> files;
  for (std::uint64_t i = 0; i < nilo_web_file_count; ++i) {
    const NiloWebFile& file = nilo_web_files[i];
    files.push_back({file.name, {file.bytes, file.size}, {file.gzip, file.gzip_size}});
  }
  return files;
}

}  // namespace nilo::app
