#include "api/apigatewayv2/get_tags.h"
#include "api/apigatewayv2/tag_resource.h"
#include "api/apigatewayv2/untag_resource.h"
#include "base/strings.h"
#include "services/apigatewayv2/service.h"
#include "services/apigatewayv2/validate.h"

// Source: Amazon API Gateway Version 2 API Reference, "Tags".
namespace virga::apigatewayv2 {
namespace {

// arn:aws:apigateway:REGION::/apis/ID and …/apis/ID/stages/NAME.
struct Tagged {
  std::string api_id;
  std::string stage;  // empty: the API itself
};

Result<Tagged> parse_arn(std::string_view arn) {
  const auto parts = split(arn, ':');
  std::string_view path = parts.size() == 6 ? parts[5] : std::string_view();
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "apigateway" ||
      !path.starts_with("/apis/")) {
    return fail(errors::bad_request("Invalid resource ARN specified: " + std::string(arn)));
  }
  const auto names = split(path.substr(1), '/');
  if (names.size() == 2 && !names[1].empty()) return Tagged{std::string(names[1]), ""};
  if (names.size() == 4 && names[2] == "stages" && !names[3].empty())
    return Tagged{std::string(names[1]), std::string(names[3])};
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

Task<api::GetTagsOutput> Service::get_tags(Ctx ctx, api::GetTagsInput input) {
  const Tagged tagged = co_await parse_arn(input.resource_arn);
  api::GetTagsOutput output;
  if (tagged.stage.empty()) {
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
  const Tagged tagged = co_await parse_arn(input.resource_arn);
  const Tags added = input.tags.value_or({});
  co_await change<bool>(ctx, tagged.api_id, [&](ApiChange& change) {
    return edit_tags(change, tagged, [&](Tags& tags) {
      for (const auto& [key, value] : added) tags.insert_or_assign(key, value);
    });
  });
  co_return api::TagResourceOutput();
}

Task<api::UntagResourceOutput> Service::untag_resource(Ctx ctx, api::UntagResourceInput input) {
  const Tagged tagged = co_await parse_arn(input.resource_arn);
  co_await change<bool>(ctx, tagged.api_id, [&](ApiChange& change) {
    return edit_tags(change, tagged, [&](Tags& tags) {
      for (const auto& key : input.tag_keys) tags.erase(key);
    });
  });
  co_return api::UntagResourceOutput();
}

}  // namespace virga::apigatewayv2
