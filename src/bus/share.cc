#include "bus/share.h"

#include <utility>

#include "base/assert.h"

namespace nilo::bus {
namespace {

constexpr std::string_view kShare = "$share/";

}  // namespace

bool is_share(std::string_view text) { return text.starts_with(kShare); }

std::optional<ShareName> parse_share(std::string_view text) {
  if (!is_share(text)) return std::nullopt;
  text.remove_prefix(kShare.size());
  const std::size_t slash = text.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == text.size()) return {};
  const ShareName name{text.substr(0, slash), text.substr(slash + 1)};
  if (name.group.find_first_of("+#") != std::string_view::npos) return std::nullopt;
  return name;
}

std::string_view heard_filter(std::string_view text) {
  const auto share = parse_share(text);
  return share ? share->filter : text;
}

Group::Group(std::shared_ptr<const std::string> text, std::vector<Member> members,
             std::uint32_t turn)
    : text_(std::move(text)), members_(std::move(members)), turn_(turn) {
  NILO_ASSERT(!members_.empty());
}

// Whoever is passed over has not used up its turn: the turn goes on behind the one that is chosen.
// Two loops that ask at once may choose the same member, which evens out.
const Group::Member& Group::next() const {
  const std::uint32_t begin = turn_.load(std::memory_order_relaxed);
  const std::size_t count = members_.size();
  std::size_t best = begin % count;
  Presence best_presence = Presence::full;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = (begin + i) % count;
    const Presence presence = members_[at].presence->load(std::memory_order_relaxed);
    if (presence >= best_presence) continue;
    best = at;
    best_presence = presence;
    if (presence == Presence::ready) break;
  }
  turn_.store(static_cast<std::uint32_t>(best + 1), std::memory_order_relaxed);
  return members_[best];
}

}  // namespace nilo::bus
