#pragma once

#include <memory>
#include <string>

#include "async/loop.h"
#include "async/task.h"
#include "server/options.h"

namespace virga::platform {
class Dispatcher;
}
namespace virga::net {
class HttpRequest;
struct HttpResponse;
}  // namespace virga::net

namespace virga::server {

// The composition root: owns the store, every service and the doors, constructed by name in one
// readable function (wiring.cc). One loop; no singletons anywhere else.
class Wiring {
 public:
  // Opens the store. `launcher_fd` < 0: without a sandbox engine (coverage, tests); functions then
  // cannot be invoked.
  static Result<std::unique_ptr<Wiring>> build(async::EpollLoop& loop, const ServeOptions& options,
                                               int launcher_fd);
  ~Wiring();

  // Constructs the services and loads what they keep in memory. On the loop, once, before start().
  Task<void> load();
  // Opens the listeners; their addresses as text. On the loop.
  Task<std::string> start();
  // The scripts of --init-dir, against the open listeners. Errors: the folder cannot be read.
  Task<void> run_init_scripts();
  // Finishes requests in flight, ends sandboxes, closes listeners. On the loop; once.
  Task<void> stop();
  // A launcher that replaces one that died.
  void attach_launcher(int launcher_fd);

  const platform::Dispatcher& dispatcher() const;

 private:
  struct Parts;
  Task<void> load_identities();
  Task<void> load_functions();
  Task<void> load_s3();
  Task<void> reset();
  Task<net::HttpResponse> local(net::HttpRequest& request);
  explicit Wiring(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace virga::server
