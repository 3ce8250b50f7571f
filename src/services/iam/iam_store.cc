#include "services/iam/iam_store.h"

#include "base/strings.h"
#include "services/iam/errors.h"

namespace virga::iam {
namespace {

storage::Key space_of(std::string_view account, char kind) {
  storage::Key key(storage::Space::iam);
  key.account(account).region(storage::kGlobalRegion).u8(static_cast<uint8_t>(kind));
  return key;
}

std::string key_of(std::string_view account, char kind, std::string_view name) {
  storage::Key key = space_of(account, kind);
  key.text(to_lower(name));
  return std::move(key).take();
}

std::string access_key_key(std::string_view id) {
  storage::Key key = space_of("", 'k');
  key.text(id);
  return std::move(key).take();
}

// Walks one kind's records; decodes each and hands it over.
template <class Record>
Result<void> each(const storage::View& view, std::string_view account, char kind,
                  std::string_view after, Result<Record> (*decode)(std::string_view),
                  const std::function<bool(Record&&)>& visit) {
  const storage::Key all = space_of(account, kind);
  std::string begin(all.str());
  if (!after.empty()) begin = key_of(account, kind, after) + '\0';
  const auto cursor = view.cursor(begin, all.range_end());
  for (; cursor->valid(); cursor->next()) {
    auto record = decode(cursor->value());
    if (!record) return std::unexpected(std::move(record.error()));
    if (!visit(std::move(*record))) return {};
  }
  return cursor->status();
}

template <class Record>
Result<std::optional<Record>> find(const storage::View& view, const std::string& key,
                                   Result<Record> (*decode)(std::string_view)) {
  VIRGA_TRY(bytes, view.get(key));
  if (!bytes) return std::optional<Record>();
  auto record = decode(*bytes);
  if (!record) return std::unexpected(std::move(record.error()));
  return std::optional<Record>(std::move(*record));
}

}  // namespace

Result<std::optional<Entity>> IamReader::find_entity(Kind kind, std::string_view name) const {
  return find(view_, key_of(account_, static_cast<char>(kind), name), &decode_entity);
}

Result<Entity> IamReader::entity(Kind kind, std::string_view name) const {
  VIRGA_TRY(found, find_entity(kind, name));
  if (!found) return fail(errors::no_such_entity(kind, name));
  return std::move(*found);
}

Result<std::optional<PolicyRecord>> IamReader::find_policy(std::string_view name) const {
  return find(view_, key_of(account_, 'p', name), &decode_policy);
}

Result<std::optional<PolicyRecord>> IamReader::find_policy_by_arn(std::string_view arn) const {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[4] != account_ ||
      !parts[5].starts_with("policy/")) {
    return std::optional<PolicyRecord>();
  }
  const std::string_view full = parts[5].substr(6);  // "/path/name"
  VIRGA_TRY(found, find_policy(full.substr(full.rfind('/') + 1)));
  if (found && found->path + found->name != full) found.reset();
  return std::move(found);
}

Result<std::optional<InstanceProfileRecord>> IamReader::find_instance_profile(
    std::string_view name) const {
  return find(view_, key_of(account_, 'i', name), &decode_instance_profile);
}

Result<InstanceProfileRecord> IamReader::instance_profile(std::string_view name) const {
  VIRGA_TRY(found, find_instance_profile(name));
  if (!found) return fail(errors::no_such_instance_profile(name));
  return std::move(*found);
}

Result<std::optional<Document>> IamReader::find_document(DocumentKind kind,
                                                         std::string_view name) const {
  return find(view_, key_of(account_, static_cast<char>(kind), name), &decode_document);
}

Result<void> IamReader::each_document(DocumentKind kind,
                                      const std::function<void(Document&&)>& visit) const {
  return each<Document>(view_, account_, static_cast<char>(kind), "", &decode_document,
                        [&](Document&& d) {
                          visit(std::move(d));
                          return true;
                        });
}

Result<std::optional<std::string>> IamReader::alias() const {
  return view_.get(key_of(account_, 'a', ""));
}

Result<void> IamReader::each_entity(Kind kind, std::string_view after,
                                    const std::function<bool(Entity&&)>& visit) const {
  return each<Entity>(view_, account_, static_cast<char>(kind), after, &decode_entity, visit);
}

Result<void> IamReader::each_policy(const std::function<bool(PolicyRecord&&)>& visit) const {
  return each<PolicyRecord>(view_, account_, 'p', "", &decode_policy, visit);
}

Result<void> IamReader::each_instance_profile(
    const std::function<bool(InstanceProfileRecord&&)>& visit) const {
  return each<InstanceProfileRecord>(view_, account_, 'i', "", &decode_instance_profile, visit);
}

Result<std::optional<AccessKeyRecord>> find_access_key(const storage::View& view,
                                                       std::string_view id) {
  return find(view, access_key_key(id), &decode_access_key);
}

void IamWriter::put(const Entity& e) {
  txn_.put(key_of(account_, static_cast<char>(e.kind), e.name), encode(e));
}
void IamWriter::put(const PolicyRecord& p) {
  txn_.put(key_of(account_, 'p', p.name), encode(p));
}
void IamWriter::put(const InstanceProfileRecord& p) {
  txn_.put(key_of(account_, 'i', p.name), encode(p));
}
void IamWriter::put(const AccessKeyRecord& k) {
  txn_.put(access_key_key(k.id), encode(k));
}
void IamWriter::erase_entity(Kind kind, std::string_view name) {
  txn_.erase(key_of(account_, static_cast<char>(kind), name));
}
void IamWriter::erase_policy(std::string_view name) {
  txn_.erase(key_of(account_, 'p', name));
}
void IamWriter::erase_instance_profile(std::string_view name) {
  txn_.erase(key_of(account_, 'i', name));
}
void IamWriter::erase_access_key(std::string_view id) {
  txn_.erase(access_key_key(id));
}
void IamWriter::put_document(DocumentKind kind, std::string_view name, const Document& d) {
  txn_.put(key_of(account_, static_cast<char>(kind), name), encode_document(d));
}
void IamWriter::erase_document(DocumentKind kind, std::string_view name) {
  txn_.erase(key_of(account_, static_cast<char>(kind), name));
}
void IamWriter::put_alias(std::string_view alias) {
  txn_.put(key_of(account_, 'a', ""), alias);
}
void IamWriter::erase_alias() {
  txn_.erase(key_of(account_, 'a', ""));
}

std::string policy_arn(std::string_view partition, std::string_view account,
                       const PolicyRecord& p) {
  return "arn:" + std::string(partition) + ":iam::" + std::string(account) + ":policy" + p.path +
         p.name;
}

std::string entity_arn(std::string_view partition, std::string_view account, const Entity& e) {
  const char* what = e.kind == Kind::user ? ":user" : e.kind == Kind::role ? ":role" : ":group";
  return "arn:" + std::string(partition) + ":iam::" + std::string(account) + what + e.path + e.name;
}

std::string instance_profile_arn(std::string_view partition, std::string_view account,
                                 const InstanceProfileRecord& p) {
  return "arn:" + std::string(partition) + ":iam::" + std::string(account) + ":instance-profile" +
         p.path + p.name;
}

}  // namespace virga::iam
