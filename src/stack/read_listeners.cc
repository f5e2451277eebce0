#include "stack/forms.h"
#include "stack/read.h"

namespace nilo::stack {
namespace {

constexpr std::string_view kProtocols[] = {"mqtt", "http"};
constexpr std::string_view kClients[] = {"none", "optional", "required"};
constexpr std::string_view kProfiles[] = {"standard", "aws"};

// The place of `word` among `words`, which has it, as an enumeration in the same order.
template <typename Enumeration>
Enumeration choice_of(std::string_view word, std::span<const std::string_view> words) {
  std::size_t at = 0;
  while (words[at] != word) ++at;
  return static_cast<Enumeration>(at);
}

// The name of a file, or a list of them.
std::vector<std::string> read_files(Key key, Section& keys, Reading& reading) {
  const Node* const node = keys.take(key.name);
  std::vector<std::string> files;
  if (node == nullptr) return files;
  const bool is_list = node->kind == Node::Kind::list;
  for (const Node& item : is_list ? std::span<const Node>(node->items) : std::span(node, 1)) {
    if (item.kind == Node::Kind::text && !item.text.empty()) {
      files.push_back(item.text);
    } else if (item.kind == Node::Kind::text) {
      reading.tell(Code::text_empty, item.place, "", key.name, key.example);
    } else {
      tell_wrong_type(reading, key, words_for(Node::Kind::text), item);
    }
  }
  return files;
}

// What only makes sense together.
void check_tls(const Listener& listener, Section& keys, Reading& reading) {
  const auto tell = [&](std::string_view key, std::string_view what, std::string_view remedy) {
    reading.tell(Code::listener_tls, keys.place_of(key), "", what, remedy);
  };
  for (const std::string_view key : {"certificate", "key", "ca", "clients"}) {
    if (listener.tls || keys.take(key) == nullptr) continue;
    tell(key, fmt::format("`{}` is for listeners with TLS", key), "write tls = true");
  }
  if (!listener.tls) return;
  if (listener.certificates.size() != listener.keys.size()) {
    const bool has_key = listener.certificates.size() < listener.keys.size();
    tell(has_key ? "key" : "certificate",
         fmt::format("`{}` needs a `{}`", has_key ? "key" : "certificate",
                     has_key ? "certificate" : "key"),
         has_key ? "write certificate = \"server.crt\"" : "write key = \"server.key\"");
  }
  if (!listener.ca.empty() && listener.clients == Listener::Clients::none) {
    tell("ca", "`ca` is for listeners where clients show certificates",
         "write clients = \"optional\" or \"required\"");
  }
}

void read_listener(const Member& member, Reading& reading) {
  Section keys(member.node, member.key_place, fmt::format("[listener.{}]", member.key), reading);
  Listener listener;
  listener.name = member.key;
  listener.place = member.key_place;
  constexpr Key kAddress{"address", "\"0.0.0.0:8883\""};
  constexpr Key kProtocol{"protocol", "\"mqtt\""};
  keys.require(kAddress);
  keys.require(kProtocol);
  listener.address = keys.address(kAddress).value_or("");
  if (!listener.address.empty()) {
    // Port 0 is another one each time.
    const bool is_one = !listener.address.ends_with(":0");
    if (is_one) reading.declare("address " + listener.address, keys.place_of("address"));
  }
  const std::string protocol = keys.choice(kProtocol, kProtocols).value_or("mqtt");
  listener.protocol = choice_of<Listener::Protocol>(protocol, kProtocols);
  listener.tls = keys.boolean({"tls", "true"}).value_or(false);
  listener.certificates = read_files({"certificate", "\"server.crt\""}, keys, reading);
  listener.keys = read_files({"key", "\"server.key\""}, keys, reading);
  listener.ca = keys.text({"ca", "\"devices-ca.crt\""}).value_or("");
  // Devices may show a certificate unless told otherwise; a browser would bother people with it.
  const bool may_show = listener.tls && listener.protocol == Listener::Protocol::mqtt;
  const std::string clients =
      keys.choice({"clients", "\"required\""}, kClients).value_or(may_show ? "optional" : "none");
  listener.clients = choice_of<Listener::Clients>(clients, kClients);
  const std::string profile = keys.choice({"profile", "\"aws\""}, kProfiles).value_or("standard");
  listener.profile = choice_of<Listener::Profile>(profile, kProfiles);
  check_tls(listener, keys, reading);
  keys.finish();
  reading.stack.listeners.push_back(std::move(listener));
}

}  // namespace

void read_listeners(const Member& section, Reading& reading) {
  for (const Member& member : section.node.members) {
    if (declares("listener", member, reading.stack.listeners.size(), reading)) {
      read_listener(member, reading);
    }
  }
}

}  // namespace nilo::stack
