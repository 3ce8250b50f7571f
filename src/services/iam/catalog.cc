#include "services/iam/catalog.h"

#include "base/strings.h"
#include "services/iam/iam_store.h"

namespace virga::iam {
namespace {

std::optional<Kind> kind_of(std::string_view type) {
  if (type == "user") return Kind::user;
  if (type == "role") return Kind::role;
  if (type == "group") return Kind::group;
  return std::nullopt;
}

}  // namespace

Task<platform::ResourceFacts> Catalog::facts_of(std::string arn) {
  platform::ResourceFacts facts = co_await read(arn);
  co_return std::move(facts);
}

Result<platform::ResourceFacts> Catalog::read(const std::string& arn) const {
  platform::ResourceFacts facts;
  const auto parts = split(arn, ':');
  if (parts.size() != 6) return facts;
  const std::string_view partition = parts[1];
  const std::string_view account = parts[4];
  const size_t slash = parts[5].find('/');
  if (slash == std::string_view::npos) return facts;
  const std::string_view type = parts[5].substr(0, slash);
  const std::string_view rest =
      parts[5].substr(slash + 1);  // the name; with a path, the call said it
  const bool says_path = rest.find('/') != std::string_view::npos;
  const std::string_view name = rest.substr(rest.rfind('/') + 1);
  const auto view = shard_.snapshot();
  const IamReader iam(*view, account);
  if (const auto kind = kind_of(type)) {
    VIRGA_TRY(found, iam.find_entity(*kind, name));
    if (!found) return facts;
    if (!says_path) facts.arn = entity_arn(partition, account, *found);
    facts.tags = found->tags;
  } else if (type == "policy") {
    VIRGA_TRY(found, iam.find_policy_by_arn(arn));
    if (found) facts.tags = found->tags;
  } else if (type == "instance-profile") {
    VIRGA_TRY(found, iam.find_instance_profile(name));
    if (!found) return facts;
    if (!says_path) facts.arn = instance_profile_arn(partition, account, *found);
    facts.tags = found->tags;
  }
  return facts;
}

}  // namespace virga::iam
