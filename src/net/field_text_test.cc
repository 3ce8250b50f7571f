#include "net/field_text.h"

#include <gtest/gtest.h>

#include <string>

namespace virga::net {
namespace {

TEST(FieldText, takes_every_character_for_what_it_is_wherever_it_stands) {
  for (size_t size = 1; size <= 50; ++size) {
    ASSERT_FALSE(has_control_characters(std::string(size, 'a')));
    for (size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(c);
        ASSERT_EQ(has_control_characters(text), c < 0x20 || c == 0x7f)
            << size << ' ' << at << ' ' << c;
      }
    }
  }
  EXPECT_FALSE(has_control_characters(""));
}

}  // namespace
}  // namespace virga::net
