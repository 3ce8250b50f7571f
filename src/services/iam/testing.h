#pragma once

#include <memory>
#include <string>
#include <utility>

#include "aws/context.h"
#include "services/iam/identity.h"
#include "services/iam/service.h"
#include "storage/testing.h"

// IAM over the real shard and memory files, for tests of this service.
namespace virga::iam {

class IamFixture {
 public:
  IamFixture() { start(); }
  ~IamFixture() { stop(); }

  // What a crash and a new start leave.
  void restart() {
    stop();
    shard.reopen();
    start();
  }

  RequestContext context(std::string account = "111122223333") {
    RequestContext c;
    c.env = &shard.fake_env().env();
    c.account = account;
    c.region = "us-east-1";
    c.service = "iam";
    c.now = c.env->cloud.now();
    c.principal = {.kind = Principal::Kind::root,
                   .account = account,
                   .arn = "arn:aws:iam::" + account + ":root",
                   .user_id = account,
                   .access_key_id = "",
                   .service = ""};
    return c;
  }

  // Runs an operation as the door does: the answer counts once it is durable.
  template <class Input, class Output>
  Result<Output> call(Task<Output> (Service::*operation)(Ctx, Input), Input input) {
    RequestContext c = context();
    return call_as(c, operation, std::move(input));
  }
  template <class Input, class Output>
  Result<Output> call_as(RequestContext& c, Task<Output> (Service::*operation)(Ctx, Input),
                         Input input) {
    auto got = shard.run((service.get()->*operation)(Ctx(c), std::move(input)));
    if (c.depends_on_lsn) {
      auto durable = shard.run(shard->wait_durable(c.depends_on_lsn));
      if (!durable) return fail(durable.error());
    }
    return got;
  }

  storage::TestShard shard;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<Service> service;

 private:
  void start() {
    auto opened = shard.run(Identity::open(*shard, shard.fake_env().env()));
    identity = std::move(*opened);
    service = std::make_unique<Service>(*shard, *identity, platform::AuthMode::strict);
  }
  void stop() {
    service.reset();
    identity.reset();
  }
};

}  // namespace virga::iam
