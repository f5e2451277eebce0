#include <memory>
#include <utility>

#include "api/handlers.h"
#include "api/json_body.h"

namespace nilo::api {
namespace {

PageBackend::Done answer(Call& call) {
  return [respond = std::move(call.respond)](Result<std::string> document) {
    respond(document ? json_response(*std::move(document)) : error_response(document.error()));
  };
}

std::string id_of(const Call& call) { return std::string(*call.text("id")); }

// The body as an edit: its text is required, one of `file` and `version` as well.
Result<PageEdit> read_edit(const Call& call, std::string_view required) {
  JsonDocument document;
  const JsonNode* const root = TRY(object_body(document, call.request.body, {"text", required}));
  for (const std::string_view name : {std::string_view("text"), required}) {
    if (root->find(name) != nullptr) continue;
    return Error{ErrorCode::invalid_argument, "'" + std::string(name) + "' is required"};
  }
  PageEdit edit;
  edit.text = TRY(text_member(*root, "text"));
  (required == "file" ? edit.file : edit.version) = TRY(text_member(*root, required));
  return edit;
}

}  // namespace

void list_pages(const Context& context, Call& call) { context.backend.pages.list(answer(call)); }

void show_one_page(const Context& context, Call& call) {
  context.backend.pages.show(id_of(call), answer(call));
}

void show_page_text(const Context& context, Call& call) {
  context.backend.pages.text(id_of(call), answer(call));
}

void check_page_text(const Context& context, Call& call) {
  auto edit = read_edit(call, "file");
  if (!edit) return call.respond(error_response(edit.error()));
  context.backend.pages.check(*std::move(edit), answer(call));
}

void save_page_text(const Context& context, Call& call) {
  auto edit = read_edit(call, "version");
  if (!edit) return call.respond(error_response(edit.error()));
  edit->id = id_of(call);
  const auto done = [respond = std::move(call.respond)](const Result<std::string>& page,
                                                        const std::string& diagnostics) {
    if (page) return respond(json_response(*page));
    net::HttpResponse refused = error_response(page.error());
    if (!diagnostics.empty()) {
      refused.body.resize(refused.body.rfind('}'));  // goes on in the same object
      refused.body.append(R"(,"diagnostics":)").append(diagnostics).append("}\n");
    }
    respond(std::move(refused));
  };
  context.backend.pages.save(*std::move(edit), done);
}

void list_page_versions(const Context& context, Call& call) {
  context.backend.pages.versions(id_of(call), answer(call));
}

void show_page_version(const Context& context, Call& call) {
  context.backend.pages.old_text(id_of(call), std::string(*call.text("version")), answer(call));
}

}  // namespace nilo::api
