#include "api/assets.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace nilo::api {
namespace {

constexpr std::string_view kPage = "/index.html";
constexpr std::string_view kHashed = "/assets/";

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".txt", "text/plain; charset=utf-8"},
};

std::string_view type_of(std::string_view path) {
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

// FNV-1a: tells versions of a file apart; nothing depends on nobody finding a second one.
std::string tag_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  std::array<char, 16> hex{};
  const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), hash, 16).ptr;
  return {hex.data(), end};
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Calls `f` with each element of a list such as "gzip;q=0.5, br", without parameters, and whether
// it is refused by "q=0". True as soon as `f` is.
template <typename F>
bool any_element(std::string_view list, const F& f) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const std::size_t semicolon = std::min(element.find(';'), element.size());
    const std::string_view parameters = element.substr(semicolon);
    const std::size_t weight = parameters.find("q=");
    const bool is_refused =
        weight != std::string_view::npos &&
        parameters.substr(weight + 2).find_first_not_of("0. ") == std::string_view::npos;
    if (f(trimmed(element.substr(0, semicolon)), is_refused)) return true;
  }
  return false;
}

bool takes_gzip(const net::HttpRequest& request) {
  return any_element(request.header("accept-encoding"), [](std::string_view name, bool refused) {
    return name == "gzip" && !refused;
  });
}

bool takes_html(const net::HttpRequest& request) {
  return any_element(request.header("accept"), [](std::string_view name, bool refused) {
    return name == "text/html" && !refused;
  });
}

bool has_tag(const net::HttpRequest& request, std::string_view tag) {
  return any_element(request.header("if-none-match"), [&](std::string_view known, bool) {
    if (known.starts_with("W/")) known.remove_prefix(2);
    return known == tag || known == "*";
  });
}

// What the page may load: only what comes from here.
std::string page_policy(std::string_view nonce) {
  std::string style = "style-src 'self'";
  if (!nonce.empty()) style.append(" 'nonce-").append(nonce).append("'");
  return "default-src 'none'; script-src 'self'; " + style +
         "; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
         "base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
}

std::string with_nonce(std::string_view page, std::string_view nonce) {
  std::string out;
  for (;;) {
    const std::size_t mark = page.find(kNonceMark);
    out.append(page.substr(0, mark));
    if (mark == std::string_view::npos) return out;
    out.append(nonce);
    page.remove_prefix(mark + kNonceMark.size());
  }
}

}  // namespace

Assets::Assets(const std::vector<Asset>& files, std::function<std::string()> make_nonce)
    : make_nonce_(std::move(make_nonce)) {
  for (const Asset& asset : files) {
    files_.emplace("/" + std::string(asset.name), Stored{asset, tag_of(asset.bytes)});
  }
}

std::optional<net::HttpResponse> Assets::file(const net::HttpRequest& request) const {
  if (request.method != "GET") return std::nullopt;
  const auto found = files_.find(request.path);
  if (found == files_.end()) return std::nullopt;
  return answer(found->second, request);
}

std::optional<net::HttpResponse> Assets::page(const net::HttpRequest& request) const {
  const std::string_view path = request.path;
  const bool is_elsewhere = path.starts_with(kHashed) || path.starts_with("/api/");
  if (request.method != "GET" || is_elsewhere || !takes_html(request)) return std::nullopt;
  const auto page = files_.find(kPage);
  if (page == files_.end()) return std::nullopt;
  return answer(page->second, request);
}

net::HttpResponse Assets::answer(const Stored& file, const net::HttpRequest& request) const {
  const std::string path = "/" + std::string(file.asset.name);
  net::HttpResponse response;
  response.content_type = type_of(path);
  const bool is_page = path == kPage;
  if (is_page && file.asset.bytes.find(kNonceMark) != std::string_view::npos) {
    const std::string nonce = make_nonce_();
    response.body = with_nonce(file.asset.bytes, nonce);
    response.headers.emplace_back("Content-Security-Policy", page_policy(nonce));
    return response;  // each is another: never stored
  }
  if (is_page) response.headers.emplace_back("Content-Security-Policy", page_policy({}));
  const bool is_packed = !file.asset.gzip.empty() && takes_gzip(request);
  const std::string tag = "\"" + file.tag + (is_packed ? "-gzip\"" : "\"");
  response.headers.emplace_back("ETag", tag);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  response.headers.emplace_back("Cache-Control", path.starts_with(kHashed)
                                                     ? "public, max-age=31536000, immutable"
                                                     : "no-cache");
  if (has_tag(request, tag)) {
    response.status = 304;
    return response;
  }
  if (is_packed) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = is_packed ? file.asset.gzip : file.asset.bytes;
  return response;
}

}  // namespace nilo::api
