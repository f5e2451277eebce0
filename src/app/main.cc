// app/main.cc: what `nilo` can do. `nilo serve` builds the house: read on in server.h.
#include "app/commands.h"

int main(int argc, char** argv) {
  using namespace nilo::app;
  std::vector<Command> commands = {
      serve_command(),        check_command(),         pub_command(),
      sub_command(),          sql_command(),           rules_test_command(),
      simulate_command(),     token_new_command(),     token_ls_command(),
      token_revoke_command(), user_add_command(),      user_ls_command(),
      user_passwd_command(),  user_rm_command(),       openapi_command(),
      notices_ls_command(),   notices_retry_command(), alerts_ls_command(),
      alerts_ack_command(),   alerts_snooze_command(), alerts_resolve_command(),
      alerts_test_command(),  access_ls_command(),     access_revoke_command(),
  };
  for (Command& command : cert_commands()) commands.push_back(std::move(command));
  for (Command& command : things_commands()) commands.push_back(std::move(command));
  for (Command& command : bench_commands()) commands.push_back(std::move(command));
  return run_command_line(commands, argc, argv);
}
