// Sorts messages by receiver, and copies rows.
#pragma once

#include <cstring>
#include <utility>
#include <vector>

#include "parallel.h"

namespace jdgnn {

namespace ffi = xla::ffi;

constexpr long kGrainMessages = 8192;
constexpr long kGrainRows = 512;
constexpr long kAhead = 12, kMostAsked = 1024;  // rows to prefetch, and most bytes of one to prefetch

// Sorts messages by receiver and then by the keys [keys, n], the first the most important, and by number. Messages are
// first put into buckets of neighbouring receivers; one bucket's lie in the cache while they are counted into their
// receivers' places and the few of each receiver are compared. Those without a recipient, dst >= N, come last, by number.
class Sorter {
 public:
  Sorter(const int32_t* dst, const uint32_t* keys, long num_keys, long n, long num_nodes, int32_t* index,
         int32_t* sorted_dst, int32_t* place, int32_t* num_received)
      : dst_(dst), keys_(keys), num_keys_(num_keys), n_(n), num_nodes_(num_nodes), index_(index),
        sorted_dst_(sorted_dst), place_(place), num_received_(num_received) {
    while (num_nodes >> shift_ > kMostBuckets) ++shift_;
    num_buckets_ = ((num_nodes - 1) >> shift_) + 1;
  }

  void sort(ffi::ThreadPool& pool) {
    fill_buckets(pool);
    share_out(pool, static_cast<int>(num_buckets_), [&](int bucket) { sort_bucket(bucket); });
    share_range(pool, n_ - start_[num_buckets_], 1L << 18, [&](long begin, long end) {
      for (long i = start_[num_buckets_] + begin; i < start_[num_buckets_] + end; ++i)
        sorted_dst_[i] = static_cast<int32_t>(num_nodes_), place_[i] = static_cast<int32_t>(i);
    });
  }

 private:
  static constexpr long kMostBuckets = 256;
  struct Message {
    int32_t index;
    uint32_t key;
  };

  long bucket_of(int32_t to) const { return to < 0 || to >= num_nodes_ ? num_buckets_ : to >> shift_; }

  // Until a bucket is sorted, the places of its messages hold their first keys.
  void fill_buckets(ffi::ThreadPool& pool) {
    const int pieces = static_cast<int>(std::min(8L, 1 + n_ / kGrainMessages));
    const long stride = num_buckets_ + 1;
    std::vector<long> next(pieces * stride, 0);
    auto each = [&](int piece, auto&& what) {
      long* mine = next.data() + piece * stride;
      for (long i = n_ * piece / pieces; i < n_ * (piece + 1) / pieces; ++i) what(i, mine[bucket_of(dst_[i])]);
    };
    share_out(pool, pieces, [&](int piece) { each(piece, [](long, long& count) { ++count; }); });
    start_.assign(stride + 1, n_);
    long total = 0;
    for (long bucket = 0; bucket < stride; ++bucket) {
      start_[bucket] = total;
      for (int piece = 0; piece < pieces; ++piece) total += std::exchange(next[piece * stride + bucket], total);
    }
    share_out(pool, pieces, [&](int piece) {
      each(piece, [&](long i, long& at) {
        index_[at] = static_cast<int32_t>(i), sorted_dst_[at] = dst_[i];
        place_[at++] = num_keys_ ? static_cast<int32_t>(keys_[i]) : 0;
      });
    });
  }

  void sort_bucket(long bucket) {
    const long low = bucket << shift_, width = std::min(1L << shift_, num_nodes_ - low);
    const long begin = start_[bucket], end = start_[bucket + 1];
    std::vector<int32_t> first(width + 2, 0);
    for (long i = begin; i < end; ++i) ++first[sorted_dst_[i] - low + 2];
    for (long v = 0; v < width; ++v) num_received_[low + v] = first[v + 2], first[v + 2] += first[v + 1];
    std::vector<Message> messages(end - begin);
    for (long i = begin; i < end; ++i)
      messages[first[sorted_dst_[i] - low + 1]++] = {index_[i], static_cast<uint32_t>(place_[i])};
    for (long v = 0, i = begin; v < width; ++v) {
      Message *mine = messages.data() + first[v], *until = messages.data() + first[v + 1];
      if (num_keys_) order(mine, until);
      for (int32_t place = 0; mine < until; ++mine, ++i)
        index_[i] = mine->index, sorted_dst_[i] = static_cast<int32_t>(low + v), place_[i] = place++;
    }
  }

  void order(Message* begin, Message* end) const {
    if (end - begin > 32) return std::sort(begin, end, [this](auto& a, auto& b) { return is_before(a, b); });
    for (Message* at = begin + 1; at < end; ++at) {
      const Message held = *at;
      Message* hole = at;
      for (; hole > begin && is_before(held, hole[-1]); --hole) *hole = hole[-1];
      *hole = held;
    }
  }

  bool is_before(const Message& a, const Message& b) const {
    if (a.key != b.key) return a.key < b.key;
    for (long k = 1; k < num_keys_; ++k) {
      const uint32_t first = keys_[k * n_ + a.index], second = keys_[k * n_ + b.index];
      if (first != second) return first < second;
    }
    return a.index < b.index;
  }

  const int32_t* dst_;
  const uint32_t* keys_;
  long num_keys_, n_, num_nodes_, num_buckets_ = 0;
  int32_t *index_, *sorted_dst_, *place_, *num_received_;
  int shift_ = 10;
  std::vector<long> start_;  // where buckets begin; the last is without a recipient
};

inline ffi::Error arrivals(ffi::ThreadPool pool, ffi::Buffer<ffi::S32> dst, ffi::Buffer<ffi::U32> keys,
                           ffi::ResultBuffer<ffi::S32> index, ffi::ResultBuffer<ffi::S32> sorted_dst,
                           ffi::ResultBuffer<ffi::S32> position, ffi::ResultBuffer<ffi::S32> num_received) {
  Sorter(dst.typed_data(), keys.typed_data(), keys.dimensions()[0], dst.element_count(), num_received->element_count(),
         index->typed_data(), sorted_dst->typed_data(), position->typed_data(), num_received->typed_data())
      .sort(pool);
  return ffi::Error::Success();
}

// Prefetches a row that is read soon, whose address no hardware can predict.
inline void ask_for(const char* table, long row, long num_rows, long bytes) {
  if (row < 0 || row >= num_rows) return;
  for (long b = 0; b < bytes; b += 64) __builtin_prefetch(table + row * bytes + b);
}

inline long row_bytes(ffi::AnyBuffer buffer) {
  const long rows = buffer.dimensions()[0];
  return rows ? buffer.size_bytes() / rows : 0;
}

// Rows of the source [Q, ...] by number; zeros where the number is out of range.
inline ffi::Error gather(ffi::ThreadPool pool, ffi::AnyBuffer source, ffi::Buffer<ffi::S32> row,
                         ffi::Result<ffi::AnyBuffer> result) {
  const long n = row.element_count(), num_rows = source.dimensions()[0];
  const long bytes = n ? static_cast<long>(result->size_bytes()) / n : 0;
  const char* from = static_cast<const char*>(source.untyped_data());
  char* to = static_cast<char*>(result->untyped_data());
  const int32_t* rows = row.typed_data();
  share_range(pool, n, kGrainRows, [&](long begin, long end) {
    for (long i = begin; i < end; ++i) {
      const long r = rows[i];
      if (bytes <= kMostAsked && i + kAhead < n) ask_for(from, rows[i + kAhead], num_rows, bytes);
      if (r >= 0 && r < num_rows) std::memcpy(to + i * bytes, from + r * bytes, bytes);
      else std::memset(to + i * bytes, 0, bytes);
    }
  });
  return ffi::Error::Success();
}

// Copies rows `origin` of the source [Q, ...] over rows `to` of the target, in place; nowhere where a number is out of
// range. The target has rows of the same size, whatever axes they are counted along. No row may be written twice.
inline ffi::Error copy_rows(ffi::ThreadPool pool, ffi::AnyBuffer target, ffi::Buffer<ffi::S32> to, ffi::AnyBuffer source,
                            ffi::Buffer<ffi::S32> origin, ffi::Result<ffi::AnyBuffer> result) {
  if (result->untyped_data() != target.untyped_data())
    std::memcpy(result->untyped_data(), target.untyped_data(), target.size_bytes());
  const long n = to.element_count(), num_sources = source.dimensions()[0], bytes = row_bytes(source);
  const long num_rows = bytes ? static_cast<long>(target.size_bytes()) / bytes : 0;
  const char* from = static_cast<const char*>(source.untyped_data());
  char* out = static_cast<char*>(result->untyped_data());
  const int32_t *there = to.typed_data(), *here = origin.typed_data();
  const long grain = std::max(1L, (1L << 17) / std::max(1L, bytes));
  share_range(pool, n, grain, [&](long begin, long end) {
    for (long i = begin; i < end; ++i) {
      const long t = there[i], o = here[i];
      if (bytes <= kMostAsked && i + kAhead < n) ask_for(from, here[i + kAhead], num_sources, bytes);
      if (t >= 0 && t < num_rows && o >= 0 && o < num_sources) std::memcpy(out + t * bytes, from + o * bytes, bytes);
    }
  });
  return ffi::Error::Success();
}

}  // namespace jdgnn
