#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/apigatewayv2/shapes/api.h"
#include "api/apigatewayv2/shapes/authorizer.h"
#include "api/apigatewayv2/shapes/deployment.h"
#include "api/apigatewayv2/shapes/integration.h"
#include "api/apigatewayv2/shapes/route.h"
#include "api/apigatewayv2/shapes/stage.h"
#include "services/apigatewayv2/record.h"
#include "storage/keys.h"
#include "storage/shard.h"

// All reading and writing of this service's keys. docs/formats/apigatewayv2.md has the layout:
//   apigateway | 1 | api id | part | id    the records of one API, one range
//   apigateway | 2 | account | region | api id    the APIs of an account
// An API's id alone leads to it because that is all a request on the data plane has.
namespace virga::apigatewayv2 {

enum class Part : uint8_t {
  owner = 0,
  api = 1,
  route = 2,
  integration = 3,
  authorizer = 4,
  stage = 5,
  deployment = 6,
  snapshot = 7
};

struct Owner {
  std::string account;
  std::string region;
  std::string partition;
};

std::string part_key(std::string_view api_id, Part part, std::string_view id = {});
std::string parts_begin(std::string_view api_id, Part part);
std::string listing_key(std::string_view account, std::string_view region, std::string_view api_id);

// Everything of one API, in memory.
struct ApiState {
  Owner owner;
  api::Api api;
  std::map<std::string, api::Route> routes;
  std::map<std::string, api::Integration> integrations;
  std::map<std::string, api::Authorizer> authorizers;
  std::map<std::string, api::Stage> stages;
  std::map<std::string, api::Deployment> deployments;
  std::map<std::string, std::string> snapshots;  // by deployment: see snapshot.h
};

Result<std::optional<Owner>> read_owner(const storage::View& view, std::string_view api_id);
// nullopt when there is no such API.
Result<std::optional<ApiState>> load_api(const storage::View& view, std::string_view api_id);

template <class T>
Result<std::optional<T>> read_part(const storage::View& view, std::string_view api_id, Part part,
                                   std::string_view id) {
  VIRGA_TRY(bytes, view.get(part_key(api_id, part, id)));
  if (!bytes) return std::optional<T>();
  VIRGA_TRY(record, decode_record<T>(*bytes));
  return std::optional<T>(std::move(record));
}

// One page of a list: up to `limit` records after the key of `after`. `next` is empty at the end.
struct Page {
  std::vector<std::string> ids;
  std::vector<std::string> records;
  std::string next;  // the last id, when there is more
};
// Of the keys `range` | id.
Result<Page> list_range(const storage::View& view, const storage::Key& range,
                        std::string_view after, size_t limit);
Result<Page> list_parts(const storage::View& view, std::string_view api_id, Part part,
                        std::string_view after, size_t limit);
Result<Page> list_api_ids(const storage::View& view, std::string_view account,
                          std::string_view region, std::string_view after, size_t limit);

// A change of one API within a transaction: the state is kept in step with what is written.
class ApiChange {
 public:
  ApiChange(storage::Txn& txn, ApiState& state) : txn_(txn), state_(state) {}

  ApiState& state() { return state_; }
  const storage::View& view() const { return txn_; }
  const std::string& api_id() const { return *state_.api.api_id; }

  void put_owner();  // of a new API, with its entry in the listing
  void put_api();    // state().api
  void put(api::Route record);
  void put(api::Integration record);
  void put(api::Authorizer record);
  void put(api::Stage record);
  void put(api::Deployment record);
  void put_snapshot(const std::string& deployment_id, std::string snapshot);
  void erase(Part part, const std::string& id);
  void erase_api();

 private:
  template <class T>
  void write(Part part, const std::string& id, const T& record) {
    txn_.put(part_key(api_id(), part, id), encode_record(record));
  }
  storage::Txn& txn_;
  ApiState& state_;
};

}  // namespace virga::apigatewayv2
