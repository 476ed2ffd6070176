// The spread of models: the mean model, each node's distance from it, and its norm.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "parallel.h"

namespace jdgnn {

namespace ffi = xla::ffi;

constexpr long kPieces = 64;  // of the nodes, summed apart and in double precision: the same bits on any number of cores
constexpr int kTogether = 8, kVectors = 4;

template <typename T, int R>
void add_rows(double* sum, const T* const* rows, long size) {
  for (long j = 0; j < size; ++j) {
    double together = sum[j];
    for (int r = 0; r < R; ++r) together += rows[r][j];
    sum[j] = together;
  }
}

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
    const T* rows[kTogether];
    int num_rows = 0;
    for (long v = n * piece / kPieces; v < n * (piece + 1) / kPieces; ++v) {
      if (is_counted[v]) rows[num_rows++] = from + v * size;
      if (num_rows == kTogether) add_rows<T, kTogether>(sum, rows, size), num_rows = 0;
    }
    for (int r = 0; r < num_rows; ++r) add_rows<T, 1>(sum, rows + r, size);
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
      Vector<T> far[kVectors] = {}, square[kVectors] = {};
      constexpr long lanes = kLanes<T>, step = kVectors * lanes;
      long j = 0;
      for (; j + step <= size; j += step)
        for (int k = 0; k < kVectors; ++k) {
          const Vector<T> w = load(own + j + k * lanes), d = w - load(middle + j + k * lanes);
          far[k] += d * d, square[k] += w * w;
        }
      T all_far = 0, all_square = 0;
      for (int k = 0; k < kVectors; ++k)
        for (long i = 0; i < lanes; ++i) all_far += far[k][i], all_square += square[k][i];
      for (; j < size; ++j) {
        const T w = own[j], d = w - middle[j];
        all_far += d * d, all_square += w * w;
      }
      distance->typed_data()[v] = all_far;
      norm->typed_data()[v] = all_square;
    }
  });
  return ffi::Error::Success();
}

// Of the values [N] whose mask is true, those at places in their order, NaN last: levels [Q] times their number less one,
// rounded; NaN if there are none.
template <ffi::DataType D>
ffi::Error quantiles(ffi::Buffer<D> values, ffi::Buffer<ffi::PRED> mask, ffi::Buffer<ffi::F32> levels,
                     ffi::ResultBuffer<D> result) {
  using T = ffi::NativeType<D>;
  std::vector<T> held;
  const long n = values.element_count();
  for (long v = 0; v < n; ++v)
    if (mask.typed_data()[v]) held.push_back(values.typed_data()[v]);
  auto is_before = [](T a, T b) { return a < b || (b != b && a == a); };
  for (long i = 0; i < static_cast<long>(levels.element_count()); ++i) {
    T& found = result->typed_data()[i] = std::numeric_limits<T>::quiet_NaN();
    if (held.empty()) continue;
    const float last = static_cast<float>(held.size() - 1);
    const auto place = std::min<long>(held.size() - 1, std::lrint(levels.typed_data()[i] * last));
    std::nth_element(held.begin(), held.begin() + place, held.end(), is_before);
    found = held[place];
  }
  return ffi::Error::Success();
}

}  // namespace jdgnn
