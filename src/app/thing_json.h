// app/thing_json.h: things and their readings as the API shows them, in JSON.
//
// Units:   times are milliseconds since 1970, cut downwards; what is not known is null.
// Threads: any; newest values are read from the tables as they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/things.h"
#include "stack/stack.h"
#include "tables/series.h"
#include "tables/tables.h"

namespace nilo::app {

std::int64_t ms_of(TimeUs us);

// {"id":"tank-1","name":...,"state":"ok",...,"fields":[...]}; with "tables" if wanted.
void append_thing(std::string& out, const ThingInfo& thing, const tables::Tables& tables,
                  std::size_t open_alerts, bool with_tables);

// "of":"tank-1/percent",...,"value":53.7,"time":...,"limits":{"low":20,"high":80},"also":{...}: the
// members alone.
void append_value(std::string& out, const ThingField& field, const tables::Tables& tables,
                  const stack::Stack& stack);

// "stats":{"count":3,"mean":...,"min":...,"min_time":...}
void append_stats_member(std::string& out, const tables::Stats& stats);

// {"of":...,"t":[...],"v":[...],"sentence":...}
void append_series(std::string& out, const ThingField& field,
                   const std::vector<tables::Point>& points, std::string_view sentence);

// {"of":...,"start":...,"end":...,"hours":23,"count":3,...}
void append_bucket(std::string& out, const ThingField& field, const tables::Bucket& bucket);

}  // namespace nilo::app
