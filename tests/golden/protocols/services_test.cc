// All services as generated: every operation is found on the wire, its structures work, and
// unimplemented it says so.
#include <gtest/gtest.h>

#include "aws/coverage.h"
#include "aws/router.h"
#include "aws/validate.h"
#include "aws/wire.h"
#include "base/document.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::aws {
namespace {

// A request that means the operation, with no more than the model demands.
struct Sample {
  std::string path, query, body;
  std::vector<std::pair<std::string, std::string>> kept;
  std::vector<net::HeaderView> headers;
  WireRequest request;

  explicit Sample(const OperationDesc& op, Protocol protocol) {
    kept.reserve(64);
    request.method = "POST";
    path = "/";
    if (protocol == Protocol::json) {
      add("X-Amz-Target", std::string(op.service->target_prefix) + "." + std::string(op.name));
    } else if (protocol == Protocol::cbor) {
      add("smithy-protocol", "rpc-v2-cbor");
      path = "/service/" + std::string(op.service->target_prefix) + "/operation/" +
             std::string(op.name);
    } else if (protocol == Protocol::query) {
      add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
      body = "Action=" + std::string(op.name) + "&Version=" + std::string(op.service->api_version);
    } else {
      rest(op);
    }
    for (const auto& [name, value] : kept) headers.push_back({name, value});
    request.path = path;
    request.query = query;
    request.body = body;
    request.headers = &headers;
  }

 private:
  void add(std::string name, std::string value) {
    kept.emplace_back(std::move(name), std::move(value));
  }
  void rest(const OperationDesc& op) {
    request.method = op.http_method;
    const auto question = op.uri.find('?');
    for (const auto part : split(op.uri.substr(0, question), '/')) {
      if (part.empty()) continue;
      if (path.back() != '/') path += '/';
      path += part.starts_with('{') ? (part.ends_with("+}") ? "a/b" : "label") : part;
    }
    if (question != std::string_view::npos) query = op.uri.substr(question + 1);
    for (const MemberDesc& m : op.input->members) {
      if (!m.required()) continue;
      if (m.location == Location::header) add(std::string(m.wire), "1");
      if (m.location == Location::query)
        query += (query.empty() ? "" : "&") + std::string(m.wire) + "=1";
    }
  }
};

TEST(Services, every_operation_is_found_on_the_wire) {
  size_t count = 0;
  for (const ServiceDesc* service : all_services()) {
    for (const OperationDesc& op : service->operations) {
      for (const Protocol protocol : service->protocols) {
        const Sample sample(op, protocol);
        const auto match = match_operation(*service, sample.request);
        ASSERT_TRUE(match) << service->name << " " << op.name << ": " << match.error().code << " "
                           << sample.path << "?" << sample.query;
        // Old forms of an operation have the same binding as the new one and nothing to tell them
        // apart.
        const bool same_binding =
            match->operation->uri == op.uri && match->operation->http_method == op.http_method;
        EXPECT_TRUE(match->operation == &op || same_binding)
            << service->name << " " << op.name << " is taken for " << match->operation->name;
      }
      ++count;
    }
  }
  EXPECT_EQ(count, 1495u);
}

TEST(Services, every_structure_can_be_made_and_written) {
  for (const ServiceDesc* service : all_services()) {
    for (const OperationDesc& op : service->operations) {
      const InputBox input = InputBox::make(*op.input);
      ASSERT_TRUE(input);
      for (const Protocol protocol : service->protocols) {
        OutputBox output = OutputBox::make(*op.output);
        if (op.streams_output && protocol != Protocol::rest_xml && !output.desc().payload)
          continue;  // no source of events
        if (op.output->payload && op.output->payload->type->kind == Kind::event_stream) continue;
        const auto response = encode_output(op, protocol, std::move(output), "id");
        EXPECT_GE(response.status, 200) << op.name;
      }
    }
  }
}

TEST(Services, an_unimplemented_operation_names_itself_in_each_protocol) {
  for (const ServiceDesc* service : all_services()) {
    for (const OperationDesc& op : service->operations) {
      const AwsError error = not_implemented(service->name, op.name);
      for (const Protocol protocol : service->protocols) {
        const auto response = encode_error(*service, &op, protocol, error, "id");
        EXPECT_EQ(response.status, 501);
        EXPECT_NE(response.body.find(op.name), std::string::npos)
            << service->name << " " << op.name;
      }
    }
    EXPECT_EQ(count_coverage(*service, nullptr).implemented, 0u);
  }
}

const OperationDesc& operation(std::string_view service, std::string_view name) {
  return *find_operation(*find_service(service), name);
}

// Decodes and checks a JSON body; the violation's message, or empty.
std::string violation(std::string_view service, std::string_view name, std::string_view body) {
  const OperationDesc& op = operation(service, name);
  Sample sample(op, Protocol::json);
  sample.request.body = body;
  DecodeNotes notes;
  auto input = decode_input({&op, Protocol::json, {}}, sample.request, notes);
  if (!input) return input.error().code + ": " + input.error().message;
  const auto checked = validate_input(op, *input, notes);
  return checked ? "" : checked.error().code + ": " + checked.error().message;
}

TEST(Validation, says_what_AWS_says) {
  EXPECT_EQ(violation("dynamodb", "DescribeTable", "{}"),
            "ValidationException: 1 validation error detected: Value null at 'tableName' failed to "
            "satisfy constraint: "
            "Member must not be null");
  EXPECT_EQ(violation("dynamodb", "GetItem",
                      R"({"TableName":"t","Key":{"a":{"S":"b"}},"ReturnConsumedCapacity":"x"})"),
            "ValidationException: 1 validation error detected: Value 'x' at "
            "'returnConsumedCapacity' failed to satisfy "
            "constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]");
  EXPECT_EQ(violation("dynamodb", "DescribeTable", R"({"TableName":"abc"})"), "");
  EXPECT_EQ(violation("dynamodb", "DescribeTable", R"({"TableName":1})"),
            "SerializationException: NUMBER_VALUE cannot be converted to String");
  EXPECT_EQ(violation("dynamodb", "DescribeTable", R"({"TableName":"abc"} x)"),
            "SerializationException: ");
  EXPECT_EQ(violation("dynamodb", "DescribeTable", "{"), "SerializationException: ");
}

TEST(Validation, joins_violations_and_points_into_lists) {
  const std::string got =
      violation("dynamodb", "CreateTable",
                R"({"TableName":"abc","AttributeDefinitions":[{"AttributeName":"a"}],)"
                R"("KeySchema":[{"AttributeName":"a","KeyType":"x"}]})");
  EXPECT_NE(got.find("2 validation errors detected: "), std::string::npos) << got;
  EXPECT_NE(got.find("Value null at 'attributeDefinitions.1.member.attributeType' failed to "
                     "satisfy constraint: Member "
                     "must not be null"),
            std::string::npos)
      << got;
  EXPECT_NE(got.find("Value 'x' at 'keySchema.1.member.keyType' failed to satisfy constraint: "
                     "Member must satisfy enum "
                     "value set: [HASH, RANGE]"),
            std::string::npos)
      << got;
}

TEST(Errors, have_each_service_s_own_form) {
  const auto json = [](std::string_view service, AwsError error) {
    const ServiceDesc& s = *find_service(service);
    return encode_error(s, nullptr, s.protocols[0], error, "id");
  };
  const auto missing = json("dynamodb", {.code = "ResourceNotFoundException", .message = "m"});
  EXPECT_EQ(
      missing.body,
      R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"m"})");
  EXPECT_TRUE(missing.headers.find("x-amz-crc32"));
  EXPECT_EQ(json("dynamodb", {.code = "ValidationException", .message = "m"}).body,
            R"({"__type":"com.amazon.coral.validate#ValidationException","message":"m"})");
  EXPECT_EQ(json("dynamodb", {.code = "UnknownOperationException"}).body,
            R"({"__type":"com.amazon.coral.service#UnknownOperationException"})");
  const auto lambda =
      json("lambda", {.code = "ResourceNotFoundException", .http_status = 404, .message = "gone"});
  EXPECT_EQ(lambda.body, R"({"Type":"User","Message":"gone"})");
  EXPECT_EQ(lambda.headers.find("x-amzn-errortype"), "ResourceNotFoundException");
  const auto sts = json("sts", {.code = "MalformedPolicyDocument", .message = "bad <doc>"});
  EXPECT_NE(sts.body.find("<Type>Sender</Type><Code>MalformedPolicyDocument</Code><Message>bad "
                          "&lt;doc&gt;</Message>"),
            std::string::npos)
      << sts.body;
  const auto s3 = json("s3", {.code = "NoSuchBucket", .http_status = 404, .message = "m"});
  EXPECT_NE(s3.body.find("<Error><Code>NoSuchBucket</Code><Message>m</Message>"), std::string::npos)
      << s3.body;
  const auto sqs = json("sqs", {.code = "QueueDoesNotExist", .message = "m"});
  EXPECT_EQ(sqs.headers.find("x-amzn-query-error"),
            "AWS.SimpleQueueService.NonExistentQueue;Sender");
}

}  // namespace
}  // namespace virga::aws
