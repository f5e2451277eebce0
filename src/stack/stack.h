// stack/stack.h: what a user declares in nilo.toml, nilo.d/*.toml and pages/*.toml, read and
// checked.
//
// In/out:  a folder, or its files in memory -> plain structures and every mistake found.
// Threads: values and pure functions; load() reads the disk.
// Limits:  kFilesMax files of kFileSizeMax bytes, keys nested kKeyDepthMax deep (toml.h).
// Source:  docs/stack.md describes every key, docs/pages.md those of pages.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stack/diagnostic.h"
#include "stack/source.h"
#include "value/policy.h"
#include "value/schema.h"
#include "value/selector.h"

namespace nilo::stack {

using Duration = std::chrono::milliseconds;

// A thing's own property: `depth = "89 cm"` has number 89 and unit "cm"; `colour = "red"` has only
// its text.
struct Property {
  std::string name;
  std::string text;
  std::optional<double> number{};
  std::string unit{};
};

struct Thing {
  std::string id;
  std::string type;  // "tank", or empty
  std::string name;  // for people; the id if none is given
  std::vector<Property> properties;
  Place place;
};

struct Table {
  TableSchema schema;
  // One for each derived column, in the order of schema.columns from schema.stored_count() on.
  std::vector<Text> derived;
  std::optional<Duration> keep{};  // rows older than this may go
  Place place;
};

struct Republish {
  std::string topic;  // no wildcards
  int qos = 0;        // 0, 1
};

struct Rule {
  std::string name;
  Text sql;
  std::string version = "2016-03-23";  // or "2015-10-08"
  std::string put{};                   // a table of the stack, or empty
  Place put_place{};
  std::optional<Republish> republish{};
  bool disabled = false;
  Place place;
};

// A password or another secret: where it is, never what it is. Exactly one of the three is set; the
// program reads it when it starts.
struct Secret {
  std::string file{};  // its first line; relative to the stack's folder
  std::string env{};   // an environment variable
  std::string cred{};  // a credential of systemd: a file in $CREDENTIALS_DIRECTORY
};

// [mail]: the server that takes our mail.
struct Mail {
  enum class Tls : std::uint8_t { none, starttls, tls };  // none: no login outside of this machine
  std::string server;                                     // a name or an address
  int port = 465;
  Tls tls = Tls::tls;
  std::string user{};                // empty: no login, and no password
  std::optional<Secret> password{};  // set if `user` is
  std::string from;                  // "Tanks <tanks@example.org>" or the address alone
  std::string ca{};                  // PEM file of who vouches for the server; empty: the system's
  Place place;
};

// [site]: what pages and mails say of themselves.
struct Site {
  std::string name = "Nilometer";
  std::string zone = "UTC";  // an IANA name; a day begins at its midnight
  std::string url{};         // where people reach the pages, without a `/` at the end; or empty
};

// What a person reads is a template (docs/stack.md): an empty one means the program's own words.
struct MailNotice {
  std::vector<std::string> to;
  Text subject{};
  Text text{};
  Place place{};
};

// A POST of `body` with `headers`, as ntfy and most others take.
struct WebhookNotice {
  std::string url;
  Text body{};
  std::vector<std::pair<std::string, Text>> headers{};
  std::optional<Secret> token{};  // shown as `Authorization: Bearer`
  bool allow_private = false;     // the address may be one of a home network or of this machine
  Place place{};
};

// More than `changes` transitions within `within` are told of once, then it is quiet until it has
// been steady for so long.
struct FlapRule {
  int changes = 6;
  Duration within = std::chrono::hours(1);
};

// [alert.NAME]: whom to tell, and when. At least one of low, high, silent, invalid is set.
struct Alert {
  std::string name;
  Selector of;                        // of one numeric field, or of no field in particular
  std::optional<double> low{};        // fires at or below
  std::optional<double> high{};       // fires at or above; above `low`
  double clear = 0;                   // back to normal only above low + clear, below high - clear
  Duration hold{0};                   // as long as this before it fires
  std::optional<Duration> remind{};   // told again while it lasts
  std::optional<Duration> silent{};   // nothing came for so long
  bool silent_learned = false;        // silent = "learned": from the thing's own interval
  std::optional<Duration> invalid{};  // nothing but refused readings for so long
  bool recovery = true;               // also tell when it is over
  std::string severity = "warning";   // or "info", "critical"
  FlapRule flap{};
  std::optional<MailNotice> mail{};
  std::vector<WebhookNotice> webhooks{};
  Place place;
};

// One [[page.panel]]. Options are as in the file, checked, with the same names.
struct Panel {
  std::string kind;          // now, chart, table, alerts, text
  std::size_t line = 0;      // of its header, in the page's file
  std::vector<Selector> of;  // what it draws
  std::string options_json;  // an object, without `kind`; `of` among them
};

// A [[page]].
struct Page {
  std::string id;  // of its address
  std::string title;
  std::optional<Selector> for_things{};  // `for`: the page of each of these things
  std::string range = "24h";             // as written; relative ("7d"), or a day or two
  std::string zone = "site";             // or "viewer", or an IANA name
  std::vector<Panel> panels{};
  Place place;  // of its header; place.file is where its text is
};

struct Parameter {
  std::string name;  // without the `$`
  Type type;
};

struct Endpoint {
  std::string name;
  std::string path;  // "/prod/data"
  Text sql;
  std::vector<Parameter> parameters;  // every `$name` of the SQL, in order of appearance
  bool many = false;                  // always answer a list
  bool open = false;                  // answer without a token
  Place place;
};

// [listener.NAME]: a door.
struct Listener {
  enum class Protocol : std::uint8_t { mqtt, http };
  enum class Clients : std::uint8_t { none, optional, required };  // do they show certificates?
  enum class Profile : std::uint8_t { standard, aws };             // whose limits and deviations
  std::string name;
  std::string address;  // "0.0.0.0:8883"
  Protocol protocol = Protocol::mqtt;
  bool tls = false;
  // PEM files, relative to the stack's folder, as many keys as certificates. The first is for who
  // names no host, or none that another one is for. Empty: the server's own.
  std::vector<std::string> certificates{};
  std::vector<std::string> keys{};
  std::string ca{};  // PEM: who vouches for clients; empty: the server's own
  Clients clients = Clients::none;
  Profile profile = Profile::standard;
  Place place{};
};

// What MQTT clients may ask for. Counts are at least 1, topic_alias_max may be 0.
struct MqttSettings {
  std::optional<Duration> keep_alive_max{};
  std::optional<Duration> session_expiry_max{};
  std::optional<std::int64_t> receive_max{};
  std::optional<std::int64_t> topic_alias_max{};
  std::optional<std::int64_t> subscriptions_max{};
  std::optional<std::int64_t> sessions_max{};
  std::optional<std::int64_t> session_queue_max{};
  std::optional<std::uint64_t> session_queue_size_max_bytes{};
  std::optional<std::uint64_t> packet_size_max_bytes{};
  std::optional<bool> reasons{};
};

// [policy.NAME]: what those it is for may do, and for whom it is. Without tokens, things and types
// it is for every device.
struct Policy {
  std::string name;
  std::shared_ptr<const nilo::Policy> rules{};
  std::vector<std::string> tokens{};  // names, with `*`; likewise
  std::vector<std::string> things{};
  std::vector<std::string> types{};
  Place place;
};

// Empty: the program's default, which the command line may also overrule.
struct Settings {
  std::optional<std::string> mqtt_listen{};  // "127.0.0.1:1883"
  std::optional<std::string> http_listen{};
  std::vector<std::string> origins{};  // of pages elsewhere that may speak MQTT over WebSocket
  MqttSettings mqtt{};
  std::optional<std::uint64_t> tables_memory_bytes{};
  std::optional<Duration> sql_time{};
  std::optional<std::uint64_t> sql_memory_bytes{};
};

struct Stack {
  std::vector<Thing> things;
  std::vector<Table> tables;
  std::vector<Rule> rules;
  std::vector<Endpoint> endpoints;
  std::vector<Alert> alerts;
  std::vector<Page> pages;
  std::vector<Policy> policies;
  std::optional<Mail> mail;
  Site site;
  Settings settings;
  std::vector<Listener> listeners;

  const Table* find_table(std::string_view name) const;
};

// `stack` may be used only when `ok()`. Otherwise it holds what could be read, so that a further
// check (of the rules' SQL) can add its mistakes to the same list.
struct Loaded {
  Stack stack;
  std::vector<Diagnostic> diagnostics;
  SourceFiles files;

  bool ok() const { return diagnostics.empty(); }
};

// Files of pages: they may be changed while the server runs, and have nothing but [[page]].
inline constexpr std::string_view kPagesFolder = "pages/";
bool is_page_file(std::string_view name);  // as in SourceFile::name

// Policies in the form of AWS IoT, which [policy.NAME] sections name.
inline constexpr std::string_view kPoliciesFolder = "policies/";
bool is_policy_file(std::string_view name);  // as in SourceFile::name

// Reads `folder`/nilo.toml, then nilo.d/*.toml, pages/*.toml and policies/*.json in the order of
// their names.
// Never fails: a folder or file that cannot be read is a diagnostic.
Loaded load(const std::string& folder);

// The same from memory. TOML that cannot be parsed is reported once per file, at the first place.
Loaded parse(SourceFiles files);

}  // namespace nilo::stack
