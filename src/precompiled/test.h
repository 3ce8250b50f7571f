#pragma once
// Precompiled for the unit tests of the lower libraries.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "standard.h"
