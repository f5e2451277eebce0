// net/stream.h: bytes of one connection, in and out, whatever carries them: TCP, TLS, WebSocket.
//
//   MqttDoor, HttpServer  <- StreamHandler -  Stream:  WebSocketStream
//                                                      TlsStream        each over the next one
//                                                      TcpStream
//
// In/out:  what the peer sent -> StreamHandler::on_bytes; send() -> the peer.
// Threads: those of the loop it is attached to. A detached stream belongs to nobody and may be
//          handed to another thread, whole: what it has read and not yet told, what it has not yet
//          sent and the state of its encryption go with it.
// Limits:  send() keeps what the kernel did not take; it has no limit here, so the owner looks at
//          unsent() before it adds more and stops reading, drops or closes, as its protocol wants.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "net/event_loop.h"

namespace nilo::net {

struct PeerCertificate;  // net/tls.h

// Every call may close, detach or destroy the stream.
class StreamHandler {
 public:
  // `bytes` live for the call; nothing is kept here.
  virtual void on_bytes(std::string_view bytes) = 0;
  // Everything sent has been handed to the kernel, after some of it had to wait.
  virtual void on_flushed() {}
  // The peer will send no more. True: keep the connection to send the rest; false: close it.
  virtual bool on_end() { return false; }
  // The connection is gone (`reason` in words for a log line) and the stream closed. Once for each
  // stream, unless the owner itself called close() or detach().
  virtual void on_closed(std::string_view reason) = 0;

 protected:
  ~StreamHandler() = default;
};

class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;  // closes

  // Reads and tells from now on. Both must outlive the stream, or its detach(); they live on the
  // thread that calls. A failure closes it. resource_exhausted: the kernel's limit on watches.
  virtual Result<void> attach(EventLoop& loop, StreamHandler& handler) = 0;
  // Until attach() it only waits. Not after close_after_flush().
  virtual void detach() = 0;
  virtual bool is_open() const = 0;

  // Writes at once what the kernel takes and keeps a copy of the rest. On a broken connection the
  // bytes are dropped and on_closed follows. One call is one system call: collect, then send.
  virtual void send(std::string_view bytes) = 0;
  // Bytes kept, waiting for the peer to read.
  virtual std::size_t unsent() const = 0;

  // Back-pressure: the peer's bytes stay in the kernel, then at the peer.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  // At once; unsent bytes are lost; on_closed is not called.
  virtual void close() = 0;
  // Reads no more, sends the rest, tells the peer the end and waits for its end, so that the last
  // bytes arrive even if the peer is still sending. Then on_closed.
  virtual void close_after_flush() = 0;

  virtual bool is_encrypted() const { return false; }
  // What the peer showed of itself, once bytes have come; nullptr: nothing.
  virtual std::shared_ptr<const PeerCertificate> peer_certificate() const { return nullptr; }
};

}  // namespace nilo::net
