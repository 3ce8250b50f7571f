#include "api/apigatewayv2/get_tags.h"
#include "api/apigatewayv2/tag_resource.h"
#include "api/apigatewayv2/untag_resource.h"
#include "base/strings.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/validate.h"

// Source: Amazon API Gateway Version 2 API Reference, "Tags".
namespace virga::apigatewayv2 {
namespace {

// arn:aws:apigateway:REGION::/apis/ID, …/apis/ID/stages/NAME and …/domainnames/NAME.
struct Tagged {
  std::string api_id;
  std::string stage;   // empty: the API itself
  std::string domain;  // of a domain name, which has none of the others
};

Result<Tagged> parse_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  std::string_view path = parts.size() == 6 ? parts[5] : std::string_view();
  const bool ours =
      parts.size() == 6 && parts[0] == "arn" && parts[2] == "apigateway" && path.starts_with('/');
  if (!ours) path = "/";
  const auto names = split(path.substr(1), '/');
  if (names.size() == 2 && names[0] == "domainnames")
    return Tagged{.api_id = {}, .stage = {}, .domain = std::string(names[1])};
  if (names.size() == 2 && names[0] == "apis" && !names[1].empty())
    return Tagged{.api_id = std::string(names[1]), .stage = {}, .domain = {}};
  if (names.size() == 4 && names[0] == "apis" && names[2] == "stages" && !names[3].empty())
    return Tagged{.api_id = std::string(names[1]), .stage = std::string(names[3]), .domain = {}};
  return fail(errors::bad_request("Invalid resource ARN specified: " + std::string(arn)));
}

using Tags = std::map<std::string, std::string>;

// Lets `edit` change the resource's tags and writes it back.
template <class F>
Result<bool> edit_tags(ApiChange& change, const Tagged& tagged, F edit) {
  if (tagged.stage.empty()) {
    Tags tags = change.state().api.tags.value_or({});
    edit(tags);
    VIRGA_TRY_VOID(check_tags(tags));
    change.state().api.tags = std::move(tags);
    change.put_api();
    return true;
  }
  const auto found = change.state().stages.find(tagged.stage);
  if (found == change.state().stages.end())
    return fail(errors::no_such_part("Stage", tagged.stage));
  api::Stage stage = found->second;
  Tags tags = stage.tags.value_or({});
  edit(tags);
  VIRGA_TRY_VOID(check_tags(tags));
  stage.tags = std::move(tags);
  change.put(std::move(stage));
  return true;
}

}  // namespace

// Lets `edit` change the domain name's tags.
template <class F>
Task<bool> Service::edit_domain_tags(Ctx ctx, std::string name, F edit) {
  const DomainPlace place = place_of(*ctx, name);
  const bool done =
      co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) -> Result<bool> {
        VIRGA_TRY(record, require_domain(txn, place));
        Tags tags = record.tags.value_or({});
        edit(tags);
        VIRGA_TRY_VOID(check_tags(tags));
        record.tags = std::move(tags);
        put_domain(txn, place, record);
        return true;
      });
  co_return done;
}

template <class F>
Task<bool> Service::edit_tags_of(Ctx ctx, std::string arn, F edit) {
  const Tagged tagged = co_await parse_arn(arn);
  bool done = false;
  if (!tagged.domain.empty()) {
    done = co_await edit_domain_tags(ctx, tagged.domain, edit);
  } else {
    done = co_await change<bool>(
        ctx, tagged.api_id, [&](ApiChange& change) { return edit_tags(change, tagged, edit); });
  }
  co_return done;
}

Task<api::GetTagsOutput> Service::get_tags(Ctx ctx, api::GetTagsInput input) {
  const Tagged tagged = co_await parse_arn(input.resource_arn);
  api::GetTagsOutput output;
  if (!tagged.domain.empty()) {
    const auto view = shard_.snapshot();
    const auto record = co_await require_domain(*view, place_of(*ctx, tagged.domain));
    output.tags = record.tags.value_or({});
  } else if (tagged.stage.empty()) {
    const auto record = co_await require_part<api::Api>(*ctx, tagged.api_id, Part::api, "API", "");
    output.tags = record.tags.value_or({});
  } else {
    const auto record =
        co_await require_part<api::Stage>(*ctx, tagged.api_id, Part::stage, "Stage", tagged.stage);
    output.tags = record.tags.value_or({});
  }
  co_return std::move(output);
}

Task<api::TagResourceOutput> Service::tag_resource(Ctx ctx, api::TagResourceInput input) {
  const Tags added = input.tags.value_or({});
  co_await edit_tags_of(ctx, input.resource_arn, [&added](Tags& tags) {
    for (const auto& [key, value] : added) tags.insert_or_assign(key, value);
  });
  co_return api::TagResourceOutput();
}

Task<api::UntagResourceOutput> Service::untag_resource(Ctx ctx, api::UntagResourceInput input) {
  co_await edit_tags_of(ctx, input.resource_arn, [&input](Tags& tags) {
    for (const auto& key : input.tag_keys) tags.erase(key);
  });
  co_return api::UntagResourceOutput();
}

}  // namespace virga::apigatewayv2
