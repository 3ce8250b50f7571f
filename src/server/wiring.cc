#include "server/wiring.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "api/dynamodb/service.h"
#include "async/offload.h"
#include "async/wait.h"
#include "aws/door.h"
#include "base/json.h"
#include "base/log.h"
#include "base/version.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/socket.h"
#include "net/tls.h"
#include "platform/dispatcher.h"
#include "platform/durable_timers.h"
#include "platform/gate.h"
#include "platform/http_front.h"
#include "platform/iam_signer.h"
#include "platform/stream_wakeups.h"
#include "sandbox/engine.h"
#include "server/admin.h"
#include "server/front_loop.h"
#include "server/function_host.h"
#include "server/init_scripts.h"
#include "server/role_credentials.h"
#include "server/root_key.h"
#include "services/apigatewayv2/binding.h"
#include "services/apigatewayv2/client_upstream.h"
#include "services/apigatewayv2/data_plane.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/service_integration.h"
#include "services/dynamodb/catalog.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/streams_service.h"
#include "services/iam/accounts_config.h"
#include "services/iam/binding.h"
#include "services/iam/catalog.h"
#include "services/iam/identity.h"
#include "services/iam/service.h"
#include "services/lambda/catalog.h"
#include "services/lambda/engine_compute.h"
#include "services/lambda/function_url_plane.h"
#include "services/lambda/service.h"
#include "services/logs/binding.h"
#include "services/logs/service.h"
#include "services/s3/access_control.h"
#include "services/s3/binding.h"
#include "services/s3/cross_origin.h"
#include "services/s3/service.h"
#include "services/s3/website.h"
#include "services/sqs/binding.h"
#include "services/sqs/service.h"
#include "services/sts/binding.h"
#include "services/sts/service.h"
#include "storage/blob_files.h"
#include "storage/blob_store.h"
#include "storage/shard.h"

namespace virga::server {

namespace {

constexpr int kPoolThreads = 2;
constexpr int kNameThreads = 4;
// An interpreter without functions stays this many times as long as a function without invokes: it
// serves all of them, and takes half a second to come back.
constexpr int64_t kIdleInterpreters = 12;
// The writer is one: more loops than this only wait for it.
constexpr int kLoopsByDefaultMax = 8;
// A log in memory is trimmed by whole segments: small ones keep it small. The largest transaction
// fits into one: 4 MB of items with their index entries, change records and histories.
constexpr uint64_t kMemorySegmentBytes = 32 << 20;
// Half of it is kept for filters and indexes, of which ten million small items have some 20 MiB:
// with less, a read of any item reads a whole filter first. It is taken as it is used. A store in
// memory has its blocks there already.
constexpr size_t kBlockCacheBytes = 128 << 20;

// Stands where no launcher is: functions are kept, none can run.
class NoCompute final : public lambda::Compute {
 public:
  Task<std::unique_ptr<lambda::Sandbox>> start(std::shared_ptr<const lambda::SandboxSpec>,
                                               std::string, lambda::LogSink) override {
    co_return fail("ServiceException", 500, "this process has no sandbox engine");
  }
  std::optional<RuntimeVersion> runtime_version(const std::string&) const override {
    return std::nullopt;
  }
};

// HTTP APIs as the front sees them.
class ExecuteApi final : public platform::DataPlaneHandler {
 public:
  ExecuteApi(apigatewayv2::DataPlane& data_plane, const apigatewayv2::Service& service)
      : data_plane_(data_plane), service_(service) {}
  bool claims(std::string_view host) const override { return service_.has_domain(host); }
  Task<net::HttpResponse> handle(net::HttpRequest& request) override {
    auto address = apigatewayv2::data_plane_address(request);
    if (!address) {
      address =
          co_await service_.custom_address(apigatewayv2::called_host(request), request.path());
    }
    if (!address) {
      net::HttpResponse none;
      none.status = 404;
      none.headers.add("Content-Type", "application/json");
      none.body = "{\"message\":\"Not Found\"}";
      co_return std::move(none);
    }
    net::HttpResponse answer = co_await data_plane_.handle(request, *address);
    co_return std::move(answer);
  }

 private:
  apigatewayv2::DataPlane& data_plane_;
  const apigatewayv2::Service& service_;
};

// Deployment packages are unpacked where sandboxes can read them; without a data folder, in a
// folder of this process.
struct CodeFolder {
  std::filesystem::path path;
  bool temporary = false;
  ~CodeFolder() {
    std::error_code ignored;
    if (temporary) std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

// Declared in the order of construction: what stands below uses what stands above.
struct Wiring::Parts {
  Parts(async::EpollLoop& l, const ServeOptions& o) : loop(l), options(o) {}

  bool strict() const { return options.auth == AuthMode::strict; }
  // Who may use a customer's own endpoints with AWS_IAM.
  std::unique_ptr<platform::IamSigner> make_signer(std::string_view service,
                                                   std::string_view action) {
    return std::make_unique<platform::IamSigner>(
        *identity, strict() ? gate.get() : nullptr, env,
        platform::IdentifyOptions{strict(), options.account_id, options.region}, service, action);
  }
  storage::FileSystem& files() {
    return memory_files ? *memory_files : storage::local_file_system();
  }

  async::EpollLoop& loop;
  const ServeOptions options;
  async::Env& env = async::real_env();
  platform::Metrics metrics;

  std::unique_ptr<storage::FileSystem> memory_files;  // with --memory
  std::unique_ptr<storage::Shard> shard;
  std::unique_ptr<platform::Dispatcher> dispatcher;

  std::unique_ptr<async::Pool> pool = async::make_thread_pool(kPoolThreads);
  // Names that do not resolve hold a thread for half a minute: nothing else waits for these.
  std::unique_ptr<async::Pool> names = async::make_thread_pool(kNameThreads);
  std::unique_ptr<storage::BlobStore> blobs;
  std::unique_ptr<platform::DurableTimers>
      timers;  // started when every service has registered its kinds

  std::unique_ptr<iam::Identity> identity;
  std::unique_ptr<iam::Catalog> iam_catalog;
  std::unique_ptr<lambda::Catalog> lambda_catalog;
  std::unique_ptr<dynamodb::Catalog> dynamodb_catalog;
  std::unique_ptr<platform::Gate> gate;
  std::unique_ptr<iam::Service> iam;
  std::unique_ptr<sts::Service> sts;
  std::unique_ptr<logs::Service> logs;
  platform::StreamWakeups stream_wakeups;
  std::unique_ptr<sqs::Service> sqs;
  std::unique_ptr<dynamodb::Service> dynamodb;
  s3::Owners s3_owners;
  std::unique_ptr<s3::Notifications> s3_notifications;
  std::unique_ptr<s3::Service> s3;
  std::unique_ptr<dynamodb::StreamsService> dynamodb_streams;
  std::unique_ptr<s3::AccessControl> s3_access;
  std::unique_ptr<s3::CrossOrigin> s3_origins;
  std::unique_ptr<s3::Website> s3_website;

  int launcher_fd = -1;  // until the engine takes it
  CodeFolder code_folder;
  std::unique_ptr<sandbox::Engine> engine;
  std::unique_ptr<RoleCredentials> role_credentials;
  std::unique_ptr<lambda::CodeStore> code;
  std::unique_ptr<lambda::Compute> compute;
  std::unique_ptr<lambda::Service> lambda;
  std::unique_ptr<platform::IamSigner> url_signer;
  std::unique_ptr<lambda::FunctionUrlPlane> function_urls;

  std::unique_ptr<net::HttpClient> http_client;
  apigatewayv2::ClientUpstream upstream;
  std::unique_ptr<apigatewayv2::Service> apigatewayv2;
  std::unique_ptr<platform::IamSigner> api_signer;
  std::unique_ptr<apigatewayv2::ServiceCaller> api_services;
  std::unique_ptr<apigatewayv2::DataPlane> data_plane;
  std::unique_ptr<ExecuteApi> execute_api;

  std::string own_url;  // of the first listener for all services
  std::unique_ptr<InitScripts> init_scripts;
  std::unique_ptr<RootKey> root_key;
  std::unique_ptr<Admin> admin;
  std::unique_ptr<platform::HttpFront> front;
  std::unique_ptr<net::HttpServer> http;
  std::vector<std::unique_ptr<FrontLoop>> more_loops;
};

namespace {

std::string address_text(const ListenAddress& address, int port) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (address.service.empty() ? "" : address.service + "=") +
         (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(port);
}

// How a program on this machine reaches the listener.
std::string own_url(const ListenAddress& address, int port) {
  const bool any = address.host == "0.0.0.0" || address.host == "::";
  const bool v6 = !any && address.host.find(':') != std::string::npos;
  const std::string host = any ? "127.0.0.1" : address.host;
  return "http://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

Wiring::Wiring(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Wiring::~Wiring() {
  if (parts_->launcher_fd >= 0) ::close(parts_->launcher_fd);
}

Result<std::unique_ptr<Wiring>> Wiring::build(async::EpollLoop& loop, const ServeOptions& options,
                                              int launcher_fd) {
  auto parts = std::make_unique<Parts>(loop, options);
  Parts& p = *parts;
  p.launcher_fd = launcher_fd;
  if (options.memory) p.memory_files = storage::make_memory_file_system();
  storage::ShardOptions shard_options;
  if (options.memory) {
    shard_options.segment_bytes = kMemorySegmentBytes;
  } else {
    shard_options.block_cache_bytes = kBlockCacheBytes;
  }
  VIRGA_TRY(shard, storage::Shard::open(p.files(), options.data_dir, shard_options, loop));
  p.shard = std::move(shard);
  p.dispatcher = std::make_unique<platform::Dispatcher>(
      *p.shard, p.env, p.metrics, platform::Dispatcher::Options{.strict = p.strict()});
  return std::unique_ptr<Wiring>(new Wiring(std::move(parts)));
}

Task<void> Wiring::load() {
  Parts& p = *parts_;
  const auto mode = p.strict() ? platform::AuthMode::strict : platform::AuthMode::open;

  p.identity = co_await iam::Identity::open(*p.shard, p.env);
  co_await load_identities();
  p.gate = std::make_unique<platform::Gate>(*p.identity, p.env);
  p.iam_catalog = std::make_unique<iam::Catalog>(*p.shard);
  p.gate->add("iam", *p.iam_catalog);
  p.lambda_catalog = std::make_unique<lambda::Catalog>(*p.shard);
  p.gate->add("lambda", *p.lambda_catalog);
  p.dynamodb_catalog = std::make_unique<dynamodb::Catalog>(*p.shard);
  p.gate->add("dynamodb", *p.dynamodb_catalog);
  p.dispatcher->set_gate(*p.gate);
  p.iam = std::make_unique<iam::Service>(*p.shard, *p.identity, mode);
  p.dispatcher->add(iam::make_binding(*p.iam));
  p.sts = std::make_unique<sts::Service>(*p.identity, mode);
  p.dispatcher->add(sts::make_binding(*p.sts));
  p.timers = std::make_unique<platform::DurableTimers>(*p.shard, p.env);
  p.logs = std::make_unique<logs::Service>(*p.shard, p.env);
  p.logs->deliver_to(*p.dispatcher, *p.timers);
  p.dispatcher->add(logs::make_binding(*p.logs));
  p.sqs = std::make_unique<sqs::Service>(
      *p.shard, p.env, sqs::ServiceOptions{.lifecycle_delay_ms = p.options.lifecycle_delay_ms});
  p.gate->add("sqs", *p.sqs);
  p.dispatcher->add(sqs::make_binding(*p.sqs));
  co_await p.sqs->start();

  p.dynamodb = std::make_unique<dynamodb::Service>(
      *p.shard, p.env, *p.timers, p.stream_wakeups,
      dynamodb::ServiceOptions{.lifecycle_delay_ms = p.options.lifecycle_delay_ms});
  p.dynamodb->set_door(*p.dispatcher, *p.logs, *p.pool);
  p.dispatcher->add(dynamodb::make_binding(*p.dynamodb));
  p.dynamodb_streams = std::make_unique<dynamodb::StreamsService>(*p.shard);
  p.dispatcher->add(dynamodb::make_binding(*p.dynamodb_streams));
  p.dispatcher->set_home(p.loop);
  p.dispatcher->run_anywhere(dynamodb::api::service_desc(), dynamodb::operations_of_any_loop());
  p.dynamodb->start();

  p.blobs = co_await storage::BlobStore::open(p.files(), p.options.data_dir + "/blobs", *p.shard,
                                              *p.pool);
  co_await load_s3();
  p.dynamodb->resume_transfers();

  co_await load_functions();

  net::HttpClientOptions client;
  // A tenant's integration must not be a way to this machine's own services.
  if (p.strict())
    client.allow = [](const net::SocketAddress& to) { return !net::is_internal_address(to.host); };
  p.http_client = std::make_unique<net::HttpClient>(p.loop, *p.names, std::move(client));
  p.upstream.add(p.loop, *p.http_client);
  p.apigatewayv2 = std::make_unique<apigatewayv2::Service>(*p.shard, p.env);
  p.dispatcher->add(apigatewayv2::make_binding(*p.apigatewayv2));
  p.api_signer = p.make_signer("execute-api", "execute-api:Invoke");
  const auto find_operation = [](std::string_view service,
                                 std::string_view operation) -> const aws::OperationDesc* {
    const aws::ServiceDesc* desc = aws::find_service(service);
    return desc ? aws::find_operation(*desc, operation) : nullptr;
  };
  p.api_services = std::make_unique<apigatewayv2::ServiceCaller>(
      *p.dispatcher, find_operation, p.strict() ? p.gate.get() : nullptr);
  p.data_plane = std::make_unique<apigatewayv2::DataPlane>(
      apigatewayv2::DataPlane::Parts{.env = p.env,
                                     .apis = *p.apigatewayv2,
                                     .functions = p.lambda->invoker(),
                                     .upstream = p.upstream,
                                     .authorizations = p.apigatewayv2->authorizations(),
                                     .signer = p.api_signer.get(),
                                     .logs = p.logs.get(),
                                     .services = p.api_services.get()});
  p.execute_api = std::make_unique<ExecuteApi>(*p.data_plane, *p.apigatewayv2);
  co_await p.s3_notifications->start();  // every destination is there
  co_return ok();
}

// The configuration's accounts; in strict mode the first root key, which is shown once and never
// again.
Task<void> Wiring::load_identities() {
  Parts& p = *parts_;
  auto keys = co_await iam::parse_accounts(p.options.accounts);
  co_await p.identity->preload(std::move(keys));
  if (!p.strict()) co_return ok();
  const auto root = co_await p.identity->ensure_root_key(p.options.account_id);
  if (!root) co_return ok();
  std::printf(
      "Root key of account %s (shown this once):\n  AWS_ACCESS_KEY_ID=%s\n  "
      "AWS_SECRET_ACCESS_KEY=%s\n",
      p.options.account_id.c_str(), root->access_key_id.c_str(), root->secret.c_str());
  std::fflush(stdout);
  co_return ok();
}

// S3 and who may use it.
Task<void> Wiring::load_s3() {
  Parts& p = *parts_;
  p.s3_owners = co_await s3::Owners::parse(p.options.accounts);
  const auto mode = p.strict() ? platform::AuthMode::strict : platform::AuthMode::open;
  p.s3_notifications =
      std::make_unique<s3::Notifications>(*p.shard, *p.timers, p.env, *p.dispatcher, mode);
  p.s3_access =
      std::make_unique<s3::AccessControl>(*p.shard, *p.identity, p.s3_owners, p.env, mode);
  p.s3 = std::make_unique<s3::Service>(*p.shard, *p.blobs, p.env, *p.pool, p.s3_owners,
                                       *p.s3_notifications, *p.s3_access, *p.timers);
  p.s3_origins = std::make_unique<s3::CrossOrigin>(*p.shard);
  p.s3_website = std::make_unique<s3::Website>(*p.s3, *p.s3_access, *p.s3_origins, *p.shard, p.env,
                                               p.options.region);
  aws::ServiceBinding binding = s3::make_binding(*p.s3);
  p.dispatcher->set_authorizer(*binding.service, *p.s3_access);
  p.dispatcher->add(std::move(binding));
  p.s3->start();
  co_return ok();
}

// Lambda and what runs its functions.
Task<void> Wiring::load_functions() {
  Parts& p = *parts_;
  const std::vector<uint16_t> ports = platform_ports(p.options);
  sandbox::RuntimePaths runtimes(p.options.runtimes.begin(), p.options.runtimes.end());
  p.role_credentials = std::make_unique<RoleCredentials>(
      *p.identity, p.strict() ? platform::AuthMode::strict : platform::AuthMode::open);
  const CodeFolderPlace place =
      p.options.code_folder.empty()
          ? code_folder(p.options)
          : CodeFolderPlace{p.options.code_folder, p.options.code_folder_temporary};
  p.code_folder.temporary = place.temporary;
  p.code_folder.path = place.path;
  lambda::CodeStore::Options code;
  code.zip_dir = p.options.data_dir + "/packages";
  code.folder_dir = p.code_folder.path.string();
  p.code = std::make_unique<lambda::CodeStore>(p.files(), *p.pool, std::move(code));
  co_await p.code->collect(*p.shard->snapshot());

  if (p.launcher_fd >= 0) {
    sandbox::EngineOptions engine;
    engine.runtime_paths = runtimes;
    engine.platform_ports = ports;
    if (p.options.function_network == "egress") engine.resolver = sandbox::machine_resolver();
    engine.cool_after_ms = kIdleInterpreters * p.options.function_idle_ms;
    engine.on_platform_connection = [&p](int fd, const sandbox::PlatformPeer& peer) {
      net::ListenerInfo info;
      info.tag = "sandbox";
      info.id = peer.owner;
      info.host = "127.0.0.1";
      info.port = peer.port;
      p.http->adopt_connection(fd, std::move(info));
    };
    p.engine =
        co_await sandbox::Engine::open(p.loop, std::exchange(p.launcher_fd, -1), std::move(engine));
    lambda::EngineCompute::Options compute;
    compute.runtime_paths = runtimes;
    compute.endpoint_url = "http://127.0.0.1:" + std::to_string(ports.front());
    compute.edge_port = ports.front();
    p.compute = std::make_unique<lambda::EngineCompute>(*p.engine, p.env, *p.code,
                                                        *p.role_credentials, std::move(compute));
  } else {
    p.compute = std::make_unique<NoCompute>();
  }

  lambda::ServiceOptions options;
  options.lifecycle_delay_ms = p.options.lifecycle_delay_ms;
  options.retry_base_delay_ms = p.options.lambda_retry_base_delay_ms;
  options.scheduler.idle_ms = p.options.function_idle_ms;
  if (p.strict()) options.gate = p.gate.get();
  options.call = [&p](aws::CallContext call, std::string service, std::string operation,
                      Document input) {
    return aws::call_by_name(*p.dispatcher, std::move(call), std::move(service),
                             std::move(operation), std::move(input));
  };
  options.has_service = [&p](std::string_view service) {
    const auto all = p.dispatcher->implemented_services();
    return std::find(all.begin(), all.end(), service) != all.end();
  };
  options.stream_wakeups = &p.stream_wakeups;
  p.lambda = std::make_unique<lambda::Service>(*p.shard, p.loop, *p.compute, *p.code, *p.logs,
                                               *p.timers, options);
  p.lambda->set_door(*p.dispatcher);
  p.dispatcher->add(lambda::make_binding(*p.lambda));
  p.url_signer = p.make_signer("lambda", "lambda:InvokeFunctionUrl");
  p.function_urls = std::make_unique<lambda::FunctionUrlPlane>(*p.lambda, *p.url_signer);
  p.timers->start();
  co_await p.logs->start();
  co_await p.lambda->start();
  co_return ok();
}

Task<void> Wiring::reset() {
  Parts& p = *parts_;
  p.lambda->retire_everything();
  std::vector<storage::BlobPlace> content = p.blobs->kept();
  const storage::Lsn lsn = co_await p.shard->reset();
  co_await p.shard->wait_durable(lsn);
  co_await p.blobs->forget(std::move(content));
  co_return ok();
}

Task<net::HttpResponse> Wiring::local(net::HttpRequest& request) {
  Parts& p = *parts_;
  if (request.path().starts_with(lambda::CodeDownloads::kPrefix)) {
    const std::string target(request.target());
    net::HttpResponse answer;
    answer.headers.add("Content-Type", "application/zip");
    answer.body = co_await p.lambda->downloads().fetch(target, p.env.wall.now());
    co_return std::move(answer);
  }
  net::HttpResponse answer = co_await p.admin->handle(request);
  co_return std::move(answer);
}

Task<std::string> Wiring::start() {
  Parts& p = *parts_;
  const bool strict = p.strict();

  AdminHooks hooks;
  if (strict) {
    p.root_key =
        std::make_unique<RootKey>(*p.identity, p.env, p.options.account_id, p.options.region);
    hooks.authorise = [&p](net::HttpRequest& request, std::string_view body) {
      return p.root_key->require(&request, body);
    };
  }
  hooks.region = p.options.region;
  hooks.reset = [this] { return reset(); };
  hooks.implemented_services = [&p] { return p.dispatcher->implemented_services(); };
  hooks.init_json = [&p] { return p.init_scripts->state(); };
  hooks.requests_in_flight = [&p]() -> Task<std::vector<RequestInFlight>> {
    std::vector<RequestInFlight> all = requests_in_flight(*p.front, p.env);
    for (const auto& loop : p.more_loops) {
      for (RequestInFlight& one : co_await loop->in_flight()) all.push_back(std::move(one));
    }
    co_return std::move(all);
  };
  hooks.info_json = [&p] {
    const auto stats = p.shard->stats();
    return to_json(Document::object()
                       .set("version", kVersion)
                       .set("auth", p.options.auth == AuthMode::strict ? "strict" : "open")
                       .set("account", p.options.account_id)
                       .set("region", p.options.region)
                       .set("memory", p.options.memory)
                       .set("publishedLsn", static_cast<int64_t>(stats.published))
                       .set("logBytes", static_cast<int64_t>(stats.log_bytes))
                       .set("lowSpace", stats.low_space));
  };
  p.init_scripts = std::make_unique<InitScripts>(p.options);
  p.admin = std::make_unique<Admin>(p.metrics, p.env, std::move(hooks));

  platform::HttpFrontOptions front_options;
  front_options.identify = {strict, p.options.account_id, p.options.region};
  front_options.cors_origins = p.options.cors_origins;
  front_options.pool = p.pool.get();
  p.front = std::make_unique<platform::HttpFront>(*p.dispatcher, *p.identity, p.env, p.metrics,
                                                  front_options);
  p.front->admin = [this](net::HttpRequest& request) { return local(request); };
  p.front->home = [&p](const net::HttpRequest& request) { return p.admin->home(request); };
  p.front->execute_api = p.execute_api.get();
  p.front->s3_origins = p.s3_origins.get();
  p.front->function_url = p.function_urls.get();
  p.front->website = p.s3_website.get();
  p.http = std::make_unique<net::HttpServer>(p.loop, *p.front);

  std::shared_ptr<net::TlsContext> tls;
  if (!p.options.tls_cert.empty()) {
    auto read = p.options.tls_files ? *p.options.tls_files
                                    : net::TlsFiles::read(p.options.tls_cert, p.options.tls_key);
    const net::TlsFiles files = co_await std::move(read);
    tls = co_await net::TlsContext::server(files.certificates, files.key);
  }
  // TODO(perf): an encrypted connection cannot move to another loop once its handshake is done;
  // such servers have one.
  const int loops = tls                   ? 1
                    : p.options.loops > 0 ? p.options.loops
                                          : std::min(usable_processors(), kLoopsByDefaultMax);
  for (int i = 1; i < loops; ++i) {
    p.more_loops.push_back(std::make_unique<FrontLoop>(*p.dispatcher, *p.identity, p.env, p.metrics,
                                                       front_options, *p.http));
  }
  for (const ListenAddress& address : p.options.listen)
    co_await net::refuse_taken(address.host, address.port);
  std::string where;
  for (const ListenAddress& address : p.options.listen) {
    if (!address.service.empty() && !aws::find_service(address.service)) {
      co_return fail("Usage", 400, "--listen " + address.service + "=…: there is no such service");
    }
    net::ListenerInfo info;
    info.host = address.host;
    info.port = address.port;
    info.tls = tls;
    if (!address.service.empty()) {
      info.tag = "service";
      info.id = address.service;
    }
    const auto port = p.http->listen(info);
    // A machine without IPv6 has no ::1; the IPv4 address serves everyone there.
    if (!port && address.host == "::1" && p.options.listen.size() > 1) {
      LOG_WARN("listener_left_out", kv("host", address.host), kv("message", port.error().message));
      continue;
    }
    if (!port) co_return fail(port.error());
    if (address.service.empty() && p.own_url.empty()) p.own_url = own_url(address, *port);
    info.port = *port;
    for (const auto& loop : p.more_loops) co_await loop->listen(info);
    where += (where.empty() ? "" : ", ") + address_text(address, *port);
  }
  co_await p.lambda->start_event_sources();  // what they call can reach this server
  co_return std::move(where);
}

Task<void> Wiring::run_init_scripts() {
  Parts& p = *parts_;
  co_await p.init_scripts->run(p.own_url);
  co_return ok();
}

Task<void> Wiring::stop() {
  Parts& p = *parts_;
  // First those that may still give connections to this one.
  for (const auto& loop : p.more_loops) co_await loop->drain();
  if (p.lambda) co_await p.lambda->stop_event_sources();
  if (p.sqs) co_await p.sqs->stop();  // who waits for messages is answered
  if (p.http) co_await p.http->drain();
  p.more_loops.clear();
  if (p.s3_notifications) co_await p.s3_notifications->stop();
  if (p.lambda) co_await p.lambda->stop();
  if (p.dynamodb) co_await p.dynamodb->stop();
  if (p.s3) co_await p.s3->stop();
  if (p.logs) co_await p.logs->stop();
  if (p.timers) co_await p.timers->stop();
  if (p.engine) co_await p.engine->close();
  co_return ok();
}

void Wiring::attach_launcher(int launcher_fd) {
  if (parts_->engine) {
    LOG_WARN("launcher_replaced");
    parts_->engine->attach_launcher(launcher_fd);
  } else {
    ::close(launcher_fd);
  }
}

const platform::Dispatcher& Wiring::dispatcher() const {
  return *parts_->dispatcher;
}

}  // namespace virga::server
