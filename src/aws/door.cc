#include "aws/door.h"

#include "async/byte_stream.h"
#include "aws/document_codec.h"

namespace virga::aws {
namespace {

constexpr size_t kStreamedAnswerBytesMax = 256 * 1024 * 1024;

const MemberDesc* streamed_member(const StructDesc& shape) {
  return shape.payload && shape.payload->type->kind == Kind::byte_source ? shape.payload : nullptr;
}

std::string missing_text(const DecodeNotes& notes) {
  std::string out;
  for (const auto& path : notes.missing) out += (out.empty() ? "" : ", ") + path;
  return out;
}

}  // namespace

Task<Document> call_by_name(Door& door, CallContext call, std::string service,
                            std::string operation, Document input) {
  const ServiceDesc* desc = find_service(service);
  if (!desc) co_return fail("UnknownOperationException", 404, "There is no service " + service);
  const OperationDesc* op = find_operation(*desc, operation);
  if (!op)
    co_return fail("UnknownOperationException", 404,
                   "Service " + service + " has no operation " + operation);
  InputBox box = InputBox::make(*op->input);
  DecodeNotes notes;
  if (input.is_null()) input = Document::object();
  co_await read_document(input, *op->input, box.object(), notes);
  if (!notes.missing.empty()) {
    co_return fail(
        std::string(desc->validation_code.empty() ? "ValidationException" : desc->validation_code),
        400, "Missing required members: " + missing_text(notes));
  }
  OutputBox output = co_await door.call(*op, std::move(call), std::move(box));
  Document answer = write_document(*op->output, output.object());
  if (const MemberDesc* m = streamed_member(*op->output)) {
    void* slot = static_cast<char*>(output.object()) + m->offset;
    auto& source = *static_cast<std::unique_ptr<async::ByteSource>*>(slot);
    if (source) {
      AwsError too_large{.code = "RequestEntityTooLargeException",
                         .http_status = 413,
                         .message = "The streamed answer is too large"};
      std::string bytes =
          co_await async::read_all(*source, kStreamedAnswerBytesMax, std::move(too_large));
      answer.set(m->name, Document(std::move(bytes)));
    }
  }
  co_return std::move(answer);
}

}  // namespace virga::aws
