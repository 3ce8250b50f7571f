#include "services/lambda/runnables.h"

#include "base/strings.h"
#include "services/lambda/errors.h"

namespace virga::lambda {
namespace {

constexpr size_t kEntriesMax = 10'000;  // beyond it a cache starts anew

std::shared_ptr<const Runnable> make(const FunctionName& name,
                                     std::shared_ptr<const FunctionRecord> function,
                                     VersionRecord version) {
  auto spec = std::make_shared<SandboxSpec>();
  spec->account = name.account;
  spec->region = name.region;
  spec->function_name = name.name;
  spec->version = version.version;
  spec->role_arn = version.role;
  spec->runtime = version.runtime;
  spec->handler = version.handler;
  spec->code_sha256_hex = version.code.sha256_hex;
  for (const auto& layer : version.layers) spec->layer_sha256_hex.push_back(layer.code.sha256_hex);
  spec->log_group = version.log_group;
  spec->log_format = version.log_format;
  spec->application_log_level = version.application_log_level;
  if (version.environment) spec->user_environment = *version.environment;
  spec->memory_mb = version.memory_mb;
  spec->tmp_mb = version.tmp_mb;
  spec->timeout_ms = int64_t{1000} * version.timeout_seconds;
  auto out = std::make_shared<Runnable>();
  out->function = std::move(function);
  out->arn = name.arn_of(version.version);
  out->version = std::move(version);
  out->spec = std::move(spec);
  return out;
}

template <class Map>
void keep(Map& map, std::string key, typename Map::mapped_type value) {
  if (map.size() >= kEntriesMax) map.clear();
  map.insert_or_assign(std::move(key), std::move(value));
}

}  // namespace

Result<Runnables::Function> Runnables::function(const storage::View& view,
                                                const FunctionName& name) {
  std::string key = store::function_key(store::owner_of(name), name.name);
  VIRGA_TRY(bytes, view.get(key));
  if (!bytes) return fail(errors::function_not_found(name.arn()));
  {
    const std::lock_guard lock(mutex_);
    const auto found = functions_.find(key);
    if (found != functions_.end() && found->second.bytes == *bytes) return found->second;
  }
  VIRGA_TRY(record, decode_function(*bytes));
  VersionRecord latest = record.latest;
  Function out{.bytes = std::move(*bytes),
               .record = std::make_shared<const FunctionRecord>(std::move(record))};
  out.latest = make(name, out.record, std::move(latest));
  const std::lock_guard lock(mutex_);
  keep(functions_, std::move(key), out);
  return out;
}

Result<std::shared_ptr<const Runnable>> Runnables::find(const storage::View& view,
                                                        const FunctionName& name, double chance) {
  VIRGA_TRY(function, this->function(view, name));
  const auto owner = store::owner_of(name);
  VIRGA_TRY(version, store::resolve_qualifier(view, name, function.record->id, chance));
  if (version == kLatest) return function.latest;
  const auto number = parse_int(version);
  if (!number || *number <= 0) return fail(errors::function_not_found(name.arn()));
  std::string key = store::version_key(owner, function.record->id, static_cast<uint64_t>(*number));
  VIRGA_TRY(bytes, view.get(key));
  if (!bytes) return fail(errors::function_not_found(name.arn()));
  {
    const std::lock_guard lock(mutex_);
    const auto found = versions_.find(key);
    if (found != versions_.end() && found->second.bytes == *bytes &&
        found->second.runnable->function == function.record) {
      return found->second.runnable;
    }
  }
  VIRGA_TRY(record, decode_version(*bytes));
  auto runnable = make(name, function.record, std::move(record));
  const std::lock_guard lock(mutex_);
  keep(versions_, std::move(key), {.bytes = std::move(*bytes), .runnable = runnable});
  return runnable;
}

}  // namespace virga::lambda
