#pragma once
// Precompiled for the unit tests of src/services and src/server.

#include "precompiled/service.h"
#include "precompiled/test.h"
#include "storage/testing.h"
