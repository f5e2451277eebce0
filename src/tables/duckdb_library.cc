#include "tables/duckdb_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <memory>

#include "base/guarded.h"

namespace nilo::tables {

namespace {

// One library, one process: dlopen() itself is a global.
Guarded<std::unique_ptr<const DuckDb>>& the_library() {
  static Guarded<std::unique_ptr<const DuckDb>> library;
  return library;
}

Result<std::unique_ptr<const DuckDb>> open_library(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error{ErrorCode::unavailable, fmt::format("SQL needs DuckDB: {}", dlerror()),
                 "libduckdb.so belongs beside nilo; `make build` puts it there"};
  }
  auto out = std::make_unique<DuckDb>();
  const char* missing = nullptr;
  const auto find = [&](auto& pointer, const char* name) {
    // POSIX, not C++, says that this is a function.
    pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(dlsym(library, name));
    if (pointer == nullptr) missing = name;
  };
#define NILO_DUCKDB_FIND(name) find(out->name, "duckdb_" #name);
  NILO_DUCKDB_FUNCTIONS(NILO_DUCKDB_FIND)
#undef NILO_DUCKDB_FIND
  if (missing != nullptr) {
    return Error{ErrorCode::unavailable, fmt::format("{} has no function {}", path, missing),
                 "it is another version than this program was made for"};
  }
  return std::unique_ptr<const DuckDb>(std::move(out));
}

}  // namespace

Result<const DuckDb*> DuckDb::load(const std::string& path) {
  return the_library().with([&](auto& library) -> Result<const DuckDb*> {
    if (library == nullptr) library = TRY(open_library(path));
    return library.get();
  });
}

const DuckDb& DuckDb::loaded() {
  return the_library().with([](const auto& library) -> const DuckDb& {
    NILO_ASSERT(library != nullptr);
    return *library;
  });
}

std::string take_text(const DuckDb& duck, char* text) {
  std::string out = text == nullptr ? "" : text;
  duck.free(text);
  return out;
}

}  // namespace nilo::tables
