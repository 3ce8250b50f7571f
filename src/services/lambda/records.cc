#include "services/lambda/records.h"

#include "services/lambda/record_io.h"

namespace virga::lambda {
namespace {

Document to_document(const VersionRecord& r) {
  Document d = Document::object();
  d.set("version", r.version)
      .set("runtime", r.runtime)
      .set("role", r.role)
      .set("handler", r.handler);
  d.set("description", r.description).set("timeout", r.timeout_seconds).set("memory", r.memory_mb);
  d.set("tmp", r.tmp_mb).set("kms_key_arn", r.kms_key_arn).set("tracing", r.tracing_mode);
  d.set("architecture", r.architecture)
      .set("log_group", r.log_group)
      .set("log_format", r.log_format);
  d.set("application_log_level", r.application_log_level)
      .set("system_log_level", r.system_log_level);
  d.set("snap_start", r.snap_start)
      .set("code_sha256", r.code.sha256_base64)
      .set("code_hex", r.code.sha256_hex);
  d.set("code_bytes", number_document(r.code.zip_bytes))
      .set("code_unzipped", number_document(r.code.unzipped_bytes));
  d.set("last_modified", r.last_modified.micros).set("revision_id", r.revision_id);
  d.set("generation", number_document(r.generation))
      .set("pending_until", r.pending_until.micros)
      .set("created", r.created);
  d.set("dead_letter", r.dead_letter_arn);
  d.set("update_runtime_on", r.update_runtime_on).set("runtime_version", r.runtime_version_arn);
  Document layers = Document::array();
  for (const auto& layer : r.layers) {
    Document use = Document::object();
    use.set("arn", layer.arn)
        .set("code_sha256", layer.code.sha256_base64)
        .set("code_hex", layer.code.sha256_hex);
    use.set("code_bytes", number_document(layer.code.zip_bytes));
    use.set("code_unzipped", number_document(layer.code.unzipped_bytes));
    layers.push(std::move(use));
  }
  d.set("layers", std::move(layers));
  if (r.environment) d.set("environment", texts_document(*r.environment));
  return d;
}

void read_code(const RecordReader& in, CodeRecord& code) {
  in.text("code_sha256", code.sha256_base64);
  in.text("code_hex", code.sha256_hex);
  in.number("code_bytes", code.zip_bytes);
  in.number("code_unzipped", code.unzipped_bytes);
}

VersionRecord version_from(const Document& d) {
  VersionRecord r;
  const RecordReader in(d);
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
  read_code(in, r.code);
  in.text("dead_letter", r.dead_letter_arn);
  in.text("update_runtime_on", r.update_runtime_on);
  in.text("runtime_version", r.runtime_version_arn);
  if (const Document* layers = in.find("layers"); layers && layers->is_array()) {
    for (const auto& item : layers->as_array()) {
      auto& layer = r.layers.emplace_back();
      const RecordReader use(item);
      use.text("arn", layer.arn);
      read_code(use, layer.code);
    }
  }
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
         timeout_seconds == other.timeout_seconds && memory_mb == other.memory_mb &&
         tmp_mb == other.tmp_mb && same_variables(environment, other.environment) &&
         kms_key_arn == other.kms_key_arn && tracing_mode == other.tracing_mode &&
         architecture == other.architecture && log_group == other.log_group &&
         log_format == other.log_format && application_log_level == other.application_log_level &&
         system_log_level == other.system_log_level && snap_start == other.snap_start &&
         layers == other.layers && dead_letter_arn == other.dead_letter_arn && code == other.code;
}

std::string encode(const VersionRecord& record) {
  return finish_record(to_document(record));
}

std::string encode(const FunctionRecord& r) {
  Document d = Document::object();
  d.set("id", number_document(r.id)).set("name", r.name).set("latest", to_document(r.latest));
  d.set("last_version", number_document(r.last_version)).set("tags", texts_document(r.tags));
  if (r.reserved_concurrency) d.set("reserved", *r.reserved_concurrency);
  d.set("recursive_loop", r.recursive_loop);
  return finish_record(d);
}

std::string encode(const AliasRecord& r) {
  Document weights = Document::object();
  for (const auto& [version, weight] : r.weights)
    weights.as_object().emplace_back(version, Document(weight));
  Document d = Document::object();
  d.set("name", r.name).set("version", r.version).set("description", r.description);
  d.set("weights", std::move(weights)).set("revision_id", r.revision_id);
  return finish_record(d);
}

std::string encode(const PolicyRecord& r) {
  Document statements = Document::array();
  for (const auto& statement : r.statements) {
    statements.push(Document::object().set("id", statement.id).set("json", statement.json));
  }
  return finish_record(Document::object()
                           .set("statements", std::move(statements))
                           .set("revision_id", r.revision_id));
}

std::string encode(const EventInvokeRecord& r) {
  Document d = Document::object();
  d.set("qualifier", r.qualifier).set("on_success", r.on_success).set("on_failure", r.on_failure);
  d.set("last_modified", r.last_modified.micros);
  if (r.retry_attempts) d.set("retry_attempts", *r.retry_attempts);
  if (r.event_age_seconds) d.set("event_age", *r.event_age_seconds);
  return finish_record(d);
}

Result<VersionRecord> decode_version(std::string_view bytes) {
  VIRGA_TRY(d, open_record(bytes));
  return version_from(d);
}

Result<FunctionRecord> decode_function(std::string_view bytes) {
  VIRGA_TRY(d, open_record(bytes));
  FunctionRecord r;
  const RecordReader in(d);
  in.number("id", r.id);
  in.text("name", r.name);
  in.number("last_version", r.last_version);
  in.texts("tags", r.tags);
  in.number("reserved", r.reserved_concurrency);
  in.text("recursive_loop", r.recursive_loop);
  const Document* latest = d.find("latest");
  if (r.id == 0 || !latest) return fail(internal_failure("lambda function record"));
  r.latest = version_from(*latest);
  return r;
}

Result<AliasRecord> decode_alias(std::string_view bytes) {
  VIRGA_TRY(d, open_record(bytes));
  AliasRecord r;
  const RecordReader in(d);
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
  VIRGA_TRY(d, open_record(bytes));
  PolicyRecord r;
  RecordReader(d).text("revision_id", r.revision_id);
  const Document* statements = d.find("statements");
  if (!statements || !statements->is_array()) return fail(internal_failure("lambda policy record"));
  for (const auto& item : statements->as_array()) {
    auto& statement = r.statements.emplace_back();
    const RecordReader in(item);
    in.text("id", statement.id);
    in.text("json", statement.json);
  }
  return r;
}

Result<EventInvokeRecord> decode_event_invoke(std::string_view bytes) {
  VIRGA_TRY(d, open_record(bytes));
  EventInvokeRecord r;
  const RecordReader in(d);
  in.text("qualifier", r.qualifier);
  in.text("on_success", r.on_success);
  in.text("on_failure", r.on_failure);
  in.time("last_modified", r.last_modified);
  in.number("retry_attempts", r.retry_attempts);
  in.number("event_age", r.event_age_seconds);
  return r;
}

}  // namespace virga::lambda
