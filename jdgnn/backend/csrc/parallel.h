// Work shared among the threads of XLA's own pool.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "vectors.h"
#include "xla/ffi/api/ffi.h"

namespace jdgnn {

// Runs task(0) to task(count - 1), each once, on the calling thread and on threads of the pool, and returns when all
// are done. The caller takes tasks too, so that it never waits for a pool whose threads all wait themselves.
template <typename Task>
void share_out(xla::ffi::ThreadPool& pool, int count, const Task& task) {
  struct Board {
    std::atomic<int> next{0}, done{0};
    std::mutex mutex;
    std::condition_variable all_done;
  };
  auto board = std::make_shared<Board>();
  auto work = [board, count](const Task& task) {
    for (int i; (i = board->next.fetch_add(1)) < count;) {
      task(i);
      if (board->done.fetch_add(1) + 1 == count) {
        std::lock_guard<std::mutex> lock(board->mutex);
        board->all_done.notify_all();
      }
    }
  };
  const int helpers = std::min<int>(count, static_cast<int>(pool.num_threads())) - 1;
  // A helper that comes late finds nothing left and never touches the task, which may be gone by then.
  const Task* shared = &task;
  for (int i = 0; i < helpers; ++i) {
    pool.Schedule([work, board, shared, count] {
      if (board->next.load() < count) work(*shared);
    });
  }
  work(task);
  std::unique_lock<std::mutex> lock(board->mutex);
  board->all_done.wait(lock, [&] { return board->done.load() == count; });
}

// Cuts [0, size) into equal pieces, of `grain` at least, and runs body(begin, end) for each.
template <typename Body>
void share_range(xla::ffi::ThreadPool& pool, long size, long grain, const Body& body) {
  const long count = std::min(size / grain, 16L * static_cast<long>(pool.num_threads()));
  if (count <= 1) {
    if (size > 0) body(0L, size);
    return;
  }
  share_out(pool, static_cast<int>(count), [&](int i) { body(size * i / count, size * (i + 1) / count); });
}

// What was donated is changed in place; else it is copied first.
template <xla::ffi::DataType D>
void carry_over(xla::ffi::Buffer<D>& from, xla::ffi::ResultBuffer<D>& to) {
  if (from.untyped_data() != to->untyped_data()) std::copy_n(from.typed_data(), from.element_count(), to->typed_data());
}

}  // namespace jdgnn
