#pragma once
// Precompiled for the units of src/services and src/server: what nearly all of them include.
// Its neighbours are named without a folder: a cache preprocesses this as text where our include
// root is not known.

#include "async/clock.h"
#include "async/loop.h"
#include "async/task.h"
#include "async/wait.h"
#include "aws/context.h"
#include "base/check.h"
#include "base/document.h"
#include "base/error.h"
#include "base/hashing.h"
#include "base/json.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/time.h"
#include "platform/identity.h"
#include "platform/policy.h"
#include "platform/transact.h"
#include "standard.h"
#include "storage/keys.h"
#include "storage/shard.h"
