#include "server/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/wait.h"
#include "base/json.h"
#include "base/log.h"

namespace virga::server {
namespace {

using testing::HasSubstr;

struct AdminFixture {
  async::EpollLoop loop{async::real_env()};
  platform::Metrics metrics;
  async::FakeEnv world;
  int resets = 0;

  net::HttpResponse ask(std::string_view method, std::string_view path, std::string body = {},
                        std::string host = "localhost:4566", bool open_mode = true,
                        bool root = false) {
    AdminHooks hooks;
    if (!open_mode) {
      hooks.authorise = [](net::HttpRequest& request, std::string_view) -> Task<void> {
        if (request.header("Authorization")) return ready_task(ok());
        return failed_task(
            AwsError{.code = "AccessDeniedException", .http_status = 403, .message = "no"});
      };
    }
    hooks.reset = [this]() -> Task<void> {
      ++resets;
      return ready_task(ok());
    };
    hooks.implemented_services = [] { return std::vector<std::string>{"dynamodb"}; };
    hooks.requests_in_flight = []() -> Task<std::vector<RequestInFlight>> {
      co_return std::vector<RequestInFlight>{{"id-1", "dynamodb", "Scan", 7}};
    };
    hooks.info_json = [] { return std::string("{}"); };
    hooks.init_json = [] { return Document::object(); };
    Admin admin(metrics, world.env(), std::move(hooks));
    std::vector<std::pair<std::string, std::string>> headers = {{"Host", host}};
    if (root) headers.emplace_back("Authorization", "of the root");
    const auto request =
        net::make_memory_request(method, path, std::move(headers), std::move(body));
    std::optional<net::HttpResponse> got;
    loop.post([&] {
      [](Admin* a, net::HttpRequest* r, std::optional<net::HttpResponse>* out) -> async::Detached {
        auto answer = co_await as_result(a->handle(*r));
        out->emplace(std::move(*answer));
      }(&admin, request.get(), &got);
    });
    while (!got) loop.run_once(10);
    return std::move(*got);
  }
};

TEST(Admin, only_local_names_may_reach_it) {
  for (const char* host : {"localhost", "127.0.0.1:4566", "[::1]:4566", "a.localhost", "192.0.2.1",
                           "localhost.localstack.cloud:4566"}) {
    EXPECT_TRUE(Admin::allowed_host(host)) << host;
  }
  for (const char* host :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", ""}) {
    EXPECT_FALSE(Admin::allowed_host(host)) << host;
  }
  AdminFixture f;
  EXPECT_EQ(f.ask("GET", "/_virga/health", {}, "evil.example").status, 403);
}

TEST(Admin, strict_mode_leaves_only_health_open) {
  AdminFixture f;
  EXPECT_EQ(f.ask("GET", "/_virga/health", {}, "localhost", false).status, 200);
  EXPECT_EQ(f.ask("POST", "/_virga/reset", {}, "localhost", false).status, 403);
  EXPECT_EQ(f.ask("GET", "/_virga/metrics", {}, "localhost", false).status, 403);
  EXPECT_EQ(f.ask("GET", "/_virga/metrics", {}, "localhost", false, true).status, 200);
  EXPECT_EQ(f.ask("POST", "/_virga/reset", {}, "localhost", false, true).status, 403);
  EXPECT_EQ(f.resets, 0);
}

TEST(Admin, reset_is_a_post_under_both_names) {
  AdminFixture f;
  EXPECT_EQ(f.ask("GET", "/_virga/reset").status, 405);
  EXPECT_EQ(f.ask("POST", "/_virga/reset").status, 200);
  EXPECT_EQ(f.ask("POST", "/moto-api/reset").status, 200);
  EXPECT_EQ(f.resets, 2);
}

TEST(Admin, the_cloud_clock_is_frozen_and_stepped) {
  AdminFixture f;
  EXPECT_THAT(f.ask("PUT", "/_virga/clock", R"({"freeze": "2030-01-01T00:00:00Z"})").body,
              HasSubstr("2030-01-01T00:00:00.000Z"));
  EXPECT_THAT(f.ask("PUT", "/_virga/clock", R"({"step_ms": 1500})").body,
              HasSubstr("2030-01-01T00:00:01.500Z"));
  EXPECT_EQ(f.ask("PUT", "/_virga/clock", R"({"stop": 1})").status, 400);
  EXPECT_THAT(f.ask("PUT", "/_virga/clock", R"({"follow": true})").body,
              HasSubstr("\"frozen\":false"));
}

TEST(Admin, shows_requests_in_flight_and_refuses_unknown_paths) {
  AdminFixture f;
  EXPECT_THAT(f.ask("GET", "/_virga/requests").body,
              HasSubstr(R"("operation":"Scan","ageMicroseconds":7)"));
  EXPECT_EQ(f.ask("GET", "/_virga/nothing").status, 404);
}

TEST(Admin, the_log_level_changes_while_running) {
  AdminFixture f;
  const LogLevel before = log_level();
  EXPECT_EQ(f.ask("PUT", "/_virga/log-level", R"({"level": "error"})").status, 200);
  EXPECT_EQ(log_level(), LogLevel::error);
  EXPECT_EQ(f.ask("PUT", "/_virga/log-level", R"({"level": "loud"})").status, 400);
  set_log_level(before);
}

}  // namespace
}  // namespace virga::server
