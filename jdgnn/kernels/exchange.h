// Who receives from whom, and rows that move.
#pragma once

#include <cstring>
#include <vector>

#include "parallel.h"

namespace jdgnn {

namespace ffi = xla::ffi;

constexpr long kGrainMessages = 8192;

// Messages by receiver and then by the keys [keys, n], the first the most important, and by number: those of one
// receiver are few, so counting puts each in its receiver's place and only these few are compared. What goes to
// nobody, dst >= N, comes last, by number.
inline ffi::Error arrivals(ffi::ThreadPool pool, ffi::Buffer<ffi::S32> dst, ffi::Buffer<ffi::U32> keys,
                           ffi::ResultBuffer<ffi::S32> index, ffi::ResultBuffer<ffi::S32> sorted_dst,
                           ffi::ResultBuffer<ffi::S32> position, ffi::ResultBuffer<ffi::S32> num_received) {
  const long n = dst.element_count(), num_nodes = num_received->element_count(), num_keys = keys.dimensions()[0];
  const int32_t* to = dst.typed_data();
  const uint32_t* key = keys.typed_data();
  int32_t *out = index->typed_data(), *out_dst = sorted_dst->typed_data(), *place = position->typed_data();
  auto receiver = [&](long i) { return to[i] < 0 || to[i] >= num_nodes ? num_nodes : to[i]; };
  const int pieces = static_cast<int>(std::min(4L, 1 + n / kGrainMessages));
  std::vector<int32_t> next(pieces * (num_nodes + 1), 0), first(num_nodes + 2, 0);
  auto of_piece = [&](int piece, auto&& what) {
    int32_t* mine = next.data() + piece * (num_nodes + 1);
    for (long i = n * piece / pieces; i < n * (piece + 1) / pieces; ++i) what(i, mine[receiver(i)]);
  };
  share_out(pool, pieces, [&](int piece) { of_piece(piece, [](long, int32_t& count) { ++count; }); });
  int32_t total = 0;
  for (long v = 0; v <= num_nodes; ++v) {
    first[v] = total;
    for (int piece = 0; piece < pieces; ++piece) {
      const int32_t count = next[piece * (num_nodes + 1) + v];
      next[piece * (num_nodes + 1) + v] = total;
      total += count;
    }
    if (v < num_nodes) num_received->typed_data()[v] = total - first[v];
  }
  first[num_nodes + 1] = total;
  share_out(pool, pieces, [&](int piece) {
    of_piece(piece, [&](long i, int32_t& place_of_next) { out[place_of_next++] = static_cast<int32_t>(i); });
  });
  auto is_before = [&](int32_t a, int32_t b) {
    for (long k = 0; k < num_keys; ++k)
      if (key[k * n + a] != key[k * n + b]) return key[k * n + a] < key[k * n + b];
    return a < b;
  };
  share_range(pool, num_nodes + 1, kGrainMessages / 4, [&](long begin, long end) {
    for (long v = begin; v < end; ++v) {
      int32_t *from = out + first[v], *until = out + first[v + 1];
      if (v < num_nodes && until - from > 1 && num_keys > 0) {
        if (until - from > 32) std::sort(from, until, is_before);
        else
          for (int32_t* at = from + 1; at < until; ++at) {
            const int32_t held = *at;
            int32_t* hole = at;
            for (; hole > from && is_before(held, hole[-1]); --hole) *hole = hole[-1];
            *hole = held;
          }
      }
      for (int32_t i = first[v]; i < first[v + 1]; ++i) {
        out_dst[i] = static_cast<int32_t>(v);
        place[i] = v < num_nodes ? i - first[v] : i;
      }
    }
  });
  return ffi::Error::Success();
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
  share_range(pool, n, kGrainMessages, [&](long begin, long end) {
    for (long i = begin; i < end; ++i) {
      const long r = rows[i];
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
  const long grain = std::max(1L, (1L << 19) / std::max(1L, bytes));
  share_range(pool, n, grain, [&](long begin, long end) {
    for (long i = begin; i < end; ++i) {
      const long t = there[i], o = here[i];
      if (t >= 0 && t < num_rows && o >= 0 && o < num_sources) std::memcpy(out + t * bytes, from + o * bytes, bytes);
    }
  });
  return ffi::Error::Success();
}

}  // namespace jdgnn
