// Sums over neighbours.
#pragma once

#include "parallel.h"

namespace jdgnn {

namespace ffi = xla::ffi;

constexpr long kGrainNodes = 64;

// Weighted sums of the rows [E, F] of each node's in-edges, which lie side by side, plus its own row [N, F], if any.
template <ffi::DataType D>
ffi::Error sums(ffi::ThreadPool pool, ffi::Buffer<D> rows, ffi::Buffer<D> weights, ffi::Buffer<ffi::S32> offset,
                ffi::Buffer<ffi::S32> degree, ffi::Buffer<D> own, ffi::ResultBuffer<D> result) {
  using T = ffi::NativeType<D>;
  const long n = degree.element_count(), width = n ? static_cast<long>(result->element_count()) / n : 0;
  const T *row = rows.typed_data(), *weight = weights.typed_data();
  const T* last = own.element_count() ? own.typed_data() : nullptr;
  const int32_t *first = offset.typed_data(), *count = degree.typed_data();
  T* out = result->typed_data();
  share_range(pool, n, kGrainNodes, [&](long begin, long end) {
    for (long v = begin; v < end; ++v) {
      T* __restrict sum = out + v * width;
      std::fill(sum, sum + width, T(0));
      for (long e = first[v]; e < static_cast<long>(first[v]) + count[v]; ++e) {
        const T* __restrict a = row + e * width;
        const T w = weight[e];
        if (w == T(0)) continue;
        for (long j = 0; j < width; ++j) sum[j] += w * a[j];
      }
      if (!last) continue;
      for (long j = 0; j < width; ++j) sum[j] += last[v * width + j];
    }
  });
  return ffi::Error::Success();
}

}  // namespace jdgnn
