#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/dynamodb/backups.h"
#include "services/dynamodb/transfer_store.h"

// What exports and imports share: who may see them, how they are listed, how they fail. Texts as
// recorded from the service.
namespace virga::dynamodb {

// Of the caller's account and region. ValidationException, AccessDeniedException,
// ExportNotFoundException or ImportNotFoundException.
Result<Transfer> transfer_of_arn(const storage::View& view, const RequestContext& ctx,
                                 TransferKind kind, std::string_view arn);

struct TransferPage {
  std::vector<Transfer> transfers;
  std::optional<std::string> next_token;
};
struct TransferQuery {
  TransferKind kind;
  std::optional<std::string> table_arn;
  std::optional<std::string> table_id;  // of one table among those that had the name
  std::optional<std::string> next_token;
  std::optional<int32_t> limit;
};
// Of the last 90 days, in the order of list_transfers. ValidationException for a foreign token.
Result<TransferPage> list_transfer_page(const storage::View& view, const RequestContext& ctx,
                                        const TransferQuery& query);

// "01693685827463-2d8752fd"
std::string new_transfer_id(Timestamp now, uint64_t chance);

// FailureCode and FailureMessage.
struct TransferFailure {
  std::string code, message;
};
TransferFailure failure_of_s3(const AwsError& error);
TransferFailure failure_of(const AwsError& error);

}  // namespace virga::dynamodb
