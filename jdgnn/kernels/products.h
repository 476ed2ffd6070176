// Inner products of one vector with several, of all nodes, and their gradient; sums over neighbours.
#pragma once

#include "parallel.h"

namespace jdgnn {

namespace ffi = xla::ffi;

constexpr long kGrainNodes = 64;

// Inner products of rows [..., K, F] with vectors [..., F]: [..., K].
template <ffi::DataType D>
ffi::Error products(ffi::ThreadPool pool, ffi::Buffer<D> rows, ffi::Buffer<D> vectors, ffi::ResultBuffer<D> result) {
  using T = ffi::NativeType<D>;
  const long width = vectors.dimensions().back(), n = width ? static_cast<long>(vectors.element_count()) / width : 0;
  const long count = n ? static_cast<long>(result->element_count()) / n : 0;
  const T *row = rows.typed_data(), *vector = vectors.typed_data();
  T* out = result->typed_data();
  share_range(pool, n, kGrainNodes, [&](long begin, long end) {
    for (long v = begin; v < end; ++v)
      for (long k = 0; k < count; ++k) {
        const T *a = row + (v * count + k) * width, *b = vector + v * width;
        T sum = 0;
        long j = 0;
        by_columns<T>([&](auto lanes, auto times) {
          using L = decltype(lanes);
          constexpr int M = decltype(times)::value;
          typename L::Value sums[M] = {};
          if (j + M * L::size > width) return;
          for (; j + M * L::size <= width; j += M * L::size)
            for (int m = 0; m < M; ++m)
              sums[m] = L::plus(sums[m], L::get(a + j + m * L::size), L::get(b + j + m * L::size));
          for (int m = 1; m < M; ++m) sums[0] += sums[m];
          sum += L::sum(sums[0]);
        });
        out[v * count + k] = sum;
      }
  });
  return ffi::Error::Success();
}

// Sums of rows [..., K, F] with weights [..., K]: [..., F].
template <ffi::DataType D>
ffi::Error weighted(ffi::ThreadPool pool, ffi::Buffer<D> rows, ffi::Buffer<D> weights, ffi::ResultBuffer<D> result) {
  using T = ffi::NativeType<D>;
  const long width = result->dimensions().back(), n = width ? static_cast<long>(result->element_count()) / width : 0;
  const long count = n ? static_cast<long>(weights.element_count()) / n : 0;
  const T *row = rows.typed_data(), *weight = weights.typed_data();
  T* out = result->typed_data();
  share_range(pool, n, kGrainNodes, [&](long begin, long end) {
    for (long v = begin; v < end; ++v) {
      long j = 0;
      by_columns<T>([&](auto lanes, auto times) {
        using L = decltype(lanes);
        constexpr int M = decltype(times)::value;
        for (; j + M * L::size <= width; j += M * L::size) {
          typename L::Value sums[M] = {};
          for (long k = 0; k < count; ++k) {
            const T* a = row + (v * count + k) * width + j;
            const auto w = L::all(weight[v * count + k]);
            for (int m = 0; m < M; ++m) sums[m] = L::plus(sums[m], w, L::get(a + m * L::size));
          }
          for (int m = 0; m < M; ++m) L::put(out + v * width + j + m * L::size, sums[m]);
        }
      });
    }
  });
  return ffi::Error::Success();
}

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
