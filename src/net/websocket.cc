#include "net/websocket.h"

#include <nettle/sha1.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/base64.h"
#include "base/utf8.h"
#include "net/websocket_stream.h"

namespace nilo::net {
namespace {

constexpr std::size_t kControlSizeMax = 125;
// Of a goodbye's reason; the code and what printable() may add at the cut have room behind it.
constexpr std::size_t kReasonShownMax = 110;
constexpr std::size_t kKeySize = 16;
constexpr std::size_t kPendingCutMin = 16 * 1024;
// A buffer that grew beyond this is given back once it is empty.
constexpr std::size_t kPendingKeptMax = 1024;

bool is_control(WebSocketOpcode opcode) { return opcode >= WebSocketOpcode::close; }

bool is_known(WebSocketOpcode opcode) {
  return opcode <= WebSocketOpcode::binary ||
         (opcode >= WebSocketOpcode::close && opcode <= WebSocketOpcode::pong);
}

// Section 7.4: what a client may say in a close frame.
bool is_close_code(std::uint16_t code) {
  const bool is_defined = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
  return is_defined || (code >= 3000 && code <= 4999);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

// Is `token` one of a header's comma-separated list?
bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (equals_ignoring_case(item, token)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

std::string websocket_accept_key(std::string_view key) {
  // Section 1.3 has this number; it proves nothing but that the server knows WebSocket.
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  sha1_ctx context;
  sha1_init(&context);
  sha1_update(&context, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()));
  std::uint8_t digest[SHA1_DIGEST_SIZE];
  sha1_digest(&context, sizeof digest, digest);
  return base64_encoded({reinterpret_cast<const char*>(digest), sizeof digest});
}

Result<HttpResponse> accept_websocket(const HttpRequest& request,
                                      std::shared_ptr<WebSocketHandler> handler,
                                      std::string_view protocol) {
  const bool asks = request.method == "GET" && has_token(request.header("connection"), "upgrade") &&
                    has_token(request.header("upgrade"), "websocket");
  if (!asks) {
    return Error{ErrorCode::invalid_argument, "this path speaks WebSocket",
                 "connect with a WebSocket client: ws://HOST:PORT" + request.path};
  }
  if (request.header("sec-websocket-version") != "13") {
    return Error{ErrorCode::invalid_argument, "only version 13 of WebSocket is spoken here", ""};
  }
  const std::string_view key = request.header("sec-websocket-key");
  const auto decoded = base64_decoded(key);
  if (!decoded || decoded->size() != kKeySize) {
    return Error{ErrorCode::invalid_argument, "Sec-WebSocket-Key is not 16 bytes of base64", ""};
  }
  if (!protocol.empty() && !has_token(request.header("sec-websocket-protocol"), protocol)) {
    return Error{ErrorCode::invalid_argument,
                 "the client did not offer the protocol '" + std::string(protocol) + "'", ""};
  }
  HttpResponse response;
  response.status = 101;
  response.content_type.clear();
  response.headers = {{"Upgrade", "websocket"},
                      {"Connection", "Upgrade"},
                      {"Sec-WebSocket-Accept", websocket_accept_key(key)}};
  if (!protocol.empty()) response.headers.emplace_back("Sec-WebSocket-Protocol", protocol);
  response.websocket = std::move(handler);
  return response;
}

Result<HttpResponse> accept_websocket_stream(const HttpRequest& request,
                                             std::span<const std::string_view> protocols,
                                             StreamTaker taker) {
  const std::string_view offered = request.header("sec-websocket-protocol");
  const auto chosen =
      std::find_if(protocols.begin(), protocols.end(),
                   [&](std::string_view protocol) { return has_token(offered, protocol); });
  HttpResponse response = TRY(
      accept_websocket(request, nullptr, chosen == protocols.end() ? protocols.front() : *chosen));
  response.stream_taker = [taker = std::move(taker)](TakenStream taken) {
    taken.stream = std::make_unique<WebSocketStream>(std::move(taken.stream), taken.bytes);
    taken.bytes.clear();
    taker(std::move(taken));
  };
  return response;
}

void append_frame(std::string& out, WebSocketOpcode opcode, std::string_view payload) {
  out.push_back(static_cast<char>(0x80 | static_cast<int>(opcode)));
  const std::uint64_t size = payload.size();
  const auto put = [&](int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(size >> (8 * i) & 0xff));
  };
  if (size <= kControlSizeMax) {
    put(1);
  } else if (size <= 0xffff) {
    out.push_back(126);
    put(2);
  } else {
    out.push_back(127);
    put(8);
  }
  out.append(payload);
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason) {
  std::string payload;
  payload.push_back(static_cast<char>(code >> 8));
  payload.push_back(static_cast<char>(code & 0xff));
  payload.append(printable(reason, kReasonShownMax));
  append_frame(out, WebSocketOpcode::close, payload);
}

struct WebSocketReader::Frame {
  bool is_last = false;
  WebSocketOpcode opcode{};
  std::size_t header_size = 0;  // with the mask
  std::uint64_t size = 0;       // of the payload
};

WebSocketReader::Event WebSocketReader::fail(std::uint16_t code, std::string_view why) {
  failed_ = true;
  close_code_ = code;
  payload_ = why;
  return Event::failed;
}

// Section 5.2. Whatever can be refused is refused before the payload is waited for.
WebSocketReader::Header WebSocketReader::read_header(Frame& frame) {
  const std::string_view bytes = std::string_view(pending_).substr(used_);
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  if (bytes.size() < 2) return Header::incomplete;
  frame.is_last = (byte(0) & 0x80) != 0;
  frame.opcode = static_cast<WebSocketOpcode>(byte(0) & 0x0f);
  const bool is_masked = (byte(1) & 0x80) != 0;
  const bool has_reserved = (byte(0) & 0x70) != 0;
  if (has_reserved || !is_known(frame.opcode) || !is_masked) {
    fail(close_code::kProtocolError, has_reserved ? "a reserved bit is set"
                                     : is_masked  ? "an unknown opcode"
                                                  : "a client's frames must be masked");
    return Header::failed;
  }
  if (in_pieces_ && frame.opcode == WebSocketOpcode::text) {
    fail(close_code::kUnsupportedData, "only binary messages are taken");
    return Header::failed;
  }
  const int low = byte(1) & 0x7f;
  const std::size_t length_size = low == 127 ? 8 : low == 126 ? 2 : 0;
  frame.header_size = 2 + length_size + 4;
  if (bytes.size() < 2 + length_size) return Header::incomplete;
  frame.size = length_size == 0 ? static_cast<std::uint64_t>(low) : 0;
  for (std::size_t i = 0; i < length_size; ++i) frame.size = frame.size << 8 | byte(2 + i);
  const bool is_shortest = low < 126 || frame.size > (low == 126 ? kControlSizeMax : 0xffffU);
  if (!is_shortest || frame.size >> 63 != 0) {
    fail(close_code::kProtocolError, "a length that is not in its shortest form");
    return Header::failed;
  }
  if (!check(frame)) return Header::failed;
  return bytes.size() < frame.header_size ? Header::incomplete : Header::complete;
}

// Does this frame fit what came before it?
bool WebSocketReader::check(const Frame& frame) {
  if (is_control(frame.opcode)) {
    if (frame.is_last && frame.size <= kControlSizeMax) return true;
    fail(close_code::kProtocolError, "a control frame is at most 125 bytes, in one piece");
    return false;
  }
  const bool is_open = message_opcode_ != WebSocketOpcode::continuation;
  if (is_open != (frame.opcode == WebSocketOpcode::continuation)) {
    fail(close_code::kProtocolError,
         is_open ? "a message began inside another" : "a message continues that never began");
    return false;
  }
  if (frame.size > message_size_max_ - message_.size()) {
    fail(close_code::kTooBig, "the message is too large");
    return false;
  }
  return true;
}

WebSocketReader::Event WebSocketReader::next() {
  while (!failed_) {
    if (piece_left_ > 0) return next_piece();
    if (std::exchange(message_is_whole_, false)) message_.clear();
    Frame frame;
    const Header header = read_header(frame);
    if (header == Header::failed) return Event::failed;
    if (header == Header::complete && in_pieces_ && !is_control(frame.opcode)) {
      begin_pieces(frame);
      continue;
    }
    const bool is_here =
        header == Header::complete && pending_.size() - used_ - frame.header_size >= frame.size;
    if (!is_here) {
      forget_used();
      return Event::none;
    }
    const Event event = finish(frame);
    if (event != Event::none) return event;
  }
  return Event::none;
}

void WebSocketReader::forget_used() {
  if (used_ < pending_.size() && used_ < kPendingCutMin) return;
  pending_.erase(0, std::exchange(used_, 0));
  if (pending_.empty() && pending_.capacity() > kPendingKeptMax) pending_ = {};
}

void WebSocketReader::begin_pieces(const Frame& frame) {
  std::copy_n(pending_.data() + used_ + frame.header_size - 4, 4, mask_.begin());
  used_ += frame.header_size;
  piece_left_ = frame.size;
  mask_at_ = 0;
  if (frame.opcode != WebSocketOpcode::continuation) message_opcode_ = frame.opcode;
  if (frame.is_last) message_opcode_ = WebSocketOpcode::continuation;
}

// Unmasked where it lies.
WebSocketReader::Event WebSocketReader::next_piece() {
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(piece_left_, pending_.size() - used_));
  if (size == 0) {
    forget_used();
    return Event::none;
  }
  char* const piece = pending_.data() + used_;
  for (std::size_t i = 0; i < size; ++i) {
    piece[i] = static_cast<char>(piece[i] ^ mask_[(mask_at_ + i) % 4]);
  }
  mask_at_ = (mask_at_ + size) % 4;
  used_ += size;
  piece_left_ -= size;
  payload_ = {piece, size};
  return Event::binary;
}

// Takes the payload of a frame that is all here. none: a fragment, or an empty first one.
WebSocketReader::Event WebSocketReader::finish(const Frame& frame) {
  const bool is_message = !is_control(frame.opcode);
  if (!is_message) control_.clear();
  std::string& into = is_message ? message_ : control_;
  const char* const mask = pending_.data() + used_ + frame.header_size - 4;
  const char* const payload = mask + 4;
  for (std::size_t i = 0; i < frame.size; ++i) {
    into.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  }
  used_ += frame.header_size + static_cast<std::size_t>(frame.size);
  payload_ = into;
  if (frame.opcode == WebSocketOpcode::ping) return Event::ping;
  if (frame.opcode == WebSocketOpcode::pong) return Event::pong;
  if (frame.opcode == WebSocketOpcode::close) return finish_close();
  if (frame.opcode != WebSocketOpcode::continuation) message_opcode_ = frame.opcode;
  if (!frame.is_last) return Event::none;
  message_is_whole_ = true;
  const bool is_text =
      std::exchange(message_opcode_, WebSocketOpcode::continuation) == WebSocketOpcode::text;
  if (!is_text) return Event::binary;
  if (!is_utf8(payload_)) return fail(close_code::kInvalidPayload, "the text is not UTF-8");
  return Event::text;
}

WebSocketReader::Event WebSocketReader::finish_close() {
  if (payload_.empty()) {
    close_code_ = close_code::kNoStatus;
    return Event::close;
  }
  if (payload_.size() == 1) return fail(close_code::kProtocolError, "half a close code");
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(payload_[at]); };
  close_code_ = static_cast<std::uint16_t>(byte(0) << 8 | byte(1));
  payload_.remove_prefix(2);
  if (!is_close_code(close_code_)) return fail(close_code::kProtocolError, "no such close code");
  if (!is_utf8(payload_)) return fail(close_code::kInvalidPayload, "the reason is not UTF-8");
  return Event::close;
}

}  // namespace nilo::net
