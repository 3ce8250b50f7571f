#include "services/dynamodb/catalog.h"

#include "base/strings.h"

namespace virga::dynamodb {

Task<platform::ResourceFacts> Catalog::facts_of(std::string arn) {
  platform::ResourceFacts facts = co_await read(arn);
  co_return std::move(facts);
}

// arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME or …/index/INDEX. Streams have no policies here.
Result<platform::ResourceFacts> Catalog::read(const std::string& arn) const {
  platform::ResourceFacts facts;
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || !parts[5].starts_with("table/")) return facts;
  const auto path = split(parts[5], '/');
  if (path.size() != 2 && (path.size() != 4 || path[2] != "index")) return facts;
  const auto view = shard_.snapshot();
  VIRGA_TRY(table, tables_.read(*view, parts[4], parts[3], path[1]));
  if (!table) return facts;
  for (const auto& [key, value] : table->tags) facts.tags.emplace_back(key, value);
  if (table->resource_policy.empty()) return facts;
  VIRGA_TRY(compiled, platform::PolicyDocument::parse(table->resource_policy,
                                                      platform::PolicyKind::resource));
  facts.policy = std::move(compiled);
  return facts;
}

}  // namespace virga::dynamodb
