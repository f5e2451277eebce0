// api/schemas.h: JSON Schemas of bodies, for the OpenAPI document only: nothing is checked by them.
//
// What is used twice stands under components/schemas and is referred to.
#pragma once

#include "api/route.h"

namespace nilo::api {

inline BodyDoc json_doc(const char* schema) { return {"application/json", schema}; }

inline constexpr const char* kAnySchema = R"({"type":"object"})";
inline constexpr const char* kTextSchema = R"({"type":"string"})";
inline constexpr const char* kTableSchema = R"({"$ref":"#/components/schemas/Table"})";
inline constexpr const char* kPageSchema = R"({"$ref":"#/components/schemas/Page"})";
inline constexpr const char* kAnswerSchema = R"({"$ref":"#/components/schemas/Answer"})";
inline constexpr const char* kRowListSchema = R"({"type":"array","items":{"type":"object"}})";

inline constexpr const char* kStatusSchema = R"({
  "type":"object","properties":{"status":{"type":"string"}}})";

inline constexpr const char* kTablesSchema = R"({
  "type":"object","properties":{
    "tables":{"type":"array","items":{"$ref":"#/components/schemas/Table"}}}})";

inline constexpr const char* kRowSchema = R"({
  "description":"One row as an object; several as an array.",
  "oneOf":[{"type":"object"},{"type":"array","items":{"type":"object"}}]})";

inline constexpr const char* kPublishedSchema = R"({
  "type":"object","properties":{"topic":{"type":"string"}}})";

inline constexpr const char* kTracedSchema = R"({
  "type":"object","properties":{"message":{"type":"string"},"traceId":{"type":"string"}}})";

inline constexpr const char* kThingSchema = R"({"$ref":"#/components/schemas/Thing"})";

inline constexpr const char* kThingsSchema = R"({
  "type":"object","properties":{
    "things":{"type":"array","items":{"$ref":"#/components/schemas/Thing"}},
    "next":{"type":["string","null"],"description":"The cursor of the next page."},
    "total":{"type":"integer"},
    "counts":{"type":"object","description":"By state, whatever `state` asked for.",
      "additionalProperties":{"type":"integer"}}}})";

inline constexpr const char* kValuesSchema = R"({
  "type":"object","properties":{
    "seq":{"type":"integer","description":"Changes up to this one are in."},
    "values":{"type":"array","items":{"type":"object","properties":{
      "of":{"type":"string"},"thing":{"type":"string"},"name":{"type":"string"},
      "type":{"type":"string"},"field":{"type":"string"},"unit":{"type":"string"},
      "decimals":{"type":["integer","null"]},"value":{},"time":{"type":["integer","null"]},
      "state":{"$ref":"#/components/schemas/ThingState"},
      "interval_ms":{"type":["integer","null"]},
      "limits":{"type":["object","null"]},"also":{"type":"object"},
      "stats":{"type":"object"}}}}}})";

inline constexpr const char* kSeriesSchema = R"({
  "type":"object","properties":{
    "seq":{"type":"integer"},"from":{"type":"integer"},"to":{"type":"integer"},
    "series":{"type":"array","items":{"type":"object","properties":{
      "of":{"type":"string"},"thing":{"type":"string"},"name":{"type":"string"},
      "field":{"type":"string"},"unit":{"type":"string"},"decimals":{"type":["integer","null"]},
      "t":{"type":"array","items":{"type":"integer"},"description":"Milliseconds since 1970."},
      "v":{"type":"array","items":{"type":["number","null"]},
        "description":"Null where the line is broken."},
      "sentence":{"type":"string"}}}}}})";

inline constexpr const char* kIntervalsSchema = R"({
  "type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{
    "of":{"type":"string"},"start":{"type":"integer"},"end":{"type":"integer"},
    "hours":{"type":"number"},"count":{"type":"integer"},
    "mean":{"type":["number","null"]},"sd":{"type":["number","null"]},
    "min":{"type":["number","null"]},"q25":{"type":["number","null"]},
    "median":{"type":["number","null"]},"q75":{"type":["number","null"]},
    "max":{"type":["number","null"]},
    "first":{"type":["number","null"]},"last":{"type":["number","null"]}}}}}})";

inline constexpr const char* kThingEditSchema = R"({
  "type":"object","properties":{
    "type":{"type":"string"},"name":{"type":"string"},
    "properties":{"type":"object","maxProperties":64,
      "additionalProperties":{"type":["string","number","boolean"]},
      "examples":[{"depth":"89 cm","tags":"north, roof","lat":48.25,"lon":16.37,"next":"tank-2"}]}}})";

inline constexpr const char* kSqlSchema = R"json({
  "type":"object","required":["sql"],"properties":{
    "sql":{"type":"string","examples":["SELECT * FROM latest('tank_levels')"]},
    "params":{"type":"object","description":"Values for $name in the statement."}}})json";

inline constexpr const char* kNoticeSchema = R"({
  "type":"object","description":"Times are milliseconds since 1970 UTC.","properties":{
    "id":{"type":"string"},
    "alert_id":{"type":"string","examples":["level~tank-2~low"]},
    "event":{"enum":["firing","reminder","recovered","flapping","test"]},
    "channel":{"enum":["mail","webhook"]},
    "to":{"type":"string","description":"A mail address, or the host a webhook goes to."},
    "subject":{"type":"string"},
    "state":{"enum":["waiting","sent","parked"]},
    "tries":{"type":"integer"},
    "next":{"type":["integer","null"]},
    "created":{"type":"integer"},
    "sent":{"type":["integer","null"]},
    "answer":{"type":"string","description":"The other server's words at the last try."}}})";

inline constexpr const char* kNoticesSchema = R"({
  "type":"object","properties":{
    "notices":{"type":"array","items":{"type":"object"}},
    "counts":{"type":"object","additionalProperties":{"type":"integer"}}}})";

inline constexpr const char* kTestMailSchema = R"({
  "type":"object","required":["to"],"properties":{"to":{"type":"string","format":"email"}}})";

inline constexpr const char* kTestMailAnswerSchema = R"({
  "type":"object","properties":{
    "answer":{"type":"string","examples":["250 2.0.0 Ok: queued as 4B1"]}}})";

inline constexpr const char* kSessionSchema = R"({
  "type":"object","properties":{
    "claimed":{"type":"boolean","description":"There is a user."},
    "open":{"type":"boolean","description":"This machine needs no login."},
    "user":{"type":["object","null"],"properties":{
      "name":{"type":"string"},"role":{"$ref":"#/components/schemas/Role"}}},
    "site":{"type":"object","properties":{
      "name":{"type":"string"},"zone":{"type":"string"},"url":{"type":"string"}}},
    "version":{"type":"string"},
    "mqtt":{"type":"object","properties":{
      "host":{"type":"string"},"port":{"type":"integer"},
      "tls_port":{"type":"integer","description":"Where devices with certificates come in."}}},
    "time":{"type":"integer","description":"Milliseconds since 1970, UTC."}}})";

inline constexpr const char* kSetupSchema = R"({
  "type":"object","required":["code","name","password"],"properties":{
    "code":{"type":"string","examples":["K7QM-3XPD"]},"name":{"type":"string"},
    "password":{"type":"string","minLength":8,"maxLength":256}}})";

inline constexpr const char* kLoginSchema = R"({
  "type":"object","required":["name","password"],"properties":{
    "name":{"type":"string"},"password":{"type":"string"}}})";

inline constexpr const char* kNewPasswordSchema = R"({
  "type":"object","required":["old","new"],"properties":{
    "old":{"type":"string"},"new":{"type":"string","minLength":8,"maxLength":256}}})";

inline constexpr const char* kSessionsSchema = R"({
  "type":"object","properties":{"sessions":{"type":"array","items":{
    "type":"object","properties":{
      "id":{"type":"string"},"user":{"type":"string"},"ip":{"type":"string"},
      "created":{"type":"integer"},"seen":{"type":"integer"}}}}}})";

inline constexpr const char* kUsersSchema = R"({
  "type":"object","properties":{"users":{"type":"array","items":{
    "type":"object","properties":{
      "name":{"type":"string"},"role":{"$ref":"#/components/schemas/Role"},
      "created":{"type":"integer"},"last_login":{"type":["integer","null"]}}}}}})";

inline constexpr const char* kNewUserSchema = R"({
  "type":"object","required":["name","role","password"],"properties":{
    "name":{"type":"string"},"role":{"enum":["viewer","admin"]},
    "password":{"type":"string","minLength":8,"maxLength":256}}})";

inline constexpr const char* kUserChangeSchema = R"({
  "type":"object","properties":{
    "role":{"enum":["viewer","admin"]},
    "password":{"type":"string","minLength":8,"maxLength":256}}})";

inline constexpr const char* kPageEditSchema = R"({
  "type":"object","required":["text","version"],"properties":{
    "text":{"type":"string"},
    "version":{"type":"string","description":"Of the text that was edited; 409 if it is older."}}})";

inline constexpr const char* kPageCheckSchema = R"({
  "type":"object","required":["file","text"],"properties":{
    "file":{"type":"string","examples":["pages/tanks.toml"]},
    "text":{"type":"string"}}})";

inline constexpr const char* kNoteSchema = R"({
  "type":"object","properties":{"note":{"type":"string","maxLength":1000}}})";

inline constexpr const char* kSnoozeSchema = R"({
  "type":"object","required":["for"],"properties":{
    "for":{"type":"string","examples":["1h","8h","until_fixed"]}}})";

inline constexpr const char* kAlertNameSchema = R"({
  "type":"object","required":["alert"],"properties":{
    "alert":{"type":"string","description":"NAME of [alert.NAME] in the stack."}}})";

inline constexpr const char* kTokensSchema = R"({
  "type":"object","properties":{"tokens":{"type":"array","items":{
    "type":"object","properties":{
      "name":{"type":"string"},
      "role":{"$ref":"#/components/schemas/Role"},
      "kind":{"enum":["token","password","address"]},
      "note":{"type":"string"},
      "topics":{"type":"array","items":{"type":"string"}},
      "revoked":{"type":"boolean"},
      "created":{"type":"string","format":"date-time"},
      "expires":{"type":["string","null"],"format":"date-time"}}}}}})";

inline constexpr const char* kNewTokenSchema = R"({
  "type":"object","required":["name","role"],"properties":{
    "name":{"type":"string"},
    "role":{"$ref":"#/components/schemas/Role"},
    "valid_days":{"type":"integer","minimum":1,"maximum":36500},
    "valid_for":{"type":"string","examples":["12h","30d","1y"]},
    "topics":{"type":"array","maxItems":32,"items":{"type":"string"},
      "description":"Filters it may publish and subscribe to; none: not limited."},
    "password":{"type":"string","minLength":8,"maxLength":256,
      "description":"One the device has already; without it a token is made."}}})";

inline constexpr const char* kMadeTokenSchema = R"({
  "type":"object","properties":{
    "name":{"type":"string"},
    "role":{"$ref":"#/components/schemas/Role"},
    "token":{"type":"string"}}})";

inline constexpr const char* kCertificateSchema = R"({"$ref":"#/components/schemas/Certificate"})";

inline constexpr const char* kCertificatesSchema = R"({
  "type":"object","properties":{"certificates":{"type":"array","items":{
    "$ref":"#/components/schemas/Certificate"}}}})";

inline constexpr const char* kGrantsSchema = R"({
  "type":"object","properties":{"grants":{"type":"array","items":{
    "type":"object","properties":{
      "login":{"type":"string","description":"The name of a token or certificate."},
      "act":{"enum":["publish","subscribe"]},
      "topic":{"type":"string","description":"A topic, or a filter."},
      "granted":{"type":"string","format":"date-time"}}}}}})";

inline constexpr const char* kNewCertificateSchema = R"({
  "type":"object","required":["name"],"properties":{
    "name":{"type":"string"},
    "valid_days":{"type":"integer","minimum":1,"maximum":36500,
      "description":"At most, and by default, as long as the CA."},
    "topics":{"type":"array","maxItems":32,"items":{"type":"string"},
      "description":"Filters it may publish and subscribe to; none: not limited."},
    "request":{"type":"string",
      "description":"PKCS #10 as PEM, for a key that the device has; without it one is made."}}})";

inline constexpr const char* kIssuedCertificateSchema = R"({
  "allOf":[{"$ref":"#/components/schemas/Certificate"},{"type":"object","properties":{
    "certificate":{"type":"string"},"key":{"type":"string"},
    "ca_certificate":{"type":"string"}}}]})";

inline constexpr const char* kForeignCertificateSchema = R"({
  "type":"object","properties":{
    "name":{"type":"string","description":"Without it the certificate's common name."},
    "certificate":{"type":"string","description":"PEM; or else:"},
    "fingerprint":{"type":"string","description":"SHA-256 of the DER, in hexadecimal digits."},
    "topics":{"type":"array","maxItems":32,"items":{"type":"string"}},
    "inactive":{"type":"boolean"},
    "ca":{"type":"boolean","description":"It vouches for devices that are not known yet."},
    "auto":{"type":"boolean","description":"Of a CA: they come in at once."}}})";

inline constexpr const char* kCertificateStateSchema = R"({
  "type":"object","required":["state"],"properties":{
    "state":{"enum":["active","inactive","revoked"]}}})";

inline constexpr const char* kRefusedSchema = R"({
  "type":"object","properties":{"refused":{"type":"array","items":{"type":"object","properties":{
    "id":{"type":"string"},
    "time":{"type":"integer","description":"The newest one; milliseconds since 1970 UTC."},
    "count":{"type":"integer"},
    "what":{"enum":["connect","publish","subscribe"]},
    "ip":{"type":"string"},
    "client":{"type":"string"},
    "user":{"type":"string"},
    "topic":{"type":"string"},
    "reason":{"type":"string"},
    "allow":{"type":["string","null"],"description":"What allowing would do."}}}}}})";

inline constexpr const char* kAllowedSchema = R"({
  "type":"object","properties":{"done":{"type":"string"}}})";

inline constexpr const char* kComponentSchemas = R"({
"Error":{"type":"object","required":["error"],"properties":{"error":{
  "type":"object","required":["code","message"],"properties":{
    "code":{"type":"string"},"message":{"type":"string"},"hint":{"type":"string"}}}}},
"ThingState":{"enum":["ok","silent","invalid","never"]},
"Thing":{"type":"object","properties":{
  "id":{"type":"string"},"name":{"type":"string"},"type":{"type":"string"},
  "properties":{"type":"object","additionalProperties":{"type":"string"}},
  "state":{"$ref":"#/components/schemas/ThingState"},
  "seen":{"type":["integer","null"],"description":"Milliseconds since 1970."},
  "interval_ms":{"type":["integer","null"]},"alerts":{"type":"integer"},
  "invalid":{"type":["object","null"]},
  "fields":{"type":"array","items":{"type":"object","properties":{
    "field":{"type":"string"},"unit":{"type":"string"},"decimals":{"type":["integer","null"]},
    "value":{},"time":{"type":["integer","null"]}}}},
  "tables":{"type":"array","items":{"type":"string"}}}},
"Role":{"enum":["device","viewer","admin"]},
"Certificate":{"type":"object","properties":{
  "fingerprint":{"type":"string"},"name":{"type":"string"},"kind":{"enum":["device","ca"]},
  "state":{"enum":["active","inactive","pending","revoked"]},"subject":{"type":"string"},
  "serial":{"type":"string"},"issuer":{"type":"string"},"note":{"type":"string"},
  "topics":{"type":"array","items":{"type":"string"}},"auto":{"type":"boolean"},
  "created":{"type":"string","format":"date-time"},
  "not_before":{"type":["string","null"],"format":"date-time"},
  "not_after":{"type":["string","null"],"format":"date-time"}}},
"Column":{"type":"object","required":["name","type"],"properties":{
  "name":{"type":"string"},"type":{"type":"string"},"unit":{"type":"string"}}},
"Answer":{"type":"object","required":["columns","rows"],"properties":{
  "columns":{"type":"array","items":{"$ref":"#/components/schemas/Column"}},
  "rows":{"type":"array","items":{"type":"array"}}}},
"Page":{"allOf":[{"$ref":"#/components/schemas/Answer"},{"type":"object","properties":{
  "next":{"type":["string","null"],"description":"The cursor of the next page; null at the end."},
  "seq":{"type":"integer","description":"Changes up to this one are in."}}}]},
"Table":{"type":"object","properties":{
  "name":{"type":"string"},"rows":{"type":"integer"},"keys":{"type":"integer"},
  "bytes":{"type":"integer"},"columns":{"type":"array","items":{"allOf":[
    {"$ref":"#/components/schemas/Column"},{"type":"object","properties":{
      "key":{"type":"boolean"},"derived":{"type":"boolean"},
      "min":{"type":"number"},"max":{"type":"number"}}}]}}}}
})";

}  // namespace nilo::api
