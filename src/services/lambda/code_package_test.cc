#include "services/lambda/code_package.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/hashing.h"
#include "base/strings.h"
#include "services/lambda/test_zip.h"

namespace virga::lambda {
namespace {

namespace fs = std::filesystem;

constexpr char kCouldNot[] =
    "Could not unzip uploaded file. Please check your file, then try to upload again.";

struct Folder {
  fs::path path;
  Folder() {
    std::string text = (fs::temp_directory_path() / "virga-code-XXXXXX").string();
    path = ::mkdtemp(text.data());
  }
  ~Folder() { fs::remove_all(path); }
};

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

Result<std::string> unpack(const std::string& zip, const Folder& folder) {
  const auto package = inspect_zip(zip);
  if (!package) return std::unexpected(package.error());
  return unpack_zip(zip, *package, folder.path.string());
}

TEST(CodePackage, tells_size_and_hash_of_the_zip) {
  const auto zip = make_zip({{"app.py", "print(1)"}, {"lib/x.py", "12345"}});
  const auto got = inspect_zip(zip);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->zip_bytes, zip.size());
  EXPECT_EQ(got->unzipped_bytes, 13u);
  EXPECT_EQ(got->sha256_base64, to_base64(as_bytes(sha256(zip))));
}

TEST(CodePackage, unpacks_files_with_modes_into_a_folder_named_by_the_hash) {
  const Folder folder;
  const auto zip = make_zip({{"bootstrap", "#!/bin/sh\n", S_IFREG | 0755},
                             {"secret.py", "x = 1", S_IFREG | 0600},
                             {"plain.txt", "p", 0},
                             {"pkg/", "", S_IFDIR | 0700},
                             {"pkg/mod/a.py", "a"}});
  const auto got = unpack(zip, folder);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(fs::path(*got).filename(), to_hex(as_bytes(sha256(zip))));
  EXPECT_EQ(read(*got + "/pkg/mod/a.py"), "a");
  EXPECT_EQ(fs::status(*got + "/bootstrap").permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(*got + "/secret.py").permissions(), fs::perms(0644));
  EXPECT_EQ(fs::status(*got + "/pkg").permissions(), fs::perms(0755));
}

TEST(CodePackage, the_same_zip_twice_gives_the_same_folder) {
  const Folder folder;
  const auto zip = make_zip({{"a", "1"}});
  EXPECT_EQ(*unpack(zip, folder), *unpack(zip, folder));
}

TEST(CodePackage, refuses_what_is_no_zip) {
  for (const std::string& bytes : {std::string("hello"), std::string(1000, '\0')}) {
    const auto got = inspect_zip(bytes);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, "InvalidParameterValueException");
    EXPECT_EQ(got.error().message, kCouldNot);
  }
}

TEST(CodePackage, refuses_a_zip_without_files) {
  const std::string empty("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
  EXPECT_EQ(inspect_zip("").error().message, "Uploaded file must be a non-empty zip");
  EXPECT_EQ(inspect_zip(empty).error().message, "Uploaded file must be a non-empty zip");
}

TEST(CodePackage, refuses_paths_that_leave_the_folder) {
  for (const char* path :
       {"../evil", "a/../../evil", "/etc/cron.d/evil", "a\\..\\..\\evil", "..", "a/.."}) {
    const auto got = inspect_zip(make_zip({{path, "x"}}));
    ASSERT_FALSE(got) << path;
    EXPECT_EQ(got.error().message, kCouldNot) << path;
  }
}

TEST(CodePackage, keeps_links_that_stay_inside) {
  const Folder folder;
  const auto zip = make_zip({{"node_modules/pkg/cli.js", "c"},
                             {"node_modules/.bin/cli", "../pkg/cli.js", S_IFLNK | 0777},
                             {"here", "node_modules/pkg", S_IFLNK | 0777},
                             {"abs", "/var/task/here/cli.js", S_IFLNK | 0777}});
  const auto got = unpack(zip, folder);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(read(*got + "/node_modules/.bin/cli"), "c");
  EXPECT_EQ(fs::read_symlink(*got + "/abs"), "/var/task/here/cli.js");
}

TEST(CodePackage, refuses_links_that_leave) {
  for (const char* target :
       {"..", "../x", "a/../../x", "/etc/passwd", "/", "/var/task/../../etc"}) {
    const auto got = inspect_zip(make_zip({{"link", target, S_IFLNK | 0777}}));
    ASSERT_FALSE(got) << target;
    EXPECT_EQ(got.error().message, kCouldNot);
  }
}

TEST(CodePackage, never_writes_through_a_link) {
  const Folder folder;
  // The second entry would be written through the first, were links made in the archive's order.
  const auto through = make_zip({{"d", "/tmp/elsewhere", S_IFLNK | 0777}, {"d/file", "x"}});
  EXPECT_FALSE(unpack(through, folder));
  const auto chain =
      make_zip({{"p/q/up", "../..", S_IFLNK | 0777}, {"p/q/up/z", "..", S_IFLNK | 0777}});
  EXPECT_FALSE(unpack(chain, folder));
  EXPECT_TRUE(fs::is_empty(folder.path));  // nothing half unpacked stays
}

TEST(CodePackage, refuses_devices) {
  EXPECT_FALSE(inspect_zip(make_zip({{"null", "", S_IFCHR | 0666}})));
  EXPECT_FALSE(inspect_zip(make_zip({{"pipe", "", S_IFIFO | 0666}})));
}

TEST(CodePackage, refuses_more_than_250_mb_unzipped) {
  const std::string zeros(90'000'000, '\0');
  const auto bomb = make_zip({{"a", zeros}, {"b", zeros}, {"c", zeros}});
  ASSERT_LT(bomb.size(), 1'000'000u);
  EXPECT_EQ(inspect_zip(bomb).error().message,
            "Unzipped size must be smaller than 262144000 bytes");
}

TEST(CodePackage, refuses_damaged_content) {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i);
  auto zip = make_zip({{"a.py", text}});
  zip[200] ^= 0x55;
  const auto got = unpack(zip, folder);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, kCouldNot);
  EXPECT_TRUE(fs::is_empty(folder.path));
}

TEST(CodePackage, survives_truncation_at_any_byte) {
  const Folder folder;
  const auto zip = make_zip({{"a.py", "print(1)"}, {"b", "a.py", S_IFLNK | 0777}});
  for (size_t n = 0; n < zip.size(); ++n) EXPECT_FALSE(inspect_zip(zip.substr(0, n))) << n;
}

TEST(CodePackage, a_crash_leaves_nothing_after_the_next_start) {
  const Folder folder;
  fs::create_directories(folder.path / ".unpacking-abc-1-2/sub");
  fs::create_directories(folder.path / "kept");
  remove_half_unpacked(folder.path.string());
  EXPECT_FALSE(fs::exists(folder.path / ".unpacking-abc-1-2"));
  EXPECT_TRUE(fs::exists(folder.path / "kept"));
}

TEST(MergeFolders, later_ones_lie_on_top) {
  std::string pattern = (fs::temp_directory_path() / "virga-merge-XXXXXX").string();
  const fs::path root = ::mkdtemp(pattern.data());
  const auto write = [&](const std::string& path, const std::string& text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  };
  const auto read = [&](const std::string& path) {
    std::ifstream in(root / path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  write("a/both", "a");
  write("a/deep/only_a", "a");
  write("a/was_a_folder/x", "a");
  fs::create_symlink("both", root / "a/link");
  write("b/both", "b");
  write("b/was_a_folder", "b");
  const std::string merged = (root / "merged").string();
  ASSERT_TRUE(merge_folders({(root / "a").string(), (root / "b").string()}, merged));
  EXPECT_EQ(read("merged/both"), "b");
  EXPECT_EQ(read("merged/deep/only_a"), "a");
  EXPECT_EQ(read("merged/was_a_folder"), "b");
  EXPECT_EQ(fs::read_symlink(root / "merged/link"), "both");
  EXPECT_EQ(read("a/both"), "a");
  fs::remove_all(root);
}

}  // namespace
}  // namespace virga::lambda
