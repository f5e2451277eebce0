#include "tables/state_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>

#include "base/bytes.h"

namespace nilo::tables {

namespace {

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kSeqKey = "seq";
constexpr off_t kLockFileSize = 8192;  // LMDB's, for the 126 readers it has by default

MDB_val val_of(std::string_view bytes) {
  // LMDB only reads what it is given to put or find, but says so with a plain pointer.
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

std::string_view view_of(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

Error error_of(int status, const std::string& dir) {
  const auto error = [&](ErrorCode code, std::string hint) {
    return Error{code, fmt::format("state folder {}: {}", dir, mdb_strerror(status)),
                 std::move(hint)};
  };
  switch (status) {
    case ENOSPC:
    case EDQUOT:
      return error(ErrorCode::resource_exhausted, "free some space on its disk");
    case MDB_MAP_FULL:
      return error(ErrorCode::resource_exhausted, "it reached its largest size");
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
      return error(ErrorCode::corrupt,
                   "move it away: it is made again from the log, as far back as the log reaches");
    case EACCES:
    case EROFS:
      return error(ErrorCode::unavailable, "nilo must be able to write there");
    default:
      return error(ErrorCode::unavailable, "");
  }
}

struct Databases {
  MDB_dbi meta = 0;
  MDB_dbi catalog = 0;
  MDB_dbi latest = 0;
};

// Number, then number or key text.
std::string key_of(std::uint32_t table_id, std::string_view rest) {
  std::string out;
  put_fixed(out, table_id);
  out += rest;
  return out;
}

class LmdbStore final : public StateStore {
 public:
  LmdbStore(std::string dir, MDB_env* env) : dir_(std::move(dir)), env_(env) {}
  ~LmdbStore() override { mdb_env_close(env_); }
  LmdbStore(const LmdbStore&) = delete;
  LmdbStore& operator=(const LmdbStore&) = delete;

  Result<void> prepare();
  Seq seq() const override { return seq_; }
  Result<void> read_catalog(const std::function<void(std::string_view)>& each) override;
  Result<void> read_latest(std::uint32_t table_id,
                           const std::function<void(const StoredRow&)>& each) override;
  Result<std::unique_ptr<StateTransaction>> begin() override;

  Error error(int status) const { return error_of(status, dir_); }
  const Databases& databases() const { return databases_; }
  void set_seq(Seq seq) { seq_ = seq; }

 private:
  Result<void> check_format(MDB_txn* txn);
  // Runs `each(key, value)` from `first_key` on while it returns true.
  Result<void> walk(MDB_dbi database, std::string_view first_key,
                    const std::function<bool(std::string_view, std::string_view)>& each);

  const std::string dir_;
  MDB_env* const env_;
  Databases databases_;
  std::atomic<Seq> seq_{0};
};

class LmdbTransaction final : public StateTransaction {
 public:
  LmdbTransaction(LmdbStore& store, MDB_txn* txn) : store_(store), txn_(txn) {}
  ~LmdbTransaction() override {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
  }
  LmdbTransaction(const LmdbTransaction&) = delete;
  LmdbTransaction& operator=(const LmdbTransaction&) = delete;

  Result<void> put_catalog(std::uint32_t table_id, std::uint32_t column_id,
                           std::string_view body) override {
    std::string column;
    put_fixed(column, column_id);
    return put(store_.databases().catalog, key_of(table_id, column), body);
  }

  Result<void> put_latest(std::uint32_t table_id, const StoredRow& row) override {
    value_.clear();
    put_fixed(value_, row.seq);
    put_fixed(value_, row.received_us);
    value_ += row.body;
    return put(store_.databases().latest, key_of(table_id, row.key), value_);
  }

  Result<void> commit(Seq seq) override {
    value_.clear();
    put_fixed(value_, seq);
    TRY(put(store_.databases().meta, kSeqKey, value_));
    const int status = mdb_txn_commit(std::exchange(txn_, nullptr));
    if (status != MDB_SUCCESS) return store_.error(status);
    store_.set_seq(seq);
    return {};
  }

  Result<void> put(MDB_dbi database, std::string_view key, std::string_view value) {
    MDB_val key_val = val_of(key);
    MDB_val value_val = val_of(value);
    const int status = mdb_put(txn_, database, &key_val, &value_val, 0);
    if (status != MDB_SUCCESS) return store_.error(status);
    return {};
  }

 private:
  LmdbStore& store_;
  MDB_txn* txn_;
  std::string value_;
};

Result<void> LmdbStore::prepare() {
  MDB_txn* txn = nullptr;
  if (const int status = mdb_txn_begin(env_, nullptr, 0, &txn); status != MDB_SUCCESS) {
    return error(status);
  }
  for (const auto& [name, database] :
       {std::pair("meta", &databases_.meta), std::pair("catalog", &databases_.catalog),
        std::pair("latest", &databases_.latest)}) {
    const int status = mdb_dbi_open(txn, name, MDB_CREATE, database);
    if (status != MDB_SUCCESS) {
      mdb_txn_abort(txn);
      return error(status);
    }
  }
  if (auto checked = check_format(txn); !checked) {
    mdb_txn_abort(txn);
    return checked;
  }
  const int status = mdb_txn_commit(txn);
  if (status != MDB_SUCCESS) return error(status);
  return {};
}

Result<void> LmdbStore::check_format(MDB_txn* txn) {
  MDB_val key = val_of(kFormatKey);
  MDB_val value{};
  int status = mdb_get(txn, databases_.meta, &key, &value);
  if (status == MDB_NOTFOUND) {
    std::string version;
    put_fixed(version, kFormatVersion);
    value = val_of(version);
    status = mdb_put(txn, databases_.meta, &key, &value, 0);
    if (status != MDB_SUCCESS) return error(status);
    return {};
  }
  if (status != MDB_SUCCESS) return error(status);
  const auto version = ByteReader(view_of(value)).fixed<std::uint32_t>();
  if (version != kFormatVersion) {
    return Error{ErrorCode::corrupt,
                 fmt::format("state folder {}: format {}, this program knows {}", dir_, version,
                             kFormatVersion),
                 "use the version of nilo that wrote it, or a newer one"};
  }
  key = val_of(kSeqKey);
  status = mdb_get(txn, databases_.meta, &key, &value);
  if (status == MDB_SUCCESS) seq_ = ByteReader(view_of(value)).fixed<Seq>();
  if (status != MDB_SUCCESS && status != MDB_NOTFOUND) return error(status);
  return {};
}

Result<void> LmdbStore::walk(MDB_dbi database, std::string_view first_key,
                             const std::function<bool(std::string_view, std::string_view)>& each) {
  MDB_txn* txn = nullptr;
  int status = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  if (status != MDB_SUCCESS) return error(status);
  MDB_cursor* cursor = nullptr;
  status = mdb_cursor_open(txn, database, &cursor);
  if (status == MDB_SUCCESS) {
    MDB_val key = val_of(first_key);
    MDB_val value{};
    const bool from_start = first_key.empty();
    status = mdb_cursor_get(cursor, &key, &value, from_start ? MDB_FIRST : MDB_SET_RANGE);
    while (status == MDB_SUCCESS && each(view_of(key), view_of(value))) {
      status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
  }
  mdb_txn_abort(txn);
  if (status != MDB_SUCCESS && status != MDB_NOTFOUND) return error(status);
  return {};
}

Result<void> LmdbStore::read_catalog(const std::function<void(std::string_view)>& each) {
  return walk(databases_.catalog, {}, [&](std::string_view /*key*/, std::string_view value) {
    each(value);
    return true;
  });
}

Result<void> LmdbStore::read_latest(std::uint32_t table_id,
                                    const std::function<void(const StoredRow&)>& each) {
  const std::string prefix = key_of(table_id, {});
  return walk(databases_.latest, prefix, [&](std::string_view key, std::string_view value) {
    if (!key.starts_with(prefix)) return false;
    ByteReader in(value);
    StoredRow row{key.substr(prefix.size()), in.fixed<Seq>(), in.fixed<TimeUs>(), {}};
    row.body = in.take(in.left());
    if (in.ok()) each(row);
    return true;
  });
}

Result<std::unique_ptr<StateTransaction>> LmdbStore::begin() {
  MDB_txn* txn = nullptr;
  const int status = mdb_txn_begin(env_, nullptr, 0, &txn);
  if (status != MDB_SUCCESS) return error(status);
  return std::unique_ptr<StateTransaction>(std::make_unique<LmdbTransaction>(*this, txn));
}

// LMDB maps its lock file and writes there. On a full disk that would be a SIGBUS; now it is an
// error, found before.
Result<void> reserve_lock_file(const std::string& dir) {
  const int fd = ::open((dir + "/lock.mdb").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return error_of(errno, dir);
  const int status = ::posix_fallocate(fd, 0, kLockFileSize);
  ::close(fd);
  if (status != 0) return error_of(status, dir);
  return {};
}

}  // namespace

Result<std::unique_ptr<StateStore>> StateStore::open(const std::string& dir, std::size_t size_max) {
  std::error_code failure;
  std::filesystem::create_directories(dir, failure);
  if (failure) return error_of(failure.value(), dir);
  TRY(reserve_lock_file(dir));
  MDB_env* env = nullptr;
  if (const int status = mdb_env_create(&env); status != MDB_SUCCESS) return error_of(status, dir);
  auto store = std::make_unique<LmdbStore>(dir, env);
  int status = mdb_env_set_mapsize(env, size_max);
  if (status == MDB_SUCCESS) status = mdb_env_set_maxdbs(env, 3);
  // Readers take no thread-local slots: the start and the checkpoints may be different threads.
  if (status == MDB_SUCCESS) status = mdb_env_open(env, dir.c_str(), MDB_NOTLS, 0600);
  if (status != MDB_SUCCESS) return error_of(status, dir);
  TRY(store->prepare());
  return std::unique_ptr<StateStore>(std::move(store));
}

}  // namespace nilo::tables
