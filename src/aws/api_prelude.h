#pragma once

// What every generated unit includes, compiled once (precompiled header of the api libraries).
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/byte_stream.h"
#include "async/task.h"
#include "aws/api_struct.h"
#include "aws/attribute_value.h"
#include "aws/context.h"
#include "aws/event_source.h"
#include "aws/operation.h"
#include "aws/shape.h"
#include "aws/shape_ops.h"
#include "base/document.h"
#include "base/time.h"
