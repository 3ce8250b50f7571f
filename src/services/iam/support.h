#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/iam/shapes/group.h"
#include "api/iam/shapes/instance_profile.h"
#include "api/iam/shapes/policy.h"
#include "api/iam/shapes/role.h"
#include "api/iam/shapes/tag.h"
#include "api/iam/shapes/user.h"
#include "aws/context.h"
#include "base/error.h"
#include "services/iam/iam_store.h"

// What many of IAM's operations share: answers made of records, pages, tags.
namespace virga::iam {

// Where roles are that belong to a service.
inline constexpr std::string_view kServiceLinkedPath = "/aws-service-role/";

enum class Detail { listed, full };  // lists leave out tags, boundaries and the like

api::User to_user(const RequestContext& context, const Entity& e, Detail detail);
api::Role to_role(const RequestContext& context, const Entity& e, Detail detail);
api::Group to_group(const RequestContext& context, const Entity& e);
api::Policy to_policy(const RequestContext& context, const PolicyRecord& p, int32_t attachments,
                      int32_t boundaries, Detail detail);
Result<api::InstanceProfile> to_instance_profile(const RequestContext& context,
                                                 const IamReader& reader,
                                                 const InstanceProfileRecord& p);
std::vector<api::Tag> to_tags(const TagList& tags);

// A page's marker: opaque, and refused (ValidationError) when it is not ours.
std::string make_marker(std::string_view last);
Result<std::string> read_marker(const std::optional<std::string>& marker);
inline constexpr int32_t kMaxItemsDefault = 100;  // IAM API Reference, MaxItems

// Fills `out` with one page of `all` (sorted by `key_of`), and the output's is_truncated and
// marker.
template <class Output, class Item, class KeyOf>
Result<std::vector<Item>> page_of(const std::vector<Item>& all,
                                  const std::optional<std::string>& marker,
                                  const std::optional<int32_t>& max_items, Output& output,
                                  KeyOf key_of) {
  auto after = read_marker(marker);
  if (!after) return std::unexpected(std::move(after.error()));
  const auto limit = static_cast<size_t>(max_items.value_or(kMaxItemsDefault));
  std::vector<Item> page;
  output.is_truncated = false;
  for (const Item& item : all) {
    if (!after->empty() && key_of(item) <= *after) continue;
    if (page.size() == limit) {
      output.is_truncated = true;
      output.marker = make_marker(key_of(page.back()));
      break;
    }
    page.push_back(item);
  }
  return page;
}

// Merges new tags into a list. Keys are unique without regard to case; at most 50.
// Source: IAM User Guide, "Tagging IAM resources", rules. `quota` names the limit: "TagsPerRole".
Result<void> add_tags(TagList& tags, const std::vector<api::Tag>& added, std::string_view quota);
void remove_tags(TagList& tags, const std::vector<std::string>& keys);

// The length of a policy as quotas count it: without white space.
size_t policy_size(std::string_view document);

// "bob" of arn:aws:iam::…:user/path/bob; the user's name of a call by a user, nullopt for others.
std::optional<std::string> calling_user(const RequestContext& context);

}  // namespace virga::iam
