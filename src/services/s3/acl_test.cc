#include "services/s3/acl.h"

#include <gtest/gtest.h>

#include "api/s3/shapes/grant.h"
#include "api/s3/shapes/grantee.h"
#include "api/s3/shapes/owner.h"
#include "base/json.h"

namespace virga::s3 {
namespace {

struct AclTest : testing::Test {
  Owners owners = *Owners::parse(*parse_json(R"([
      {"id": "111122223333", "canonical_id": "main", "display_name": "M. Tester", "email": "main@example.com"},
      {"id": "444455556666", "canonical_id": "alt"}])"));
  AclContext object{
      .owners = owners, .owner = "main", .bucket_owner = "alt", .target = AclTarget::object};
  AclContext bucket{
      .owners = owners, .owner = "main", .bucket_owner = "main", .target = AclTarget::bucket};
};

TEST_F(AclTest, an_unconfigured_account_has_an_id_that_can_be_read_back) {
  const Owner one = owners.of_account("999900001111");
  EXPECT_EQ(one.canonical_id.size(), 64u);
  ASSERT_TRUE(owners.find_canonical_id(one.canonical_id));
  EXPECT_EQ(owners.find_canonical_id(one.canonical_id)->account, "999900001111");
  std::string other = one.canonical_id;
  other[0] = other[0] == '0' ? '1' : '0';
  EXPECT_FALSE(owners.find_canonical_id(other));
  EXPECT_EQ(owners.find_canonical_id("alt")->account, "444455556666");
}

TEST_F(AclTest, canned_lists_expand_as_documented) {
  EXPECT_EQ(*acl_of_headers({.canned = "private"}, object), private_acl("main"));
  const auto read = *acl_of_headers({.canned = "public-read"}, object);
  EXPECT_TRUE(read.is_public());
  EXPECT_TRUE(read.allows("", Permission::read));
  EXPECT_FALSE(read.allows("", Permission::write));
  const auto authenticated = *acl_of_headers({.canned = "authenticated-read"}, object);
  EXPECT_TRUE(authenticated.is_public());
  EXPECT_FALSE(authenticated.allows("", Permission::read));
  EXPECT_TRUE(authenticated.allows("alt", Permission::read));
  const auto owner_read = *acl_of_headers({.canned = "bucket-owner-read"}, object);
  EXPECT_TRUE(owner_read.allows("alt", Permission::read));
  EXPECT_EQ(*acl_of_headers({.canned = "bucket-owner-read"}, bucket), private_acl("main"));
  EXPECT_EQ(acl_of_headers({.canned = "log-delivery-write"}, bucket)->grants.size(), 3u);
  EXPECT_EQ(acl_of_headers({.canned = "public"}, object).error().code, "InvalidArgument");
}

TEST_F(AclTest, header_grants_name_accounts_groups_and_addresses) {
  AclHeaders headers;
  headers.grant_read = R"(id="alt", uri="http://acs.amazonaws.com/groups/global/AllUsers")";
  headers.grant_full_control = R"(emailAddress="main@example.com")";
  const auto acl = acl_of_headers(headers, object);
  ASSERT_TRUE(acl);
  ASSERT_EQ(acl->grants.size(), 3u);
  EXPECT_EQ(acl->grants[0], (Grant{false, "main", Permission::full_control}));
  EXPECT_TRUE(acl->is_public());
  headers.grant_read = "id=nobody";
  EXPECT_EQ(acl_of_headers(headers, object).error().message, "Invalid id");
  headers.grant_read = "alt";
  EXPECT_EQ(acl_of_headers(headers, object).error().message, "Argument format not recognized");
  headers.grant_read = "emailAddress=\"no@example.com\"";
  EXPECT_EQ(acl_of_headers(headers, object).error().code, "UnresolvableGrantByEmailAddress");
  headers.canned = "private";
  EXPECT_EQ(acl_of_headers(headers, object).error().code, "InvalidRequest");
}

TEST_F(AclTest, a_body_must_name_the_owner_and_known_grantees) {
  api::AccessControlPolicy policy;
  EXPECT_EQ(acl_of_policy(policy, object).error().code, "MalformedACLError");
  policy.owner.emplace().id = "alt";
  api::Grant& grant = policy.grants.emplace().emplace_back();
  grant.permission = "READ";
  grant.grantee.emplace().type = "CanonicalUser";
  grant.grantee->id = "alt";
  EXPECT_EQ(acl_of_policy(policy, object).error().code, "AccessDenied");
  policy.owner->id = "main";
  EXPECT_TRUE(acl_of_policy(policy, object)->allows("alt", Permission::read));
  grant.permission = "LOOK";
  EXPECT_EQ(acl_of_policy(policy, object).error().code, "MalformedACLError");
}

TEST_F(AclTest, the_owner_may_always_read_and_write_the_list) {
  const Acl nothing{.owner = "main", .grants = {}};
  EXPECT_TRUE(nothing.allows("main", Permission::write_acp));
  EXPECT_FALSE(nothing.allows("main", Permission::read));
  EXPECT_FALSE(nothing.allows("", Permission::read_acp));
}

TEST_F(AclTest, a_stored_list_is_read_back) {
  const auto acl = *acl_of_headers({.canned = "public-read-write"}, object);
  EXPECT_EQ(decode_acl(encode_acl(acl)), acl);
}

}  // namespace
}  // namespace virga::s3
