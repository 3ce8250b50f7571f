#pragma once

#include <functional>
#include <memory>

namespace virga::async {

// A single background activity, such as a shard's log: `step` runs again and again while it returns
// true, and once more after each kick. Steps of one worker never overlap. The destructor lets a
// running step end and runs no further one.
class Worker {
 public:
  virtual ~Worker() = default;
  virtual void kick() = 0;  // from any thread; cheap when the worker is already awake
};

// Who gives workers their turn: threads in the server, the seeded scheduler in simulation.
class WorkerHost {
 public:
  virtual ~WorkerHost() = default;
  virtual std::unique_ptr<Worker> start(const char* name, std::function<bool()> step) = 0;
  // A job that runs once, somewhere, later (RocksDB's flushes and compactions). Null when the host
  // leaves those to RocksDB's own threads.
  virtual bool takes_jobs() const { return false; }
  virtual void run_later(std::function<void()> job);
};

// One thread per worker.
WorkerHost& thread_workers();

}  // namespace virga::async
