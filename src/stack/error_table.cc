#include "stack/error_table.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"

namespace nilo::stack {
namespace {

// {code, summary, help, explanation}. Help may be empty; `{n}` as the callers fill them.
constexpr ErrorText kErrors[] = {
    {Code::folder_missing, "there is no folder `{0}`",
     "name a folder that has a nilo.toml, such as examples/water-tanks",
     "A stack is a folder of text files. The one named on the command line is not there, or is "
     "not a folder."},
    {Code::main_file_missing, "`{0}` has no nilo.toml",
     "create it; examples/water-tanks/nilo.toml is a start",
     "The folder of a stack has a file nilo.toml, and may have more in nilo.d/."},
    {Code::file_unreadable, "`{0}` cannot be read: {1}", "check its owner and permissions",
     "The operating system refused to open or read the file."},
    {Code::file_too_large, "`{0}` is larger than {1} MiB", "split it into files in nilo.d/",
     "One file of a stack may have 1 MiB. A file of this size usually is there by mistake."},
    {Code::too_many_files, "nilo.d, pages and policies together have more than {0} files",
     "join some of them", "A stack may have nilo.toml and 99 more files."},
    {Code::not_toml, "not TOML: {0}", "{1}; the rest of this file was not checked",
     "The file breaks the rules of TOML (https://toml.io). Reading stops at the first such place "
     "of a file, so "
     "there may be more behind it; the other files were checked."},
    {Code::nested_too_deep, "nested more than {0} levels deep", "",
     "Keys with dots, lists and inline tables together may be nested 16 levels deep."},

    {Code::wrong_type, "`{0}` must be {1}", "write {0} = {2}",
     "The value is of another kind than the key needs, for instance a number without quotes "
     "where a text is expected."},
    {Code::key_missing, "{0} needs `{1}`", "write {1} = {2}",
     "A key that has no default is missing."},
    {Code::text_empty, "`{0}` is empty", "write {0} = {1}",
     "The text has no characters besides spaces."},
    {Code::bad_name, "`{0}` cannot be the name of {1}", "{2}",
     "Tables and columns: a letter, then letters, digits and `_`, at most 64. Things, rules and "
     "endpoints: letters, digits and `_-.:`, things at most 128, the others 64."},
    {Code::bad_type_word, "`{0}` is not a type",
     "a type is one of int, double, bool, text, timestamp, json",
     "int: whole numbers of 64 bits. double: floating point of 64 bits. timestamp: microseconds, "
     "UTC. json: any JSON value."},
    {Code::bad_key_entry, "`{0}` is not a key column", "write a name and a type: \"device_id int\"",
     "Each entry of a table's key is the name of a column, a space and its type."},
    {Code::bad_topic, "`{0}` cannot be a topic to publish to", "write a topic such as alarm/tanks",
     "A topic is 1 to 1024 bytes of text in at most 128 levels, without the wildcards + and #, "
     "and does not begin with $."},
    {Code::bad_path, "`{0}` cannot be the path of an endpoint", "write a path such as /prod/data",
     "A path begins with / and its levels are letters, digits and `_-.:`. /api, /mqtt, /metrics, "
     "/healthz, /readyz and / belong to Nilometer."},
    {Code::bad_version, "`{0}` is not a version of the rule language",
     "write version = \"2016-03-23\", or leave it out",
     "The versions are 2016-03-23 (the default) and 2015-10-08."},
    {Code::bad_time_unit, "`{0}` is not a unit of time for numbers",
     "write number = \"ms\", or \"s\" or \"us\"",
     "How a number becomes a timestamp: it counts seconds (s), milliseconds (ms, the default) or "
     "microseconds (us) since 1970."},
    {Code::out_of_range, "`{0}` must be {1}", "", "The number is outside of what the key takes."},
    {Code::bad_thing_pattern, "`{0}` does not name a thing",
     "write thing = \"tank-{{device_id}}\", with key columns in braces",
     "The pattern is text and columns of the table's key in braces. Filled with a row's key it "
     "is the id of a thing."},
    {Code::not_a_section, "`{0}` is a section, not a value", "write {1}, and its keys below",
     "Sections stand in brackets on a line of their own, and hold keys and values."},
    {Code::bad_selector, "{0}", "{1}",
     "A selector names fields of things: tank-1/percent, tank-*/percent, type:tank/percent, "
     "$thing/percent on the page of a thing; without a field it means all of them."},
    {Code::not_a_choice, "`{0}` cannot be \"{1}\"", "write one of {2}",
     "The key takes one of a few words."},
    {Code::not_a_mail_address, "`{0}` is not a mail address", "write an address: {1}",
     "An address is name@domain; the sender's may have a name before it: Tanks <name@domain>."},
    {Code::not_a_duration, "`{0}` must be a duration", "write {0} = {1}",
     "A duration is a text: a whole number above 0 and ms, s, m, h, d, w or y (365 days), at most "
     "1000 years."},
    {Code::not_a_size, "`{0}` must be a size", "write {0} = {1}",
     "A size is a text: a whole number above 0 and B, KB, MB, GB, TB (powers of 1000) or KiB, "
     "MiB, GiB, TiB (powers of 1024), at most 1000 TB."},
    {Code::not_an_address, "`{0}` must be an address and a port", "write {0} = {1}",
     "An address is 127.0.0.1:1883, [::1]:1883, localhost:1883, or :1883 for every interface. "
     "Port 0 takes a free one."},
    {Code::not_a_url, "`{0}` is not an address of the web", "write {1}",
     "It begins with http:// or https:// and a host, has no user name or password, no spaces, and "
     "at most 2048 characters."},
    {Code::bad_secret, "`{0}` must say where the secret is", "write {0} = {{ env = \"{1}\" }}",
     "Exactly one of file (a file with the secret in its first line), env (an environment "
     "variable) or cred (a credential of systemd)."},
    {Code::not_a_host, "`{0}` is not the name of a server", "write server = \"mail.example.org\"",
     "A server is a name or an address, without a port and without https://."},
    {Code::bad_header, "`{0}` cannot be a header of a request", "{1}",
     "The name of a header is letters, digits and `-`. Length, type and host are given by the "
     "program, and what proves who you are is a secret."},
    {Code::not_a_zone, "`{0}` is not a time zone", "write {1}",
     "Time zones have the names of the IANA: Europe/Rome, America/New_York, UTC."},
    {Code::not_a_range, "`{0}` is not a range of time", "write {1}",
     "A range is a duration of at least a second up to now (15m, 24h, 7d), today, yesterday, all, "
     "or two days: "
     "2026-07-01/2026-07-08."},
    {Code::bad_topic_pattern, "`{0}` cannot stand in a policy",
     "write a topic such as ${{thing}}/level, with + and # for whole levels",
     "A policy names topics with the wildcards of MQTT and the variables ${thing}, ${thing.type}, "
     "${thing.PROPERTY}, ${client_id} and ${user}. What a variable stands for is text and never "
     "a wildcard."},
    {Code::bad_policy, "{0}", "{1}",
     "The file is a policy of AWS IoT, read as it is. What Nilometer does not understand of it is "
     "refused, for a policy that was read half would allow what nobody meant. docs/access.md "
     "lists what is known."},

    {Code::unknown_section, "unknown section `{0}`", "{1}",
     "The file has a section that Nilometer does not know."},
    {Code::not_available, "`{0}` is not available yet in this version", "leave it out for now{1}",
     "It belongs to the design, and a later version will have it. It is refused rather than "
     "ignored."},
    {Code::secret_in_file, "`{0}` in {1} looks like a secret", "{2}",
     "Secrets do not belong into the files of a stack, which are meant to be shared and kept "
     "under version control."},
    {Code::unknown_key, "unknown key `{0}` in {1}", "{2}",
     "The section has no such key. docs/stack.md lists them all."},
    {Code::unknown_table, "there is no table `{0}`", "{1}",
     "A rule puts its rows into a table, which the stack must declare as [table.NAME]."},
    {Code::unknown_column, "table `{0}` has no key column `{1}`", "{2}",
     "The column is not one of the table's key (its time excepted)."},
    {Code::reserved_name, "`{0}` is Nilometer's own name", "choose another name",
     "Every table has the column `received`, and tables that begin with sys_ are made by the "
     "program."},
    {Code::declared_twice, "{0} is declared twice", "rename or delete one of them",
     "The same name stands twice, perhaps in two files. Upper and lower case are the same in the "
     "names of tables and columns, as in SQL."},
    {Code::no_such_thing, "`{0}` matches no thing", "{1}",
     "A thing is declared in [things], or has rows in a table whose `thing` gives its id."},
    {Code::no_such_field, "`{0}` matches no {1}", "{2}",
     "The fields of a thing are the columns of the tables whose `thing` gives its id. Limits and "
     "lines need a column of type int or double."},
    {Code::not_in_page_file, "`{0}` does not belong into a file of pages",
     "write it into nilo.toml; here stand [[page]] and its panels",
     "The files in pages/ can be changed in the browser, so they have pages and nothing else."},
    {Code::no_policy_file, "there is no policy `{0}`",
     "put the file into the folder policies/ and write aws = \"policies/NAME.json\"",
     "Policies of AWS IoT are files policies/*.json of the stack."},
    {Code::unused_policy_file, "`{0}` is the policy of nobody",
     "name it in a section [policy.NAME]: aws = \"{0}\"; or take the file away",
     "A file in policies/ that no section names would limit nobody, which is hardly meant."},
    {Code::no_such_policy_word, "there is no {0} `{1}`", "declare it in [things], or mend the name",
     "A policy for things that are not there would leave those that are meant without one."},

    {Code::too_many_columns, "{0} has {1} columns, at most {2} are possible",
     "split it into two tables", "Key columns and derived columns count too."},
    {Code::min_above_max, "`min` is above `max`", "exchange them",
     "No reading could be between the two."},
    {Code::option_needs_type, "`{0}` is for columns of type {1}",
     "change the type, or leave it out",
     "min, max and invalid are for int and double; number is for timestamp."},
    {Code::bad_key_type, "`{0}` cannot be a key column",
     "a key is int and text columns, then at most one timestamp",
     "Rows are found by their key. It has at least one int or text column, and a timestamp at "
     "its end if every reading is to be kept."},
    {Code::key_without_partition, "the key of {0} needs an int or text column",
     "write key = [\"device_id int\", \"time timestamp\"]",
     "The columns before the time tell whose reading it is."},
    {Code::type_differs, "`{0}` is {1} in the key", "leave the type out here",
     "A key column may be listed again in `columns` to give it a unit and limits; its type is "
     "that of the key."},
    {Code::rule_without_action, "{0} does nothing with its result",
     "write put = \"some_table\" or republish = \"some/topic\"",
     "A rule puts its result into a table, publishes it again, or both."},
    {Code::parameter_unnamed, "`{0}` is not a named parameter", "write $device_id, or another name",
     "Parameters of an endpoint have names: they are those of the query, as in ?device_id=1."},
    {Code::parameter_without_type, "the type of `${0}` is not known",
     "write params = {{ {0} = \"int\" }}",
     "A parameter has the type that `params` gives it, otherwise the type of the column of that "
     "name in the tables which the SQL mentions."},
    {Code::parameter_unused, "`{0}` is not a parameter of the SQL", "use ${0}, or delete it here",
     "params gives types to parameters, and this one does not occur in the SQL."},
    {Code::too_many_declared, "more than {0} {1}s", "are all of them needed?",
     "A stack may have 1000 tables, 1000 rules, 1000 endpoints, 1000 alerts and 1000 pages."},
    {Code::low_above_high, "`low` is not below `high`", "exchange them",
     "An alert fires at or below `low` and at or above `high`; something must lie between."},
    {Code::clear_too_large, "`clear` is too large", "write less than {0}",
     "An alert ends when the value is above low + clear and below high - clear; with both limits "
     "there must be room between the two."},
    {Code::alert_without_condition, "{0} has nothing to watch for",
     "write low = 20, high = 80, silent = \"10m\" or invalid = \"10m\"",
     "An alert has at least one of the conditions low, high, silent and invalid."},
    {Code::mail_missing, "{0} sends mail, and there is no [mail]",
     "declare [mail] with server and from, or leave `mail` out: the alert then shows on the pages",
     "Without a mail server nobody would hear of the alert by mail."},
    {Code::mail_login, "{0}", "{1}",
     "A login is a user and a password, and never crosses a network in plain text."},
    {Code::limits_need_one_field, "`low` and `high` of {0} need one field",
     "write of = \"{1}/percent\", with the name of your field",
     "A limit is held against one column; `of` names its things and the column."},
    {Code::too_many_items, "{0} has more than {1} {2}", "leave some of them out",
     "Each list in a stack has a limit; docs/stack.md and docs/pages.md list them."},
    {Code::thing_without_page, "`{0}` is about the thing of a page",
     "write for = \"type:tank\" into the page, or name the thing here",
     "$thing is the thing that a page was opened for, and only a page with `for` has one."},
    {Code::listener_tls, "{0}", "{1}",
     "Certificates are for listeners with tls = true, a certificate comes with its key, and who "
     "vouches for clients is asked for only where clients show certificates."},
    {Code::policy_form, "{0} must say what is allowed",
     "write publish = [...] and subscribe = [...], or aws = \"policies/NAME.json\"",
     "A policy has the short form (publish, subscribe, clients) or a file in the form of AWS IoT, "
     "and not both."},

    {Code::rule_sql, "rule `{0}`: {1}", "{2}",
     "The rule's SQL cannot be compiled. docs/rules.md describes the language."},
    {Code::rule_table_mismatch, "rule `{0}` does not fit table `{1}`: {2}", "{3}",
     "What the rule selects must be columns of its table and give the whole key."},
    {Code::derived_sql, "derived column `{0}`: {1}", "{2}",
     "The expression of a derived column cannot be compiled. It may use the stored columns."},
    {Code::alert_text, "{0}", "{1}",
     "The text of a notice may name, in ${{...}}, what the alert knows: thing.id, thing.name, "
     "thing.type, properties as thing.depth, state, value, unit, limit, alert, condition, since, "
     "site.name, link, and the columns of the thing's newest row."},
};

}  // namespace

std::span<const ErrorText> error_texts() { return kErrors; }

const ErrorText& text_of(Code code) {
  const auto* at = std::find_if(std::begin(kErrors), std::end(kErrors),
                                [&](const ErrorText& text) { return text.code == code; });
  NILO_ASSERT(at != std::end(kErrors));
  return *at;
}

std::string to_string(Code code) { return fmt::format("C{:03}", static_cast<unsigned>(code)); }

std::string_view explain(std::string_view code) {
  for (const ErrorText& text : kErrors) {
    if (to_string(text.code) == code) return text.explanation;
  }
  return {};
}

}  // namespace nilo::stack
