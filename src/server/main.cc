#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/version.h"
#include "sandbox/supervisor.h"
#include "server/coverage.h"
#include "server/doctor.h"
#include "server/function_host.h"
#include "server/options.h"
#include "server/serve.h"
#include "server/server_user.h"

extern char** environ;

namespace virga::server {
namespace {

constexpr int kExitUsage = 64;  // EX_USAGE

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry; ++entry) {
    const char* eq = strchr(*entry, '=');
    if (eq) out[std::string(*entry, static_cast<size_t>(eq - *entry))] = eq + 1;
  }
  return out;
}

// Functions reach the platform on the server's own ports and on 4566, whichever the server has.
sandbox::LauncherOptions launcher_options(const ServeOptions& options) {
  sandbox::LauncherOptions launcher;
  for (const auto& [name, path] : options.runtimes) launcher.runtime_paths.emplace_back(name, path);
  launcher.platform_ports = platform_ports(options);
  launcher.node_modules = node_sdk_folder();
  launcher.code_roots = {options.code_folder};
  launcher.host_network = options.function_network == "host";
  launcher.egress = options.function_network == "egress";
  launcher.egress_allowed = options.function_egress_allowed;
  launcher.allow_bare = options.auth != AuthMode::strict;
  return launcher;
}

int serve_command(const std::vector<std::string>& arguments) {
  auto options = parse_serve_options(arguments, environment());
  if (!options) {
    std::fprintf(stderr, "virga: %s\n", options.error().message.c_str());
    return kExitUsage;
  }
  LogLevel level = LogLevel::info;
  ignore(parse_log_level(options->log_level, level), "checked when it was parsed");
  set_log_level(level);
  const auto place = code_folder(*options);
  options->code_folder = place.path;
  options->code_folder_temporary = place.temporary;
  sandbox::SupervisorOptions supervisor;
  supervisor.launcher = launcher_options(*options);
  auto user = server_user(*options);
  if (!user) {
    std::fprintf(stderr, "virga: %s\n", user.error().message.c_str());
    return kExitUsage;
  }
  supervisor.server_user = std::move(*user);
  // A key is often root's alone. In the server's process: no sandbox descends from it.
  supervisor.before_server_user = [&options] {
    if (!options->tls_cert.empty())
      options->tls_files = net::TlsFiles::read(options->tls_cert, options->tls_key);
  };
  return sandbox::supervise(supervisor, [&](int launcher_fd, int supervisor_fd) {
    return serve(*options, launcher_fd, supervisor_fd);
  });
}

int run(const std::vector<std::string>& arguments) {
  const std::string command = arguments.empty() ? "--help" : arguments[0];
  const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1),
                                      arguments.end());
  if (command == "serve") {
    if (!rest.empty() && (rest[0] == "--help" || rest[0] == "-h")) {
      std::fputs(help_text().c_str(), stdout);
      return 0;
    }
    return serve_command(rest);
  }
  if (command == "version" || command == "--version") {
    std::printf("virga %s\n", kVersion);
    return 0;
  }
  if (command == "coverage" && rest.size() <= 1) {
    const std::string text = coverage_text(rest.empty() ? "" : rest[0]);
    if (text.empty()) {
      std::fprintf(stderr, "virga: no service is called '%s'; virga coverage lists them\n",
                   rest[0].c_str());
      return kExitUsage;
    }
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  if (command == "doctor" && rest.empty()) return doctor();
  if (command == "help" || command == "--help" || command == "-h") {
    std::fputs(help_text().c_str(), stdout);
    return 0;
  }
  if (command == "coverage" || command == "doctor") {
    std::fprintf(stderr, "virga: %s takes %s\n", command.c_str(),
                 command == "doctor" ? "no arguments" : "the name of one service");
    return kExitUsage;
  }
  std::fprintf(stderr, "virga: unknown command '%s'; virga --help lists them\n", command.c_str());
  return kExitUsage;
}

}  // namespace
}  // namespace virga::server

int main(int argc, char** argv) {
  return virga::server::run({argv + 1, argv + argc});
}
