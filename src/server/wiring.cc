#include "server/wiring.h"

#include <unistd.h>

#include "async/wait.h"
#include "base/json.h"
#include "base/log.h"
#include "base/version.h"
#include "net/http_server.h"
#include "platform/dispatcher.h"
#include "platform/http_front.h"
#include "server/admin.h"
#include "services/dynamodb/service.h"
#include "services/iam/binding.h"
#include "services/iam/identity.h"
#include "services/iam/service.h"
#include "storage/shard.h"

namespace virga::server {

// Declared in the order of construction: what stands below uses what stands above.
struct Wiring::Parts {
  Parts(async::EpollLoop& l, const ServeOptions& o) : loop(l), options(o) {}

  async::EpollLoop& loop;
  const ServeOptions options;
  async::Env& env = async::real_env();
  platform::Metrics metrics;

  std::unique_ptr<storage::FileSystem> memory_files;  // with --memory
  std::unique_ptr<storage::Shard> shard;
  std::unique_ptr<platform::Dispatcher> dispatcher;

  std::unique_ptr<iam::Identity> identity;
  std::unique_ptr<iam::Service> iam;
  std::unique_ptr<dynamodb::Service> dynamodb;

  std::unique_ptr<Admin> admin;
  std::unique_ptr<platform::HttpFront> front;
  std::unique_ptr<net::HttpServer> http;
};

namespace {

// Everything that services keep in memory hears of the new generation from the shard.
Task<void> reset_state(storage::Shard* shard) {
  const storage::Lsn lsn = co_await shard->reset();
  co_await shard->wait_durable(lsn);
  co_return ok();
}

std::string address_text(const ListenAddress& address, int port) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (address.service.empty() ? "" : address.service + "=") + (v6 ? "[" + address.host + "]" : address.host) +
         ":" + std::to_string(port);
}

}  // namespace

Wiring::Wiring(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Wiring::~Wiring() = default;

Result<std::unique_ptr<Wiring>> Wiring::build(async::EpollLoop& loop, const ServeOptions& options, int launcher_fd) {
  auto parts = std::make_unique<Parts>(loop, options);
  Parts& p = *parts;

  if (options.memory) p.memory_files = storage::make_memory_file_system();
  storage::FileSystem& files = options.memory ? *p.memory_files : storage::local_file_system();
  VIRGA_TRY(shard, storage::Shard::open(files, options.data_dir, storage::ShardOptions{}, loop));
  p.shard = std::move(shard);
  p.dispatcher = std::make_unique<platform::Dispatcher>(
      *p.shard, p.env, p.metrics, platform::Dispatcher::Options{.strict = options.auth == AuthMode::strict});
  return std::unique_ptr<Wiring>(new Wiring(std::move(parts)));
}

Task<void> Wiring::load() {
  Parts& p = *parts_;
  p.identity = co_await iam::Identity::open(*p.shard, p.env);
  p.iam = std::make_unique<iam::Service>(*p.shard, *p.identity);
  p.dispatcher->add(iam::make_binding(*p.iam));
  p.dispatcher->set_identity(*p.identity);
  p.dynamodb = std::make_unique<dynamodb::Service>(
      *p.shard, p.env, dynamodb::ServiceOptions{.lifecycle_delay_ms = p.options.lifecycle_delay_ms});
  p.dispatcher->add(dynamodb::make_binding(*p.dynamodb));
  co_return ok();
}

Task<std::string> Wiring::start() {
  Parts& p = *parts_;
  const bool strict = p.options.auth == AuthMode::strict;

  AdminHooks hooks;
  hooks.open_mode = !strict;
  hooks.region = p.options.region;
  hooks.reset = [&p]() -> Task<void> { return reset_state(p.shard.get()); };
  hooks.implemented_services = [&p] { return p.dispatcher->implemented_services(); };
  hooks.requests_in_flight = [&p] {
    std::vector<RequestInFlight> out;
    for (const platform::InFlight* one = p.front->in_flight(); one; one = one->next) {
      out.push_back({one->context->request_id, one->context->service, one->context->operation,
                     (p.env.steady.now() - one->since) / 1000});
    }
    return out;
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
  p.admin = std::make_unique<Admin>(p.metrics, p.env, std::move(hooks));

  platform::HttpFrontOptions front_options;
  front_options.identify = {strict, p.options.account_id, p.options.region};
  front_options.cors_origins = p.options.cors_origins;
  p.front = std::make_unique<platform::HttpFront>(*p.dispatcher, *p.identity, p.env, p.metrics, front_options);
  p.front->admin = [&p](net::HttpRequest& request) { return p.admin->handle(request); };
  p.http = std::make_unique<net::HttpServer>(p.loop, *p.front);

  std::string where;
  for (const ListenAddress& address : p.options.listen) {
    net::ListenerInfo info;
    info.host = address.host;
    info.port = address.port;
    if (!address.service.empty()) {
      info.tag = "service";
      info.id = address.service;
    }
    const auto port = p.http->listen(std::move(info));
    // A machine without IPv6 has no ::1; the IPv4 address serves everyone there.
    if (!port && address.host == "::1" && p.options.listen.size() > 1) {
      LOG_WARN("listener_left_out", kv("host", address.host), kv("message", port.error().message));
      continue;
    }
    if (!port) co_return fail(port.error());
    where += (where.empty() ? "" : ", ") + address_text(address, *port);
  }
  co_return std::move(where);
}

Task<void> Wiring::stop() {
  Parts& p = *parts_;
  if (p.http) co_await p.http->drain();
  co_return ok();
}

void Wiring::attach_launcher(int launcher_fd) { ::close(launcher_fd); }

const platform::Dispatcher& Wiring::dispatcher() const { return *parts_->dispatcher; }

}  // namespace virga::server
