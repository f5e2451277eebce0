// app/policies.h: the policies of the stack, and whom each of them limits.
//
// Without any policy in the stack a device may do what its token allows. With the first one that
// changes: a device may do what one of its policies allows and none denies, within the topics that
// its token is limited to, if it is. One that no policy is for may use the topics its token was
// limited to, since somebody wrote them down, and no others. Policies are for devices: people
// (viewers and admins, and whoever --open lets in) are not limited by them.
//
//   login -> limit(): its policies, with what its variables are -> Principal::scope
//   what a person allowed by hand (grants.h) is asked for only where the policies said no
//
// Threads: immutable after construction; share freely.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/access.h"
#include "app/grants.h"
#include "base/logger.h"
#include "base/result.h"
#include "stack/stack.h"
#include "value/policy.h"
#include "value/principal.h"

namespace nilo::app {

class Policies {
 public:
  // What is written about a thing, now; nullptr: nothing. From any thread.
  using FindThing = std::function<const stack::Thing*(std::string_view id)>;
  // Stack and grants must outlive this.
  Policies(const stack::Stack& stack, const Grants& grants, FindThing find_thing)
      : stack_(stack), grants_(grants), find_thing_(std::move(find_thing)) {}

  // Gives `who`, who just logged in, the scope of its policies. `subject`: what is known of the
  // connection; its user and thing are filled in here.
  void limit(Principal& who, PolicySubject subject) const;
  // The same, for a connection over MQTT. permission_denied: may not connect with this client id.
  Result<void> admit(Principal& who, PolicySubject subject) const;

  // The thing whose login this is: the one of this id; nullptr: none.
  const stack::Thing* find_thing(std::string_view login) const { return find_thing_(login); }

  // Warns of the devices that get in and may then do nothing: there are policies, none is for them,
  // and their logins have no topics. Whoever wrote the first policy may have forgotten them.
  void tell_left_out(const Access& access, Logger& logger) const;

  // May a person allow this by hand? Not what a statement denies, nor what is the server's own.
  // `who`: as it would log in, without a scope.
  bool may_grant(const Principal& who, PolicySubject subject, Grant::Act act,
                 std::string_view topic) const;

 private:
  bool leaves_out(const Principal& who,
                  const std::vector<std::shared_ptr<const Policy>>& policies) const;
  std::vector<std::shared_ptr<const Policy>> policies_for(const Principal& who,
                                                          const PolicyThing* thing) const;
  std::shared_ptr<const PolicyThing> thing_of(const Principal& who) const;

  const stack::Stack& stack_;
  const Grants& grants_;
  const FindThing find_thing_;
};

}  // namespace nilo::app
