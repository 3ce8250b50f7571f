#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "aws/context.h"
#include "aws/shape.h"

// What the door knows of services and operations: constants from the models, and the binding of a
// service's class to them. Everything here outlives every request.
namespace virga::aws {

enum class Protocol : uint8_t { json, rest_json, rest_xml, query, cbor };

struct ErrorDesc {
  std::string_view name;  // the shape: "QueueDoesNotExist"; what handlers put into AwsError::code
  std::string_view code;  // error.code of query services:
                          // "AWS.SimpleQueueService.NonExistentQueue"; else the name
  uint16_t status = 400;
  bool sender = true;   // Sender or Receiver in query answers
  bool common = false;  // of the framework in front of the service, not of the service itself
  const StructDesc* shape = nullptr;
};

// One IAM action that an operation needs. Texts with {Member} and ${...} are filled in by the door.
struct AuthDesc {
  std::string_view action;                 // "dynamodb:PutItem"
  Table<std::string_view> resources;       // ARN templates; empty means "*"
  Table<std::string_view> condition_keys;  // "dynamodb:LeadingKeys=Key" and such
};

struct OperationDesc {
  std::string_view name;   // "PutItem"
  std::string_view snake;  // "put_item"
  const ServiceDesc* service = nullptr;
  uint16_t index = 0;  // in ServiceDesc::operations
  std::string_view http_method = "POST";
  std::string_view uri =
      "/";  // "/2015-03-31/functions/{FunctionName}/invocations", "/{Bucket}/{Key+}?uploads"
  uint16_t status = 200;
  const StructDesc* input =
      nullptr;  // never null: operations without an input have an empty structure
  const StructDesc* output = nullptr;
  bool has_input = true;  // the model gives the operation an input shape
  bool has_output = true;
  Table<const ErrorDesc*> errors;
  std::string_view result_wrapper;  // query answers: "GetUserResult"
  std::string_view input_element;   // REST-XML request bodies
  std::string_view
      output_element;  // REST-XML answers' root, where it is not the output shape's name
  std::string_view input_namespace;
  std::string_view host_prefix;      // "sync-"
  std::string_view checksum_member;  // member that names the checksum algorithm (S3)
  bool checksum_required = false;
  bool anonymous = false;  // the model needs no signature (sts:AssumeRoleWithWebIdentity, …)
  bool unsigned_payload = false;
  bool idempotent = false;
  bool readonly = false;
  bool streams_input = false;   // a streaming blob is the body
  bool streams_output = false;  // a streaming blob or events are the body
  Table<AuthDesc> auth;
};

struct ServiceDesc {
  std::string_view name;             // our folder and namespace: "dynamodb"
  std::string_view service_id;       // "DynamoDB"
  std::string_view endpoint_prefix;  // host label
  std::string_view signing_name;     // credential scope
  std::string_view api_version;
  std::string_view target_prefix;  // "DynamoDB_20120810"
  std::string_view json_version;
  std::string_view xml_namespace;
  std::string_view global_endpoint;  // set for services with one state per account
  Table<Protocol> protocols;         // the default first
  bool query_compatible = false;
  std::string_view validation_code = "ValidationException";
  // The error of a missing required member, "The request must contain the parameter X.", in
  // services that say so instead of a constraint violation; empty: the others.
  std::string_view missing_code;
  // The member that the path of a query request stands for when the form has none: SQS's
  // "/account/queue" is QueueUrl.
  std::string_view path_member;
  std::string_view error_namespace;  // JSON __type prefix without '#'; empty: none
  // Answers' request id: its header, and how many letters and digits it has; 0: a UUID.
  std::string_view request_id_header = "x-amzn-RequestId";
  size_t request_id_length = 0;
  bool body_crc32 = false;  // answers carry x-amz-crc32, by which clients verify the body
  // Requests have a body, be it "{}"; others take none for an empty document.
  bool body_required = false;
  // The error of a path that no operation has; empty: UnknownOperationException.
  std::string_view unknown_path_code;
  std::string_view unknown_path_message;
  // S3's kind of errors: a document whose root is Error, members of their own, and most codes in no
  // model.
  bool bare_errors = false;
  // Addresses are buckets and keys: the bucket may stand in the host, browsers upload by forms,
  // anybody may ask, and cross-origin rules are the bucket's own.
  bool buckets = false;
  Table<OperationDesc> operations;  // by name
  Table<const ErrorDesc*> errors;   // all modelled errors, by name

  bool speaks(Protocol p) const {
    for (Protocol mine : protocols) {
      if (mine == p) return true;
    }
    return false;
  }
};

// All services that have a model, by name. (Both generated: link api_registry.)
Table<const ServiceDesc*> all_services();
const ServiceDesc* find_service(std::string_view name);
const OperationDesc* find_operation(const ServiceDesc& service, std::string_view name);
const ErrorDesc* find_error(const ServiceDesc& service, std::string_view name);

using Thunk = Task<OutputBox> (*)(void* handlers, Ctx ctx, InputBox input);

// What an operation does not do yet, for the coverage page: a parameter accepted without effect, a
// missing branch.
struct PartialNote {
  std::string_view operation;  // "CreateTable"
  std::string_view what;       // "SSESpecification is stored without effect"
};

// A service's class joined to its model: made by the generated bind(). The service object must
// outlive it.
struct ServiceBinding {
  const ServiceDesc* service = nullptr;
  void* handlers = nullptr;
  std::vector<Thunk> thunks;  // by OperationDesc::index; null: not implemented
  std::vector<PartialNote> partial;

  bool implements(const OperationDesc& op) const {
    return op.index < thunks.size() && thunks[op.index];
  }
};

// "NotImplemented: dynamodb PutItem is not implemented by Virga.", 501.
AwsError not_implemented(std::string_view service, std::string_view operation);
// Runs the handler, or fails with not_implemented. `input` has the operation's input structure.
Task<OutputBox> invoke(const ServiceBinding& binding, const OperationDesc& op, Ctx ctx,
                       InputBox input);

// What the generated default handlers return: converts to a failed Task of any type.
struct NotImplementedTask {
  std::string_view service;
  std::string_view operation;
  template <class T>
  operator Task<T>() const {
    return Task<T>::adopt(failed_task(not_implemented(service, operation)));
  }
};

namespace binding_detail {

// Where a handler's answer lands until it is boxed.
struct Landing {
  std::unique_ptr<task_detail::SlotBase, void (*)(task_detail::SlotBase*)> slot;
  OutputBox (*box)(task_detail::SlotBase& slot);
};
// Waits for the handler and boxes its answer: one coroutine for every operation.
Task<OutputBox> land(UntypedTask handling, Landing landing);

template <class Output>
void drop(task_detail::SlotBase* slot) {
  delete static_cast<task_detail::Slot<Output>*>(slot);
}
template <class Output>
OutputBox box(task_detail::SlotBase& slot) {
  return OutputBox::hold<Output>(std::move(static_cast<task_detail::Slot<Output>&>(slot).value));
}

template <class Service, class Input, class Output, Task<Output> (Service::*kMethod)(Ctx, Input)>
Task<OutputBox> call(void* handlers, Ctx ctx, InputBox input) {
  auto* service = static_cast<Service*>(handlers);
  auto* slot = new task_detail::Slot<Output>;
  Landing landing{{slot, &drop<Output>}, &box<Output>};
  return land(UntypedTask((service->*kMethod)(ctx, std::move(input.as<Input>())), *slot),
              std::move(landing));
}

// The thunk of one operation, or null when Service did not override the default of Base.
template <class Service, class Base, class Input, class Output, auto kMethod>
constexpr Thunk thunk() {
  if constexpr (std::is_same_v<decltype(kMethod), Task<Output> (Base::*)(Ctx, Input)>) {
    return nullptr;
  } else {
    return &call<Service, Input, Output, kMethod>;
  }
}

}  // namespace binding_detail
}  // namespace virga::aws
