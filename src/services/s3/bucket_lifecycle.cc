#include "api/s3/delete_bucket_lifecycle.h"
#include "api/s3/get_bucket_lifecycle_configuration.h"
#include "api/s3/put_bucket_lifecycle_configuration.h"
#include "async/wait.h"
#include "services/s3/configurations.h"
#include "services/s3/errors.h"
#include "services/s3/lifecycle.h"
#include "services/s3/object_access.h"
#include "services/s3/service.h"

// A bucket's lifecycle: its configuration, and every midnight (UTC, of the cloud clock) what it
// says is done. Source: S3 API Reference, PutBucketLifecycleConfiguration; S3 User Guide,
// "Expiring objects".
namespace virga::s3 {
namespace {

constexpr std::string_view kTimer = "s3-lifecycle";
constexpr std::string_view kAllOver128K = "all_storage_classes_128K";
constexpr size_t kRecordsPerSlice = 1000;
constexpr size_t kChoresPerCommit = 100;  // about a millisecond of the owner loop

// The timer that counts: a bucket whose rules are set anew does not get a second one.
void set_timer(S3Transaction& s3, platform::DurableTimers& timers, const Bucket& bucket,
               int64_t now_millis) {
  const int64_t due = next_midnight_millis(now_millis);
  const std::string text = std::to_string(due);
  s3.put_config(bucket, config::kLifecycleTimer, text);
  timers.set(s3.txn(), {Timestamp::from_millis(due)}, kTimer, bucket.name + "/" + text);
}

struct Chore {
  ListedVersion version;
  VersionPlace place;
  LifecycleAction action;
};

struct Slice {
  std::vector<Chore> chores;
  std::string next_key;
  bool more = false;
};

bool wants_tags(const LifecycleRules& rules) {
  for (const LifecycleRule& rule : rules) {
    if (!rule.tags.empty()) return true;
  }
  return false;
}

// All versions of one key, newest first.
Result<void> judge(const S3Reader& reader, const Bucket& bucket, const LifecycleRules& rules,
                   const std::vector<ListedVersion>& versions, bool has_current, int64_t now_millis,
                   std::vector<Chore>& chores) {
  const bool tagged = wants_tags(rules);
  VersionPlace place;
  place.alone = versions.size() == 1;
  for (size_t i = 0; i < versions.size(); ++i) {
    const ListedVersion& version = versions[i];
    place.current = i == 0 && has_current;
    place.noncurrent_since_millis =
        i == 0 ? version.modified_millis : versions[i - 1].modified_millis;
    std::vector<std::pair<std::string, std::string>> tags;
    if (tagged && !version.delete_marker) {
      VIRGA_TRY(whole, reader.version(bucket, version.key, version.version_id));
      if (whole) tags = std::move(whole->tags);
    }
    LifecycleAction action = lifecycle_action(rules, version, tags, place, now_millis);
    if (action.kind != LifecycleAction::Kind::keep)
      chores.push_back({version, place, std::move(action)});
    if (!place.current) ++place.newer_noncurrent;
  }
  return {};
}

// What is due from a key on, until some records have been seen.
Result<Slice> due_from(const S3Reader& reader, const Bucket& bucket, const LifecycleRules& rules,
                       const std::string& from_key, int64_t now_millis) {
  Slice out;
  auto cursor = reader.versions(bucket, from_key);
  std::vector<ListedVersion> of_key;
  bool has_current = false;
  size_t seen = 0;
  while (cursor.next()) {
    if (!of_key.empty() && of_key.front().key != cursor.key()) {
      VIRGA_TRY_VOID(judge(reader, bucket, rules, of_key, has_current, now_millis, out.chores));
      of_key.clear();
      if (seen >= kRecordsPerSlice) {
        out.next_key = cursor.key();
        out.more = true;
        return out;
      }
    }
    if (of_key.empty()) has_current = cursor.is_current();
    VIRGA_TRY(version, cursor.read_listed());
    of_key.push_back(std::move(version));
    ++seen;
  }
  VIRGA_TRY_VOID(cursor.status());
  VIRGA_TRY_VOID(judge(reader, bucket, rules, of_key, has_current, now_millis, out.chores));
  return out;
}

// What one chore makes known; nullopt: it was overtaken (by a write, by other tags, by other
// rules), or its object is locked.
Result<std::optional<ObjectEvent>> do_chore(S3Transaction& s3, const Bucket& bucket,
                                            const LifecycleRules& rules, const Chore& chore,
                                            const RequestContext& request,
                                            std::string_view chance) {
  const std::string& key = chore.version.key;
  VIRGA_TRY(found, s3.version(bucket, key, chore.version.version_id));
  if (!found || found->sequence != chore.version.sequence) return std::nullopt;
  VIRGA_TRY(current, s3.current(bucket, key));
  const bool is_current = current && current->sequence == found->sequence;
  if (is_current != chore.place.current) return std::nullopt;
  const LifecycleAction action =
      lifecycle_action(rules, chore.version, found->tags, chore.place, request.now.at.millis());
  if (action.kind != chore.action.kind || action.storage_class != chore.action.storage_class)
    return std::nullopt;
  if (chore.action.kind == LifecycleAction::Kind::move) {
    found->headers.storage_class = chore.action.storage_class;
    found->restored_until_millis = 0;
    VIRGA_TRY_VOID(s3.update(bucket, *found));
    return object_event("LifecycleTransition", bucket, *found);
  }
  const bool versions = bucket.versioning != Versioning::off;
  if (is_current && !found->delete_marker && versions) {
    ObjectVersion marker;
    marker.key = key;
    marker.delete_marker = true;
    marker.owner = bucket.owner;
    marker.modified_millis = stamp(request);
    VIRGA_TRY_VOID(s3.put_version(bucket, marker, {}, chance));
    return object_event("LifecycleExpiration:DeleteMarkerCreated", bucket, marker);
  }
  if (!check_unlocked(*found, request.now.at.millis(), false)) return std::nullopt;
  VIRGA_TRY_VOID(s3.erase(bucket, *found));
  ObjectEvent event;
  event.name = "LifecycleExpiration:Delete";
  event.key = key;
  if (versions) event.version_id = found->version_id;
  return event;
}

}  // namespace

Task<api::PutBucketLifecycleConfigurationOutput> Service::put_bucket_lifecycle_configuration(
    Ctx ctx, api::PutBucketLifecycleConfigurationInput input) {
  if (!input.lifecycle_configuration) co_return fail(errors::malformed_xml());
  api::BucketLifecycleConfiguration wanted = *input.lifecycle_configuration;
  co_await check_lifecycle(wanted);
  for (api::LifecycleRule& rule : wanted.rules) {
    if (rule.id.value_or("").empty()) rule.id = to_hex(env_.random.bytes(16));
  }
  const std::string minimum =
      input.transition_default_minimum_object_size.value_or(std::string(kAllOver128K));
  if (minimum != kAllOver128K)
    co_return fail(errors::not_implemented_header("x-amz-transition-default-minimum-object-size"));
  const std::string bytes = encode_config(wanted);
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    if (!bucket.lifecycle) set_timer(s3, timers_, bucket, ctx->now.at.millis());
    bucket.lifecycle = true;
    s3.put(bucket);
    s3.put_config(bucket, config::kLifecycle, bytes);
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  api::PutBucketLifecycleConfigurationOutput output;
  output.transition_default_minimum_object_size = minimum;
  co_return std::move(output);
}

Task<api::GetBucketLifecycleConfigurationOutput> Service::get_bucket_lifecycle_configuration(
    Ctx ctx, api::GetBucketLifecycleConfigurationInput input) {
  const auto bytes = co_await config_of(input.bucket, config::kLifecycle);
  if (!bytes) {
    co_return fail(errors::make("NoSuchLifecycleConfiguration", 404,
                                "The lifecycle configuration does not exist", "BucketName",
                                input.bucket));
  }
  auto configuration = co_await decode_config<api::BucketLifecycleConfiguration>(*bytes);
  api::GetBucketLifecycleConfigurationOutput output;
  output.rules = std::move(configuration.rules);
  output.transition_default_minimum_object_size = kAllOver128K;
  co_return std::move(output);
}

Task<api::DeleteBucketLifecycleOutput> Service::delete_bucket_lifecycle(
    Ctx ctx, api::DeleteBucketLifecycleInput input) {
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(bucket, s3.bucket(input.bucket));
    if (!bucket.lifecycle) return false;
    bucket.lifecycle = false;
    s3.put(bucket);
    s3.erase_config(bucket, config::kLifecycle);
    s3.erase_config(bucket, config::kLifecycleTimer);
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "there was one or not");
  co_return api::DeleteBucketLifecycleOutput{};
}

Result<LifecycleRules> lifecycle_of(const S3Reader& s3, const Bucket& bucket) {
  if (!bucket.lifecycle) return LifecycleRules{};
  VIRGA_TRY(bytes, s3.config(bucket, config::kLifecycle));
  if (!bytes) return LifecycleRules{};
  VIRGA_TRY(configuration, decode_config<api::BucketLifecycleConfiguration>(*bytes));
  return lifecycle_rules_of(configuration);
}

void Service::keep_lifecycles() {
  timers_.on(std::string(kTimer),
             [this](storage::Txn& txn, std::string_view payload) -> Result<void> {
               const size_t slash = payload.rfind('/');
               S3Transaction s3(txn, blobs_);
               VIRGA_TRY(bucket, s3.find_bucket(payload.substr(0, slash)));
               if (!bucket || !bucket->lifecycle) return {};
               VIRGA_TRY(counts, s3.config(*bucket, config::kLifecycleTimer));
               if (counts != payload.substr(slash + 1)) return {};
               set_timer(s3, timers_, *bucket, env_.cloud.now().at.millis());
               txn.on_published([this, life = std::weak_ptr(life_), name = bucket->name] {
                 if (!life.expired()) background_.spawn("s3_lifecycle", follow_lifecycle(name));
               });
               return {};
             });
}

Task<void> Service::follow_lifecycle(std::string name) {
  RequestContext request;
  request.env = &env_;
  request.service = "s3";
  request.operation = "Lifecycle";
  request.request_id = env_.random.uuid();
  request.principal.kind = Principal::Kind::service;
  request.principal.service = "lifecycle.s3.amazonaws.com";
  request.now = env_.cloud.now();
  const int64_t now = request.now.at.millis();
  const Ctx ctx(request);
  std::string key;
  for (bool more = true; more;) {
    Slice slice;
    std::vector<Upload> uploads;
    Bucket bucket;
    {
      const auto view = shard_.snapshot();
      const S3Reader reader(*view);
      auto found = co_await reader.find_bucket(name);
      if (!found || !found->lifecycle) co_return ok();
      bucket = std::move(*found);
      const LifecycleRules rules = co_await lifecycle_of(reader, bucket);
      slice = co_await due_from(reader, bucket, rules, key, now);
      const bool first = key.empty();
      if (first) {
        co_await reader.each_upload(bucket, {}, 0, [&](Upload&& upload) {
          if (is_upload_over(rules, upload, now)) uploads.push_back(std::move(upload));
          return true;
        });
      }
    }
    request.account = bucket.owner;
    request.region = bucket.region;
    request.partition = partition_of(bucket.region);
    size_t at = 0, upload_at = 0;
    while (at < slice.chores.size() || upload_at < uploads.size()) {
      const size_t end = std::min(at + kChoresPerCommit, slice.chores.size());
      const size_t upload_end = std::min(upload_at + kChoresPerCommit, uploads.size());
      const auto body = [&](S3Transaction& s3) -> Result<bool> {
        VIRGA_TRY(there, s3.bucket(name));
        VIRGA_TRY(rules, lifecycle_of(s3, there));  // as they are now
        for (size_t i = at; i < end; ++i) {
          VIRGA_TRY(event,
                    do_chore(s3, there, rules, slice.chores[i], request, env_.random.bytes(16)));
          if (event) VIRGA_TRY_VOID(notifications_.publish(s3, request, there, *event));
        }
        for (size_t i = upload_at; i < upload_end; ++i) {
          VIRGA_TRY(open, s3.find_upload(there, uploads[i].key, uploads[i].upload_id));
          if (open && is_upload_over(rules, *open, now)) VIRGA_TRY_VOID(s3.erase(there, *open, {}));
        }
        return there.lifecycle;
      };
      const bool goes_on = co_await write(ctx, body);
      if (!goes_on) co_return ok();
      at = end;
      upload_at = upload_end;
      co_await async::yield();
    }
    key = std::move(slice.next_key);
    more = slice.more;
  }
  co_return ok();
}

}  // namespace virga::s3
