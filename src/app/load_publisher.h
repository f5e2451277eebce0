// app/load_publisher.h: one publisher of a load generator: workload W1, encoded before the clock
// starts.
//
// A ring of PUBLISH packets, sent round and round: 90-byte JSON, topics site/<n>/data, every
// reading with a time of its own. The packet at a position always has the same packet id, which is
// free again once as many acknowledgements came back. Threads: one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/load_socket.h"
#include "base/result.h"

namespace nilo::app {

struct PublisherOptions {
  int number = 0;  // of `count` publishers
  int count = 1;
  int window = 100;  // publishes in flight; QoS 0: packets of one write
  int qos = 1;       // 0, 1 or 2
  int devices = 1000;
};

class LoadPublisher {
 public:
  LoadPublisher(LoadSocket socket, const PublisherOptions& options);

  int fd() const { return socket_.fd(); }
  std::uint64_t sent() const { return sent_; }
  // QoS 0: handed to the kernel; 2: whole handshakes.
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t in_flight() const { return sent_ - acknowledged_; }

  // Stamps and takes the next packets. False: earlier bytes wait, or less than half of the window
  // is free, so that full windows make few large writes.
  bool take();
  Result<void> write();
  // Takes and writes as much as window and kernel allow; `more` false: writes only.
  Result<void> pump(bool more);
  // Reads acknowledgements.
  Result<void> read(std::string& buffer);

 private:
  void add_packet(int index, int device, int packet_id);
  void handle_answer(std::string_view packet);

  LoadSocket socket_;
  const int qos_;
  const std::uint64_t window_;
  const std::uint64_t number_;
  const std::uint64_t publishers_;
  std::string ring_;
  std::vector<std::size_t> ends_;
  std::vector<std::size_t> time_at_;
  std::string unsent_;
  std::string partial_;  // of an answer
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
};

using LoadPublishers = std::vector<std::unique_ptr<LoadPublisher>>;

}  // namespace nilo::app
