// The conversations in tests/mqtt/*.txt; tests/mqtt/README.md describes their language.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>

#include "base/time_units.h"
#include "mqtt/fake_host.h"
#include "mqtt/packet_words.h"

namespace nilo::mqtt {
namespace {

constexpr std::int64_t kTickUs = 100'000;
constexpr std::int64_t kTicksMax = 1000;

struct Step {
  int line = 0;
  std::string text;
};

struct Case {
  std::string file;  // "connect.txt"
  int line = 0;
  std::string name;
  Version version = Version::v3_1_1;
  std::vector<Step> steps;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.file << ": " << one.name; }

std::optional<Version> version_of(std::string_view word) {
  if (word == "3.1") return Version::v3_1;
  if (word == "3.1.1") return Version::v3_1_1;
  if (word == "5.0") return Version::v5;
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

// "3.1.1 [MQTT-...] ..." says that the case runs for this version, and "3.1.1: STEP" that a step
// is only for it.
void read_file(const std::filesystem::path& path, std::vector<Case>& cases) {
  std::ifstream file(path);
  Case one;
  std::set<Version> versions;
  const auto finish = [&] {
    if (!one.name.empty() && versions.empty()) throw std::runtime_error("no version: " + one.name);
    for (const Version version : versions) {
      Case& made = cases.emplace_back(one);
      made.version = version;
      std::erase_if(made.steps, [&](Step& step) {
        const std::size_t colon = step.text.find(": ");
        const auto only = version_of(std::string_view(step.text).substr(0, colon));
        if (!only || colon == std::string::npos) return false;
        step.text.erase(0, colon + 2);
        return *only != version;
      });
    }
    versions.clear();
  };
  int number = 0;
  for (std::string text; std::getline(file, text);) {
    ++number;
    const std::string_view line = trimmed(text);
    if (line.empty() || line.front() == '#') continue;
    const auto version = version_of(line.substr(0, line.find(' ')));
    if (line.starts_with("== ")) {
      finish();
      one = {path.filename().string(), number, std::string(line.substr(3)), {}, {}};
    } else if (version) {
      versions.insert(*version);
    } else {
      one.steps.push_back({number, std::string(line)});
    }
  }
  finish();
}

std::vector<Case> read_all() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(NILO_SOURCE_DIR "/tests/mqtt")) {
    const bool is_ours = entry.path().extension() == ".txt";
    if (is_ours && entry.path().filename() != "packets.txt") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Case> cases;
  for (const auto& path : paths) read_file(path, cases);
  return cases;
}

Limits case_limits() {
  Limits limits;
  limits.receive_max = 20;
  limits.topic_alias_max = 10;
  return limits;
}

// One case under way.
class Conversation {
 public:
  explicit Conversation(const Case& one) : case_(one) {}

  void run() {
    for (const Step& step : case_.steps) {
      step_ = &step;
      try {
        take(step.text);
      } catch (const std::invalid_argument& error) {
        fail(error.what());
      }
      if (has_failed_) return;
    }
    for (auto& [name, client] : clients_) {
      fetch(client);
      if (!client.unread.empty()) return fail(name + " was sent more: " + next_line(client));
      if (is_closed(client) && !client.is_known_closed) return fail(name + " was closed");
    }
  }

 private:
  struct Client {
    std::unique_ptr<Peer> peer;
    std::string unread;
    bool is_known_closed = false;  // "a < closed" said so
  };

  void fail(std::string_view why) {
    has_failed_ = true;
    ADD_FAILURE_AT(("tests/mqtt/" + case_.file).c_str(), step_->line)
        << case_.name << "\n  " << step_->text << "\n  " << why;
  }

  FakeHost& host() {
    if (!host_) host_ = std::make_unique<FakeHost>(limits_);
    return *host_;
  }

  void take(std::string_view text) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view first = text.substr(0, blank);
    const std::string_view rest = trimmed(text.substr(blank));
    if (rest.starts_with("> ")) return send(first, rest.substr(2));
    if (rest.starts_with("< ")) return expect(first, rest.substr(2));
    if (rest == "vanishes") return vanish(first);
    if (first == "wait") return wait(rest);
    if (first == "limits") return set_limits(rest);
    if (text == "restart") return restart();
    if (text == "shut down") return host().broker->shut_down();
    if (text == "the disk stops") return stop_disk();
    if (text == "the disk goes on") return resume_disk();
    if (text == "the disk answers backwards") return answer_backwards();
    if (text == "the disk refuses") return refuse_disk();
    if (text.starts_with("the house publishes ")) return publish(text.substr(20));
    fail("no step of a conversation");
  }

  // --- clients

  Client& client_of(std::string_view name) {
    Client& client = clients_[std::string(name)];
    const bool is_gone = client.peer != nullptr && is_closed(client);
    if (client.peer != nullptr && !is_gone) return client;
    client = Client();
    client.peer = std::make_unique<Peer>(host());
    return client;
  }
  bool is_closed(const Client& client) const {
    return client.peer == nullptr || client.peer->is_closed();
  }

  void send(std::string_view name, std::string_view packet) {
    Client& client = client_of(name);
    const bool is_hex = packet.starts_with("hex ");
    client.peer->send(is_hex ? bytes_of_hex(packet.substr(4))
                             : bytes_of(case_.version, words_of(packet), name));
  }

  void fetch(Client& client) {
    if (client.peer != nullptr) client.unread += client.peer->take();
  }

  // Takes the next packet out of what is unread; nullopt if there is no whole one.
  std::optional<Words> next_words(Client& client) {
    Frame frame;
    std::size_t needed = 0;
    if (read_frame(client.unread, kPacketSizeMax, frame, needed) != Framing::complete) {
      return std::nullopt;
    }
    Words words = words_of(case_.version, frame);
    last_hex_ = to_hex(std::string_view(client.unread).substr(0, frame.size));
    client.unread.erase(0, frame.size);
    return words;
  }
  std::string next_line(Client& client) {
    const auto words = next_words(client);
    return words ? line_of(*words) : "no packet: " + to_hex(client.unread);
  }

  void expect(std::string_view name, std::string_view wanted) {
    const auto at = clients_.find(std::string(name));
    if (at == clients_.end()) return fail("nobody has this name");
    Client& client = at->second;
    fetch(client);
    if (wanted == "closed") {
      if (!client.unread.empty()) return fail("got " + next_line(client));
      if (!is_closed(client)) return fail("it is still open");
      client.is_known_closed = true;
      return;
    }
    if (wanted == "nothing") {
      if (!client.unread.empty()) return fail("got " + next_line(client));
      if (is_closed(client)) return fail("it was closed");
      return;
    }
    const auto got = next_words(client);
    if (!got) {
      return fail(is_closed(client) ? "got nothing, it was closed"
                                    : "got nothing " + to_hex(client.unread));
    }
    if (wanted.starts_with("hex ")) {
      const std::string hex = to_hex(bytes_of_hex(wanted.substr(4)));
      if (hex != last_hex_) fail("got hex " + last_hex_);
      return;
    }
    if (!is_what(words_of(wanted), *got)) fail("got " + line_of(*got));
  }

  // Words that tell more than most cases are about are compared where the line has them, or
  // "-name", which says that they must not be there. "name=*" is any value.
  static bool is_what(Words wanted, Words got) {
    for (auto at = wanted.begin() + 1; at != wanted.end();) {
      const bool is_absence =
          at->size() > 1 && at->front() == '-' && is_unasked(at->substr(1) + "=");
      if (!is_absence) {
        ++at;
        continue;
      }
      const std::string name = at->substr(1);
      if (has_name(got, name)) return false;
      at = wanted.erase(at);
    }
    std::erase_if(got, [&](const std::string& word) {
      return is_unasked(word) && !has_name(wanted, name_of(word));
    });
    for (std::string& word : got) {
      const std::string any = std::string(name_of(word)) + "=*";
      if (std::find(wanted.begin(), wanted.end(), any) != wanted.end()) word = any;
    }
    return sorted(std::move(wanted)) == sorted(std::move(got));
  }
  static bool has_name(const Words& words, std::string_view name) {
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& word) { return name_of(word) == name; });
  }

  void vanish(std::string_view name) {
    const auto at = clients_.find(std::string(name));
    if (at == clients_.end() || at->second.peer == nullptr) return fail("nobody has this name");
    fetch(at->second);
    if (!at->second.unread.empty()) return fail("it was sent " + next_line(at->second));
    if (is_closed(at->second)) return fail("it was closed before");
    at->second.peer->vanish();
    at->second.peer.reset();
    at->second.is_known_closed = true;
  }

  // --- the server and its disk

  void wait(std::string_view text) {
    if (!text.ends_with('s')) return fail("wait SECONDSs");
    const double seconds = std::stod(std::string(text.substr(0, text.size() - 1)));
    auto left_us = static_cast<std::int64_t>(seconds * static_cast<double>(kSecondUs));
    const std::int64_t step_us = std::max(kTickUs, left_us / kTicksMax);
    while (left_us > 0) {
      const std::int64_t taken_us = std::min(step_us, left_us);
      host().clock.advance_us(taken_us);
      host().broker->tick();
      left_us -= taken_us;
    }
  }

  void set_limits(std::string_view text) {
    if (host_) return fail("limits come first");
    for (const std::string& word : words_of(text)) {
      const std::uint32_t value = number_of(value_of(word));
      const std::string_view name = name_of(word);
      if (name == "receive_max") {
        limits_.receive_max = static_cast<std::uint16_t>(value);
      } else if (name == "topic_alias_max") {
        limits_.topic_alias_max = static_cast<std::uint16_t>(value);
      } else if (name == "keep_alive_max_s") {
        limits_.keep_alive_max_s = static_cast<std::uint16_t>(value);
      } else if (name == "packet_size_max") {
        limits_.packet_size_max = value;
      } else if (name == "first_packet_size_max") {
        limits_.first_packet_size_max = value;
      } else if (name == "session_expiry_max_s") {
        limits_.session_expiry_max_s = value;
      } else if (name == "client_id_size_max") {
        limits_.client_id_size_max = value;
      } else if (name == "subscriptions_max") {
        limits_.subscriptions_max = value;
      } else if (name == "sessions_max") {
        limits_.sessions_max = value;
      } else if (name == "session_queue_max") {
        limits_.session_queue_max = value;
      } else if (name == "reasons") {
        limits_.reasons = value != 0;
      } else {
        throw unknown_word(word);
      }
    }
  }

  // As after a crash: what was not in the log is gone, and so is everybody.
  void restart() {
    auto next = std::make_unique<FakeHost>(limits_);
    next->clock.advance_us(host().clock.steady_us());
    host().replay_into(*next);
    if (next->damaged != 0) return fail("a record of the log is damaged");
    host().retained.for_each([&](const Message& message) {
      next->retained.set(std::make_shared<const Message>(message));
    });
    clients_.clear();
    host_ = std::move(next);
  }

  void stop_disk() { host().holds_publishes = host().holds_commits = true; }
  void resume_disk() {
    host().holds_publishes = host().holds_commits = false;
    for (; !host().commits.empty(); host().commits.pop_front()) {
      host().commits.front()(Result<void>());
    }
    answer_publishes(Reason::success);
  }
  // As when several loops and disks are at work.
  void answer_backwards() {
    std::reverse(host().tickets.begin(), host().tickets.end());
    resume_disk();
  }
  void refuse_disk() {
    host().holds_publishes = host().holds_commits = false;
    for (; !host().commits.empty(); host().commits.pop_front()) {
      host().commits.front()(Error{ErrorCode::unavailable, "the disk refuses"});
    }
    answer_publishes(Reason::quota_exceeded);
  }
  void answer_publishes(Reason reason) {
    for (; !host().tickets.empty(); host().tickets.pop_front()) {
      host().broker->on_published(host().tickets.front(), reason);
    }
  }

  // A message that no client has sent.
  void publish(std::string_view text) {
    const Words words = words_of(text);
    if (words.size() != 2) return fail("the house publishes TOPIC PAYLOAD");
    Message message;
    message.topic = words[0];
    message.payload = words[1];
    message.received_us = host().clock.wall_us();
    host().publish(message.view(), Ticket{});
  }

  const Case& case_;
  const Step* step_ = nullptr;
  bool has_failed_ = false;
  Limits limits_ = case_limits();
  std::unique_ptr<FakeHost> host_;
  std::map<std::string, Client> clients_;  // after the host, whose they are
  std::string last_hex_;
};

class Conversations : public testing::TestWithParam<Case> {};

TEST_P(Conversations, GoAsWritten) { Conversation(GetParam()).run(); }

std::string test_name(const testing::TestParamInfo<Case>& info) {
  const Case& one = info.param;
  std::string name = one.file.substr(0, one.file.find('.')) + "_" + std::to_string(one.line) + "_v";
  name += std::to_string(static_cast<int>(one.version));
  return name;
}

INSTANTIATE_TEST_SUITE_P(Text, Conversations, testing::ValuesIn(read_all()), test_name);

}  // namespace
}  // namespace nilo::mqtt
