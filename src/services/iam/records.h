#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/document.h"
#include "base/error.h"
#include "base/time.h"

// What IAM keeps, and its form on disk: a version byte and JSON. IAM's objects are few, small and
// cached where it matters (identity.h), so their format is the one that is easy to look at.
namespace virga::iam {

using TagList = std::vector<std::pair<std::string, std::string>>;

// `root` is the account itself, which has access keys as users have and no name.
enum class Kind : char { user = 'u', role = 'r', group = 'g', root = 'o' };

// A user, role or group: they share names, paths, policies and tags.
struct Entity {
  Kind kind = Kind::user;
  std::string name;
  std::string path = "/";
  std::string id;  // AIDA…, AROA…, AGPA…
  Timestamp created;
  TagList tags;
  std::map<std::string, std::string> inline_policies;  // name to document
  std::vector<std::string> attached;                   // ARNs, in the order of attaching
  std::string boundary;                                // ARN; empty: none

  std::vector<std::string> groups;       // of a user: names
  std::vector<std::string> access_keys;  // of a user: ids
  std::string login;                     // of a user: its password's salt and hash; empty: none
  Timestamp login_created;
  bool login_reset_required = false;

  std::string trust;  // of a role: its AssumeRolePolicyDocument
  std::string description;
  bool has_description = false;
  int32_t max_session_seconds = 3600;
};

struct PolicyVersionRecord {
  int number = 1;
  std::string document;
  Timestamp created;
};

// A customer managed policy.
struct PolicyRecord {
  std::string name;
  std::string path = "/";
  std::string id;  // ANPA…
  std::string description;
  Timestamp created;
  Timestamp updated;
  TagList tags;
  std::vector<PolicyVersionRecord> versions;  // oldest first
  int default_version = 1;
  int next_version = 2;
  const PolicyVersionRecord* version(int number) const;
  const std::string& document() const;  // the default version's
};

struct AccessKeyRecord {
  std::string id;  // AKIA…
  std::string account;
  std::string user;  // empty: the account's root
  std::string secret;
  bool active = true;
  Timestamp created;
};

struct InstanceProfileRecord {
  std::string name;
  std::string path = "/";
  std::string id;  // AIPA…
  Timestamp created;
  std::string role;  // empty: none
  TagList tags;
};

Document tags_document(const TagList& tags);
// The member "tags" of a record.
TagList tags_of(const Document& record);

std::string encode_document(const Document& d);
Result<Document> decode_document(std::string_view bytes);

std::string encode(const Entity& e);
std::string encode(const PolicyRecord& p);
std::string encode(const AccessKeyRecord& k);
std::string encode(const InstanceProfileRecord& p);
// Errors: InternalFailure for bytes that no version of ours wrote.
Result<Entity> decode_entity(std::string_view bytes);
Result<PolicyRecord> decode_policy(std::string_view bytes);
Result<AccessKeyRecord> decode_access_key(std::string_view bytes);
Result<InstanceProfileRecord> decode_instance_profile(std::string_view bytes);

}  // namespace virga::iam
