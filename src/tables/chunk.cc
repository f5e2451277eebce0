#include "tables/chunk.h"

#include <sys/mman.h>
#include <unistd.h>

namespace nilo::tables {

namespace {

std::size_t width_of(Type type) {
  switch (type) {
    case Type::text:
    case Type::json:
      return sizeof(TextCell);
    case Type::boolean:
      return 1;
    default:
      return 8;
  }
}

constexpr std::array<std::uint8_t, Chunk::kRowsMax> all_valid() {
  std::array<std::uint8_t, Chunk::kRowsMax> out{};
  out.fill(1);
  return out;
}
constexpr auto kAllValid = all_valid();

}  // namespace

ChunkFormat::ChunkFormat(const TableSchema& schema) {
  const auto place = [this](std::size_t width) {
    const std::size_t at = size_;
    size_ += width * Chunk::kRowsMax;
    return at;
  };
  for (const Column& column : schema.columns) {
    const std::size_t values_at = place(width_of(column.type));
    fields_.push_back({column.type, values_at, place(1)});
  }
  received_at_ = place(sizeof(TimeUs));
  seq_at_ = place(sizeof(Seq));
}

void Chunk::fetch_pages() {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t before = reinterpret_cast<std::uintptr_t>(bytes_.get()) % page;
  // Kernels before 5.14 refuse; then they come one by one.
  ::madvise(bytes_.get() - before, before + format_.size(), MADV_POPULATE_WRITE);
}

void Chunk::append(std::span<const Value> cells, TimeUs received_us, Seq seq) {
  NILO_ASSERT(!is_full());
  const auto& fields = format_.fields();
  NILO_ASSERT(cells.size() == fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) set(fields[i], cells[i]);
  array<TimeUs>(format_.received_at())[row_count_] = received_us;
  array<Seq>(format_.seq_at())[row_count_] = seq;
  ++row_count_;
}

void Chunk::set(const ChunkFormat::Field& field, const Value& cell) {
  const bool is_valid = !cell.is_null();
  NILO_ASSERT(!is_valid || cell.type() == field.type);
  array<std::uint8_t>(field.valid_at)[row_count_] = is_valid ? 1 : 0;
  switch (field.type) {
    case Type::text:
    case Type::json: {
      const std::string_view text = texts_.copy(is_valid ? cell.as_text() : std::string_view());
      array<TextCell>(field.values_at)[row_count_] = {text.data(),
                                                      static_cast<std::uint32_t>(text.size())};
      return;
    }
    case Type::float64:
      array<double>(field.values_at)[row_count_] = is_valid ? cell.as_float64() : 0;
      return;
    case Type::boolean:
      array<std::uint8_t>(field.values_at)[row_count_] = is_valid && cell.as_boolean() ? 1 : 0;
      return;
    default:
      array<std::int64_t>(field.values_at)[row_count_] = is_valid ? cell.as_int64() : 0;
  }
}

Value Chunk::cell(std::size_t row, std::size_t column) const {
  const ChunkFormat::Field& field = format_.fields()[column];
  if (array<std::uint8_t>(field.valid_at)[row] == 0) return Value::null();
  switch (field.type) {
    case Type::text:
    case Type::json: {
      const TextCell& text = array<TextCell>(field.values_at)[row];
      const std::string_view view(text.data, text.size);
      return field.type == Type::text ? Value::text(view) : Value::json(view);
    }
    case Type::float64:
      return Value::float64(array<double>(field.values_at)[row]);
    case Type::boolean:
      return Value::boolean(array<std::uint8_t>(field.values_at)[row] != 0);
    case Type::timestamp:
      return Value::timestamp(array<TimeUs>(field.values_at)[row]);
    default:
      return Value::int64(array<std::int64_t>(field.values_at)[row]);
  }
}

BlockColumn Chunk::column(std::size_t number, std::size_t row) const {
  if (number == format_.fields().size()) {
    return {array<TimeUs>(format_.received_at()) + row, kAllValid.data()};
  }
  const ChunkFormat::Field& field = format_.fields()[number];
  return {array<std::byte>(field.values_at) + row * width_of(field.type),
          array<std::uint8_t>(field.valid_at) + row};
}

}  // namespace nilo::tables
