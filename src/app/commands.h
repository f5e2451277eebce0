// app/commands.h: the commands of `nilo`, one function each; main.cc lists them.
#pragma once

#include "app/command_line.h"

namespace nilo::app {

Command serve_command();
Command check_command();
Command pub_command();
Command sub_command();
Command sql_command();
Command rules_test_command();
Command simulate_command();
Command token_new_command();
Command token_ls_command();
Command token_revoke_command();
Command access_ls_command();
Command access_revoke_command();
Command alerts_ls_command();
Command alerts_ack_command();
Command alerts_snooze_command();
Command alerts_resolve_command();
Command alerts_test_command();
Command notices_ls_command();
Command notices_retry_command();
Command user_add_command();
Command user_ls_command();
Command user_passwd_command();
Command user_rm_command();
std::vector<Command> cert_commands();
std::vector<Command> things_commands();
std::vector<Command> bench_commands();
Command openapi_command();

}  // namespace nilo::app
