#include "net/http.h"

#include <algorithm>

#include "base/utf8.h"

namespace nilo::net {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool is_unreserved(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') ||
         std::string_view("-._~").find(letter) != std::string_view::npos;
}

Error bad_target(std::string_view text, const char* why) {
  return {ErrorCode::invalid_argument, printable(text, 80) + ": " + why,
          "percent-encode UTF-8, as in /a%20b"};
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%') {
      const int high = at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
      const int low = at + 2 < text.size() ? hex_digit(text[at + 2]) : -1;
      if (high < 0 || low < 0) return bad_target(text, "'%' needs two hexadecimal digits");
      out.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      out.push_back(plus_is_space && text[at] == '+' ? ' ' : text[at]);
    }
  }
  if (!is_utf8(out)) return bad_target(text, "not UTF-8");
  return out;
}

// Below it a path is one name, and those who write it encode each '/' of it, or none.
constexpr std::string_view kTopicsPath = "/topics/";

Result<std::string> decode_path(std::string_view text) {
  if (text == "*") return std::string(text);  // OPTIONS *
  if (!text.starts_with('/')) return bad_target(text, "a path begins with '/'");
  std::string path = TRY(percent_decode(text, false));
  // An encoded '/' would look like two levels to whoever splits the path.
  const bool has_more_slashes =
      std::count(path.begin(), path.end(), '/') != std::count(text.begin(), text.end(), '/');
  const bool may_have = path.starts_with(kTopicsPath);
  if ((has_more_slashes && !may_have) || path.find('\0') != std::string::npos) {
    return bad_target(text, "an encoded '/' or NUL in the path");
  }
  return path;
}

std::string_view find_header(const NameValues& headers, std::string_view name) {
  return find_value(headers, name).value_or(std::string_view{});
}

}  // namespace

std::optional<std::string_view> find_value(const NameValues& pairs, std::string_view name) {
  const auto found = std::find_if(pairs.rbegin(), pairs.rend(),
                                  [&](const auto& pair) { return pair.first == name; });
  if (found == pairs.rend()) return std::nullopt;
  return found->second;
}

std::string_view HttpRequest::header(std::string_view name) const {
  return find_header(headers, name);
}

std::string_view HttpResponse::header(std::string_view name) const {
  return find_header(headers, name);
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return "";  // RFC 9112 section 4 allows none
  }
}

Result<HttpTarget> parse_target(std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  HttpTarget out;
  out.path = TRY(decode_path(target.substr(0, mark)));
  std::string_view rest = target.substr(std::min(mark + 1, target.size()));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    if (out.query.size() == kQueryParametersMax) {
      return bad_target(target, "more than 100 query parameters");
    }
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string name = TRY(percent_decode(pair.substr(0, equals), true));
    std::string value = TRY(percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
    out.query.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (is_unreserved(letter)) {
      out.push_back(letter);
    } else {
      const auto byte = static_cast<unsigned char>(letter);
      out.push_back('%');
      out.push_back(kHexDigits[byte >> 4]);
      out.push_back(kHexDigits[byte & 15]);
    }
  }
  return out;
}

}  // namespace nilo::net
