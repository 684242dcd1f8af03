// syndctl: the operator's command over the admin socket (api.md, 5).
//
// Exit codes: 0 ok, 1 the daemon (or the check) refused, 2 wrong usage, 3 cannot connect.
// Human tables by default; --json prints exactly one JSON document on standard output.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace syndicated::ctl {

enum exit_code : int { exit_ok = 0, exit_refused = 1, exit_usage = 2, exit_no_connection = 3 };

// `arguments` without the program's name. `input` is read for secrets and bodies named "-".
int run(const std::vector<std::string>& arguments, std::istream& input, std::ostream& out,
        std::ostream& err);

}  // namespace syndicated::ctl
