#pragma once
// Precompiled for the unit tests of src/services and src/server.

#include "service.h"
#include "storage/testing.h"
#include "test.h"
