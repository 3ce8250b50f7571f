#pragma once

#include "aws/operation.h"
#include "aws/wire.h"

namespace virga::aws {

// The constraint stage: lengths, ranges, patterns, enums and required members of the model, all
// violations in one message in AWS's words ("2 validation errors detected: …; …"). The code is the
// service's (ServiceDesc::validation_code; empty: the service checks for itself and nothing is
// refused here). Comes after authorisation; decoding has accepted the syntax.
Result<void> validate_input(const OperationDesc& op, const StructBox& input,
                            const DecodeNotes& notes);

// Debug builds: what a handler answered, against the model. The text says what is wrong, empty when
// nothing is.
std::string check_output(const OperationDesc& op, const StructBox& output);
// The same for an error: its code must be one the operation (or any operation) may answer.
std::string check_error(const OperationDesc& op, const AwsError& error);

}  // namespace virga::aws
