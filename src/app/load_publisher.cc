#include "app/load_publisher.h"

#include <fmt/format.h>

namespace nilo::app {

namespace {

constexpr std::int64_t kFirstReadingMs = 1'763'750'000'000;
constexpr std::size_t kTimeDigits = 13;
constexpr std::size_t kAnswerSize = 4;
constexpr char kPubrec = 0x50;

void put_digits(char* at, std::size_t digits, std::uint64_t number) {
  for (std::size_t i = digits; i-- > 0; number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

}  // namespace

LoadPublisher::LoadPublisher(LoadSocket socket, const PublisherOptions& options)
    : socket_(std::move(socket)),
      qos_(options.qos),
      window_(static_cast<std::uint64_t>(std::max(1, options.window))),
      number_(static_cast<std::uint64_t>(options.number)),
      publishers_(static_cast<std::uint64_t>(options.count)) {
  const int window = static_cast<int>(window_);
  for (int i = 0; i < window; ++i) {
    const int index = options.number * window + i;
    add_packet(index, index % options.devices, i + 1);
  }
}

void LoadPublisher::add_packet(int index, int device, int packet_id) {
  std::string body = mqtt_string(fmt::format("site/{}/data", device));
  if (qos_ > 0) {
    body += static_cast<char>(packet_id >> 8);
    body += static_cast<char>(packet_id & 0xff);
  }
  body += fmt::format(R"({{"device_id":{},"ts":{:013},"temperature":{:.1f},)", device, 0,
                      18 + index % 90 / 10.0);
  body += fmt::format(R"("humidity":{:.1f},"battery":{:.2f}}})", 40 + index % 200 / 10.0,
                      3.2 + index % 50 / 100.0);
  const std::string bytes = mqtt_packet(static_cast<std::uint8_t>(0x30 | qos_ << 1), body);
  time_at_.push_back(ring_.size() + bytes.find("\"ts\":") + 5);
  ring_ += bytes;
  ends_.push_back(ring_.size());
}

bool LoadPublisher::take() {
  if (!unsent_.empty()) return false;
  const std::uint64_t free = window_ - (qos_ > 0 ? in_flight() : 0);
  if (free * 2 < window_) return false;
  for (std::uint64_t i = 0; i < free; ++i) {
    const std::size_t slot = sent_ % ends_.size();
    const std::size_t begin = slot == 0 ? 0 : ends_[slot - 1];
    put_digits(ring_.data() + time_at_[slot], kTimeDigits,
               static_cast<std::uint64_t>(kFirstReadingMs) + sent_ * publishers_ + number_);
    unsent_.append(ring_, begin, ends_[slot] - begin);
    ++sent_;
  }
  return true;
}

Result<void> LoadPublisher::write() {
  TRY(write_some(fd(), unsent_));
  if (qos_ == 0 && unsent_.empty()) acknowledged_ = sent_;
  return {};
}

Result<void> LoadPublisher::pump(bool more) {
  while (!unsent_.empty() || (more && take())) {
    TRY(write());
    if (!unsent_.empty()) return {};
  }
  return {};
}

Result<void> LoadPublisher::read(std::string& buffer) {
  std::string_view bytes = TRY(read_some(fd(), buffer));
  while (partial_.size() + bytes.size() >= kAnswerSize) {
    const std::size_t missing = kAnswerSize - partial_.size();
    if (partial_.empty()) {
      handle_answer(bytes.substr(0, kAnswerSize));
    } else {
      handle_answer(partial_.append(bytes.substr(0, missing)));
      partial_.clear();
    }
    bytes.remove_prefix(missing);
  }
  partial_.append(bytes);
  return {};
}

// PUBACK and PUBCOMP end an exchange, PUBREC is answered by PUBREL.
void LoadPublisher::handle_answer(std::string_view packet) {
  if (packet[0] != kPubrec) {
    ++acknowledged_;
    return;
  }
  unsent_.append("\x62\x02").append(packet.substr(2));
}

}  // namespace nilo::app
