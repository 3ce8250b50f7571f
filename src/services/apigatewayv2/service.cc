#include "services/apigatewayv2/service.h"

#include "services/apigatewayv2/compile.h"

namespace virga::apigatewayv2 {

Service::Service(storage::Shard& shard, async::Env& env)
    : shard_(shard), env_(env), authorizations_(env.steady) {}
Service::~Service() = default;

std::string Service::new_id(size_t length) const {
  static constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string id;
  for (size_t i = 0; i < length; ++i) id += kLetters[env_.random.below(kLetters.size())];
  return id;
}

Result<void> Service::require_api(const storage::View& view, const RequestContext& context,
                                  std::string_view api_id) const {
  VIRGA_TRY(owner, read_owner(view, api_id));
  if (!owner || owner->account != context.account || owner->region != context.region) {
    return fail(errors::no_such_api(context.account, api_id));
  }
  return {};
}

Result<ApiState> Service::load_owned(const storage::View& view, const RequestContext& context,
                                     std::string_view api_id) const {
  VIRGA_TRY_VOID(require_api(view, context, api_id));
  VIRGA_TRY(state, load_api(view, api_id));
  if (!state) return fail(errors::no_such_api(context.account, api_id));
  return std::move(*state);
}

void Service::changed(const std::string& api_id, storage::Lsn lsn) {
  const std::lock_guard lock(mutex_);
  if (compiled_.size() >= kCompiledMax && !compiled_.contains(api_id)) compiled_.clear();
  auto& entry = compiled_[api_id];
  entry.changed = std::max(entry.changed, lsn);
}

Result<std::shared_ptr<const CompiledApi>> Service::find_api(std::string_view api_id) {
  const storage::Generation generation = shard_.generation();
  {
    const std::lock_guard lock(mutex_);
    const auto it = compiled_.find(api_id);
    if (it != compiled_.end() && it->second.api && it->second.generation == generation &&
        it->second.loaded >= it->second.changed) {
      return it->second.api;
    }
  }
  // The snapshot is at least as new as what was published before it was taken.
  const storage::Lsn published = shard_.published();
  const auto view = shard_.snapshot();
  VIRGA_TRY(state, load_api(*view, api_id));
  std::shared_ptr<const CompiledApi> api;
  if (state) {
    VIRGA_TRY(compiled, compile_api(*state));
    api = std::move(compiled);
  }
  const std::lock_guard lock(mutex_);
  if (!api) {
    // Nothing is remembered of ids that do not exist: anybody may ask for any.
    if (const auto it = compiled_.find(api_id);
        it != compiled_.end() && published >= it->second.changed)
      compiled_.erase(it);
    return api;
  }
  if (compiled_.size() >= kCompiledMax && !compiled_.contains(api_id)) compiled_.clear();
  auto& entry = compiled_[std::string(api_id)];
  if (published >= entry.loaded) {
    entry.api = api;
    entry.loaded = published;
    entry.generation = generation;
  }
  return api;
}

// {id}.execute-api.{host} where such names resolve, the path form everywhere else. See
// docs/apigateway.md, "Addresses".
std::string Service::endpoint_of(const RequestContext& context, std::string_view api_id) {
  const Endpoint& endpoint = context.endpoint;
  const std::string_view host = endpoint.host;
  Endpoint named = endpoint;
  const std::string prefix = std::string(api_id) + ".execute-api.";
  if (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")) {
    const bool china = host.ends_with(".cn");
    named.host = prefix + context.region + (china ? ".amazonaws.com.cn" : ".amazonaws.com");
  } else if (host == "localhost" || host.ends_with(".localhost")) {
    named.host = prefix + "localhost";
  } else if (host == "localhost.localstack.cloud" ||
             host.ends_with(".localhost.localstack.cloud")) {
    named.host = prefix + "localhost.localstack.cloud";
  } else {
    return endpoint.url() + "/_aws/execute-api/" + std::string(api_id);
  }
  return named.url();
}

}  // namespace virga::apigatewayv2
