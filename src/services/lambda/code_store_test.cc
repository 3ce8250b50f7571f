#include "services/lambda/code_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include "services/lambda/test_zip.h"

namespace virga::lambda {
namespace {

namespace fs = std::filesystem;

async::Detached put(CodeStore* store, std::string zip, std::optional<Result<CodeRecord>>* out) {
  auto got = co_await as_result(store->put(std::move(zip)));
  out->emplace(std::move(got));
}

TEST(CodeStore, takes_the_same_code_many_times_at_once) {
  std::string pattern = (fs::temp_directory_path() / "virga-code-store-XXXXXX").string();
  const fs::path folder = ::mkdtemp(pattern.data());
  async::EpollLoop loop(async::real_env());
  {
    const auto pool = async::make_thread_pool(4);
    CodeStore store(
        storage::local_file_system(), *pool,
        {.zip_dir = (folder / "zips").string(), .folder_dir = (folder / "folders").string()});
    fs::create_directories(folder / "folders");
    const std::string zip = make_zip({{"app.py", std::string(100'000, 'x')}});
    std::vector<std::optional<Result<CodeRecord>>> got(16);
    loop.post([&] {
      for (auto& one : got) put(&store, zip, &one);
    });
    const auto done = [&] {
      return std::ranges::all_of(got, [](const auto& one) { return one.has_value(); });
    };
    while (!done()) loop.run_once(50);
    for (const auto& one : got) {
      ASSERT_TRUE(*one) << (*one).error().message;
      EXPECT_EQ((**one).sha256_hex, (**got.front()).sha256_hex);
    }
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "zips"), fs::directory_iterator()), 1);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "folders"), fs::directory_iterator()), 1);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace virga::lambda
