#include "api/dynamodb/shapes/export_description.h"
#include "services/dynamodb/service.h"
#include "services/dynamodb/transfers.h"

// What becomes of exports and imports that a server which ended left behind, and of their records.
namespace virga::dynamodb {

// Those under way begin anew, from what the table's history still has of an export's moment and
// from an import's first object. Once S3 is there.
void Service::resume_transfers() {
  if (door_) background_.spawn("dynamodb_transfers", resume_all());
}

Task<void> Service::resume_all() {
  std::shared_ptr<const storage::View> view = shard_.snapshot();
  std::vector<Transfer> found;
  for (const auto kind : {TransferKind::export_table, TransferKind::import_table}) {
    co_await list_transfers(*view, kind, nullptr, nullptr, [&](const Transfer& job) {
      if (job.in_progress()) found.push_back(job);
      return true;
    });
  }
  for (Transfer& job : found) {
    TableRef table = co_await tables_.find(job.account, job.region, job.table);
    if (table && table->id != job.items_id) table.reset();
    if (job.kind == TransferKind::import_table) {
      background_.spawn("dynamodb_import", run_import(std::move(job), std::move(table)));
    } else {
      background_.spawn("dynamodb_export", run_export(std::move(job), std::move(table), view));
    }
  }
  co_return ok();
}

// The record of an export or import that is over; in 90 days it goes.
Task<void> Service::store_ended(const Transfer* job, storage::Generation generation) {
  const storage::TransactOptions options{.generation = generation};
  auto done = co_await shard_.transact(options, [&](storage::Txn& txn) -> Result<bool> {
    keep_ended(txn, *job);
    return true;
  });
  const bool stored = co_await std::move(done.result);
  ignore(stored, "always true");
  co_return ok();
}

void Service::keep_ended(storage::Txn& txn, const Transfer& job) {
  put_transfer(txn, job);
  timers_.set(txn, {{job.ended->micros + kTransferKeptMicros}}, kTransferTimer, job.arn());
}

Result<void> Service::forget_transfer(storage::Txn& txn, std::string_view arn) {
  for (const auto kind : {TransferKind::export_table, TransferKind::import_table}) {
    const auto address = parse_transfer_arn(kind, arn);
    if (!address) continue;
    VIRGA_TRY(job, find_transfer(txn, kind, *address));
    if (job) erase_transfer(txn, *job);
  }
  return {};
}

}  // namespace virga::dynamodb
