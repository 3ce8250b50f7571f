#include "services/lambda/catalog.h"

#include "base/strings.h"
#include "services/lambda/function_store.h"
#include "services/lambda/policy.h"

namespace virga::lambda {

Task<platform::ResourceFacts> Catalog::facts_of(std::string arn) {
  platform::ResourceFacts facts = co_await read(arn);
  co_return std::move(facts);
}

Result<platform::ResourceFacts> Catalog::read(const std::string& arn) const {
  platform::ResourceFacts facts;
  const auto parts = split(arn, ':');
  if (parts.size() < 7 || parts[5] != "function") return facts;
  const std::string_view qualifier = parts.size() > 7 ? parts[7] : std::string_view();
  const store::Owner owner{std::string(parts[4]), std::string(parts[3])};
  const auto view = shard_.snapshot();
  VIRGA_TRY(function, store::find_function(*view, owner, parts[6]));
  if (!function) return facts;
  for (const auto& [key, value] : function->tags) facts.tags.emplace_back(key, value);
  VIRGA_TRY(policy, store::find_policy(*view, owner, function->id, qualifier));
  if (!policy) return facts;
  VIRGA_TRY(compiled, platform::PolicyDocument::parse(policy_document(*policy),
                                                      platform::PolicyKind::resource));
  facts.policy = std::move(compiled);
  return facts;
}

}  // namespace virga::lambda
