// The subscriptions are a tree of filter levels. All edges of the tree live in one hash map, keyed
// by parent and level, so that a node costs one allocation and a step one look-up; the children
// "+" and "#" of a node are also linked, so that matching looks up only the topic's own level.
//
// The groups of shared subscriptions hang on the node of their filter. A group is replaced when its
// members change, so that loops may keep the one they matched and choose members without a lock.
#include "bus/router.h"

#include <algorithm>
#include <boost/unordered_map.hpp>
#include <mutex>
#include <string>
#include <utility>

#include "base/assert.h"

namespace nilo::bus {

namespace {

struct Subscription {
  Target target;
  SubscriptionOptions options;
};

struct TargetHash {
  std::size_t operator()(Target target) const {
    return (target.session ^ (std::uint64_t{target.loop} << 48)) * 0x9e3779b97f4a7c15;
  }
};

// `list` is in order of target.
auto position_of(std::vector<Subscription>& list, Target target) {
  return std::lower_bound(list.begin(), list.end(), target,
                          [](const Subscription& each, Target t) { return each.target < t; });
}

void merge(Match& into, const Match& other) {
  into.options.qos = std::max(into.options.qos, other.options.qos);
  into.options.no_local &= other.options.no_local;
  into.options.retain_as_published |= other.options.retain_as_published;
  into.identifiers.insert(into.identifiers.end(), other.identifiers.begin(),
                          other.identifiers.end());
  if (!into.identifiers.empty()) into.options.identifier = into.identifiers.front();
}

// Makes one Match of those with the same target, from `first` on.
void merge_overlapping(std::vector<Match>& matches, std::size_t first) {
  const auto begin = matches.begin() + static_cast<std::ptrdiff_t>(first);
  const auto by_target = [](const Match& a, const Match& b) { return a.target < b.target; };
  if (!std::is_sorted(begin, matches.end(), by_target)) {
    std::sort(begin, matches.end(), by_target);
  }
  auto end = begin;  // of those that are merged
  for (auto match = begin; match != matches.end(); ++match) {
    if (end != begin && (end - 1)->target == match->target) {
      merge(*(end - 1), *match);
    } else {
      if (end != match) *end = std::move(*match);
      ++end;
    }
  }
  matches.erase(end, matches.end());
}

}  // namespace

class Router::Trie {
  struct Heard {  // where match() appends
    std::vector<Match>& matches;
    std::vector<GroupPtr>& groups;
  };

 public:
  bool subscribe(Target target, const TopicFilter& filter, const SubscriptionOptions& options) {
    Node& node = node_for(filter.text());
    const auto at = position_of(node.subscriptions, target);
    if (at != node.subscriptions.end() && at->target == target) {
      at->options = options;
      return false;
    }
    node.subscriptions.insert(at, {target, options});
    note(target, node);
    return true;
  }

  bool unsubscribe(Target target, std::string_view filter) {
    Node* node = find(filter);
    if (node == nullptr || !drop(*node, target)) return false;
    forget(target, *node);
    return true;
  }

  bool join(const TopicFilter& filter, std::string_view text, Group::Member member) {
    Node& node = node_for(filter.text());
    if (node.groups == nullptr) node.groups = std::make_unique<Groups>();
    const Target target = member.target;
    const auto group = group_in(*node.groups, text);
    if (group == node.groups->end()) {
      node.groups->push_back(std::make_shared<const Group>(
          std::make_shared<const std::string>(text), std::vector{std::move(member)}, 0u));
      note(target, node);
      return true;
    }
    std::vector<Group::Member> members = (*group)->members();
    const auto at = member_in(members, target);
    const bool is_new = at == members.end() || at->target != target;
    if (is_new) {
      members.insert(at, std::move(member));
    } else {
      *at = std::move(member);
    }
    *group = std::make_shared<const Group>((*group)->text(), std::move(members), (*group)->turn());
    if (is_new) note(target, node);
    return is_new;
  }

  bool quit(Target target, std::string_view text) {
    Node* node = find(heard_filter(text));
    if (node == nullptr || node->groups == nullptr) return false;
    const auto group = group_in(*node->groups, text);
    if (group == node->groups->end() || !drop(*node, group, target)) return false;
    forget(target, *node);
    return true;
  }

  bool remove(Target target) {
    const auto found = nodes_of_.find(target);
    if (found == nodes_of_.end()) return false;
    Node* last = nullptr;  // a node stands there once for each subscription; prune() may free it
    for (Node* node : found->second) {
      if (node == last) continue;
      last = node;
      drop(*node, target);
      for (std::size_t i = node->groups ? node->groups->size() : 0; i-- > 0;) {
        drop(*node, node->groups->begin() + static_cast<std::ptrdiff_t>(i), target);
      }
      prune(*node);
    }
    nodes_of_.erase(found);
    return true;
  }

  GroupPtr group(std::string_view text) const {
    const Node* node = find(heard_filter(text));
    if (node == nullptr || node->groups == nullptr) return nullptr;
    const auto group = group_in(*node->groups, text);
    return group == node->groups->end() ? nullptr : *group;
  }

  void match(std::string_view topic, std::vector<Match>& matches,
             std::vector<GroupPtr>& groups) const {
    Heard out{matches, groups};
    if (topic.starts_with('$')) {  // no wildcard stands for such a level [MQTT-4.7.2-1]
      bool is_last = false;
      const std::string_view level = take_level(topic, is_last);
      const Node* node = child(root_, level);
      if (node != nullptr) match(*node, topic, is_last, out);
    } else {
      match(root_, topic, false, out);
    }
  }

  std::size_t subscription_count() const { return subscription_count_; }
  std::size_t node_count() const { return nodes_.size(); }

 private:
  using Groups = std::vector<GroupPtr>;
  struct Node;
  struct Edge {
    Node* parent;
    std::string level;
  };
  struct Step {  // an Edge to look up
    const Node* parent;
    std::string_view level;
  };
  struct Node {
    const Edge* edge = nullptr;  // to this node; nullptr: the root
    Node* plus = nullptr;        // the child "+"
    Node* hash = nullptr;        // the child "#"
    std::uint32_t child_count = 0;
    std::vector<Subscription> subscriptions;  // in order of target
    std::unique_ptr<Groups> groups;           // nullptr: none
  };
  struct Hash {
    using is_transparent = void;
    template <typename E>
    std::size_t operator()(const E& edge) const {
      return std::hash<std::string_view>()(edge.level) ^
             (reinterpret_cast<std::uintptr_t>(edge.parent) * 0x9e3779b97f4a7c15);
    }
  };
  struct Equal {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return a.parent == b.parent && a.level == b.level;
    }
  };

  const Node* child(const Node& parent, std::string_view level) const {
    const auto found = nodes_.find(Step{&parent, level});
    return found == nodes_.end() ? nullptr : &found->second;
  }

  Node* find(std::string_view filter) {
    return const_cast<Node*>(std::as_const(*this).find(filter));
  }

  const Node* find(std::string_view filter) const {
    const Node* node = &root_;
    for (bool is_last = false; node != nullptr && !is_last;) {
      const std::string_view level = take_level(filter, is_last);
      node = child(*node, level);
    }
    return node;
  }

  Node& node_for(std::string_view filter) {
    Node* node = &root_;
    for (bool is_last = false; !is_last;) {
      const std::string_view level = take_level(filter, is_last);
      const auto [at, is_new] = nodes_.try_emplace(Edge{node, std::string(level)});
      if (is_new) {
        at->second.edge = &at->first;
        ++node->child_count;
        if (level == "+") node->plus = &at->second;
        if (level == "#") node->hash = &at->second;
      }
      node = &at->second;
    }
    return *node;
  }

  static Groups::iterator group_in(Groups& groups, std::string_view text) {
    return std::find_if(groups.begin(), groups.end(),
                        [&](const GroupPtr& group) { return *group->text() == text; });
  }

  static std::vector<Group::Member>::iterator member_in(std::vector<Group::Member>& members,
                                                        Target target) {
    return std::lower_bound(members.begin(), members.end(), target,
                            [](const Group::Member& each, Target t) { return each.target < t; });
  }

  // `target` has one more subscription at `node`.
  void note(Target target, Node& node) {
    std::vector<Node*>& nodes = nodes_of_[target];
    nodes.insert(std::lower_bound(nodes.begin(), nodes.end(), &node, std::less<>()), &node);
    ++subscription_count_;
  }

  // One fewer; it was dropped.
  void forget(Target target, Node& node) {
    const auto nodes = nodes_of_.find(target);
    NILO_ASSERT(nodes != nodes_of_.end());
    nodes->second.erase(
        std::lower_bound(nodes->second.begin(), nodes->second.end(), &node, std::less<>()));
    if (nodes->second.empty()) nodes_of_.erase(nodes);
    prune(node);
  }

  // Takes `target` out of one of the groups of `node`.
  bool drop(Node& node, Groups::iterator group, Target target) {
    std::vector<Group::Member> members = (*group)->members();
    const auto at = member_in(members, target);
    if (at == members.end() || at->target != target) return false;
    members.erase(at);
    --subscription_count_;
    if (!members.empty()) {
      *group =
          std::make_shared<const Group>((*group)->text(), std::move(members), (*group)->turn());
      return true;
    }
    node.groups->erase(group);
    if (node.groups->empty()) node.groups.reset();
    return true;
  }

  bool drop(Node& node, Target target) {
    const auto at = position_of(node.subscriptions, target);
    if (at == node.subscriptions.end() || at->target != target) return false;
    node.subscriptions.erase(at);
    if (node.subscriptions.empty()) node.subscriptions.shrink_to_fit();
    --subscription_count_;
    return true;
  }

  // Removes `node` and its parents as far as nothing hangs on them.
  void prune(Node& node) {
    Node* at = &node;
    while (at->edge != nullptr && at->child_count == 0 && at->subscriptions.empty() &&
           at->groups == nullptr) {
      Node* parent = at->edge->parent;
      --parent->child_count;
      if (parent->plus == at) parent->plus = nullptr;
      if (parent->hash == at) parent->hash = nullptr;
      nodes_.erase(nodes_.find(*at->edge));
      at = parent;
    }
  }

  // `is_parent`: the topic ends where the "#" of `node` begins.
  static void append(const Node& node, Heard& out, bool is_parent = false) {
    for (const Subscription& each : node.subscriptions) {
      if (is_parent && each.options.skips_parent) continue;
      Match& match = out.matches.emplace_back();
      match.target = each.target;
      match.options = each.options;
      if (each.options.identifier != 0) match.identifiers.push_back(each.options.identifier);
    }
    if (node.groups == nullptr) return;
    out.groups.insert(out.groups.end(), node.groups->begin(), node.groups->end());
  }

  // `node` has matched all levels before `rest`; `is_end`: there are no more.
  void match(const Node& node, std::string_view rest, bool is_end, Heard& out) const {
    if (node.hash != nullptr) append(*node.hash, out, is_end);  // "a/#" also hears "a"
    if (is_end) {
      append(node, out);
      return;
    }
    const std::string_view level = take_level(rest, is_end);
    if (const Node* next = child(node, level)) match(*next, rest, is_end, out);
    if (node.plus != nullptr) match(*node.plus, rest, is_end, out);
  }

  Node root_;
  boost::unordered_map<Edge, Node, Hash, Equal> nodes_;                    // addresses are stable
  boost::unordered_map<Target, std::vector<Node*>, TargetHash> nodes_of_;  // sorted
  std::size_t subscription_count_ = 0;
};

Router::Router() : trie_(std::make_unique<Trie>()) {}
Router::~Router() = default;

bool Router::subscribe(Target target, const TopicFilter& filter,
                       const SubscriptionOptions& options) {
  const std::unique_lock lock(mutex_);
  const bool is_new = trie_->subscribe(target, filter, options);
  version_.fetch_add(1, std::memory_order_release);
  return is_new;
}

bool Router::unsubscribe(Target target, std::string_view filter) {
  const std::unique_lock lock(mutex_);
  const bool is_ended = trie_->unsubscribe(target, filter);
  if (is_ended) version_.fetch_add(1, std::memory_order_release);
  return is_ended;
}

bool Router::join(Target target, const TopicFilter& filter, std::string_view text,
                  const SubscriptionOptions& options, PresencePtr presence) {
  NILO_ASSERT(heard_filter(text) == filter.text());
  const std::unique_lock lock(mutex_);
  const bool is_new = trie_->join(filter, text, {target, options, std::move(presence)});
  version_.fetch_add(1, std::memory_order_release);
  return is_new;
}

bool Router::quit(Target target, std::string_view text) {
  const std::unique_lock lock(mutex_);
  const bool is_ended = trie_->quit(target, text);
  if (is_ended) version_.fetch_add(1, std::memory_order_release);
  return is_ended;
}

GroupPtr Router::group(std::string_view text) const {
  const std::shared_lock lock(mutex_);
  return trie_->group(text);
}

void Router::remove(Target target) {
  const std::unique_lock lock(mutex_);
  if (trie_->remove(target)) version_.fetch_add(1, std::memory_order_release);
}

void Router::match(std::string_view topic, std::vector<Match>& out,
                   std::vector<GroupPtr>& groups) const {
  const std::size_t first = out.size();
  {
    const std::shared_lock lock(mutex_);
    trie_->match(topic, out, groups);
  }
  merge_overlapping(out, first);
}

std::size_t Router::subscription_count() const {
  const std::shared_lock lock(mutex_);
  return trie_->subscription_count();
}

std::size_t Router::node_count() const {
  const std::shared_lock lock(mutex_);
  return trie_->node_count();
}

}  // namespace nilo::bus
