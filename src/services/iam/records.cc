#include "services/iam/records.h"

#include "base/check.h"
#include "base/json.h"

namespace virga::iam {
namespace {

constexpr char kFormat = 1;

std::string finish(const Document& d) {
  std::string out(1, kFormat);
  append_json(out, d);
  return out;
}

Result<Document> open(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kFormat)
    return fail(internal_failure("iam record of an unknown format"));
  auto parsed = parse_json(bytes.substr(1));
  if (!parsed || !parsed->is_object())
    return fail(internal_failure("iam record that is no JSON object"));
  return parsed;
}

Document from_texts(const std::vector<std::string>& texts) {
  Document list = Document::array();
  for (const std::string& t : texts) list.push(t);
  return list;
}

std::string text(const Document& d, std::string_view key) {
  return std::string(d.string_or(key, ""));
}

int64_t number(const Document& d, std::string_view key, int64_t otherwise = 0) {
  const Document* v = d.find(key);
  return v && v->is_int() ? v->as_int() : otherwise;
}

bool flag(const Document& d, std::string_view key) {
  const Document* v = d.find(key);
  return v && v->is_bool() && v->as_bool();
}

Timestamp time(const Document& d, std::string_view key) {
  return {number(d, key)};
}

std::vector<std::string> texts(const Document& d, std::string_view key) {
  std::vector<std::string> out;
  const Document* list = d.find(key);
  if (!list || !list->is_array()) return out;
  for (const Document& v : list->as_array()) out.push_back(v.as_string());
  return out;
}

}  // namespace

Document tags_document(const TagList& tags) {
  Document list = Document::array();
  for (const auto& [key, value] : tags) {
    Document pair = Document::array();
    pair.push(key);
    pair.push(value);
    list.push(std::move(pair));
  }
  return list;
}

TagList tags_of(const Document& d) {
  TagList out;
  const Document* list = d.find("tags");
  if (!list || !list->is_array()) return out;
  for (const Document& pair : list->as_array())
    out.emplace_back(pair.as_array()[0].as_string(), pair.as_array()[1].as_string());
  return out;
}

const PolicyVersionRecord* PolicyRecord::version(int wanted) const {
  for (const PolicyVersionRecord& v : versions) {
    if (v.number == wanted) return &v;
  }
  return nullptr;
}

const std::string& PolicyRecord::document() const {
  const PolicyVersionRecord* v = version(default_version);
  CHECK(v != nullptr);
  return v->document;
}

std::string encode_document(const Document& d) {
  return finish(d);
}
Result<Document> decode_document(std::string_view bytes) {
  return open(bytes);
}

std::string encode(const Entity& e) {
  Document d = Document::object();
  d.set("kind", std::string(1, static_cast<char>(e.kind)));
  d.set("name", e.name);
  d.set("path", e.path);
  d.set("id", e.id);
  d.set("created", e.created.micros);
  d.set("tags", tags_document(e.tags));
  Document inlined = Document::object();
  for (const auto& [name, document] : e.inline_policies) inlined.set(name, document);
  d.set("inline", std::move(inlined));
  d.set("attached", from_texts(e.attached));
  d.set("boundary", e.boundary);
  switch (e.kind) {
    case Kind::user:
    case Kind::root:
      d.set("groups", from_texts(e.groups));
      d.set("access_keys", from_texts(e.access_keys));
      if (!e.login.empty()) {
        d.set("login", e.login)
            .set("login_created", e.login_created.micros)
            .set("login_reset", e.login_reset_required);
      }
      break;
    case Kind::role:
      d.set("trust", e.trust);
      if (e.has_description) d.set("description", e.description);
      d.set("max_session", static_cast<int64_t>(e.max_session_seconds));
      break;
    case Kind::group:
      break;
  }
  return finish(d);
}

Result<Entity> decode_entity(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  Entity e;
  const std::string kind = text(d, "kind");
  if (kind != "u" && kind != "r" && kind != "g" && kind != "o")
    return fail(internal_failure("iam entity of an unknown kind"));
  e.kind = static_cast<Kind>(kind[0]);
  e.name = text(d, "name");
  e.path = text(d, "path");
  e.id = text(d, "id");
  e.created = time(d, "created");
  e.tags = tags_of(d);
  if (const Document* inlined = d.find("inline")) {
    for (const auto& [name, document] : inlined->as_object())
      e.inline_policies[name] = document.as_string();
  }
  e.attached = texts(d, "attached");
  e.boundary = text(d, "boundary");
  e.groups = texts(d, "groups");
  e.access_keys = texts(d, "access_keys");
  e.login = text(d, "login");
  e.login_created = time(d, "login_created");
  e.login_reset_required = flag(d, "login_reset");
  e.trust = text(d, "trust");
  e.description = text(d, "description");
  e.has_description = d.find("description") != nullptr;
  e.max_session_seconds = static_cast<int32_t>(number(d, "max_session", 3600));
  return e;
}

std::string encode(const PolicyRecord& p) {
  Document d = Document::object();
  d.set("name", p.name);
  d.set("path", p.path);
  d.set("id", p.id);
  d.set("description", p.description);
  d.set("created", p.created.micros);
  d.set("updated", p.updated.micros);
  d.set("tags", tags_document(p.tags));
  Document versions = Document::array();
  for (const PolicyVersionRecord& v : p.versions) {
    Document one = Document::object();
    one.set("n", static_cast<int64_t>(v.number));
    one.set("document", v.document);
    one.set("created", v.created.micros);
    versions.push(std::move(one));
  }
  d.set("versions", std::move(versions));
  d.set("default", static_cast<int64_t>(p.default_version));
  d.set("next", static_cast<int64_t>(p.next_version));
  return finish(d);
}

Result<PolicyRecord> decode_policy(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  PolicyRecord p;
  p.name = text(d, "name");
  p.path = text(d, "path");
  p.id = text(d, "id");
  p.description = text(d, "description");
  p.created = time(d, "created");
  p.updated = time(d, "updated");
  p.tags = tags_of(d);
  if (const Document* versions = d.find("versions")) {
    for (const Document& v : versions->as_array()) {
      p.versions.push_back(
          {static_cast<int>(number(v, "n")), text(v, "document"), time(v, "created")});
    }
  }
  p.default_version = static_cast<int>(number(d, "default"));
  p.next_version = static_cast<int>(number(d, "next"));
  if (!p.version(p.default_version))
    return fail(internal_failure("iam policy without its default version"));
  return p;
}

std::string encode(const AccessKeyRecord& k) {
  Document d = Document::object();
  d.set("id", k.id);
  d.set("account", k.account);
  d.set("user", k.user);
  d.set("secret", k.secret);
  d.set("active", k.active);
  d.set("created", k.created.micros);
  return finish(d);
}

Result<AccessKeyRecord> decode_access_key(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  return AccessKeyRecord{.id = text(d, "id"),
                         .account = text(d, "account"),
                         .user = text(d, "user"),
                         .secret = text(d, "secret"),
                         .active = flag(d, "active"),
                         .created = time(d, "created")};
}

std::string encode(const InstanceProfileRecord& p) {
  Document d = Document::object();
  d.set("name", p.name);
  d.set("path", p.path);
  d.set("id", p.id);
  d.set("created", p.created.micros);
  d.set("role", p.role);
  d.set("tags", tags_document(p.tags));
  return finish(d);
}

Result<InstanceProfileRecord> decode_instance_profile(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  return InstanceProfileRecord{.name = text(d, "name"),
                               .path = text(d, "path"),
                               .id = text(d, "id"),
                               .created = time(d, "created"),
                               .role = text(d, "role"),
                               .tags = tags_of(d)};
}

}  // namespace virga::iam
