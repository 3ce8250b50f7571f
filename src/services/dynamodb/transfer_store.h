#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aws/context.h"
#include "aws/document_codec.h"
#include "base/document.h"
#include "base/error.h"
#include "base/time.h"
#include "storage/shard.h"

// Exports and imports as stored: what was asked for, by whom, and how far it is. They outlive their
// tables and go 90 days after their end.
//   platform | "dynamodb-transfer" | 1 | account | region | table name | id   →   JSON, exports
//   platform | "dynamodb-transfer" | 2 | account | region | id | table name   →   JSON, imports
//   platform | "dynamodb-transfer-token" | kind | account | region | client token   →   its ARN
// Source: DynamoDB API Reference, ListExports: "within the past 90 days".
namespace virga::dynamodb {

enum class TransferKind : uint8_t { export_table = 1, import_table = 2 };

inline constexpr int64_t kTransferKeptMicros = 90LL * 86'400 * 1'000'000;
// A client token is good for this long after the end of its request. Source: DynamoDB API
// Reference, ExportTableToPointInTime, ClientToken.
inline constexpr int64_t kTransferTokenMicros = 8LL * 3600 * 1'000'000;
inline constexpr const char* kInProgress = "IN_PROGRESS";

struct TransferAddress {
  std::string partition, account, region, table, id;
};

struct Transfer {
  TransferKind kind = TransferKind::export_table;
  std::string account, region, table, id;  // id: 14 digits of milliseconds, "-", 8 hex digits
  Principal caller;                        // S3 is used in his name
  std::string token, fingerprint;          // of the request
  std::string status = kInProgress;
  uint64_t items_id = 0;  // object id of the table's items
  Timestamp at;           // an export's moment; micros count
  Timestamp started;
  std::optional<Timestamp> ended;
  Document description;  // the model's ExportDescription or ImportTableDescription

  bool in_progress() const { return status == kInProgress; }
  std::string arn() const;
  std::string table_arn() const;

  template <class T>
  Result<T> describe() const {
    T out;
    aws::DecodeNotes notes;
    VIRGA_TRY_VOID(aws::read_document(description, T::descriptor(), &out, notes));
    return out;
  }
  template <class T>
  void describe_as(const T& value) {
    description = aws::write_document(T::descriptor(), &value);
  }
};

// arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME/export/ID, or …/import/ID
std::optional<TransferAddress> parse_transfer_arn(TransferKind kind, std::string_view arn);

Result<std::optional<Transfer>> find_transfer(const storage::View& view, TransferKind kind,
                                              const TransferAddress& address);
// The one that a client token began, while the token is good.
Result<std::optional<Transfer>> find_transfer_by_token(const storage::View& view, TransferKind kind,
                                                       const RequestContext& ctx,
                                                       std::string_view token);
// With its token.
void put_transfer(storage::Txn& txn, const Transfer& transfer);
void erase_transfer(storage::Txn& txn, const Transfer& transfer);
// Of an account and region, exports by ARN and imports by their beginning, backwards, behind the
// position of `after` (null: from the last); of all accounts and regions when `ctx` is null.
Result<void> list_transfers(const storage::View& view, TransferKind kind, const RequestContext* ctx,
                            const TransferAddress* after,
                            const std::function<bool(const Transfer&)>& visit);

// NextToken: the ARN behind which a list goes on, as lower-case hexadecimal digits in the size that
// the model asks for. Nothing when it is none of this kind.
std::string make_transfer_page(TransferKind kind, std::string_view arn);
std::optional<TransferAddress> read_transfer_page(TransferKind kind, std::string_view token);

}  // namespace virga::dynamodb
