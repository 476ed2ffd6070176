// How far models are apart: the mean model, and each node's distance from it and norm.
#pragma once

#include <vector>

#include "parallel.h"

namespace jdgnn {

namespace ffi = xla::ffi;

constexpr long kPieces = 64;  // of the nodes, summed apart and in double precision: the same bits on any number of cores
constexpr int kLanes = 16;

// Mean over the nodes whose mask is true of [N, ...]; NaN over none.
template <ffi::DataType D>
ffi::Error mean(ffi::ThreadPool pool, ffi::Buffer<D> values, ffi::Buffer<ffi::PRED> mask, ffi::ResultBuffer<D> result) {
  using T = ffi::NativeType<D>;
  const long n = mask.element_count(), size = result->element_count();
  const T* from = values.typed_data();
  const bool* is_counted = mask.typed_data();
  std::vector<double> sums(kPieces * size, 0.0);
  share_out(pool, kPieces, [&](int piece) {
    double* sum = sums.data() + piece * size;
    for (long v = n * piece / kPieces; v < n * (piece + 1) / kPieces; ++v)
      if (is_counted[v])
        for (long j = 0; j < size; ++j) sum[j] += from[v * size + j];
  });
  long count = 0;
  for (long v = 0; v < n; ++v) count += is_counted[v];
  for (long j = 0; j < size; ++j) {
    double sum = 0;
    for (long piece = 0; piece < kPieces; ++piece) sum += sums[piece * size + j];
    result->typed_data()[j] = static_cast<T>(sum / count);
  }
  return ffi::Error::Success();
}

// Of each node's values [...] among [N, ...], the squared distance from a centre [...] and the squared norm.
template <ffi::DataType D>
ffi::Error distances(ffi::ThreadPool pool, ffi::Buffer<D> values, ffi::Buffer<D> centre, ffi::ResultBuffer<D> distance,
                     ffi::ResultBuffer<D> norm) {
  using T = ffi::NativeType<D>;
  const long n = distance->element_count(), size = centre.element_count();
  const T *from = values.typed_data(), *middle = centre.typed_data();
  share_range(pool, n, std::max(1L, (1L << 18) / std::max(1L, size)), [&](long begin, long end) {
    for (long v = begin; v < end; ++v) {
      const T* own = from + v * size;
      T far[kLanes] = {}, square[kLanes] = {};
      long j = 0;
      for (; j + kLanes <= size; j += kLanes)
        for (int k = 0; k < kLanes; ++k) {
          const T w = own[j + k], d = w - middle[j + k];
          far[k] += d * d;
          square[k] += w * w;
        }
      for (int k = 0; j < size; ++j, ++k) {
        const T w = own[j], d = w - middle[j];
        far[k] += d * d;
        square[k] += w * w;
      }
      T all_far = 0, all_square = 0;
      for (int k = 0; k < kLanes; ++k) all_far += far[k], all_square += square[k];
      distance->typed_data()[v] = all_far;
      norm->typed_data()[v] = all_square;
    }
  });
  return ffi::Error::Success();
}

}  // namespace jdgnn
