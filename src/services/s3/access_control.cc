#include "services/s3/access_control.h"

#include <array>

#include "api/s3/delete_objects.h"
#include "aws/router.h"
#include "aws/shape.h"
#include "base/strings.h"
#include "platform/authorizer.h"
#include "platform/resource_arns.h"
#include "services/s3/bucket_policy.h"
#include "services/s3/configurations.h"
#include "services/s3/copy_source.h"
#include "services/s3/errors.h"
#include "services/s3/object_attributes.h"
#include "storage/latest_view.h"

namespace virga::s3 {

using platform::AuthMode;
using platform::NeededAction;

// One bucket that a call touches: its own, or the source of a copy.
struct AccessControl::Call {
  Ctx ctx;
  // Whose condition keys count; null: there are none.
  const aws::OperationDesc* op = nullptr;
  const aws::StructBox* input = nullptr;
  std::string bucket_name;
  std::string expected_owner;  // empty: anybody
  bool charged = false;        // Requester Pays: the caller knows it
  bool copied_from = false;    // a copy's source, not what the request is addressed to
  std::string key;             // empty: the bucket itself
  std::string version_id;      // empty: the current one
  std::vector<NeededAction> actions;

  std::unique_ptr<storage::View> view;
  Bucket bucket;
  BucketAccess access;
  platform::PolicyRef policy;
  platform::PrincipalPolicies policies;
  platform::ConditionContext conditions;
  std::string caller_id;  // canonical; empty for anonymous callers

  const Principal& principal() const { return ctx->principal; }
  bool anonymous() const { return ctx->principal.kind == Principal::Kind::anonymous; }
  bool by_owner() const { return !anonymous() && ctx->principal.account == bucket.owner; }
};

namespace {

std::string text_of(const aws::StructBox& input, std::string_view member) {
  const auto texts = platform::texts_at(input.desc(), input.object(), member);
  return texts.empty() ? std::string() : texts.front();
}

bool has_member(const aws::OperationDesc& op, std::string_view name) {
  for (const aws::MemberDesc& member : op.input->members) {
    if (member.name == name) return true;
  }
  return false;
}

// "s3:GetObject" of a named version is "s3:GetObjectVersion". Lives for ever, as the actions of the
// model do. Source: Service Authorization Reference, Amazon S3.
std::string_view versioned_action(std::string_view action) {
  using Names = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Names, 9> kWithVersions{{
      {"s3:GetObject", "s3:GetObjectVersion"},
      {"s3:GetObjectAcl", "s3:GetObjectVersionAcl"},
      {"s3:PutObjectAcl", "s3:PutObjectVersionAcl"},
      {"s3:DeleteObject", "s3:DeleteObjectVersion"},
      {"s3:GetObjectTagging", "s3:GetObjectVersionTagging"},
      {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
      {"s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"},
      {"s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"},
      {"s3:GetObjectTorrent", "s3:GetObjectVersionTorrent"},
  }};
  for (const auto& [plain, versioned] : kWithVersions) {
    if (plain == action) return versioned;
  }
  return action;
}

bool reads_object(std::string_view action) {
  return action.starts_with("s3:GetObject");
}

// Source: S3 User Guide, "Enforce conditional writes on Amazon S3 buckets".
bool creates_object(const aws::OperationDesc& op) {
  return op.name == "PutObject" || op.name == "CopyObject" || op.name == "CompleteMultipartUpload";
}

// The tags that a request gives an object: in a header, or as PutObjectTagging's body. Tags that
// cannot be read are refused by the operation. Source: S3 User Guide, "Tagging and access control
// policies".
void add_tag_keys(platform::ConditionContext& conditions, const aws::StructBox& input) {
  Tags tags;
  const std::string header = text_of(input, "Tagging");
  if (!header.empty()) {
    tags = aws::parse_query(header);
  } else {
    const auto keys = platform::texts_at(input.desc(), input.object(), "Tagging.TagSet.Key");
    const auto values = platform::texts_at(input.desc(), input.object(), "Tagging.TagSet.Value");
    for (size_t i = 0; i < keys.size() && i < values.size(); ++i)
      tags.emplace_back(keys[i], values[i]);
  }
  for (auto& [key, value] : tags) {
    conditions.set("s3:RequestObjectTag/" + key, std::move(value));
    conditions.add("s3:RequestObjectTagKeys", key);
  }
}

bool is_policy_action(std::string_view action) {
  return action == "s3:GetBucketPolicy" || action == "s3:PutBucketPolicy" ||
         action == "s3:DeleteBucketPolicy";
}

// The bucket is elsewhere: where, for clients that follow. Source: S3 User Guide, "Making requests
// to a bucket in another Region"; recorded answers.
AwsError permanent_redirect(const Bucket& bucket) {
  const std::string endpoint = bucket.name + ".s3." + bucket.region + ".amazonaws.com";
  return {
      .code = "PermanentRedirect",
      .http_status = 301,
      .message =
          "The bucket you are attempting to access must be addressed using the specified endpoint. "
          "Please send all future "
          "requests to this endpoint.",
      .detail = std::make_shared<const Document>(Document::object()
                                                     .set("Endpoint", endpoint)
                                                     .set("Bucket", bucket.name)
                                                     .set("@x-amz-bucket-region", bucket.region))};
}

// Whoever is refused a bucket is told where it is. Source: S3 API Reference, HeadBucket.
AwsError with_region(AwsError error, const Bucket& bucket) {
  Document detail = error.detail ? *error.detail : Document::object();
  detail.set("@x-amz-bucket-region", bucket.region);
  error.detail = std::make_shared<const Document>(std::move(detail));
  return error;
}

// S3 puts the resource into quotes.
AwsError in_s3_words(AwsError error, std::string_view resource) {
  const std::string plain = " on resource: " + std::string(resource);
  const size_t at = error.message.find(plain);
  if (at != std::string::npos)
    error.message.replace(at, plain.size(), " on resource: \"" + std::string(resource) + "\"");
  return error;
}

}  // namespace

Task<platform::Admission> AccessControl::authorize(const aws::OperationDesc& op, Ctx ctx,
                                                   const aws::StructBox& input) {
  platform::Admission admission;
  // Services acting as themselves were let in by what they act for.
  if (ctx->principal.kind == Principal::Kind::service) co_return admission;
  Call call{.ctx = ctx, .op = &op, .input = &input};
  call.bucket_name = op.name == "CreateBucket" ? std::string() : text_of(input, "Bucket");
  call.expected_owner = text_of(input, "ExpectedBucketOwner");
  call.key = text_of(input, "Key");
  call.version_id = text_of(input, "VersionId");
  co_await know_caller(&call);
  if (call.bucket_name.empty()) {
    call.actions = platform::needed_actions(op, input, *ctx);
    co_await check_account_call(&call);
    co_return admission;
  }
  auto checking = check_bucket_call(&call);
  const Result<void> checked = co_await as_result(std::move(checking));
  if (!checked)
    co_return fail(call.key.empty() ? with_region(checked.error(), call.bucket) : checked.error());

  admission.requester_pays = call.charged;
  const std::string copy_source = text_of(input, "CopySource");
  if (copy_source.empty()) co_return admission;
  const auto source = parse_copy_source(copy_source);
  if (!source) co_return admission;  // the operation says what is wrong with it
  Call read{.ctx = ctx, .op = &op, .input = &input};
  read.copied_from = true;
  read.bucket_name = source->bucket;
  read.expected_owner = text_of(input, "ExpectedSourceBucketOwner");
  read.key = source->key;
  read.version_id = source->version_id.value_or("");
  read.caller_id = call.caller_id;
  read.policies = call.policies;
  NeededAction& needed = read.actions.emplace_back();
  needed.action = source->version_id ? "s3:GetObjectVersion" : "s3:GetObject";
  needed.resources.push_back("arn:" + ctx->partition + ":s3:::" + source->bucket + "/" +
                             source->key);
  co_await check_bucket_call(&read);
  admission.requester_pays = call.charged || read.charged;
  co_return admission;
}

// CreateBucket, ListBuckets: nobody's resources have a say.
Task<void> AccessControl::check_account_call(Call* call) {
  if (call->anonymous()) co_return fail(errors::access_denied());
  if (mode_ == AuthMode::open) co_return ok();
  platform::add_global_keys(call->conditions, *call->ctx, call->policies, call->ctx->account,
                            env_.wall.now(), {.secure = call->ctx->endpoint.scheme == "https"});
  platform::add_input_keys(call->conditions, *call->op, *call->input);
  for (const NeededAction& needed : call->actions) {
    const platform::AuthorizeRequest request{.principal = call->principal(),
                                             .policies = call->policies,
                                             .action = needed.action,
                                             .resources = needed.resources,
                                             .context = call->conditions,
                                             .resource_account = call->ctx->account,
                                             .style = platform::DenialStyle::query};
    const auto allowed = platform::authorize(request);
    if (!allowed) co_return fail(in_s3_words(allowed.error(), needed.resources.front()));
  }
  co_return ok();
}

Task<std::vector<Result<void>>> AccessControl::may_delete(Ctx ctx,
                                                          const api::DeleteObjectsInput* input) {
  const auto& objects = input->delete_.objects;
  std::vector<Result<void>> verdicts(objects.size());
  if (ctx->principal.kind == Principal::Kind::service) co_return std::move(verdicts);
  Call call{.ctx = ctx};
  call.bucket_name = input->bucket;
  co_await know_caller(&call);
  const bool open = co_await open_call(&call);
  if (!open) co_return std::move(verdicts);
  const platform::ConditionContext conditions = call.conditions;
  for (size_t i = 0; i < objects.size(); ++i) {
    call.key = objects[i].key;
    call.version_id = objects[i].version_id.value_or("");
    call.conditions = conditions;
    const std::string resource =
        "arn:" + ctx->partition + ":s3:::" + input->bucket + "/" + call.key;
    const bool newest = call.version_id.empty();
    call.actions.clear();
    call.actions.push_back({newest ? "s3:DeleteObject" : "s3:DeleteObjectVersion", {resource}});
    if (input->bypass_governance_retention.value_or(false))
      call.actions.push_back({"s3:BypassGovernanceRetention", {resource}});
    auto weighing = weigh(&call);
    verdicts[i] = co_await as_result(std::move(weighing));
  }
  co_return std::move(verdicts);
}

Task<void> AccessControl::know_caller(Call* call) {
  if (call->anonymous()) co_return ok();
  call->caller_id = owners_.of_account(call->principal().account).canonical_id;
  if (mode_ == AuthMode::strict)
    call->policies = co_await identity_.policies_for(call->principal(), nullptr);
  co_return ok();
}

Task<void> AccessControl::check_bucket_call(Call* call) {
  const bool open = co_await open_call(call);
  if (!open) co_return ok();
  // DeleteObjects' objects are judged one by one, by may_delete.
  if (call->actions.empty() && call->op->name != "DeleteObjects") {
    call->actions = platform::needed_actions(*call->op, *call->input, *call->ctx);
    if (!call->version_id.empty()) {
      for (NeededAction& needed : call->actions) needed.action = versioned_action(needed.action);
    }
  }
  co_await weigh(call);
  co_return ok();
}

Task<bool> AccessControl::open_call(Call* call) {
  if (call->op && call->version_id.empty()) {
    call->view = std::make_unique<storage::LatestView>(shard_);
  } else {
    call->view = shard_.snapshot();  // a version's records hang together
  }
  const S3Reader reader(*call->view);
  auto found = co_await reader.find_bucket(call->bucket_name);
  if (!found) co_return false;  // the operation says so
  call->bucket = std::move(*found);
  if (!call->expected_owner.empty() && call->expected_owner != call->bucket.owner)
    co_return fail(errors::access_denied());
  if (!call->anonymous() && !call->copied_from && call->ctx->region != call->bucket.region)
    co_return fail(permanent_redirect(call->bucket));

  if (!call->by_owner()) call->charged = co_await check_payer(*call, reader);

  const bool trusted = mode_ == AuthMode::open && call->by_owner();
  if (trusted) {  // what most calls are: nothing to weigh
    const auto policy = co_await reader.config(call->bucket, config::kPolicy);
    const auto ownership = co_await reader.config(call->bucket, config::kOwnership);
    if (!policy && ownership == ownership_name(Ownership::bucket_owner_enforced)) co_return false;
  }
  call->access = co_await load_access(reader, owners_, call->bucket);
  if (!call->access.policy.empty()) {
    const std::string policy = with_account_principals(call->access.policy, owners_);
    call->policy = co_await platform::PolicyDocument::parse(policy, platform::PolicyKind::resource);
  }
  // A loopback listener without TLS is as good as one with it: policies that ask for TLS hold in
  // strict mode only.
  const bool secure = mode_ == AuthMode::open || call->ctx->endpoint.scheme == "https";
  platform::add_global_keys(call->conditions, *call->ctx, call->policies, call->bucket.owner,
                            env_.wall.now(), {.secure = secure});
  call->conditions.set("s3:ResourceAccount", call->bucket.owner);
  if (call->op) {
    platform::add_input_keys(call->conditions, *call->op, *call->input);
    call->conditions.set("s3:ObjectCreationOperation",
                         creates_object(*call->op) ? "true" : "false");
    add_tag_keys(call->conditions, *call->input);
  }
  if (!call->ctx->signature_type.empty()) {
    call->conditions.set("s3:authType", std::string(call->ctx->signature_type));
    call->conditions.set("s3:signatureversion", std::string(call->ctx->signature_version));
  }
  co_return true;
}

// Where the requester pays, others than the owner say that they know it; nobody can charge who does
// not say who they are. Source: S3 User Guide, "Downloading objects from Requester Pays buckets".
Result<bool> AccessControl::check_payer(const Call& call, const S3Reader& reader) const {
  VIRGA_TRY(payer, reader.config(call.bucket, config::kRequestPayment));
  if (!payer || !call.op || (!call.anonymous() && !has_member(*call.op, "RequestPayer")))
    return false;
  if (!call.anonymous() && text_of(*call.input, "RequestPayer") == "requester") return true;
  return fail(errors::access_denied());
}

// All actions of an opened call, each on each of its resources.
Task<void> AccessControl::weigh(Call* call) {
  const S3Reader reader(*call->view);
  if (!call->key.empty()) {
    auto looked = call->version_id.empty()
                      ? reader.current(call->bucket, call->key)
                      : reader.version(call->bucket, call->key, call->version_id);
    const auto object = co_await std::move(looked);
    if (object) {
      for (const auto& [key, value] : object->tags)
        call->conditions.set("s3:ExistingObjectTag/" + key, value);
    }
  }
  for (const NeededAction& needed : call->actions) {
    for (const std::string& resource : needed.resources)
      co_await check_action(*call, needed.action, resource);
  }
  co_return ok();
}

Result<void> AccessControl::check_action(const Call& call, std::string_view action,
                                         const std::string& resource) const {
  const Principal& p = call.principal();
  const platform::PolicyCaller caller{
      .account = call.anonymous() ? std::string_view() : std::string_view(p.account),
      .arn = call.anonymous() ? std::string_view() : std::string_view(p.arn),
      .principal_arn = call.policies.principal_arn.empty()
                           ? std::string_view(p.arn)
                           : std::string_view(call.policies.principal_arn),
      .service = {},
      .anonymous = call.anonymous()};
  platform::PolicyVerdict verdict;
  if (call.policy)
    verdict = call.policy->evaluate(
        {.action = action, .resource = resource, .context = call.conditions, .caller = caller});
  const bool locked_out_root =
      p.kind == Principal::Kind::root && call.by_owner() && is_policy_action(action);
  if (verdict.denied && !locked_out_root && (mode_ == AuthMode::open || !call.by_owner()))
    return fail(errors::access_denied());
  if (call.access.block.restrict_public_buckets && call.access.public_policy && !call.by_owner())
    verdict.grant = platform::Grant::none;

  // A new object's list is its writer's to set: who may write it needs nobody else's leave.
  // Source: S3 User Guide, "Granting cross-account permissions to upload objects while ensuring
  // that the bucket owner has full control".
  const bool of_new_object =
      action == "s3:PutObjectAcl" && call.op && call.op->name != "PutObjectAcl";
  if (of_new_object && !call.by_owner()) {
    return call.anonymous() || mode_ == AuthMode::open ? Result<void>()
                                                       : check_identity(call, action, resource);
  }

  std::string owner = call.bucket.owner;
  std::optional<Acl> object_acl;
  if (is_object_acl_action(action) && !call.key.empty() &&
      !(mode_ == AuthMode::open && call.by_owner() && call.access.acls_disabled())) {
    const S3Reader reader(*call.view);
    VIRGA_TRY(object, call.version_id.empty()
                          ? reader.current(call.bucket, call.key)
                          : reader.version(call.bucket, call.key, call.version_id));
    if ((!object || object->delete_marker) && reads_object(action) && action != "s3:ListBucket") {
      // Who may list the bucket is told that there is nothing; who may not is told nothing.
      return check_action(call, "s3:ListBucket",
                          "arn:" + call.ctx->partition + ":s3:::" + call.bucket.name);
    }
    if (object && !call.access.acls_disabled()) {
      owner = object->owner;
      object_acl = object->acl.empty() ? private_acl(owners_.of_account(owner).canonical_id)
                                       : decode_acl(object->acl);
    }
  }
  const bool policy_grants =
      owner == call.bucket.owner && (call.anonymous() ? verdict.grant >= platform::Grant::direct
                                                      : verdict.grant != platform::Grant::none);
  const bool granted = policy_grants || acl_grants(call.access, object_acl, call.caller_id, action);
  if (call.anonymous()) return granted ? Result<void>() : fail(errors::access_denied());
  const bool own = p.account == owner;
  if (!own && !granted) return fail(errors::access_denied());
  if (mode_ == AuthMode::open || locked_out_root) return {};
  const bool policy_counts = own && owner == call.bucket.owner;
  const auto allowed =
      check_identity(call, action, resource, policy_counts ? call.policy.get() : nullptr);
  if (allowed) return {};
  return fail(own ? in_s3_words(allowed.error(), resource) : errors::access_denied());
}

Result<void> AccessControl::check_identity(const Call& call, std::string_view action,
                                           const std::string& resource,
                                           const platform::PolicyDocument* bucket_policy) const {
  const Principal& p = call.principal();
  const std::array<std::string, 1> resources{resource};
  const platform::AuthorizeRequest request{.principal = p,
                                           .policies = call.policies,
                                           .action = action,
                                           .resources = resources,
                                           .context = call.conditions,
                                           .resource_account = p.account,
                                           .resource_policy = bucket_policy,
                                           .style = platform::DenialStyle::query};
  return platform::authorize(request);
}

}  // namespace virga::s3
