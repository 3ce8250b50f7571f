// What a durable write costs: a raw append with fdatasync, the log alone, the whole shard with 1,
// 64 and 256 writers; and what reads cost. `storage_bench [folder]`; prints rates, latencies and
// CPU per operation of this process.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "async/loop.h"
#include "storage/shard.h"
#include "storage/shard_log.h"

namespace virga::storage {
namespace {

double now_us() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}
double cpu_us() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}
long rss_kib() {
  long pages = 0, resident = 0;
  if (FILE* f = fopen("/proc/self/statm", "r")) {
    if (fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
    fclose(f);
  }
  return resident * 4;
}

struct Meter {
  double wall = now_us(), cpu = cpu_us();
  std::vector<double> latencies;
  void report(const char* what, size_t operations) {
    const double n = static_cast<double>(operations);
    const double w = now_us() - wall, c = cpu_us() - cpu;
    std::printf("%-44s %9.0f/s  cpu %6.2f us", what, n / w * 1e6, c / n);
    if (!latencies.empty()) {
      std::sort(latencies.begin(), latencies.end());
      std::printf("  p50 %7.1f us  p99 %8.1f us", latencies[latencies.size() / 2],
                  latencies[latencies.size() * 99 / 100]);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
};

void raw_sync(const std::string& dir) {
  const std::string path = dir + "/raw";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  std::string page(4096, 'x');
  for (int i = 0; i < 2000; ++i) {
    if (::pwrite(fd, page.data(), page.size(), i * 4096) < 0) std::abort();
  }
  ::fsync(fd);
  Meter meter;
  for (int i = 0; i < 1000; ++i) {
    const double start = now_us();
    if (::pwrite(fd, page.data(), page.size(), i * 4096) < 0 || ::fdatasync(fd) != 0) std::abort();
    meter.latencies.push_back(now_us() - start);
  }
  meter.report("raw: overwrite 4 KiB + fdatasync", 1000);
  ::close(fd);
}

std::string item(uint64_t n) {
  return std::string(300, static_cast<char>('a' + n % 26));
}
Key item_key(uint64_t n) {
  return Key(Space::dynamodb_items)
      .account("000000000000")
      .region("us-east-1")
      .u64(7)
      .u64(n * 0x9e3779b97f4a7c15);
}

struct Load {
  Shard* shard;
  async::EpollLoop* loop;
  Meter* meter;
  uint64_t next = 0, limit = 0;
  int running = 0;
};

async::Detached writer(Load* load) {
  while (load->next < load->limit) {
    const uint64_t n = load->next++;
    const double start = now_us();
    const Key key = item_key(n);
    const std::string value = item(n);
    const auto done = co_await as_result(
        load->shard->transact(CommitClass::durable, [&](Txn& txn) -> Result<void> {
          VIRGA_TRY(old, txn.get(key));
          txn.put(key, value);
          return {};
        }));
    if (!done || !done->result) std::abort();
    const auto durable = co_await as_result(load->shard->wait_durable(done->lsn));
    if (!durable) std::abort();
    load->meter->latencies.push_back(now_us() - start);
  }
  if (--load->running == 0) load->loop->stop();
}

void durable_puts(const std::string& dir, int writers, uint64_t count) {
  async::EpollLoop loop(async::real_env());
  const double start = now_us();
  auto shard = Shard::open(local_file_system(), dir + "/shard" + std::to_string(writers), {}, loop);
  if (!shard) {
    std::printf("%s\n", shard.error().message.c_str());
    std::abort();
  }
  std::printf("open empty: %.1f ms, RSS %.1f MB\n", (now_us() - start) / 1e3,
              static_cast<double>(rss_kib()) / 1024);
  Meter meter;
  Load load{shard->get(), &loop, &meter, 0, count, writers};
  loop.post([&] {
    for (int i = 0; i < writers; ++i) writer(&load);
  });
  loop.run();
  meter.report(("shard: get + put 300 B durable, " + std::to_string(writers) + " writers").c_str(),
               count);
  const auto stats = (*shard)->stats();
  std::printf("  %.1f batches per drain, RSS %.1f MB\n",
              static_cast<double>(stats.batches) / static_cast<double>(stats.drains),
              static_cast<double>(rss_kib()) / 1024);

  Meter gets;
  for (uint64_t i = 0; i < count; ++i) {
    const auto got = (*shard)->get(item_key(i * 7919 % count));
    if (!got || !*got) std::abort();
  }
  gets.report("shard: get, hot", count);
  Meter scans;
  size_t rows = 0;
  const auto view = (*shard)->snapshot();
  ignore(view->scan("", "", Direction::forward, [&](auto, auto) { return ++rows; }), "");
  scans.report("shard: scan, per row", rows);
  Meter seeks;
  for (uint64_t i = 0; i < 20'000; ++i) {
    int left = 10;
    ignore(view->scan(item_key(i * 7919 % count), "", Direction::forward,
                      [&](auto, auto) { return --left > 0; }),
           "");
  }
  seeks.report("shard: range of 10 rows", 20'000);
}

void reopen(const std::string& dir) {
  async::EpollLoop loop(async::real_env());
  for (const char* name : {"/shard1", "/shard256"}) {
    const double start = now_us();
    const auto shard = Shard::open(local_file_system(), dir + name, {}, loop);
    if (!shard) std::abort();
    std::printf("reopen %s (%lu batches): %.1f ms\n", name + 1, (*shard)->published(),
                (now_us() - start) / 1e3);
  }
}

void memory_puts() {
  async::EpollLoop loop(async::real_env());
  const auto files = make_memory_file_system();
  const double start = now_us();
  auto shard = Shard::open(*files, "/data", {.segment_bytes = 4 << 20}, loop);
  std::printf("open empty in memory: %.1f ms\n", (now_us() - start) / 1e3);
  Meter meter;
  Load load{shard->get(), &loop, &meter, 0, 200'000, 64};
  loop.post([&] {
    for (int i = 0; i < 64; ++i) writer(&load);
  });
  loop.run();
  meter.report("memory: get + put 300 B, 64 writers", 200'000);
}

}  // namespace
}  // namespace virga::storage

int main(int argc, char** argv) {
  using namespace virga::storage;
  std::string dir = argc > 1 ? argv[1] : "/tmp/virga_storage_bench";
  virga::ignore(remove_tree(local_file_system(), dir), "");
  virga::ignore(local_file_system().make_dir(dir), "");
  raw_sync(dir);
  durable_puts(dir, 1, 3'000);
  durable_puts(dir, 64, 100'000);
  durable_puts(dir, 256, 200'000);
  reopen(dir);
  raw_sync(dir);
  memory_puts();
  virga::ignore(remove_tree(local_file_system(), dir), "");
}
