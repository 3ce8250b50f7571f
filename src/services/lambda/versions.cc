// PublishVersion, ListVersionsByFunction. Source: Lambda API Reference, the pages of these
// operations.
#include "api/lambda/list_versions_by_function.h"
#include "api/lambda/publish_version.h"
#include "api/lambda/shapes.h"
#include "base/strings.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/render.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"

namespace virga::lambda {

Task<api::PublishVersionOutput> Service::publish_version(Ctx ctx, api::PublishVersionInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  co_await must_be_unqualified(name, "");
  co_await refuse_unsupported(input.publish_to.has_value(), "PublishTo");
  const auto owner = store::owner_of(name);
  const std::string revision = new_revision_id(ctx);
  struct Published {
    VersionRecord version;
    bool fresh = true;
  };
  auto publish = [&](storage::Txn& txn) -> Result<Published> {
    VIRGA_TRY(record, store::get_function(txn, name));
    if (input.revision_id && *input.revision_id != record.latest.revision_id) {
      return fail(errors::function_revision_mismatch());
    }
    const auto& current = record.latest.code.sha256_base64;
    if (input.code_sha256 && !input.code_sha256->empty() && *input.code_sha256 != current) {
      return fail(errors::invalid_parameter("CodeSHA256 (" + *input.code_sha256 +
                                            ") is different from current CodeSHA256 in $LATEST (" +
                                            current +
                                            "). Please try again with the CodeSHA256 in $LATEST."));
    }
    if (record.last_version > 0) {
      // Nothing changed since the last publication: that one is the answer.
      VIRGA_TRY(last, store::find_version(txn, owner, record.id, record.last_version));
      if (last && last->runs_like(record.latest)) return Published{*last, false};
    }
    VersionRecord version = record.latest;
    version.version = std::to_string(++record.last_version);
    version.last_modified = ctx->now.at;
    version.revision_id = revision;
    version.created = true;
    if (input.description && !input.description->empty()) version.description = *input.description;
    store::put_version(txn, owner, record.id, record.last_version, version);
    store::put_function(txn, owner, record);
    return Published{std::move(version), true};
  };
  const auto published = co_await platform::transact(ctx, shard_, std::move(publish));
  co_return render(published.version, name.name, name.arn_of(published.version.version),
                   published.fresh ? Moment::created : Moment::settled, ctx->now.at, compute_,
                   name.region, name.partition);
}

Task<api::ListVersionsByFunctionOutput> Service::list_versions_by_function(
    Ctx ctx, api::ListVersionsByFunctionInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto owner = store::owner_of(name);
  const auto view = shard_.snapshot();
  const auto record = co_await store::get_function(*view, name);
  const auto after = co_await read_marker("versions", input.marker);
  const size_t limit = page_size(input.max_items);
  api::ListVersionsByFunctionOutput out;
  auto& rows = out.versions.emplace();
  auto add = [&](const VersionRecord& version) {
    rows.push_back(render(version, name.name, name.arn_of(version.version), Moment::settled,
                          ctx->now.at, compute_, name.region, name.partition));
  };
  if (after.empty()) add(record.latest);
  const uint64_t from = after.empty() ? 0 : static_cast<uint64_t>(parse_int(after).value_or(0));
  const auto versions = co_await store::list_versions(*view, owner, record.id, from, limit + 1);
  uint64_t last = from;
  for (const auto& version : versions) {
    if (rows.size() >= limit) {
      out.next_marker = make_marker("versions", std::to_string(last));
      break;
    }
    add(version);
    last = static_cast<uint64_t>(parse_int(version.version).value_or(0));
  }
  co_return out;
}

}  // namespace virga::lambda
