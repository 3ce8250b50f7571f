#include "services/dynamodb/transfers.h"

#include "services/dynamodb/errors.h"

namespace virga::dynamodb {
namespace {

constexpr int32_t kListedByDefault = 10;

std::string_view word(TransferKind kind) {
  return kind == TransferKind::export_table ? "Export" : "Import";
}

AwsError not_found(TransferKind kind, const std::string& what) {
  const std::string name(word(kind));
  return errors::backup_error(name + "NotFoundException", name + " not found: " + what);
}

}  // namespace

Result<Transfer> transfer_of_arn(const storage::View& view, const RequestContext& ctx,
                                 TransferKind kind, std::string_view arn) {
  const std::string name(word(kind));
  const auto address = parse_transfer_arn(kind, arn);
  if (!address || address->partition != ctx.partition)
    return fail(errors::validation("Invalid " + name + " ARN"));
  if (address->account != ctx.account)
    return fail("AccessDeniedException", 400, "Access is denied");
  if (address->region != ctx.region)
    return fail(not_found(
        kind, kind == TransferKind::export_table ? "Invalid export arn" : "Invalid import arn"));
  VIRGA_TRY(found, find_transfer(view, kind, *address));
  if (!found) return fail(not_found(kind, name + " not found: " + std::string(arn)));
  return std::move(*found);
}

Result<TransferPage> list_transfer_page(const storage::View& view, const RequestContext& ctx,
                                        const TransferQuery& query) {
  std::optional<TransferAddress> after;
  if (query.next_token) {
    after = read_transfer_page(query.kind, *query.next_token);
    if (!after)
      return fail(errors::validation("Invalid Request: Provided nextToken is invalid: " +
                                     *query.next_token));
  }
  const auto limit = static_cast<size_t>(query.limit.value_or(kListedByDefault));
  const Timestamp oldest{ctx.now.at.micros - kTransferKeptMicros};
  TransferPage page;
  VIRGA_TRY_VOID(list_transfers(
      view, query.kind, &ctx, after ? &*after : nullptr, [&](const Transfer& transfer) {
        if (query.table_arn && transfer.table_arn() != *query.table_arn) return true;
        if (query.table_id && transfer.description.string_or("TableId", "") != *query.table_id)
          return true;
        if (transfer.started < oldest) return true;
        if (page.transfers.size() == limit) {
          page.next_token = make_transfer_page(query.kind, page.transfers.back().arn());
          return false;
        }
        page.transfers.push_back(transfer);
        return true;
      }));
  return page;
}

std::string new_transfer_id(Timestamp now, uint64_t chance) {
  return new_backup_id(now, chance, false);
}

TransferFailure failure_of_s3(const AwsError& error) {
  std::string code = "S3" + error.code;
  if (error.code.starts_with("KMS.")) code = "Kms" + error.code.substr(4);
  return {std::move(code), error.message + " (Service: Amazon S3; Status Code: " +
                               std::to_string(error.http_status) + "; Error Code: " + error.code +
                               "; Request ID: null; S3 Extended Request ID: null; Proxy: null)"};
}

TransferFailure failure_of(const AwsError& error) {
  return {error.code, error.message};
}

}  // namespace virga::dynamodb
