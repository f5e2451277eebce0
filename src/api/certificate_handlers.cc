#include "api/certificate_handlers.h"

#include <utility>

#include "api/json_body.h"
#include "api/topic_list.h"
#include "base/clock.h"
#include "value/json_text.h"

namespace nilo::api {
namespace {

void append_time(std::string& out, std::string_view name, TimeUs us) {
  append_json(append_key(out, name), us == 0 ? Value::null() : Value::timestamp(us));
}

std::string json_of(const CertificateInfo& one) {
  std::string out = "{";
  append_text(out, "fingerprint", one.fingerprint);
  append_text(out, "name", one.name);
  append_text(out, "kind", one.kind);
  append_text(out, "state", one.state);
  append_text(out, "subject", one.subject);
  append_text(out, "serial", one.serial);
  append_text(out, "issuer", one.issuer);
  append_text(out, "note", one.note);
  append_topics(append_key(out, "topics"), one.topics);
  append_number(out, "auto", one.admits);
  append_time(out, "created", one.created_us);
  append_time(out, "not_before", one.not_before_us);
  append_time(out, "not_after", one.not_after_us);
  return out + "}";
}

Result<bool> flag_member(const JsonNode& object, std::string_view name) {
  const JsonNode* const node = object.find(name);
  if (node == nullptr) return false;
  if (node->kind() == JsonKind::boolean) return node->is_true();
  return Error{ErrorCode::invalid_argument, "'" + std::string(name) + "' must be true or false"};
}

Result<std::vector<std::string>> topics_member(const JsonNode& object) {
  const JsonNode* const topics = object.find("topics");
  if (topics == nullptr) return std::vector<std::string>();
  return read_topics(*topics);
}

Result<NewCertificate> read_new(std::string_view body) {
  JsonDocument document;
  const JsonNode* const root =
      TRY(object_body(document, body, {"name", "valid_days", "topics", "request"}));
  NewCertificate wanted;
  wanted.name = TRY(text_member(*root, "name"));
  if (wanted.name.empty()) return Error{ErrorCode::invalid_argument, "'name' is required"};
  wanted.topics = TRY(topics_member(*root));
  if (root->find("request") != nullptr) wanted.request = TRY(text_member(*root, "request"));
  if (const auto days_us = TRY(days_member(*root, "valid_days"))) wanted.valid_for_us = *days_us;
  return wanted;
}

Result<ForeignCertificate> read_foreign(std::string_view body) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(
      document, body, {"name", "certificate", "fingerprint", "topics", "inactive", "ca", "auto"}));
  ForeignCertificate foreign;
  if (root->find("name") != nullptr) foreign.name = TRY(text_member(*root, "name"));
  if (root->find("certificate") != nullptr) foreign.pem = TRY(text_member(*root, "certificate"));
  if (root->find("fingerprint") != nullptr) {
    foreign.fingerprint = TRY(text_member(*root, "fingerprint"));
  }
  if (foreign.pem.empty() == foreign.fingerprint.empty()) {
    return Error{ErrorCode::invalid_argument, "give 'certificate' (PEM) or 'fingerprint'"};
  }
  foreign.topics = TRY(topics_member(*root));
  foreign.is_inactive = TRY(flag_member(*root, "inactive"));
  foreign.is_ca = TRY(flag_member(*root, "ca"));
  foreign.admits = TRY(flag_member(*root, "auto"));
  if (foreign.is_ca && foreign.pem.empty()) {
    return Error{ErrorCode::invalid_argument, "a CA is registered by its certificate",
                 "what it signed is checked against its key"};
  }
  if (!foreign.is_ca && foreign.admits) {
    return Error{ErrorCode::invalid_argument, "'auto' is for a CA", "add \"ca\": true"};
  }
  return foreign;
}

CertificateBackend::Done<CertificateInfo> answer_with_info(const net::Respond& respond,
                                                           int status) {
  return [respond, status](const Result<CertificateInfo>& info) {
    respond(info ? json_response(json_of(*info), status) : error_response(info.error()));
  };
}

}  // namespace

void list_certificates(const Context& context, Call& call) {
  std::string out = R"({"certificates":[)";
  for (const CertificateInfo& one : context.backend.certificates.list()) {
    if (out.back() != '[') out += ',';
    out += json_of(one);
  }
  call.respond(json_response(out + "]}"));
}

void show_ca(const Context& context, Call& call) {
  context.backend.certificates.ca([respond = call.respond](Result<std::string> pem) {
    if (!pem) return respond(error_response(pem.error()));
    net::HttpResponse response;
    response.status = 200;
    response.headers.emplace_back("Content-Type", "application/x-pem-file");
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"ca.crt\"");
    response.body = std::move(*pem);
    respond(std::move(response));
  });
}

void issue_certificate(const Context& context, Call& call) {
  const Result<NewCertificate> wanted = read_new(call.request.body);
  if (!wanted) return call.respond(error_response(wanted.error()));
  context.backend.certificates.issue(
      *wanted, [respond = call.respond](const Result<IssuedCertificate>& issued) {
        if (!issued) return respond(error_response(issued.error()));
        std::string out = json_of(issued->info);
        out.pop_back();
        append_text(out, "certificate", issued->certificate);
        if (!issued->key.empty()) append_text(out, "key", issued->key);
        append_text(out, "ca_certificate", issued->ca_certificate);
        respond(json_response(out + "}", 201));
      });
}

void register_certificate(const Context& context, Call& call) {
  const Result<ForeignCertificate> foreign = read_foreign(call.request.body);
  if (!foreign) return call.respond(error_response(foreign.error()));
  context.backend.certificates.add(*foreign, answer_with_info(call.respond, 201));
}

void change_certificate(const Context& context, Call& call) {
  JsonDocument document;
  const auto root = object_body(document, call.request.body, {"state"});
  if (!root) return call.respond(error_response(root.error()));
  const auto state = text_member(**root, "state");
  if (!state) return call.respond(error_response(state.error()));
  context.backend.certificates.set_state(std::string(*call.text("certificate")), *state,
                                         answer_with_info(call.respond, 200));
}

void remove_certificate(const Context& context, Call& call) {
  context.backend.certificates.remove(std::string(*call.text("certificate")),
                                      answer_done(call.respond));
}

}  // namespace nilo::api
