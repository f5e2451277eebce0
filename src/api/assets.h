// api/assets.h: the files of the web folder: scripts, styles, fonts, and the one page they make.
//
// In/out:  a GET -> a file, the page, or nothing (then the API answers).
// Files under assets/ have a hash in their name, so browsers keep them for ever; all others, the
// page too, are asked for each time and answered 304 while they are the same.
// Threads: immutable once made.
// Source:  RFC 9110 (ETag, Accept-Encoding), CSP Level 3.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace nilo::api {

struct Asset {
  std::string_view name;    // "assets/app-1a2b3c4d.js"; "index.html" is the page
  std::string_view bytes;   //
  std::string_view gzip{};  // of the same; empty: not worth it
};

// Stands in the page wherever a style that a script makes must show the answer's nonce.
inline constexpr std::string_view kNonceMark = "%NONCE%";

class Assets {
 public:
  // `files`: their bytes outlive this; none means that there is no page. `make_nonce`: a new
  // unguessable text of letters and digits each time; asked only if the page has kNonceMark.
  explicit Assets(const std::vector<Asset>& files = {},
                  std::function<std::string()> make_nonce = {});

  // The file of exactly this path.
  std::optional<net::HttpResponse> file(const net::HttpRequest& request) const;
  // The page, for who wants text/html: it makes of the path what it likes. Below /assets/ and /api/
  // there are none.
  std::optional<net::HttpResponse> page(const net::HttpRequest& request) const;

 private:
  struct Stored {
    Asset asset;
    std::string tag;  // a hash of the bytes
  };
  net::HttpResponse answer(const Stored& file, const net::HttpRequest& request) const;

  std::map<std::string, Stored, std::less<>> files_;  // by path: "/assets/..."
  std::function<std::string()> make_nonce_;
};

}  // namespace nilo::api
