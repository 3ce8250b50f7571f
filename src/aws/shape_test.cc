#include "aws/shape.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>

#include "async/byte_stream.h"
#include "aws/api_struct.h"
#include "aws/shape_ops.h"

namespace virga::aws {
namespace {

// A structure as the generator writes it, with a member of each storage.
struct Leaf {
  union {
    std::string name;
  };
  union {
    std::optional<int64_t> size;
  };
  VIRGA_API_STRUCT(Leaf)
  static const StructDesc& descriptor();
};
struct Tree {
  union {
    std::string name;
  };
  union {
    int32_t count;
  };
  union {
    std::optional<bool> ripe;
  };
  union {
    std::optional<std::string> note;
  };
  union {
    Maybe<std::vector<Leaf>> leaves;
  };
  union {
    std::vector<std::string> words;
  };
  union {
    Maybe<std::map<std::string, Leaf>> by_name;
  };
  union {
    Box<Tree> below;
  };
  VIRGA_API_STRUCT(Tree)
  static const StructDesc& descriptor();
};
struct Carrier {
  union {
    std::unique_ptr<async::ByteSource> body;
  };
  VIRGA_API_MOVABLE(Carrier)
  static const StructDesc& descriptor();
};

#pragma clang diagnostic ignored "-Winvalid-offsetof"
extern const StructDesc d_leaf, d_tree;
const TypeDesc t_text{.kind = Kind::string}, t_int{.kind = Kind::int32},
    t_long{.kind = Kind::int64}, t_bool{.kind = Kind::boolean};
const TypeDesc t_leaf{.kind = Kind::structure, .structure = &d_leaf};
const TypeDesc t_tree{.kind = Kind::structure, .structure = &d_tree};
const TypeDesc t_leaves{.kind = Kind::list, .element = &t_leaf};
const TypeDesc t_words{.kind = Kind::list, .element = &t_text};
const TypeDesc t_leaf_map{
    .kind = Kind::map, .element = &t_leaf, .key = &t_text, .map = &kMapOps<Leaf>};
const TypeDesc t_source{.kind = Kind::byte_source};
const MemberDesc m_leaf[] = {
    {.name = "Name", .wire = "Name", .type = &t_text, .offset = offsetof(Leaf, name)},
    {.name = "Size",
     .wire = "Size",
     .type = &t_long,
     .offset = offsetof(Leaf, size),
     .slot = Slot::optional},
};
const StructDesc d_leaf{.name = "Leaf", .members = m_leaf, .size = sizeof(Leaf)};
const MemberDesc m_tree[] = {
    {.name = "Name", .type = &t_text, .offset = offsetof(Tree, name)},
    {.name = "Count", .type = &t_int, .offset = offsetof(Tree, count)},
    {.name = "Ripe", .type = &t_bool, .offset = offsetof(Tree, ripe), .slot = Slot::optional},
    {.name = "Note", .type = &t_text, .offset = offsetof(Tree, note), .slot = Slot::optional},
    {.name = "Leaves", .type = &t_leaves, .offset = offsetof(Tree, leaves), .slot = Slot::maybe},
    {.name = "Words", .type = &t_words, .offset = offsetof(Tree, words)},
    {.name = "ByName", .type = &t_leaf_map, .offset = offsetof(Tree, by_name), .slot = Slot::maybe},
    {.name = "Below", .type = &t_tree, .offset = offsetof(Tree, below), .slot = Slot::box},
};
const StructDesc d_tree{.name = "Tree", .members = m_tree, .size = sizeof(Tree)};
const MemberDesc m_carrier[] = {
    {.name = "Body", .type = &t_source, .offset = offsetof(Carrier, body), .slot = Slot::pointer}};
const StructDesc d_carrier{.name = "Carrier", .members = m_carrier, .size = sizeof(Carrier)};
}  // namespace

namespace {
namespace aws = virga::aws;
VIRGA_API_DEFINE_STRUCT(Leaf, d_leaf)
VIRGA_API_DEFINE_STRUCT(Tree, d_tree)
VIRGA_API_DEFINE_MOVABLE(Carrier, d_carrier)

constexpr char kLong[] = "a text that does not fit into the string object itself";

Leaf leaf(std::string name) {
  Leaf out;
  out.name = std::move(name);
  out.size = 7;
  return out;
}

Tree tree() {
  Tree out;
  out.name = kLong;
  out.count = 3;
  out.ripe = true;
  out.note = "n";
  out.leaves.emplace().push_back(leaf("one"));
  out.leaves->push_back(leaf(kLong));
  out.words = {"a", kLong};
  out.by_name.emplace()["x"] = leaf("mapped");
  out.below.emplace().name = "below";
  return out;
}

void expect_full(const Tree& t) {
  EXPECT_EQ(t.name, kLong);
  EXPECT_EQ(t.count, 3);
  EXPECT_EQ(t.ripe, true);
  EXPECT_EQ(t.note, "n");
  ASSERT_TRUE(t.leaves);
  ASSERT_EQ(t.leaves->size(), 2u);
  EXPECT_EQ((*t.leaves)[1].name, kLong);
  EXPECT_EQ((*t.leaves)[1].size, 7);
  EXPECT_EQ(t.words.back(), kLong);
  ASSERT_TRUE(t.by_name);
  EXPECT_EQ(t.by_name->at("x").name, "mapped");
  ASSERT_TRUE(t.below);
  EXPECT_EQ(t.below->name, "below");
}

TEST(Shape, a_new_structure_has_nothing_in_it) {
  const Tree t;
  EXPECT_EQ(t.name, "");
  EXPECT_EQ(t.count, 0);
  EXPECT_FALSE(t.ripe);
  EXPECT_FALSE(t.note);
  EXPECT_FALSE(t.leaves);
  EXPECT_TRUE(t.words.empty());
  EXPECT_FALSE(t.by_name);
  EXPECT_FALSE(t.below);
}

TEST(Shape, copies_are_deep_and_moves_leave_nothing_behind) {
  Tree original = tree();
  const Tree copy = original;
  expect_full(copy);
  Tree moved = std::move(original);
  expect_full(moved);
  moved.below->name = "changed";
  EXPECT_EQ(copy.below->name, "below");
}

TEST(Shape, assignment_survives_itself_and_its_own_parts) {
  Tree t = tree();
  t.below->below.emplace().name = "deep";
  const Tree& self = t;
  t = self;
  EXPECT_EQ(t.name, kLong);
  t = Tree(*t.below);
  EXPECT_EQ(t.name, "below");
  t = std::move(*t.below);
  EXPECT_EQ(t.name, "deep");
}

TEST(Shape, tables_and_ordinary_code_see_the_same_values) {
  Tree t;
  void* leaves = set_member(m_tree[4], &t);
  for (int i = 0; i < 100; ++i) {
    void* made = list_append(t_leaves, leaves);
    *static_cast<std::string*>(set_member(m_leaf[0], made)) = kLong + std::to_string(i);
  }
  ASSERT_TRUE(t.leaves);
  ASSERT_EQ(t.leaves->size(), 100u);
  EXPECT_EQ(t.leaves->at(99).name, std::string(kLong) + "99");
  t.leaves->push_back(leaf("by hand"));
  EXPECT_EQ(list_size(t_leaves, leaves), 101u);
  EXPECT_EQ(*static_cast<const std::string*>(get_member(m_leaf[0], list_at(t_leaves, leaves, 100))),
            "by hand");
  *static_cast<bool*>(set_member(m_tree[2], &t)) = true;
  EXPECT_EQ(t.ripe, true);
  *static_cast<std::string*>(set_member(m_tree[0], set_member(m_tree[7], &t))) = "boxed";
  EXPECT_EQ(t.below->name, "boxed");
  EXPECT_EQ(get_member(m_tree[3], &t), nullptr);
}

TEST(Shape, streams_move_with_their_structure) {
  Carrier a;
  a.body = std::make_unique<async::StringSource>("bytes");
  Carrier b = std::move(a);
  EXPECT_FALSE(a.body);
  ASSERT_TRUE(b.body);
  EXPECT_EQ(b.body->size(), 5u);
}

TEST(Shape, a_box_holds_any_structure) {
  StructBox box = StructBox::hold<Tree>(tree());
  expect_full(box.as<Tree>());
  StructBox other = StructBox::make(d_leaf);
  EXPECT_FALSE(other.as<Leaf>().size);
  box = std::move(other);
  EXPECT_EQ(&box.desc(), &d_leaf);
}

}  // namespace
}  // namespace virga::aws
