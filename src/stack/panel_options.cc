#include "stack/panel_options.h"

namespace nilo::stack {
namespace {

using enum Form;

// The words that belong to a form stand where there is one; `later` needs nothing but its name.
constexpr PanelOption kCommon[] = {
    {"title", text, "\"Level\""},
    {"note", text, "\"mail below 20 %\""},
    {.name = "width", .form = integer, .example = "6", .min = 1, .max = 12},
    {"link", link, "\"/things\""},
    {"when", later},
};

// Of several kinds.
constexpr PanelOption kUnit{"unit", text, "\"%\""};
constexpr PanelOption kDecimals{
    .name = "decimals", .form = integer, .example = "1", .min = 0, .max = 15};
constexpr PanelOption kEmpty{"empty", text, "\"no readings yet\""};
constexpr PanelOption kRange{"range", range, "\"24h\""};

constexpr std::string_view kStatWords = "last mean min max count";
constexpr std::string_view kEveryWords = "1h 1d 1w";
constexpr std::string_view kIntervalStatWords = "count mean sd min q25 median q75 max first last";
constexpr std::string_view kTableStatWords =
    "count mean sd min q25 median q75 max first last change";

constexpr PanelOption kNow[] = {
    {.name = "of", .form = selectors, .example = "[\"tank-*/percent\"]", .required = true},
    {"look", choice, "\"tank\"", "number tank bar state", "ring"},
    {"low", number, "20"},
    {"high", number, "80"},
    {"faces", faces, "\"thumbs\"", "none thumbs"},
    {"min", number, "0"},
    {"max", number, "100"},
    {"spark", duration, "\"24h\""},
    {"stats", choices, "[\"last\"]", kStatWords},
    {"stale", duration, "\"10m\""},
    {"sort", choice, "\"name\"", "name value age"},
    {.name = "limit", .form = integer, .example = "50", .min = 1, .max = 1000},
    kUnit,
    kDecimals,
    kEmpty,
    kRange,
    {"shape", later},
    {"group", later},
    {"sql", later},
};

constexpr PanelOption kChart[] = {
    {.name = "of", .form = series, .example = "[\"tank-*/percent\"]", .required = true},
    {"draw", choice, "\"line\"", "line step points area bars", "ribbon"},
    {"every", choice, "\"1h\"", kEveryWords},
    {"stat", choice, "\"mean\"", kIntervalStatWords, "slope"},
    {"y", axis, "{ min = 0, max = 100 }"},
    {"lines", lines, "[{ at = 20, label = \"nearly empty\" }]"},
    {"marks", choices, "[\"alerts\"]", "alerts", "notes deploys nights"},
    {"gaps", choice, "\"break\"", "break join"},
    {"live", boolean, "true"},
    {"last_label", boolean, "true"},
    {"style", choice, "\"plain\"", "plain", "hand"},
    {.name = "height", .form = integer, .example = "320", .min = 80, .max = 2000},
    kUnit,
    kDecimals,
    kEmpty,
    kRange,
    {"x", later},
    {"compare", later},
    {"diff", later},
    {"band", later},
    {"anomalies", later},
    {"y2", later},
    {"ticks", later},
    {"overlay", later},
    {"sql", later},
};

constexpr PanelOption kTable[] = {
    {.name = "rows",
     .form = choice,
     .example = "\"intervals\"",
     .words = "things intervals alerts",
     .not_yet = "anomalies messages runs",
     .required = true},
    {"of", selectors, "[\"tank-*/percent\"]"},
    {"every", choice, "\"1d\"", kEveryWords},
    {"stats", choices, "[\"first\", \"last\"]", kTableStatWords, "slope"},
    {"columns", columns, "[\"name\", { name = \"distance\", unit = \"cm\" }]"},
    {.name = "limit", .form = integer, .example = "50", .min = 1, .max = 1000},
    {"sort", column, "\"-last\""},
    {"search", boolean, "true"},
    {"download", boolean, "true"},
    kUnit,
    kDecimals,
    kEmpty,
    kRange,
    {"sql", later},
};

constexpr PanelOption kAlerts[] = {
    {"of", selectors, "[\"type:tank\"]"},
    {"states", choices, "[\"firing\"]", "open firing acknowledged snoozed resolved"},
    {.name = "limit", .form = integer, .example = "20", .min = 1, .max = 1000},
    kEmpty,
    {"match", later},
    {"group", later},
    {"actions", later},
    {"columns", later},
};

constexpr PanelOption kText[] = {
    {.name = "md",
     .form = markdown,
     .example = "\"**{{tank-1/percent}}** in the barn\"",
     .required = true},
    {"file", later},
};

constexpr PanelKind kKinds[] = {{"now", kNow},       {"chart", kChart}, {"table", kTable},
                                {"alerts", kAlerts}, {"text", kText},   {"map", {}},
                                {"schematic", {}}};

}  // namespace

std::span<const PanelKind> panel_kinds() { return kKinds; }
std::span<const PanelOption> common_panel_options() { return kCommon; }

}  // namespace nilo::stack
