#include "mqtt/property.h"

#include <array>

#include "base/utf8.h"
#include "mqtt/wire.h"

namespace nilo::mqtt {
namespace {

enum class Shape : std::uint8_t { none, byte, two_bytes, four_bytes, varint, text, binary, pair };

// `packets`: bit n set = may appear in PacketType n.
struct PropertyInfo {
  Shape shape = Shape::none;
  std::uint16_t packets = 0;
};

template <typename... Types>
constexpr std::uint16_t in(Types... types) {
  return static_cast<std::uint16_t>((0u | ... | (1u << static_cast<unsigned>(types))));
}

constexpr std::array<PropertyInfo, kPropertyCount> make_table() {
  using enum PacketType;
  std::array<PropertyInfo, kPropertyCount> table{};
  const auto set = [&](Property id, Shape shape, std::uint16_t packets) {
    table[static_cast<std::size_t>(id)] = {shape, packets};
  };
  set(Property::payload_format, Shape::byte, in(publish, will));
  set(Property::message_expiry, Shape::four_bytes, in(publish, will));
  set(Property::content_type, Shape::text, in(publish, will));
  set(Property::response_topic, Shape::text, in(publish, will));
  set(Property::correlation_data, Shape::binary, in(publish, will));
  set(Property::subscription_identifier, Shape::varint, in(publish, subscribe));
  set(Property::session_expiry, Shape::four_bytes, in(connect, connack, disconnect));
  set(Property::assigned_client_id, Shape::text, in(connack));
  set(Property::server_keep_alive, Shape::two_bytes, in(connack));
  set(Property::authentication_method, Shape::text, in(connect, connack, auth));
  set(Property::authentication_data, Shape::binary, in(connect, connack, auth));
  set(Property::request_problem_information, Shape::byte, in(connect));
  set(Property::will_delay, Shape::four_bytes, in(will));
  set(Property::request_response_information, Shape::byte, in(connect));
  set(Property::response_information, Shape::text, in(connack));
  set(Property::server_reference, Shape::text, in(connack, disconnect));
  set(Property::reason_string, Shape::text,
      in(connack, puback, pubrec, pubrel, pubcomp, suback, unsuback, disconnect, auth));
  set(Property::receive_maximum, Shape::two_bytes, in(connect, connack));
  set(Property::topic_alias_maximum, Shape::two_bytes, in(connect, connack));
  set(Property::topic_alias, Shape::two_bytes, in(publish));
  set(Property::maximum_qos, Shape::byte, in(connack));
  set(Property::retain_available, Shape::byte, in(connack));
  set(Property::user_property, Shape::pair,
      in(will, connect, connack, publish, puback, pubrec, pubrel, pubcomp, subscribe, suback,
         unsubscribe, unsuback, disconnect, auth));
  set(Property::maximum_packet_size, Shape::four_bytes, in(connect, connack));
  set(Property::wildcard_available, Shape::byte, in(connack));
  set(Property::subscription_identifiers_available, Shape::byte, in(connack));
  set(Property::shared_available, Shape::byte, in(connack));
  return table;
}
constexpr std::array<PropertyInfo, kPropertyCount> kTable = make_table();

const PropertyInfo& info_of(Property id) { return kTable[static_cast<std::size_t>(id)]; }

bool is_text(Shape shape) { return shape == Shape::text || shape == Shape::binary; }

// One property as it stands in the packet.
struct Item {
  Property id{};
  std::uint32_t number = 0;
  std::string_view text;   // a pair's name
  std::string_view value;  // a pair's value
};

constexpr Fault kCutShort = {Reason::malformed_packet, "properties are cut short"};

Fault read_item(ByteReader& in, Item& item) {
  std::uint32_t id = 0;
  if (!read_varint(in, id)) return kCutShort;
  if (id >= kPropertyCount || kTable[id].shape == Shape::none) {
    return {Reason::malformed_packet, "unknown property"};
  }
  item.id = static_cast<Property>(id);
  switch (kTable[id].shape) {
    case Shape::none:
      break;
    case Shape::byte:
      item.number = in.u8();
      break;
    case Shape::two_bytes:
      item.number = read_u16(in);
      break;
    case Shape::four_bytes:
      item.number = read_u32(in);
      break;
    case Shape::varint:
      if (!read_varint(in, item.number)) return kCutShort;
      break;
    case Shape::text:
    case Shape::binary:
      item.text = read_text(in);
      break;
    case Shape::pair:
      item.text = read_text(in);
      item.value = read_text(in);
      break;
  }
  return in.ok() ? Fault{} : kCutShort;
}

Fault check_value(const Item& item) {
  switch (info_of(item.id).shape) {
    case Shape::byte:
      if (item.number > 1) return {Reason::protocol_error, "a property is neither 0 nor 1"};
      break;
    case Shape::text:
    case Shape::pair:
      if (!is_mqtt_text(item.text) || !is_mqtt_text(item.value)) {
        return {Reason::malformed_packet, "a property is not UTF-8 text"};
      }
      break;
    default:
      break;
  }
  switch (item.id) {
    case Property::subscription_identifier:
      if (item.number == 0) return {Reason::malformed_packet, "subscription identifier is 0"};
      break;
    case Property::receive_maximum:
      if (item.number == 0) return {Reason::protocol_error, "receive maximum is 0"};
      break;
    case Property::maximum_packet_size:
      if (item.number == 0) return {Reason::protocol_error, "maximum packet size is 0"};
      break;
    case Property::topic_alias:
      if (item.number == 0) return {Reason::topic_alias_invalid, "topic alias is 0"};
      break;
    case Property::response_topic:
      if (item.text.empty() || item.text.find_first_of("+#") != std::string_view::npos) {
        return {Reason::protocol_error, "response topic is empty or has a wildcard"};
      }
      break;
    default:
      break;
  }
  return {};
}

// The standard calls a property in the wrong packet malformed (2.2.2.2); deployed servers answer
// so for the two packets that carry filters and "protocol error" for all others, and clients are
// tested against that.
Fault misplaced(PacketType packet) {
  const bool has_filters = packet == PacketType::subscribe || packet == PacketType::unsubscribe;
  return {has_filters ? Reason::malformed_packet : Reason::protocol_error,
          "a property that this packet may not have"};
}

bool may_repeat(Property id, PacketType packet) {
  return id == Property::user_property ||
         (id == Property::subscription_identifier && packet == PacketType::publish);
}

void encode_item(std::string& out, const Item& item) {
  put_u8(out, static_cast<std::uint8_t>(item.id));
  switch (info_of(item.id).shape) {
    case Shape::none:
      break;
    case Shape::byte:
      put_u8(out, static_cast<std::uint8_t>(item.number));
      break;
    case Shape::two_bytes:
      put_u16(out, static_cast<std::uint16_t>(item.number));
      break;
    case Shape::four_bytes:
      put_u32(out, item.number);
      break;
    case Shape::varint:
      put_varint(out, item.number);
      break;
    case Shape::pair:
      put_text(out, item.text);
      put_text(out, item.value);
      break;
    case Shape::text:
    case Shape::binary:
      put_text(out, item.text);
      break;
  }
}

// Finds the next `id` at or after `at` in checked bytes.
bool next_item(std::string_view section, std::size_t& at, Property id, Item& item) {
  ByteReader in(section.substr(at));
  while (!in.at_end()) {
    if (read_item(in, item)) break;
    if (item.id == id) {
      at = section.size() - in.left();
      return true;
    }
  }
  at = section.size();
  return false;
}

}  // namespace

void Properties::set(Property id, std::uint32_t number) {
  NILO_ASSERT(!is_text(info_of(id).shape) && id != Property::user_property);
  present_ |= std::uint64_t{1} << static_cast<unsigned>(id);
  cells_[static_cast<std::size_t>(id)] = {nullptr, number};
}

void Properties::set(Property id, std::string_view text) {
  NILO_ASSERT(is_text(info_of(id).shape));
  present_ |= std::uint64_t{1} << static_cast<unsigned>(id);
  cells_[static_cast<std::size_t>(id)] = {text.data(), static_cast<std::uint32_t>(text.size())};
}

bool Properties::next_user(std::size_t& at, std::string_view& name, std::string_view& value) const {
  Item item;
  if (!next_item(section_, at, Property::user_property, item)) return false;
  name = item.text;
  value = item.value;
  return true;
}

bool Properties::next_subscription_identifier(std::size_t& at, std::uint32_t& identifier) const {
  Item item;
  if (!next_item(section_, at, Property::subscription_identifier, item)) return false;
  identifier = item.number;
  return true;
}

Fault Properties::decode(std::string_view& bytes, PacketType packet) {
  ByteReader head(bytes);
  std::uint32_t size = 0;
  if (!read_varint(head, size) || size > head.left()) return kCutShort;
  section_ = head.take(size);
  bytes = read_rest(head);
  present_ = 0;
  Fault first;  // a malformed property later on counts more
  ByteReader in(section_);
  while (!in.at_end()) {
    Item item;
    if (const Fault fault = read_item(in, item)) return fault;
    Fault fault = check_value(item);
    if ((info_of(item.id).packets >> static_cast<unsigned>(packet) & 1) == 0) {
      fault = misplaced(packet);
    } else if (has(item.id) && !may_repeat(item.id, packet)) {
      fault = {Reason::protocol_error, "a property is given twice"};
    }
    if (fault.reason == Reason::malformed_packet) return fault;
    if (fault && !first) first = fault;
    present_ |= std::uint64_t{1} << static_cast<unsigned>(item.id);
    cells_[static_cast<std::size_t>(item.id)] =
        is_text(info_of(item.id).shape)
            ? Cell{item.text.data(), static_cast<std::uint32_t>(item.text.size())}
            : Cell{nullptr, item.number};
  }
  return first;
}

void Properties::encode(std::string& out) const {
  LengthPrefix length(out);
  for (std::size_t number_of = kPropertyCount; number_of-- > 0;) {
    const auto id = static_cast<Property>(number_of);
    if (!has(id)) continue;
    if (!section_.empty() && may_repeat(id, PacketType::publish)) continue;  // comes below
    const bool text_cell = is_text(info_of(id).shape);
    encode_item(out, {id, number(id, 0), text_cell ? text(id) : std::string_view(), {}});
  }
  ByteReader in(section_);
  Item item;
  while (!in.at_end() && !read_item(in, item)) {
    if (may_repeat(item.id, PacketType::publish)) encode_item(out, item);
  }
  length.finish();
}

void append_user_property(std::string& section, std::string_view name, std::string_view value) {
  encode_item(section, {Property::user_property, 0, name, value});
}

void append_subscription_identifier(std::string& section, std::uint32_t identifier) {
  encode_item(section, {Property::subscription_identifier, identifier, {}, {}});
}

}  // namespace nilo::mqtt
