#include "services/lambda/records.h"

#include "base/document.h"
#include "base/json.h"

namespace virga::lambda {
namespace {

std::string finish(const Document& document) {
  std::string out(1, kRecordFormat);
  append_json(out, document);
  return out;
}

Result<Document> open(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kRecordFormat) return fail(internal_failure("lambda record format"));
  auto parsed = parse_json(bytes.substr(1));
  if (!parsed || !parsed->is_object()) return fail(internal_failure("lambda record"));
  return std::move(*parsed);
}

// Reads members; what is absent keeps its default, so that a record of an older release reads well.
class Reader {
 public:
  explicit Reader(const Document& document) : document_(document) {}
  void text(std::string_view key, std::string& out) const {
    const Document* d = document_.find(key);
    if (d && d->is_string()) out = d->as_string();
  }
  template <class T>
  void number(std::string_view key, T& out) const {
    const Document* d = document_.find(key);
    if (d && d->is_int()) out = static_cast<T>(d->as_int());
  }
  template <class T>
  void number(std::string_view key, std::optional<T>& out) const {
    const Document* d = document_.find(key);
    if (d && d->is_int()) out = static_cast<T>(d->as_int());
  }
  void flag(std::string_view key, bool& out) const {
    const Document* d = document_.find(key);
    if (d && d->is_bool()) out = d->as_bool();
  }
  void time(std::string_view key, Timestamp& out) const { number(key, out.micros); }
  void texts(std::string_view key, std::map<std::string, std::string>& out) const {
    const Document* d = document_.find(key);
    if (!d || !d->is_object()) return;
    for (const auto& [name, value] : d->as_object()) {
      if (value.is_string()) out[name] = value.as_string();
    }
  }

 private:
  const Document& document_;
};

Document texts(const std::map<std::string, std::string>& map) {
  Document out = Document::object();
  for (const auto& [key, value] : map) out.as_object().emplace_back(key, Document(value));
  return out;
}

Document number(uint64_t value) { return Document(static_cast<int64_t>(value)); }

Document to_document(const VersionRecord& r) {
  Document d = Document::object();
  d.set("version", r.version).set("runtime", r.runtime).set("role", r.role).set("handler", r.handler);
  d.set("description", r.description).set("timeout", r.timeout_seconds).set("memory", r.memory_mb);
  d.set("tmp", r.tmp_mb).set("kms_key_arn", r.kms_key_arn).set("tracing", r.tracing_mode);
  d.set("architecture", r.architecture).set("log_group", r.log_group).set("log_format", r.log_format);
  d.set("application_log_level", r.application_log_level).set("system_log_level", r.system_log_level);
  d.set("snap_start", r.snap_start).set("code_sha256", r.code.sha256_base64).set("code_hex", r.code.sha256_hex);
  d.set("code_bytes", number(r.code.zip_bytes)).set("code_unzipped", number(r.code.unzipped_bytes));
  d.set("last_modified", r.last_modified.micros).set("revision_id", r.revision_id);
  d.set("generation", number(r.generation)).set("pending_until", r.pending_until.micros).set("created", r.created);
  if (r.environment) d.set("environment", texts(*r.environment));
  return d;
}

VersionRecord version_from(const Document& d) {
  VersionRecord r;
  const Reader in(d);
  in.text("version", r.version);
  in.text("runtime", r.runtime);
  in.text("role", r.role);
  in.text("handler", r.handler);
  in.text("description", r.description);
  in.number("timeout", r.timeout_seconds);
  in.number("memory", r.memory_mb);
  in.number("tmp", r.tmp_mb);
  in.text("kms_key_arn", r.kms_key_arn);
  in.text("tracing", r.tracing_mode);
  in.text("architecture", r.architecture);
  in.text("log_group", r.log_group);
  in.text("log_format", r.log_format);
  in.text("application_log_level", r.application_log_level);
  in.text("system_log_level", r.system_log_level);
  in.text("snap_start", r.snap_start);
  in.text("code_sha256", r.code.sha256_base64);
  in.text("code_hex", r.code.sha256_hex);
  in.number("code_bytes", r.code.zip_bytes);
  in.number("code_unzipped", r.code.unzipped_bytes);
  in.time("last_modified", r.last_modified);
  in.text("revision_id", r.revision_id);
  in.number("generation", r.generation);
  in.time("pending_until", r.pending_until);
  in.flag("created", r.created);
  if (d.find("environment")) in.texts("environment", r.environment.emplace());
  return r;
}

using Variables = std::optional<std::map<std::string, std::string>>;
// None and an empty set run alike.
bool same_variables(const Variables& a, const Variables& b) {
  const bool none = !a || a->empty();
  return none ? (!b || b->empty()) : a == b;
}

}  // namespace

bool VersionRecord::runs_like(const VersionRecord& other) const {
  return runtime == other.runtime && role == other.role && handler == other.handler &&
         timeout_seconds == other.timeout_seconds && memory_mb == other.memory_mb && tmp_mb == other.tmp_mb &&
         same_variables(environment, other.environment) && kms_key_arn == other.kms_key_arn &&
         tracing_mode == other.tracing_mode && architecture == other.architecture && log_group == other.log_group &&
         log_format == other.log_format && application_log_level == other.application_log_level &&
         system_log_level == other.system_log_level && snap_start == other.snap_start && code == other.code;
}

std::string encode(const VersionRecord& record) { return finish(to_document(record)); }

std::string encode(const FunctionRecord& r) {
  Document d = Document::object();
  d.set("id", number(r.id)).set("name", r.name).set("latest", to_document(r.latest));
  d.set("last_version", number(r.last_version)).set("tags", texts(r.tags));
  if (r.reserved_concurrency) d.set("reserved", *r.reserved_concurrency);
  return finish(d);
}

std::string encode(const AliasRecord& r) {
  Document weights = Document::object();
  for (const auto& [version, weight] : r.weights) weights.as_object().emplace_back(version, Document(weight));
  Document d = Document::object();
  d.set("name", r.name).set("version", r.version).set("description", r.description);
  d.set("weights", std::move(weights)).set("revision_id", r.revision_id);
  return finish(d);
}

std::string encode(const PolicyRecord& r) {
  Document statements = Document::array();
  for (const auto& statement : r.statements) {
    statements.push(Document::object().set("id", statement.id).set("json", statement.json));
  }
  return finish(Document::object().set("statements", std::move(statements)).set("revision_id", r.revision_id));
}

std::string encode(const EventInvokeRecord& r) {
  Document d = Document::object();
  d.set("qualifier", r.qualifier).set("on_success", r.on_success).set("on_failure", r.on_failure);
  d.set("last_modified", r.last_modified.micros);
  if (r.retry_attempts) d.set("retry_attempts", *r.retry_attempts);
  if (r.event_age_seconds) d.set("event_age", *r.event_age_seconds);
  return finish(d);
}

Result<VersionRecord> decode_version(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  return version_from(d);
}

Result<FunctionRecord> decode_function(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  FunctionRecord r;
  const Reader in(d);
  in.number("id", r.id);
  in.text("name", r.name);
  in.number("last_version", r.last_version);
  in.texts("tags", r.tags);
  in.number("reserved", r.reserved_concurrency);
  const Document* latest = d.find("latest");
  if (r.id == 0 || !latest) return fail(internal_failure("lambda function record"));
  r.latest = version_from(*latest);
  return r;
}

Result<AliasRecord> decode_alias(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  AliasRecord r;
  const Reader in(d);
  in.text("name", r.name);
  in.text("version", r.version);
  in.text("description", r.description);
  in.text("revision_id", r.revision_id);
  const Document* weights = d.find("weights");
  if (weights && weights->is_object()) {
    for (const auto& [version, weight] : weights->as_object()) {
      if (weight.is_number()) r.weights[version] = weight.as_double();
    }
  }
  return r;
}

Result<PolicyRecord> decode_policy(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  PolicyRecord r;
  Reader(d).text("revision_id", r.revision_id);
  const Document* statements = d.find("statements");
  if (!statements || !statements->is_array()) return fail(internal_failure("lambda policy record"));
  for (const auto& item : statements->as_array()) {
    auto& statement = r.statements.emplace_back();
    const Reader in(item);
    in.text("id", statement.id);
    in.text("json", statement.json);
  }
  return r;
}

Result<EventInvokeRecord> decode_event_invoke(std::string_view bytes) {
  VIRGA_TRY(d, open(bytes));
  EventInvokeRecord r;
  const Reader in(d);
  in.text("qualifier", r.qualifier);
  in.text("on_success", r.on_success);
  in.text("on_failure", r.on_failure);
  in.time("last_modified", r.last_modified);
  in.number("retry_attempts", r.retry_attempts);
  in.number("event_age", r.event_age_seconds);
  return r;
}

}  // namespace virga::lambda
