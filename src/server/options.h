#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/error.h"
#include "net/tls.h"

namespace virga::server {

// Where to listen. An empty service means all of them.
struct ListenAddress {
  std::string service;  // "dynamodb" binds the listener to one service
  std::string host;     // an IPv4 or IPv6 address
  int port = 0;
};

enum class AuthMode { open, strict };

// What `virga serve` was told, by flag, environment variable or config file (in this order of
// precedence).
struct ServeOptions {
  std::vector<ListenAddress> listen;  // default 127.0.0.1:4566 and [::1]:4566
  std::string data_dir = "virga-data";
  bool memory = false;
  AuthMode auth = AuthMode::open;
  std::string account_id = "000000000000";
  std::string region = "us-east-1";
  std::string tls_cert;
  std::string tls_key;
  // What lay there, where it had to be read as root.
  std::optional<Result<net::TlsFiles>> tls_files;
  std::string user;  // NAME or NAME:GROUP, also by number: who the server becomes when root starts
  std::string log_level = "info";
  int loops = 0;  // event loops; 0: one per processor this process may use
  int64_t lifecycle_delay_ms = 0;
  int64_t lambda_retry_base_delay_ms = 60'000;
  int64_t function_idle_ms = 5 * 60'000;
  std::string function_network = "platform";  // or "egress", "host"
  std::vector<std::string> function_egress_allowed;
  std::string
      code_folder;  // where deployment packages are unpacked: settled before the launcher starts
  bool code_folder_temporary = false;
  std::map<std::string, std::string> runtimes;  // runtime name -> interpreter path
  std::string init_dir;
  std::vector<std::string> cors_origins;
  Document accounts;               // the config file's "accounts": identities to preload
  std::vector<std::string> notes;  // what was mapped or could not be, to be logged once at start
};

// One option, the same row for the flag, the variable, the config file's member and the help text.
struct OptionRow {
  const char* flag;   // "--data"
  const char* env;    // "VIRGA_DATA"
  const char* value;  // "DIR"; null for a switch
  const char* help;
};
const std::vector<OptionRow>& option_rows();

// Reads `arguments` (what follows `serve`) and `environment`. Errors have code "Usage" and a
// sentence for people.
Result<ServeOptions> parse_serve_options(const std::vector<std::string>& arguments,
                                         const std::map<std::string, std::string>& environment);

// "2s", "150ms", "1m", "0": a duration in milliseconds.
Result<int64_t> parse_duration_ms(std::string_view text);
// "[SERVICE=]HOST:PORT", HOST an address or "localhost" (both loopbacks), IPv6 in brackets.
Result<std::vector<ListenAddress>> parse_listen(std::string_view text);

std::string help_text();

}  // namespace virga::server
