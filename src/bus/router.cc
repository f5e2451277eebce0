// The subscriptions are a tree of filter levels. All edges of the tree live in one hash map, keyed
// by parent and level, so that a node costs one allocation and a step one look-up; the children
// "+" and "#" of a node are also linked, so that matching looks up only the topic's own level.
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
 public:
  bool subscribe(Target target, const TopicFilter& filter, const SubscriptionOptions& options) {
    Node& node = node_for(filter.text());
    const auto at = position_of(node.subscriptions, target);
    if (at != node.subscriptions.end() && at->target == target) {
      at->options = options;
      return false;
    }
    node.subscriptions.insert(at, {target, options});
    std::vector<Node*>& nodes = nodes_of_[target];
    nodes.insert(std::lower_bound(nodes.begin(), nodes.end(), &node, std::less<>()), &node);
    ++subscription_count_;
    return true;
  }

  bool unsubscribe(Target target, std::string_view filter) {
    Node* node = find(filter);
    if (node == nullptr || !drop(*node, target)) return false;
    const auto nodes = nodes_of_.find(target);
    NILO_ASSERT(nodes != nodes_of_.end());
    nodes->second.erase(
        std::lower_bound(nodes->second.begin(), nodes->second.end(), node, std::less<>()));
    if (nodes->second.empty()) nodes_of_.erase(nodes);
    prune(*node);
    return true;
  }

  bool remove(Target target) {
    const auto found = nodes_of_.find(target);
    if (found == nodes_of_.end()) return false;
    for (Node* node : found->second) {
      drop(*node, target);
      prune(*node);
    }
    nodes_of_.erase(found);
    return true;
  }

  void match(std::string_view topic, std::vector<Match>& out) const {
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
    const Node* node = &root_;
    for (bool is_last = false; node != nullptr && !is_last;) {
      const std::string_view level = take_level(filter, is_last);
      node = child(*node, level);
    }
    return const_cast<Node*>(node);
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
    while (at->edge != nullptr && at->child_count == 0 && at->subscriptions.empty()) {
      Node* parent = at->edge->parent;
      --parent->child_count;
      if (parent->plus == at) parent->plus = nullptr;
      if (parent->hash == at) parent->hash = nullptr;
      nodes_.erase(nodes_.find(*at->edge));
      at = parent;
    }
  }

  static void append(const Node& node, std::vector<Match>& out) {
    for (const Subscription& each : node.subscriptions) {
      Match& match = out.emplace_back();
      match.target = each.target;
      match.options = each.options;
      if (each.options.identifier != 0) match.identifiers.push_back(each.options.identifier);
    }
  }

  // `node` has matched all levels before `rest`; `is_end`: there are no more.
  void match(const Node& node, std::string_view rest, bool is_end, std::vector<Match>& out) const {
    if (node.hash != nullptr) append(*node.hash, out);  // "a/#" also hears "a"
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

void Router::remove(Target target) {
  const std::unique_lock lock(mutex_);
  if (trie_->remove(target)) version_.fetch_add(1, std::memory_order_release);
}

void Router::match(std::string_view topic, std::vector<Match>& out) const {
  const std::size_t first = out.size();
  {
    const std::shared_lock lock(mutex_);
    trie_->match(topic, out);
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
