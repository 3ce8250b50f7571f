#include "dynamo_sim.h"

#include <algorithm>
#include <map>
#include <optional>

#include "api/dynamodb/create_table.h"
#include "api/dynamodb/delete_item.h"
#include "api/dynamodb/get_item.h"
#include "api/dynamodb/put_item.h"
#include "api/dynamodb/transact_get_items.h"
#include "api/dynamodb/transact_write_items.h"
#include "async/sim_world.h"
#include "linearizability.h"
#include "platform/durable_timers.h"
#include "platform/stream_wakeups.h"
#include "services/dynamodb/service.h"
#include "storage/shard.h"
#include "storage/sim_file_system.h"
#include "transaction_cycles.h"

namespace virga::sim {
namespace {

using async::Detached;
using storage::Shard;
using storage::SimFileSystem;
namespace api = dynamodb::api;
using Outcome = ListTransaction::Outcome;

constexpr int kClients = 5;
constexpr int kRegisters = 4;
constexpr int kLists = 4;
constexpr const char* kTable = "simulated";

std::string register_name(int n) {
  return "register-" + std::to_string(n);
}
std::string list_name(int n) {
  return "list-" + std::to_string(n);
}
Item key_of(const std::string& id) {
  return Item{{"id", AttributeValue::string(id)}};
}

int64_t number_in(ItemView item, std::string_view name) {
  const auto value = item.find(name);
  return value ? std::stoll(std::string(value->payload())) : 0;
}
List list_in(const std::optional<Item>& item) {
  List out;
  const auto value = item ? item->find("l") : std::nullopt;
  if (!value) return out;
  for (const auto element : value->list())
    out.push_back(std::stoll(std::string(element.payload())));
  return out;
}

class Run {
 public:
  explicit Run(const DynamoOptions& options)
      : options_(options),
        world_(options.seed),
        fs_([this](uint64_t bound) { return world_.below(bound); }),
        owner_(world_.add_loop("owner")),
        other_(world_.add_loop("other")) {}

  DynamoReport run() {
    const uint64_t lives = 2 + world_.below(3);
    for (uint64_t life = 0; life < lives && report_.problem.empty(); ++life)
      live(life + 1 == lives);
    if (report_.problem.empty()) check();
    report_.trace_hash = world_.trace_hash();
    return report_;
  }

 private:
  enum class End { power_cut, kill, clean };

  bool dead() const { return fatal_ || fs_.stopped(); }
  void problem(const std::string& what) {
    if (report_.problem.empty()) report_.problem = what;
  }
  uint64_t tick() { return ++now_; }

  storage::ShardOptions shard_options() {
    storage::ShardOptions options;
    options.segment_bytes = 64 << 10;
    options.write_buffer_bytes = 64 << 20;  // as in shard_sim.cc
    options.block_cache_bytes = 8 << 20;
    options.on_fatal = [this](const AwsError&) { fatal_ = true; };
    options.faults = options_.faults;
    return options;
  }

  void plan_end(bool last) {
    stop_at_step_ = 0;
    end_ = End::clean;
    if (last) return;
    const uint64_t dice = world_.below(100);
    end_ = dice < 60 ? End::power_cut : End::kill;
    if (dice < 30) {
      fs_.crash_at_sync(5 + world_.below(40), world_.one_in(2) ? SimFileSystem::CrashSide::before
                                                               : SimFileSystem::CrashSide::after);
    } else {
      stop_at_step_ = 50 + world_.below(800);
    }
  }

  void live(bool last) {
    ++report_.lives;
    plan_end(last);
    fatal_ = false;
    auto opened = Shard::open(fs_, "/data", shard_options(), owner_, world_.workers());
    if (!opened) {
      if (!fs_.stopped()) problem("cannot open: " + opened.error().message);
      return end_life();
    }
    shard_ = std::move(*opened);
    timers_ = std::make_unique<platform::DurableTimers>(*shard_, world_.env());
    service_ = std::make_unique<dynamodb::Service>(*shard_, world_.env(), *timers_, wakeups_,
                                                   dynamodb::ServiceOptions{});
    running_ = 1;
    owner_.post([this] { create_table(this); });
    uint64_t steps = 0;
    const bool ended = world_.run_until([&] {
      if (stop_at_step_ != 0 && ++steps == stop_at_step_) fs_.stop();
      return running_ == 0;
    });
    if (!ended) {
      problem("stuck: " + std::to_string(running_) + " clients wait for ever");
      ignore(service_.release(), "its clients are still inside");  // the run ends with the problem
      ignore(timers_.release(), "likewise");
      ignore(shard_.release(), "likewise");
      return;
    }
    if (last && report_.problem.empty()) {
      running_ = 1;
      owner_.post([this] { read_lists(this); });
      if (!world_.run_until([&] { return running_ == 0; })) problem("the last reads wait for ever");
    }
    if (end_ != End::clean) fs_.stop();
    service_.reset();
    timers_.reset();
    shard_.reset();
    end_life();
  }

  void end_life() {
    if (end_ == End::power_cut) fs_.crash();
    if (end_ == End::kill) fs_.restart();
  }

  void check() {
    for (int n = 0; n < kRegisters; ++n) {
      report_.register_operations += registers_[n].size();
      const std::string found = check_linearizable(registers_[n]);
      if (!found.empty()) problem(register_name(n) + ": " + found);
    }
    report_.transactions = transactions_.size();
    const std::string found = check_transactions(transactions_, last_lists_);
    if (!found.empty()) report_.problem += (report_.problem.empty() ? "" : "\n") + found;
  }

  // ---- calls, as the door makes them

  template <class Output, class Input>
  Task<Output> call(Task<Output> (dynamodb::Service::*operation)(Ctx, Input), Input input) {
    RequestContext context;
    context.env = &world_.env();
    context.account = "000000000000";
    context.region = "us-east-1";
    context.service = "dynamodb";
    context.now = world_.env().cloud.now();
    auto handling = (service_.get()->*operation)(Ctx(context), std::move(input));
    Result<Output> got = co_await as_result(std::move(handling));
    if (context.depends_on_lsn > shard_->published())
      co_await shard_->wait_durable(context.depends_on_lsn);
    co_return std::move(got);
  }

  static Detached create_table(Run* run) {
    api::CreateTableInput input;
    input.table_name = kTable;
    input.billing_mode = "PAY_PER_REQUEST";
    auto& attribute = input.attribute_definitions.emplace().emplace_back();
    attribute.attribute_name = "id";
    attribute.attribute_type = "S";
    auto& key = input.key_schema.emplace().emplace_back();
    key.attribute_name = "id";
    key.key_type = "HASH";
    auto creating = run->call(&dynamodb::Service::create_table, std::move(input));
    const auto made = co_await as_result(std::move(creating));
    if (made || made.error().code == "ResourceInUseException") {
      for (int i = 0; i < kClients; ++i) run->start_client(i);
    } else if (!run->dead()) {
      run->problem("no table: " + made.error().message);
    }
    --run->running_;
  }

  void start_client(int id) {
    ++running_;
    async::Loop& home = id % 2 == 0 ? static_cast<async::Loop&>(owner_) : other_;
    home.post([this] { client(this); });
  }

  static Detached client(Run* run) {
    const uint64_t calls = 6 + run->world_.below(14);
    for (uint64_t i = 0; i < calls && !run->dead(); ++i) {
      const uint64_t dice = run->world_.below(100);
      auto step = dice < 15   ? run->read_register()
                  : dice < 30 ? run->write_register()
                  : dice < 55 ? run->compare_register()
                  : dice < 70 ? run->read_transaction()
                              : run->write_transaction(dice < 90);
      ignore(co_await as_result(std::move(step)), "what it means is in the history");
    }
    --run->running_;
  }

  // ---- registers

  // Where the answer goes: histories grow while operations run.
  struct Slot {
    int key;
    size_t at;
  };
  Slot begin(int key, RegisterOperation op) {
    op.called = tick();
    registers_[key].push_back(op);
    return {key, registers_[key].size() - 1};
  }
  RegisterOperation& at(Slot slot) { return registers_[slot.key][slot.at]; }
  // True: there is an answer; an error of another kind than the expected refusal is none.
  bool answer(Slot slot, bool answered) {
    if (answered) {
      at(slot).answered = tick();
    } else {
      ++report_.unanswered;
    }
    return answered;
  }

  Task<void> read_register() {
    const auto key = static_cast<int>(world_.below(kRegisters));
    const Slot slot = begin(key, {.kind = RegisterOperation::Kind::read});
    auto reading = get(register_name(key));
    const Result<std::optional<Item>> got = co_await as_result(std::move(reading));
    if (!answer(slot, got.has_value())) co_return ok();
    at(slot).seen = *got ? number_in(**got, "v") : 0;
    co_return ok();
  }

  Task<std::optional<Item>> get(std::string id) {
    api::GetItemInput input;
    input.table_name = kTable;
    input.key = key_of(id);
    input.consistent_read = true;
    auto getting = call(&dynamodb::Service::get_item, std::move(input));
    const api::GetItemOutput got = co_await std::move(getting);
    if (options_.broken.old_reads && world_.one_in(2)) {
      std::optional<Item> remembered = remembered_[id];
      remembered_[id] = got.item;
      co_return std::move(remembered);
    }
    co_return got.item;
  }

  Task<void> write_register() {
    const auto key = static_cast<int>(world_.below(kRegisters));
    const bool erases = world_.one_in(5);
    const int64_t value = erases ? 0 : ++last_value_;
    const Slot slot = begin(key, {.kind = RegisterOperation::Kind::write, .written = value});
    auto writing = put(key, value, "");
    const Result<std::optional<int64_t>> before = co_await as_result(std::move(writing));
    if (answer(slot, before.has_value())) at(slot).seen = *before;
    co_return ok();
  }

  // `value` 0 deletes. The value before.
  Task<std::optional<int64_t>> put(int key, int64_t value, std::string condition,
                                   int64_t expected = 0) {
    std::optional<Item> before;
    const auto condition_of = [&](auto& input) {
      input.table_name = kTable;
      input.return_values = "ALL_OLD";
      if (condition.empty()) return;
      input.condition_expression = condition;
      input.return_values_on_condition_check_failure = "ALL_OLD";
      if (expected != 0)
        input.expression_attribute_values = Item{{":e", AttributeValue::number(expected)}};
    };
    if (value == 0) {
      api::DeleteItemInput input;
      input.key = key_of(register_name(key));
      condition_of(input);
      auto erasing = call(&dynamodb::Service::delete_item, std::move(input));
      const api::DeleteItemOutput done = co_await std::move(erasing);
      before = done.attributes;
    } else {
      api::PutItemInput input;
      input.item = key_of(register_name(key));
      input.item.append("v", AttributeValue::number(value));
      condition_of(input);
      auto putting = call(&dynamodb::Service::put_item, std::move(input));
      const api::PutItemOutput done = co_await std::move(putting);
      before = done.attributes;
    }
    co_return std::optional<int64_t>(before ? number_in(*before, "v") : 0);
  }

  // A write on condition of a value that was there lately.
  Task<void> compare_register() {
    const auto key = static_cast<int>(world_.below(kRegisters));
    const int64_t expected = likely_value(key);
    const int64_t value = world_.one_in(6) ? 0 : ++last_value_;
    const Slot slot = begin(key, {.kind = RegisterOperation::Kind::compare_and_write,
                                  .written = value,
                                  .expected = expected});
    std::string condition = expected == 0 ? "attribute_not_exists(id)" : "v = :e";
    if (options_.broken.check_then_write) {
      auto reading = get(register_name(key));
      const Result<std::optional<Item>> there = co_await as_result(std::move(reading));
      if (!there) co_return ok();
      if ((*there ? number_in(**there, "v") : 0) != expected) {
        at(slot).refused = true;
        answer(slot, true);
        co_return ok();
      }
      condition.clear();
    }
    auto writing = put(key, value, condition, condition.empty() ? 0 : expected);
    const Result<std::optional<int64_t>> before = co_await as_result(std::move(writing));
    if (before && !options_.broken.check_then_write) at(slot).seen = *before;
    const bool refused = !before && before.error().code == "ConditionalCheckFailedException";
    at(slot).refused = refused;
    if (!answer(slot, before.has_value() || refused)) at(slot).refused = false;
    co_return ok();
  }

  int64_t likely_value(int key) {
    const auto& history = registers_[key];
    if (history.empty() || world_.one_in(5)) return 0;
    const size_t back = world_.below(std::min<size_t>(history.size(), 4));
    return history[history.size() - 1 - back].written;
  }

  // ---- lists

  std::vector<int> some_lists(size_t count) {
    std::vector<int> out;
    while (out.size() < count) {
      const auto list = static_cast<int>(world_.below(kLists));
      if (std::find(out.begin(), out.end(), list) == out.end()) out.push_back(list);
    }
    return out;
  }

  size_t begin(ListTransaction t) {
    t.called = tick();
    transactions_.push_back(std::move(t));
    return transactions_.size() - 1;
  }
  // An error that tells that nothing was done.
  static bool is_refusal(const AwsError& error) {
    return error.code == "TransactionCanceledException" ||
           error.code == "ConditionalCheckFailedException";
  }
  void end(size_t i, const Result<void>& got) {
    ListTransaction& t = transactions_[i];
    if (!got && !is_refusal(got.error())) {
      ++report_.unanswered;
      return;
    }
    t.outcome = got ? Outcome::committed : Outcome::aborted;
    t.answered = tick();
    if (!got) ++report_.aborted;
  }

  Task<std::map<int, List>> read_some(std::vector<int> keys) {
    std::map<int, List> out;
    if (options_.broken.split_transactions || options_.broken.old_reads) {
      for (const int key : keys) {
        const std::optional<Item> item = co_await get(list_name(key));
        out[key] = list_in(item);
      }
      co_return std::move(out);
    }
    api::TransactGetItemsInput input;
    for (const int key : keys) {
      auto& one = input.transact_items.emplace_back();
      one.get.table_name = kTable;
      one.get.key = key_of(list_name(key));
    }
    auto reading = call(&dynamodb::Service::transact_get_items, std::move(input));
    const api::TransactGetItemsOutput got = co_await std::move(reading);
    for (size_t i = 0; i < keys.size(); ++i) out[keys[i]] = list_in((*got.responses)[i].item);
    co_return std::move(out);
  }

  Task<void> read_transaction() {
    const std::vector<int> keys = some_lists(1 + world_.below(kLists));
    const size_t t = begin({});
    auto reading = read_some(keys);
    const Result<std::map<int, List>> got = co_await as_result(std::move(reading));
    if (got) transactions_[t].read = *got;
    end(t, got ? Result<void>() : fail(got.error()));
    co_return ok();
  }

  // Appends to some lists; on condition, after a look, that others still have the lengths seen.
  Task<void> write_transaction(bool conditional) {
    const std::vector<int> keys = some_lists(2 + world_.below(kLists - 1));
    std::map<int, List> seen;
    if (conditional) {
      const size_t look = begin({});
      auto reading = read_some(keys);
      const Result<std::map<int, List>> got = co_await as_result(std::move(reading));
      if (got) transactions_[look].read = seen = *got;
      end(look, got ? Result<void>() : fail(got.error()));
      if (!got) co_return ok();
    }
    ListTransaction intent;
    const size_t appends = 1 + world_.below(keys.size() - 1);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (conditional) intent.read_lengths[keys[i]] = seen[keys[i]].size();
      if (i >= appends) continue;
      List& elements = intent.appended[keys[i]];
      for (uint64_t n = 1 + world_.below(2); n > 0; --n) elements.push_back(++last_value_);
    }
    const std::map<int, List> appended = intent.appended;
    const std::map<int, size_t> lengths = intent.read_lengths;
    const size_t t = begin(std::move(intent));
    auto writing = append(appended, lengths);
    const Result<void> done = co_await as_result(std::move(writing));
    end(t, done);
    co_return ok();
  }

  Task<void> append(std::map<int, List> appended, std::map<int, size_t> lengths) {
    if (options_.broken.check_then_write && !lengths.empty()) {
      std::vector<int> keys;
      for (const auto& [key, length] : lengths) keys.push_back(key);
      const auto there = co_await read_some(std::move(keys));
      for (const auto& [key, length] : lengths) {
        if (there.at(key).size() != length) co_return fail("TransactionCanceledException", 400, "");
      }
      lengths.clear();
    }
    std::vector<api::TransactWriteItem> actions;
    for (const auto& [key, elements] : appended)
      actions.push_back(update_of(key, elements, lengths));
    for (const auto& [key, length] : lengths) {
      if (!appended.contains(key)) actions.push_back(check_of(key, length));
    }
    if (options_.broken.split_transactions) {
      for (auto& action : actions) co_await transact({action});
      co_return ok();
    }
    co_await transact(std::move(actions));
    co_return ok();
  }

  Task<void> transact(std::vector<api::TransactWriteItem> actions) {
    api::TransactWriteItemsInput input;
    input.transact_items = std::move(actions);
    auto writing = call(&dynamodb::Service::transact_write_items, std::move(input));
    const api::TransactWriteItemsOutput done = co_await std::move(writing);
    ignore(done, "its capacity is nobody's business");
    co_return ok();
  }

  static std::string condition_of(size_t length) {
    return length == 0 ? "attribute_not_exists(l)" : "size(l) = :n";
  }

  static api::TransactWriteItem update_of(int key, const List& elements,
                                          const std::map<int, size_t>& lengths) {
    api::TransactWriteItem out;
    auto& update = out.update.emplace();
    update.table_name = kTable;
    update.key = key_of(list_name(key));
    update.update_expression = "SET l = list_append(if_not_exists(l, :none), :more)";
    std::vector<AttributeValue> more;
    for (const int64_t element : elements) more.push_back(AttributeValue::number(element));
    Item values{{":none", AttributeValue::list({})}, {":more", AttributeValue::list(more)}};
    if (const auto length = lengths.find(key); length != lengths.end()) {
      update.condition_expression = condition_of(length->second);
      if (length->second > 0)
        values.append(":n", AttributeValue::number(static_cast<int64_t>(length->second)));
    }
    update.expression_attribute_values = std::move(values);
    return out;
  }

  static api::TransactWriteItem check_of(int key, size_t length) {
    api::TransactWriteItem out;
    auto& check = out.condition_check.emplace();
    check.table_name = kTable;
    check.key = key_of(list_name(key));
    check.condition_expression = condition_of(length);
    if (length > 0) {
      check.expression_attribute_values =
          Item{{":n", AttributeValue::number(static_cast<int64_t>(length))}};
    }
    return out;
  }

  static Detached read_lists(Run* run) {
    for (int key = 0; key < kLists; ++key) {
      api::GetItemInput input;
      input.table_name = kTable;
      input.key = key_of(list_name(key));
      auto getting = run->call(&dynamodb::Service::get_item, std::move(input));
      const Result<api::GetItemOutput> got = co_await as_result(std::move(getting));
      if (!got) run->problem("the end cannot be read: " + got.error().message);
      if (got) run->last_lists_[key] = list_in(got->item);
    }
    for (int key = 0; key < kRegisters; ++key) {
      const Slot slot = run->begin(key, {.kind = RegisterOperation::Kind::read});
      api::GetItemInput input;
      input.table_name = kTable;
      input.key = key_of(register_name(key));
      auto getting = run->call(&dynamodb::Service::get_item, std::move(input));
      const Result<api::GetItemOutput> got = co_await as_result(std::move(getting));
      if (!run->answer(slot, got.has_value())) continue;
      run->at(slot).seen = got->item ? number_in(*got->item, "v") : 0;
    }
    --run->running_;
  }

  DynamoOptions options_;
  async::SimWorld world_;
  SimFileSystem fs_;
  async::SimLoop& owner_;
  async::SimLoop& other_;
  DynamoReport report_;
  std::unique_ptr<Shard> shard_;
  platform::StreamWakeups wakeups_;
  std::unique_ptr<platform::DurableTimers> timers_;
  std::unique_ptr<dynamodb::Service> service_;
  bool fatal_ = false;
  End end_ = End::clean;
  uint64_t stop_at_step_ = 0;
  int running_ = 0;

  uint64_t now_ = 0;        // events so far
  int64_t last_value_ = 0;  // every value and element is written once
  std::vector<RegisterOperation> registers_[kRegisters];
  std::vector<ListTransaction> transactions_;
  std::map<int, List> last_lists_;
  std::map<std::string, std::optional<Item>> remembered_;  // with old_reads
};

}  // namespace

DynamoReport run_dynamo(const DynamoOptions& options) {
  return Run(options).run();
}

}  // namespace virga::sim
