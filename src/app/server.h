// app/server.h: the whole house: builds the rooms, opens the doors, runs, shuts down.
//
//   log  <- batches -  doors (one per loop: sockets, broker, ingest)  <-  devices
//    |                   ^
//    v                   | acknowledgements
//   applier (tables thread): tables, retained    <-  api, SQL  <-  people
//
// Threads: run() uses the caller's as loop 0 and adds one for each further loop and one for HTTP.
//          The log, the tables, mail and webhooks have theirs from start() on, slow work
//          (passwords, SQL, things, pages, ...) from when it is first asked for:
//          docs/ARCHITECTURE.md, Threads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/entrances.h"
#include "app/reactions.h"
#include "base/logger.h"
#include "base/result.h"
#include "stack/stack.h"

namespace nilo::app {

struct ServerOptions {
  std::string stack_dir{};           // where its files are, those that it names, and its pages
  stack::SourceFiles stack_files{};  // as `stack` was made of
  std::string data_dir;
  std::vector<Entrance> entrances{};
  bool open = false;
  int loop_count = 0;  // 0: one for each core this process may use, at most 4
};

class Server {
 public:
  // Opens the data folder (made if missing, mode 0700), replays the log and opens the doors.
  // Errors: the log's, the tables', a port in use; each names what and where.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, stack::Stack stack,
                                               Reactions reactions, Logger& logger);
  virtual ~Server() = default;

  // Where it can be reached.
  virtual const Entrances& entrances() const = 0;
  // A token that may do everything, for this machine's own commands; also in
  // DATA/admin.token (mode 0600).
  virtual const std::string& admin_token() const = 0;
  // What the first user has to type; empty: there is one, or the server is open. It is kept nowhere
  // else.
  virtual const std::string& setup_code() const = 0;

  // Serves until SIGINT, SIGTERM or stop(); SIGHUP reads certificates again. An error: the log
  // failed; nothing acknowledged is lost.
  virtual Result<void> run() = 0;
  // From any thread.
  virtual void stop() = 0;
};

}  // namespace nilo::app
