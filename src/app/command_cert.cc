// nilo cert: this house's CA, its server certificate, and the certificates of devices.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "app/certificate_files.h"
#include "app/commands.h"
#include "app/host.h"
#include "app/remote.h"
#include "app/whole_file.h"
#include "base/time_units.h"
#include "base/utf8.h"
#include "net/http.h"
#include "value/json.h"
#include "value/value.h"

namespace nilo::app {

namespace {

constexpr std::int64_t kDaysMax = 36'500;

struct CertOptions {
  RemoteOptions remote;
  std::string data = "data";
  std::string name{};  // of a device, or which certificate
  std::string file{};
  std::string out = ".";
  std::string request_file{};
  std::vector<std::string> names{};
  std::vector<std::string> topics{};
  std::int64_t valid_days = 0;
  bool print = false;
  bool inactive = false;
  bool admit = false;
  bool json = false;
};

void print_certificate(const net::Certificate& certificate, const std::string& file, bool json) {
  const std::string until = iso_time(certificate.not_after_us);
  if (!json) {
    fmt::print("{}\n", file);
    fmt::print(stderr, "  {}, until {}\n  SHA-256 {}\n", certificate.subject, until.substr(0, 10),
               certificate.fingerprint);
    return;
  }
  std::string out = "{\"file\":";
  append_json_string(out, file);
  append_json_string(out += ",\"subject\":", certificate.subject);
  append_json_string(out += ",\"fingerprint\":", certificate.fingerprint);
  append_json_string(out += ",\"not_after\":", until);
  out += ",\"names\":[";
  for (const std::string& name : certificate.alternative_names) {
    append_json_string(out.back() == '[' ? out : out += ',', name);
  }
  fmt::print("{}]}}\n", out);
}

// --- without a server

Result<void> show_or_make_ca(const CertOptions& options) {
  TRY(make_private_dir(options.data));
  const CertificateFiles files(options.data);
  const bool was_there = files.has_ca();
  const auto ca = TRY(files.ca(SystemClock().wall_us()));
  print_certificate(TRY(net::read_certificate(ca.certificate)), files.ca_path(), options.json);
  if (options.json || was_there) return {};
  fmt::print(stderr, "Devices get this file to know the server by. Next: nilo cert server\n");
  return {};
}

Result<void> make_server_certificate(const CertOptions& options) {
  if (options.valid_days < 0 || options.valid_days > kDaysMax) {
    return Error{ErrorCode::invalid_argument, "--valid-days is 1 to 36500", ""};
  }
  TRY(make_private_dir(options.data));
  const CertificateFiles files(options.data);
  std::vector<std::string> names = names_of_this_machine();
  names.insert(names.begin(), options.names.begin(), options.names.end());
  const TimeUs life_us = options.valid_days == 0 ? kServerLifeUs : options.valid_days * kDayUs;
  const auto made = TRY(files.make_server(names, life_us, SystemClock().wall_us()));
  print_certificate(made.certificate, files.server_path(), options.json);
  if (options.json) return {};
  fmt::print(stderr, "  for {}\n", fmt::join(made.certificate.alternative_names, ", "));
  fmt::print(stderr, "{}\n",
             made.is_renewed
                 ? "Renewed; a running server takes it within seconds."
                 : "The doors with TLS (8883, 8443) open when the server is started again.\n"
                   "Devices need the CA: nilo cert ca");
  return {};
}

// --- with one

std::string path_of(const std::string& which) {
  return "/api/v1/certificates/" + net::percent_encode(which);
}

void append_topics(std::string& body, const std::vector<std::string>& topics) {
  if (topics.empty()) return;
  body += ",\"topics\":[";
  for (const std::string& topic : topics) {
    append_json_string(body.back() == '[' ? body : body += ',', topic);
  }
  body += ']';
}

Result<std::string> text_of(const JsonNode& answer, std::string_view key) {
  std::string text = text_in(answer, key);
  if (!text.empty()) return text;
  return Error{ErrorCode::internal, fmt::format("the server's answer has no {}", key), ""};
}

Result<void> check_free(const std::string& path) {
  const auto there = read_small_file(path);
  if (!there && there.error().code == ErrorCode::not_found) return {};
  return Error{ErrorCode::conflict, fmt::format("{} exists already", path),
               "nothing is ever written over a key; choose another folder with --out"};
}

// Where a device's files go, less their endings. No colon, which not every disk takes in a name.
std::string base_of(const CertOptions& options) {
  std::string name = options.name;
  std::replace(name.begin(), name.end(), ':', '.');
  return options.out + "/" + name;
}

Result<void> write_device_files(const CertOptions& options, const JsonNode& answer) {
  const std::string base = base_of(options);
  TRY(create_file(base + ".crt", TRY(text_of(answer, "certificate")), 0600));
  fmt::print("{}.crt\n", base);
  if (options.request_file.empty()) {
    TRY(create_file(base + ".key", TRY(text_of(answer, "key")), 0600));
    fmt::print("{}.key\n", base);
  }
  TRY(replace_file(options.out + "/ca.crt", TRY(text_of(answer, "ca_certificate")), 0644));
  fmt::print("{}/ca.crt\n", options.out);
  fmt::print(
      stderr,
      "The key is here and nowhere else. A device shows it like this:\n"
      "  mosquitto_pub -h HOST -p 8883 --cafile ca.crt --cert {0}.crt --key {0}.key -t TOPIC "
      "-m MESSAGE\n",
      base.substr(options.out.size() + 1));
  return {};
}

Result<void> make_device(const CertOptions& options) {
  std::string body = "{\"name\":";
  append_json_string(body, options.name);
  if (options.valid_days != 0) body += fmt::format(",\"valid_days\":{}", options.valid_days);
  append_topics(body, options.topics);
  if (!options.request_file.empty()) {
    append_json_string(body += ",\"request\":", TRY(read_small_file(options.request_file)));
  }
  const bool to_files = !options.print && !options.json;
  if (to_files) {  // before one is issued that nobody could keep
    if (!std::filesystem::is_directory(options.out)) {
      return Error{ErrorCode::not_found, fmt::format("there is no folder {}", options.out),
                   "make it first, or choose another one with --out"};
    }
    TRY(check_free(base_of(options) + ".crt"));
    TRY(check_free(base_of(options) + ".key"));
  }
  const auto answer = TRY(call(options.remote, "POST", "/api/v1/certificates", body + "}"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* const root = TRY(document.parse(answer.body));
  if (to_files) return write_device_files(options, *root);
  fmt::print("{}{}{}", TRY(text_of(*root, "certificate")), text_in(*root, "key"),
             TRY(text_of(*root, "ca_certificate")));
  return {};
}

// A file, or 64 digits.
Result<void> register_one(const CertOptions& options, bool is_ca) {
  std::string body = "{\"name\":";
  append_json_string(body, options.name);
  if (!is_ca && net::read_fingerprint(options.file)) {
    append_json_string(body += ",\"fingerprint\":", options.file);
  } else {
    const std::string pem = TRY(read_small_file(options.file));
    if (pem.find("PRIVATE KEY") != std::string::npos &&
        pem.find("CERTIFICATE") == std::string::npos) {
      return Error{ErrorCode::invalid_argument,
                   fmt::format("{} is a private key, which stays where it is", options.file),
                   "give the certificate that belongs to it"};
    }
    append_json_string(body += ",\"certificate\":", pem);
  }
  append_topics(body, options.topics);
  if (options.inactive) body += ",\"inactive\":true";
  if (is_ca) body += fmt::format(",\"ca\":true,\"auto\":{}", options.admit);
  const auto answer =
      TRY(call(options.remote, "POST", "/api/v1/certificates/register", body + "}"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* const root = TRY(document.parse(answer.body));
  const std::string name = printable(text_in(*root, "name"), 80);
  if (is_ca) {
    fmt::print("{} vouches for devices now; they {}.\n", name,
               options.admit ? "come in at once" : "wait for: nilo cert activate");
  } else {
    fmt::print("{} {} by {}.\n", name,
               options.inactive ? "will come in, once activated," : "may come in now",
               text_in(*root, "fingerprint").substr(0, 16));
  }
  return {};
}

Result<void> list(const CertOptions& options) {
  const auto answer = TRY(call(options.remote, "GET", "/api/v1/certificates"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* const root = TRY(document.parse(answer.body));
  const JsonNode* const certificates = root->find("certificates");
  if (certificates == nullptr) {
    return Error{ErrorCode::internal, "the server's answer has no certificates", ""};
  }
  for (const JsonNode& one : certificates->elements()) {
    const auto shown = [&](std::string_view key) { return printable(text_in(one, key), 200); };
    fmt::print("{:<24} {:<7} {:<9} {} {:<10} {}\n", shown("name"), shown("kind"), shown("state"),
               shown("fingerprint").substr(0, 16), shown("not_after").substr(0, 10), shown("note"));
  }
  return {};
}

Result<void> set_state(const CertOptions& options, const std::string& state) {
  std::string body = "{\"state\":";
  append_json_string(body, state);
  const auto answer = TRY(call(options.remote, "POST", path_of(options.name), body + "}"));
  if (options.json) {
    fmt::print("{}\n", answer.body);
    return {};
  }
  JsonDocument document;
  const JsonNode* const root = TRY(document.parse(answer.body));
  fmt::print("{} is {}; {}.\n", printable(text_in(*root, "name"), 80), state,
             state == "active" ? "it may come in" : "its connections end within seconds");
  return {};
}

Result<void> remove(const CertOptions& options) {
  TRY(call(options.remote, "DELETE", path_of(options.name)));
  fmt::print("{} is off the list.\n", printable(options.name, 80));
  return {};
}

constexpr const char* kDataHelp = "data folder of the server; no server needs to run";
constexpr const char* kJsonHelp = "one JSON object instead of words";
constexpr const char* kWhichHelp = "the device's name, or the first 8 digits of the fingerprint";

using Options = std::shared_ptr<CertOptions>;

Command state_command(const char* word, const char* state, const char* summary) {
  const Options options = std::make_shared<CertOptions>();
  const std::string name = fmt::format("cert {}", word);
  return {name,
          summary,
          {fmt::format("nilo {} tank-1", name), fmt::format("nilo {} 3f2a91c0", name)},
          with_http_options(
              {{"WHICH", kWhichHelp, &options->name, true}, {"--json", kJsonHelp, &options->json}},
              options->remote),
          [options, state] { return exit_code_of(set_state(*options, state)); }};
}

Command ca_command() {
  const Options options = std::make_shared<CertOptions>();
  return {"cert ca",
          "Shows the certificate of this house's CA; makes the CA, for ten years, if there is "
          "none. Its key stays in DATA/certs.",
          {"nilo cert ca", "nilo cert ca --data /var/lib/nilo"},
          {{"--data", kDataHelp, &options->data}, {"--json", kJsonHelp, &options->json}},
          [options] { return exit_code_of(show_or_make_ca(*options)); }};
}

Command server_command() {
  const Options options = std::make_shared<CertOptions>();
  return {"cert server",
          "Makes the server's certificate, or renews it: for this machine's names and addresses, "
          "those it had, and those given.",
          {"nilo cert server", "nilo cert server --san iot.example.org --san 203.0.113.7"},
          {{"--san", "another host name or address by which devices reach it; several words",
            &options->names},
           {"--valid-days", "days; 0: 820", &options->valid_days},
           {"--data", kDataHelp, &options->data},
           {"--json", kJsonHelp, &options->json}},
          [options] { return exit_code_of(make_server_certificate(*options)); }};
}

Command device_command() {
  const Options options = std::make_shared<CertOptions>();
  return {"cert device",
          "Issues a certificate for a device and lets it in. Writes NAME.crt, NAME.key and ca.crt; "
          "the server keeps no key.",
          {"nilo cert device tank-1", "nilo cert device tank-1 --out sd-card --topics 'water1/#'",
           "nilo cert device tank-1 --request tank-1.csr"},
          with_http_options(
              {{"NAME", "the device", &options->name, true},
               {"--out", "folder for the files; default: this one", &options->out},
               {"--print", "to standard output instead: certificate, key, CA", &options->print},
               {"--request", "sign this request (PKCS #10) for a key that the device has",
                &options->request_file},
               {"--valid-days", "days; 0: as long as the CA", &options->valid_days},
               {"--topics", "the only filters it may publish and subscribe, several words",
                &options->topics},
               {"--json", "the server's answer as it is, with the key", &options->json}},
              options->remote),
          [options] { return exit_code_of(make_device(*options)); }};
}

Command register_command() {
  const Options options = std::make_shared<CertOptions>();
  return {"cert register",
          "Lets a device in by a certificate that it has already; its CA need not be known.",
          {"nilo cert register tank-1.crt --name tank-1",
           "nilo cert register 3F:2A:...:91 --name tank-1 --inactive"},
          with_http_options(
              {{"FILE", "the certificate (PEM), or its SHA-256 fingerprint", &options->file, true},
               {"--name", "the device; default: the certificate's common name", &options->name},
               {"--inactive", "not before it is activated", &options->inactive},
               {"--topics", "the only filters it may publish and subscribe, several words",
                &options->topics},
               {"--json", kJsonHelp, &options->json}},
              options->remote),
          [options] { return exit_code_of(register_one(*options, false)); }};
}

Command trust_command() {
  const Options options = std::make_shared<CertOptions>();
  return {"cert trust",
          "Takes another CA's word for devices: what it signed is registered when it first comes.",
          {"nilo cert trust factory-ca.crt", "nilo cert trust factory-ca.crt --auto"},
          with_http_options(
              {{"FILE", "the CA's certificate (PEM)", &options->file, true},
               {"--name", "what to call it; default: its common name", &options->name},
               {"--auto", "its devices come in at once; otherwise they wait to be activated",
                &options->admit},
               {"--json", kJsonHelp, &options->json}},
              options->remote),
          [options] { return exit_code_of(register_one(*options, true)); }};
}

Command ls_command() {
  const Options options = std::make_shared<CertOptions>();
  return {"cert ls",
          "Lists certificates: name, kind, state, fingerprint, last day, how it came to be.",
          {"nilo cert ls"},
          with_http_options({{"--json", "the server's answer as it is", &options->json}},
                            options->remote),
          [options] { return exit_code_of(list(*options)); }};
}

Command rm_command() {
  const Options options = std::make_shared<CertOptions>();
  return {"cert rm",
          "Takes a certificate that is not active off the list.",
          {"nilo cert rm tank-1"},
          with_http_options({{"WHICH", kWhichHelp, &options->name, true}}, options->remote),
          [options] { return exit_code_of(remove(*options)); }};
}

}  // namespace

std::vector<Command> cert_commands() {
  return {ca_command(),
          server_command(),
          device_command(),
          register_command(),
          trust_command(),
          ls_command(),
          state_command("activate", "active", "Lets a device in by its certificate."),
          state_command("deactivate", "inactive",
                        "Lets a device in no more, until it is activated again."),
          state_command("revoke", "revoked",
                        "Lets a device in no more, for ever; its connections end."),
          rm_command()};
}

}  // namespace nilo::app
