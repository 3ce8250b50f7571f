#include "server/options.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "aws/account_id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "sandbox/egress_policy.h"

namespace virga::server {
namespace {

// Where containers of other local clouds look for scripts.
constexpr const char* kInitDirDefault = "/etc/localstack/init/ready.d";
constexpr int64_t kLoopsMax = 256;

AwsError usage(std::string message) {
  return AwsError{.code = "Usage", .http_status = 400, .message = std::move(message)};
}

Result<void> set_option(ServeOptions& o, std::string_view flag, const std::string& value) {
  if (flag == "--listen") {
    VIRGA_TRY(addresses, parse_listen(value));
    for (auto& a : addresses) o.listen.push_back(std::move(a));
  } else if (flag == "--data") {
    if (value.empty()) return fail(usage("--data needs a folder"));
    o.data_dir = value;
  } else if (flag == "--memory") {
    o.memory = value != "0" && value != "false";
  } else if (flag == "--auth") {
    if (value != "open" && value != "strict")
      return fail(usage("--auth is open or strict, not '" + value + "'"));
    o.auth = value == "open" ? AuthMode::open : AuthMode::strict;
  } else if (flag == "--account-id") {
    if (!is_account_id(value))
      return fail(usage("--account-id is 12 digits, not '" + value + "'"));
    o.account_id = value;
  } else if (flag == "--region") {
    if (value.empty()) return fail(usage("--region needs a name such as us-east-1"));
    o.region = value;
  } else if (flag == "--tls-cert") {
    o.tls_cert = value;
  } else if (flag == "--tls-key") {
    o.tls_key = value;
  } else if (flag == "--user") {
    if (value.empty()) return fail(usage("--user needs the name of a user"));
    o.user = value;
  } else if (flag == "--log-level") {
    LogLevel level;
    if (!parse_log_level(value, level)) {
      return fail(usage("--log-level is debug, info, warn, error or off, not '" + value + "'"));
    }
    o.log_level = value;
  } else if (flag == "--loops") {
    const auto count = parse_int(value);
    if (!count || *count < 0 || *count > kLoopsMax)
      return fail(usage("--loops is 0 to " + std::to_string(kLoopsMax) + ", not '" + value + "'"));
    o.loops = static_cast<int>(*count);
  } else if (flag == "--lifecycle-delay") {
    VIRGA_TRY(ms, parse_duration_ms(value));
    o.lifecycle_delay_ms = ms;
  } else if (flag == "--lambda-retry-base-delay") {
    VIRGA_TRY(ms, parse_duration_ms(value));
    o.lambda_retry_base_delay_ms = ms;
  } else if (flag == "--function-idle") {
    VIRGA_TRY(ms, parse_duration_ms(value));
    o.function_idle_ms = ms;
  } else if (flag == "--function-network") {
    if (value != "platform" && value != "egress" && value != "host") {
      return fail(usage("--function-network is platform, egress or host, not '" + value + "'"));
    }
    o.function_network = value;
  } else if (flag == "--function-egress-allow") {
    if (!sandbox::parse_address(value))
      return fail(usage("--function-egress-allow is an IP address, not '" + value + "'"));
    o.function_egress_allowed.push_back(value);
  } else if (flag == "--runtime") {
    const auto eq = value.find('=');
    if (eq == std::string::npos || eq == 0 || eq + 1 == value.size()) {
      return fail(usage("--runtime is NAME=PATH, not '" + value + "'"));
    }
    o.runtimes[value.substr(0, eq)] = value.substr(eq + 1);
  } else if (flag == "--init-dir") {
    o.init_dir = value;
  } else if (flag == "--cors-origin") {
    o.cors_origins.push_back(value);
  }
  return {};
}

// The config file: a JSON object whose members are the flags' names without dashes ("account-id"),
// lists where a flag may be repeated, and "accounts".
Result<void> read_config(ServeOptions& o, const std::string& path) {
  std::ifstream in(path);
  if (!in) return fail(usage("cannot read the config file " + path));
  std::stringstream text;
  text << in.rdbuf();
  const auto parsed = parse_json(text.str());
  if (!parsed || !parsed->is_object()) {
    return fail(usage("the config file " + path + " is not a JSON object" +
                      (parsed ? "" : ": " + parsed.error().message)));
  }
  for (const auto& [name, value] : parsed->as_object()) {
    if (name == "accounts") {
      o.accounts = value;
      continue;
    }
    bool known = false;
    for (const auto& row : option_rows()) known = known || name == row.flag + 2;
    if (!known) return fail(usage("the config file has an unknown member '" + name + "'"));
    const auto values = value.is_array() ? value.as_array() : Document::Array{value};
    for (const auto& v : values) {
      VIRGA_TRY_VOID(set_option(o, "--" + name, v.is_string() ? v.as_string() : to_json(v)));
    }
  }
  return {};
}

// What people coming from other local clouds have in their environment.
void map_foreign_variables(ServeOptions& o, const std::map<std::string, std::string>& env) {
  for (const auto& [name, value] : env) {
    if (name == "GATEWAY_LISTEN") {
      if (!o.listen.empty()) continue;
      for (const auto part : split(value, ',')) {
        const auto text = part.starts_with(":") ? "0.0.0.0" + std::string(part) : std::string(part);
        if (auto addresses = parse_listen(text)) {
          for (auto& a : *addresses) o.listen.push_back(std::move(a));
          o.notes.push_back("GATEWAY_LISTEN is read as --listen " + text);
        } else {
          o.notes.push_back("GATEWAY_LISTEN not mapped: " + addresses.error().message);
        }
      }
    } else if (name == "PERSISTENCE") {
      o.notes.push_back(value == "1"
                            ? "PERSISTENCE=1: state is always durable unless --memory"
                            : "PERSISTENCE not mapped: use --memory for state without a disk");
    } else if (name == "DEBUG") {
      if (value == "1" || value == "true") o.log_level = "debug";
      o.notes.push_back("DEBUG is read as --log-level");
    } else if (name == "LAMBDA_RETRY_BASE_DELAY_SECONDS") {
      if (const auto s = parse_int(value)) o.lambda_retry_base_delay_ms = *s * 1000;
      o.notes.push_back("LAMBDA_RETRY_BASE_DELAY_SECONDS is read as --lambda-retry-base-delay");
    } else if (name == "LAMBDA_KEEPALIVE_MS") {
      if (const auto ms = parse_int(value); ms && *ms >= 0) o.function_idle_ms = *ms;
      o.notes.push_back("LAMBDA_KEEPALIVE_MS is read as --function-idle");
    } else if (name.starts_with("LAMBDA_") && name != "LAMBDA_TASK_ROOT") {
      o.notes.push_back(name + " not mapped");
    }
  }
}

}  // namespace

const std::vector<OptionRow>& option_rows() {
  static const std::vector<OptionRow> rows = {
      {"--listen", "VIRGA_LISTEN", "[SERVICE=]HOST:PORT",
       "address to serve; repeat for more; with SERVICE= it speaks that service only "
       "(default 127.0.0.1:4566 and [::1]:4566)"},
      {"--data", "VIRGA_DATA", "DIR", "folder of the durable store (default ./virga-data)"},
      {"--memory", "VIRGA_MEMORY", nullptr,
       "keep everything in memory; nothing survives the process"},
      {"--auth", "VIRGA_AUTH", "open|strict",
       "open: any well-formed credentials; strict: signatures and policies are checked (default "
       "open)"},
      {"--account-id", "VIRGA_ACCOUNT_ID", "N",
       "default account, 12 digits (default 000000000000)"},
      {"--region", "VIRGA_REGION", "R", "region of calls that name none (default us-east-1)"},
      {"--tls-cert", "VIRGA_TLS_CERT", "F",
       "PEM certificate chain; with --tls-key, the port also speaks TLS"},
      {"--tls-key", "VIRGA_TLS_KEY", "F", "PEM private key"},
      {"--user", "VIRGA_USER", "NAME[:GROUP]",
       "started by root, serve as this user; only the launcher of functions stays root"},
      {"--log-level", "VIRGA_LOG_LEVEL", "L", "debug, info, warn, error or off (default info)"},
      {"--loops", "VIRGA_LOOPS", "N",
       "event loops; 0: one for each processor that may be used (default 0)"},
      {"--lifecycle-delay", "VIRGA_LIFECYCLE_DELAY", "D",
       "how long CREATING, Pending and the like last, such as 2s; 0: until the next call (default "
       "0)"},
      {"--lambda-retry-base-delay", "VIRGA_LAMBDA_RETRY_BASE_DELAY", "D",
       "wait before the first retry of an asynchronous invoke; the second waits twice as long "
       "(default 1m)"},
      {"--function-idle", "VIRGA_FUNCTION_IDLE", "D",
       "how long a function's process outlives its last invoke; the interpreters kept ready go "
       "after "
       "twelve times as long without one (default 5m)"},
      {"--function-network", "VIRGA_FUNCTION_NETWORK", "M",
       "what functions reach: platform (this server only), egress (other machines too, by TCP) or "
       "host (this machine's network; not with --auth strict) (default platform)"},
      {"--function-egress-allow", "VIRGA_FUNCTION_EGRESS_ALLOW", "ADDRESS",
       "an address of this machine that functions reach with egress; repeat for more"},
      {"--runtime", "VIRGA_RUNTIME", "NAME=PATH",
       "interpreter of a Lambda runtime; repeat for more"},
      {"--init-dir", "VIRGA_INIT_DIR", "DIR",
       "scripts to run before Ready (default /etc/localstack/init/ready.d if it exists)"},
      {"--cors-origin", "VIRGA_CORS_ORIGIN", "O",
       "browser origin allowed besides loopback; repeat for more"},
  };
  return rows;
}

Result<int64_t> parse_duration_ms(std::string_view text) {
  const auto unit_at = text.find_first_not_of("0123456789.");
  const auto number = parse_double(text.substr(0, unit_at));
  const auto unit = unit_at == std::string_view::npos ? std::string_view() : text.substr(unit_at);
  if (number && *number >= 0 && *number < 1e9) {
    if (unit == "ms") return static_cast<int64_t>(*number);
    if (unit == "s" || unit.empty()) return static_cast<int64_t>(*number * 1000);
    if (unit == "m") return static_cast<int64_t>(*number * 60'000);
  }
  return fail(usage("'" + std::string(text) + "' is not a duration such as 150ms, 2s or 1m"));
}

Result<std::vector<ListenAddress>> parse_listen(std::string_view text) {
  ListenAddress address;
  if (const auto eq = text.find('='); eq != std::string_view::npos) {
    address.service = std::string(text.substr(0, eq));
    text.remove_prefix(eq + 1);
  }
  const auto colon = text.rfind(':');
  const auto port =
      colon == std::string_view::npos ? std::nullopt : parse_int(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) {
    return fail(usage("'" + std::string(text) + "' is not HOST:PORT"));
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty())
    return fail(usage("'" + std::string(text) + "' has no host; 0.0.0.0 means every address"));
  address.port = static_cast<int>(*port);
  std::vector<ListenAddress> out;
  if (host == "localhost") {
    address.host = "127.0.0.1";
    out.push_back(address);
    address.host = "::1";
    out.push_back(address);
  } else {
    address.host = std::string(host);
    out.push_back(address);
  }
  return out;
}

Result<ServeOptions> parse_serve_options(const std::vector<std::string>& arguments,
                                         const std::map<std::string, std::string>& environment) {
  ServeOptions options;
  std::vector<std::pair<std::string, std::string>> flags;
  std::string config;
  if (const auto found = environment.find("VIRGA_CONFIG"); found != environment.end())
    config = found->second;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string flag = arguments[i];
    std::optional<std::string> value;
    if (const auto eq = flag.find('='); flag.starts_with("--") && eq != std::string::npos) {
      value = flag.substr(eq + 1);
      flag.resize(eq);
    }
    const OptionRow* row = nullptr;
    for (const auto& r : option_rows()) {
      if (flag == r.flag) row = &r;
    }
    if (!row && flag != "--config") {
      return fail(usage("unknown option '" + flag + "'; virga --help lists them all"));
    }
    if (row && row->value == nullptr) {
      flags.emplace_back(flag, value.value_or("1"));
      continue;
    }
    if (!value) {
      if (i + 1 == arguments.size()) return fail(usage(flag + " needs a value"));
      value = arguments[++i];
    }
    if (flag == "--config") {
      config = *value;
    } else {
      flags.emplace_back(flag, *value);
    }
  }

  // Weakest first. A repeated option replaces the weaker source's list, it does not add to it.
  if (!config.empty()) VIRGA_TRY_VOID(read_config(options, config));
  map_foreign_variables(options, environment);
  for (const auto& row : option_rows()) {
    const auto found = environment.find(row.env);
    if (found == environment.end()) continue;
    if (std::string_view(row.flag) == "--listen") options.listen.clear();
    if (std::string_view(row.flag) == "--cors-origin") options.cors_origins.clear();
    const bool list = std::string_view(row.flag) == "--listen" ||
                      std::string_view(row.flag) == "--runtime" ||
                      std::string_view(row.flag) == "--cors-origin";
    for (const auto part :
         list ? split(found->second, ',') : std::vector<std::string_view>{found->second}) {
      VIRGA_TRY_VOID(set_option(options, row.flag, std::string(part)));
    }
  }
  bool listen_given = false;
  bool origin_given = false;
  for (const auto& [flag, value] : flags) {
    if (flag == "--listen" && !std::exchange(listen_given, true)) options.listen.clear();
    if (flag == "--cors-origin" && !std::exchange(origin_given, true)) options.cors_origins.clear();
    VIRGA_TRY_VOID(set_option(options, flag, value));
  }

  bool any_common = false;
  for (const auto& address : options.listen) any_common = any_common || address.service.empty();
  if (!any_common) {
    options.listen.push_back({"", "127.0.0.1", 4566});
    options.listen.push_back({"", "::1", 4566});
  }
  if (options.init_dir.empty() && std::filesystem::is_directory(kInitDirDefault))
    options.init_dir = kInitDirDefault;
  if (!options.init_dir.empty() && !std::filesystem::is_directory(options.init_dir)) {
    return fail(usage("--init-dir: there is no folder " + options.init_dir));
  }
  if (options.function_network == "host" && options.auth == AuthMode::strict) {
    return fail(
        usage("--function-network host shares this machine's network between tenants: not with "
              "--auth strict"));
  }
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return fail(usage("--tls-cert and --tls-key go together"));
  }
  return options;
}

std::string help_text() {
  std::string out =
      "virga: a self-hosted serverless cloud that speaks the AWS wire protocols\n\n"
      "  virga serve [options]   run the server until SIGTERM\n"
      "  virga coverage          which operations are implemented\n"
      "  virga doctor            what this machine allows: namespaces, cgroups, interpreters, "
      "disk\n"
      "  virga version           version and build\n"
      "  virga --help            this text\n\n"
      "Options of serve (also as environment variables, and as members of a JSON file named by "
      "--config or\n"
      "VIRGA_CONFIG, which can preload accounts, users and access keys):\n\n";
  for (const auto& row : option_rows()) {
    std::string left =
        std::string("  ") + row.flag + (row.value ? std::string(" ") + row.value : "");
    out += left + "\n      " + row.help + "  [" + row.env + "]\n";
  }
  out += "  --config F\n      JSON config file  [VIRGA_CONFIG]\n";
  return out;
}

}  // namespace virga::server
