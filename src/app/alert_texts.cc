#include "app/alert_texts.h"

#include <algorithm>
#include <string>
#include <vector>

#include "alerts/template.h"
#include "base/nearest.h"
#include "stack/error_table.h"

namespace nilo::app {
namespace {

using Names = std::vector<std::string>;

Names known_names(const stack::Stack& stack) {
  Names names = {"thing.id", "thing.name", "thing.type", "state", "value",     "unit",
                 "limit",    "alert",      "condition",  "since", "site.name", "link"};
  for (const stack::Thing& thing : stack.things) {
    for (const stack::Property& property : thing.properties) {
      names.push_back("thing." + property.name);
    }
  }
  for (const stack::Table& table : stack.tables) {
    if (table.schema.thing.empty()) continue;
    for (const Column& column : table.schema.columns) names.push_back(column.name);
  }
  return names;
}

void check_text(const stack::Text& text, const Names& names, stack::Loaded& loaded) {
  const auto parsed = alerts::Template::parse(text.value);
  if (!parsed) {
    loaded.diagnostics.push_back(stack::diagnose(stack::Code::alert_text, text.place, "",
                                                 parsed.error().message, parsed.error().hint));
    return;
  }
  for (const alerts::Template::Name& name : parsed->names()) {
    if (std::find(names.begin(), names.end(), name.text) != names.end()) continue;
    const std::string_view near = nearest(name.text, names);
    loaded.diagnostics.push_back(stack::diagnose(
        stack::Code::alert_text,
        text.place_at(name.at - 2,
                      stack::count_characters(name.text) + std::string_view("${}").size()),
        near.empty() ? "" : fmt::format("did you mean `{}`?", near),
        fmt::format("`${{{}}}` is not known", name.text),
        near.empty() ? "docs/stack.md lists the names; others are properties and columns" : ""));
  }
}

}  // namespace

void check_alert_texts(stack::Loaded& loaded) {
  const Names names = known_names(loaded.stack);
  for (const stack::Alert& alert : loaded.stack.alerts) {
    if (alert.mail) {
      check_text(alert.mail->subject, names, loaded);
      check_text(alert.mail->text, names, loaded);
    }
    for (const stack::WebhookNotice& webhook : alert.webhooks) {
      check_text(webhook.body, names, loaded);
      for (const auto& [name, value] : webhook.headers) check_text(value, names, loaded);
    }
  }
}

}  // namespace nilo::app
