// mqtt/packet_words.h: a packet as a line of words, for tests that are read by people.
//
//   PUBLISH tank/level "75 cm" qos=1 id=7 dup retain content_type=text/plain
//
// In/out:  words -> the bytes a client sends; a server's packet -> words.
// Errors:  words that make no sense throw std::invalid_argument; the test shows it.
// Source:  tests/mqtt/README.md describes the notation.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/codec.h"
#include "mqtt/property_words.h"
#include "mqtt/wire.h"

namespace nilo::mqtt {

// --- words to bytes: what a client sends

inline std::invalid_argument unknown_word(std::string_view word) {
  return std::invalid_argument("this packet has no word '" + std::string(word) + "'");
}

inline bool take_will(Will& will, std::string_view word) {
  const std::string_view name = name_of(word);
  if (name == "will.topic") {
    will.topic = value_of(word);
  } else if (name == "will.payload") {
    will.payload = value_of(word);
  } else if (name == "will.qos") {
    will.qos = static_cast<Qos>(number_of(value_of(word)));
  } else if (word == "will.retain") {
    will.retain = true;
  } else {
    return false;
  }
  return true;
}

inline std::string connect_of(Version version, const Words& words, std::string_view otherwise_id) {
  Connect packet;
  PropertyWords properties;
  PropertyWords will_properties;
  packet.version = version;
  packet.client_id = otherwise_id;
  packet.clean_start = false;
  for (std::string_view word : words) {
    const std::string_view name = name_of(word);
    if (word.starts_with("will.")) {
      packet.has_will = true;
      if (take_will(packet.will, word) || will_properties.take(word.substr(5))) continue;
      throw unknown_word(word);
    }
    if (word == "clean") {
      packet.clean_start = true;
    } else if (name == "id") {
      packet.client_id = value_of(word);
    } else if (name == "keep_alive") {
      packet.keep_alive_s = static_cast<std::uint16_t>(number_of(value_of(word)));
    } else if (name == "user") {
      packet.has_user_name = true;
      packet.user_name = value_of(word);
    } else if (name == "password") {
      packet.has_password = true;
      packet.password = value_of(word);
    } else if (!properties.take(word)) {
      throw unknown_word(word);
    }
  }
  packet.properties = properties.get();
  packet.will.properties = will_properties.get();
  std::string bytes;
  encode(bytes, packet);
  return bytes;
}

inline std::string publish_of(Version version, const Words& words) {
  if (words.size() < 2) throw std::invalid_argument("PUBLISH TOPIC PAYLOAD ...");
  Publish packet;
  PropertyWords properties;
  packet.topic = words[0];
  packet.payload = words[1];
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const std::string_view name = name_of(word);
    if (word == "dup") {
      packet.dup = true;
    } else if (word == "retain") {
      packet.retain = true;
    } else if (name == "qos") {
      packet.qos = static_cast<Qos>(number_of(value_of(word)));
    } else if (name == "id") {
      packet.packet_id = static_cast<std::uint16_t>(number_of(value_of(word)));
    } else if (!properties.take(word)) {
      throw unknown_word(word);
    }
  }
  packet.properties = properties.get();
  std::string bytes;
  encode(bytes, version, packet);
  return bytes;
}

// "FILTER,QOS", then any of ",no_local", ",retain_as_published", ",retain_handling=N".
inline SubscribeEntry entry_of(std::string_view word) {
  SubscribeEntry entry;
  std::size_t comma = word.find(',');
  if (comma == std::string_view::npos) throw std::invalid_argument("FILTER,QOS is wanted");
  entry.filter = word.substr(0, comma);
  word.remove_prefix(comma + 1);
  entry.qos = static_cast<Qos>(number_of(word.substr(0, 1)));
  word.remove_prefix(1);
  for (; !word.empty(); word.remove_prefix(comma)) {
    word.remove_prefix(1);  // the comma
    comma = std::min(word.find(','), word.size());
    const std::string_view option = word.substr(0, comma);
    if (option == "no_local") {
      entry.no_local = true;
    } else if (option == "retain_as_published") {
      entry.retain_as_published = true;
    } else if (name_of(option) == "retain_handling") {
      entry.retain_handling = static_cast<std::uint8_t>(number_of(value_of(option)));
    } else {
      throw unknown_word(option);
    }
  }
  return entry;
}

inline std::string subscribe_of(Version version, bool adds, const Words& words) {
  if (words.empty()) throw std::invalid_argument("a packet identifier is wanted");
  const auto packet_id = static_cast<std::uint16_t>(number_of(words[0]));
  PropertyWords properties;
  std::vector<SubscribeEntry> entries;
  std::vector<std::string_view> filters;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (properties.take(words[i])) continue;
    if (adds) {
      entries.push_back(entry_of(words[i]));
    } else {
      filters.emplace_back(words[i]);
    }
  }
  std::string bytes;
  if (adds) {
    encode(bytes, version, packet_id, properties.get(), entries);
  } else {
    encode(bytes, version, packet_id, properties.get(), filters);
  }
  return bytes;
}

// PUBACK to PUBCOMP: the identifier and perhaps a reason. DISCONNECT and AUTH: perhaps a reason.
inline std::string answer_of(Version version, PacketType type, const Words& words) {
  const bool has_id = type != PacketType::disconnect && type != PacketType::auth;
  if (has_id && words.empty()) throw std::invalid_argument("a packet identifier is wanted");
  PropertyWords properties;
  Reason reason = Reason::success;
  for (std::size_t i = has_id ? 1 : 0; i < words.size(); ++i) {
    if (!properties.take(words[i])) reason = reason_of_word(words[i]);
  }
  std::string bytes;
  if (has_id) {
    const auto packet_id = static_cast<std::uint16_t>(number_of(words[0]));
    encode(bytes, version, type, Ack{packet_id, reason, properties.get()});
  } else if (type == PacketType::disconnect) {
    encode(bytes, version, Disconnect{reason, properties.get()});
  } else {
    encode(bytes, Auth{reason, properties.get()});
  }
  return bytes;
}

// `words` begin with the type; `otherwise_id` is the client id where none is given.
inline std::string bytes_of(Version version, const Words& words, std::string_view otherwise_id) {
  if (words.empty()) throw std::invalid_argument("a packet is wanted");
  const std::string& type = words[0];
  const Words rest(words.begin() + 1, words.end());
  if (type == "CONNECT") return connect_of(version, rest, otherwise_id);
  if (type == "PUBLISH") return publish_of(version, rest);
  if (type == "PUBACK") return answer_of(version, PacketType::puback, rest);
  if (type == "PUBREC") return answer_of(version, PacketType::pubrec, rest);
  if (type == "PUBREL") return answer_of(version, PacketType::pubrel, rest);
  if (type == "PUBCOMP") return answer_of(version, PacketType::pubcomp, rest);
  if (type == "SUBSCRIBE") return subscribe_of(version, true, rest);
  if (type == "UNSUBSCRIBE") return subscribe_of(version, false, rest);
  if (type == "DISCONNECT") return answer_of(version, PacketType::disconnect, rest);
  if (type == "AUTH") return answer_of(version, PacketType::auth, rest);
  std::string bytes;
  if (type != "PINGREQ") throw std::invalid_argument("no packet of a client: " + type);
  encode_empty(bytes, PacketType::pingreq);
  return bytes;
}

// "30 | 0001 "t" 1234": hex digits, texts as they are, and `|` for the remaining length of what
// follows it.
inline std::string bytes_of_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text[i] == '|') {
      const std::string rest = bytes_of_hex(text.substr(i + 1));
      put_varint(out, rest.size());
      return out + rest;
    }
    if (text[i] == '"') {
      const std::size_t end = std::min(text.find('"', i + 1), text.size());
      out += text.substr(i + 1, end - i - 1);
      i = end;
      continue;
    }
    out += static_cast<char>(number_of("0x" + std::string(text.substr(i, 2))));
    ++i;
  }
  return out;
}

// --- bytes to words: what a server sends

inline Words connack_words(Version version, const Frame& frame) {
  Connack packet;
  if (const Fault fault = decode(frame, version, packet)) return {"CONNACK", "damaged:", fault.why};
  Words words{"CONNACK"};
  if (packet.reason != Reason::success) words.push_back(word_of(packet.reason));
  if (packet.session_present) words.emplace_back("session_present");
  append_words(words, packet.properties);
  return words;
}

inline Words publish_words(Version version, const Frame& frame) {
  Publish packet;
  if (const Fault fault = decode(frame, version, packet)) return {"PUBLISH", "damaged:", fault.why};
  Words words{"PUBLISH", std::string(packet.topic), std::string(packet.payload)};
  if (packet.dup) words.emplace_back("dup");
  if (packet.retain) words.emplace_back("retain");
  if (packet.qos != Qos::at_most_once) {
    words.push_back("qos=" + std::to_string(static_cast<int>(packet.qos)));
    words.push_back("id=" + std::to_string(packet.packet_id));
  }
  append_words(words, packet.properties);
  return words;
}

inline Words ack_words(Version version, const Frame& frame, std::string_view type) {
  Ack packet;
  if (const Fault fault = decode(frame, version, packet)) {
    return {std::string(type), "damaged:", fault.why};
  }
  Words words{std::string(type), std::to_string(packet.packet_id)};
  if (packet.reason != Reason::success) words.push_back(word_of(packet.reason));
  append_words(words, packet.properties);
  return words;
}

inline Words suback_words(Version version, const Frame& frame, std::string_view type) {
  Suback packet;
  if (const Fault fault = decode(frame, version, packet)) {
    return {std::string(type), "damaged:", fault.why};
  }
  Words words{std::string(type), std::to_string(packet.packet_id)};
  for (const char c : packet.reasons) {
    const auto reason = static_cast<Reason>(static_cast<std::uint8_t>(c));
    words.push_back(type == "SUBACK" ? subscribed_word(reason) : word_of(reason));
  }
  append_words(words, packet.properties);
  return words;
}

template <typename Packet>
Words goodbye_words(Version version, const Frame& frame, std::string_view type) {
  Packet packet;
  if (const Fault fault = decode(frame, version, packet)) {
    return {std::string(type), "damaged:", fault.why};
  }
  Words words{std::string(type)};
  if (packet.reason != Reason::success) words.push_back(word_of(packet.reason));
  append_words(words, packet.properties);
  return words;
}

inline Words words_of(Version version, const Frame& frame) {
  switch (frame.type) {
    case PacketType::connack:
      return connack_words(version, frame);
    case PacketType::publish:
      return publish_words(version, frame);
    case PacketType::puback:
      return ack_words(version, frame, "PUBACK");
    case PacketType::pubrec:
      return ack_words(version, frame, "PUBREC");
    case PacketType::pubrel:
      return ack_words(version, frame, "PUBREL");
    case PacketType::pubcomp:
      return ack_words(version, frame, "PUBCOMP");
    case PacketType::suback:
      return suback_words(version, frame, "SUBACK");
    case PacketType::unsuback:
      return suback_words(version, frame, "UNSUBACK");
    case PacketType::pingresp:
      return {"PINGRESP"};
    case PacketType::disconnect:
      return goodbye_words<Disconnect>(version, frame, "DISCONNECT");
    case PacketType::auth:
      return goodbye_words<Auth>(version, frame, "AUTH");
    default:
      return {"unknown:", to_hex(frame.body)};
  }
}

}  // namespace nilo::mqtt
