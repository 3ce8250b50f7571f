#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

// What Lambda keeps. Each record is one format byte (kRecordFormat) and a JSON object;
// docs/formats/lambda.md lists them.
namespace virga::lambda {

inline constexpr char kRecordFormat = 1;

struct CodeRecord {
  std::string sha256_base64;  // CodeSha256
  std::string sha256_hex;     // names the stored zip and the unpacked folder
  uint64_t zip_bytes = 0;
  uint64_t unzipped_bytes = 0;
  friend bool operator==(const CodeRecord&, const CodeRecord&) = default;
};

// A layer version as a function names it.
struct LayerUse {
  std::string arn;
  CodeRecord code;
  friend bool operator==(const LayerUse&, const LayerUse&) = default;
};

// One version of a function: $LATEST or a published one.
struct VersionRecord {
  std::string version = "$LATEST";
  std::string runtime;
  std::string role;
  std::string handler;
  std::string description;
  int timeout_seconds = 3;
  int memory_mb = 128;
  int tmp_mb = 512;
  std::optional<std::map<std::string, std::string>> environment;
  std::string kms_key_arn;
  std::string tracing_mode = "PassThrough";
  std::string architecture = "x86_64";
  std::string log_group;
  std::string log_format = "Text";
  std::string application_log_level;  // JSON format only; empty: not given
  std::string system_log_level;
  std::string snap_start = "None";
  std::vector<LayerUse> layers;  // later ones on top
  std::string dead_letter_arn;
  std::string update_runtime_on = "Auto";
  std::string runtime_version_arn;  // with update_runtime_on Manual
  CodeRecord code;
  Timestamp last_modified;
  std::string revision_id;
  uint64_t generation = 0;  // grows with each change; pools of sandboxes go by it
  Timestamp pending_until;  // State Pending (or the update InProgress) before this; only with
                            // --lifecycle-delay
  bool created = false;     // true while the pending change is the creation

  // What a publication compares: everything that changes how the function runs.
  bool runs_like(const VersionRecord& other) const;
};

// A function: its $LATEST and what belongs to all versions.
struct FunctionRecord {
  uint64_t id = 0;  // never reused
  std::string name;
  VersionRecord latest;
  uint64_t last_version = 0;  // of the published ones
  std::map<std::string, std::string> tags;
  std::optional<int> reserved_concurrency;
  std::string recursive_loop = "Terminate";
};

struct AliasRecord {
  std::string name;
  std::string version;
  std::string description;
  std::map<std::string, double> weights;  // additional version to share
  std::string revision_id;
};

// The resource policy of a function, a version or an alias: statements as JSON texts in their
// order.
struct PolicyRecord {
  struct Statement {
    std::string id;
    std::string json;
  };
  std::vector<Statement> statements;
  std::string revision_id;
};

struct EventInvokeRecord {
  std::string qualifier;  // $LATEST, version or alias
  std::optional<int> retry_attempts;
  std::optional<int> event_age_seconds;
  std::string on_success;  // destination ARNs
  std::string on_failure;
  Timestamp last_modified;
};

std::string encode(const VersionRecord& record);
std::string encode(const FunctionRecord& record);
std::string encode(const AliasRecord& record);
std::string encode(const PolicyRecord& record);
std::string encode(const EventInvokeRecord& record);

// An unreadable record is our fault: InternalFailure.
Result<VersionRecord> decode_version(std::string_view bytes);
Result<FunctionRecord> decode_function(std::string_view bytes);
Result<AliasRecord> decode_alias(std::string_view bytes);
Result<PolicyRecord> decode_policy(std::string_view bytes);
Result<EventInvokeRecord> decode_event_invoke(std::string_view bytes);

}  // namespace virga::lambda
