// Optimiser steps along gradients that are outer products, input x gradient, which are never formed.
#pragma once

#include <cmath>

#include "parallel.h"

namespace jdgnn {

namespace ffi = xla::ffi;

constexpr long kGrainBytes = 1 << 20;

// Calls body(v, parameters, input, gradient, offset) for each stepping node's rows of the matrix, and for its bias as a
// row with input 1; `offset` is where the row lies in arrays of the same shape.
template <ffi::DataType D, typename Body>
void for_rows(ffi::ThreadPool& pool, ffi::ResultBuffer<D>& matrix, ffi::ResultBuffer<D>& bias,
              ffi::Buffer<D>& input, ffi::Buffer<D>& gradient, ffi::Buffer<ffi::PRED>& is_stepping, const Body& body) {
  using T = ffi::NativeType<D>;
  const auto shape = matrix->dimensions();
  const long n = shape[0], rows = shape[1], columns = shape[2];
  const bool* steps = is_stepping.typed_data();
  const T *x = input.typed_data(), *g = gradient.typed_data();
  const bool has_bias = bias->element_count() > 0;
  const long grain = std::max(1L, kGrainBytes / static_cast<long>(sizeof(T) * (rows * columns + 1)));
  share_range(pool, n, grain, [&](long begin, long end) {
    for (long v = begin; v < end; ++v) {
      if (!steps[v]) continue;
      for (long i = 0; i < rows; ++i) body(v, true, (v * rows + i) * columns, columns, x[v * rows + i], g + v * columns);
      if (has_bias) body(v, false, v * columns, columns, T(1), g + v * columns);
    }
  });
}

// parameters - input x gradient, the gradient scaled by the rate before.
template <ffi::DataType D>
ffi::Error descend(ffi::ThreadPool pool, ffi::Buffer<D> matrix, ffi::Buffer<D> bias, ffi::Buffer<D> input,
                   ffi::Buffer<D> scaled, ffi::Buffer<ffi::PRED> is_stepping, ffi::ResultBuffer<D> new_matrix,
                   ffi::ResultBuffer<D> new_bias) {
  using T = ffi::NativeType<D>;
  carry_over(matrix, new_matrix), carry_over(bias, new_bias);
  T *m = new_matrix->typed_data(), *b = new_bias->typed_data();
  for_rows(pool, new_matrix, new_bias, input, scaled, is_stepping,
           [=](long, bool is_matrix, long offset, long columns, T x, const T* g) {
             T* w = (is_matrix ? m : b) + offset;
             for (long j = 0; j < columns; ++j) w[j] = plus_product(w[j], -x, g[j]);
           });
  return ffi::Error::Success();
}

// trace = gradient + decay trace; parameters - rate trace.
template <ffi::DataType D>
ffi::Error momentum(ffi::ThreadPool pool, ffi::Buffer<D> matrix, ffi::Buffer<D> bias, ffi::Buffer<D> trace,
                    ffi::Buffer<D> bias_trace, ffi::Buffer<D> input, ffi::Buffer<D> gradient,
                    ffi::Buffer<ffi::PRED> is_stepping, ffi::Buffer<D> rate, ffi::Buffer<D> decay,
                    ffi::ResultBuffer<D> new_matrix, ffi::ResultBuffer<D> new_bias, ffi::ResultBuffer<D> new_trace,
                    ffi::ResultBuffer<D> new_bias_trace) {
  using T = ffi::NativeType<D>;
  carry_over(matrix, new_matrix), carry_over(bias, new_bias);
  carry_over(trace, new_trace), carry_over(bias_trace, new_bias_trace);
  T *m = new_matrix->typed_data(), *b = new_bias->typed_data();
  T *tm = new_trace->typed_data(), *tb = new_bias_trace->typed_data();
  const T *rates = rate.typed_data(), kept = decay.typed_data()[0];
  for_rows(pool, new_matrix, new_bias, input, gradient, is_stepping,
           [=](long v, bool is_matrix, long offset, long columns, T x, const T* g) {
             T* __restrict w = (is_matrix ? m : b) + offset;
             T* __restrict t = (is_matrix ? tm : tb) + offset;
             const T r = rates[v];
             for (long j = 0; j < columns; ++j) {
               t[j] = x * g[j] + kept * t[j];
               w[j] = w[j] - r * t[j];
             }
           });
  return ffi::Error::Success();
}

// Adam (Kingma & Ba, arXiv 1412.6980). `numbers` are b1, b2, eps; `scale` [N, 2] the rate over 1 - b1^t, and
// 1 over 1 - b2^t, at each node's own step count t.
template <ffi::DataType D>
ffi::Error adam(ffi::ThreadPool pool, ffi::Buffer<D> matrix, ffi::Buffer<D> bias, ffi::Buffer<D> mean,
                ffi::Buffer<D> bias_mean, ffi::Buffer<D> square, ffi::Buffer<D> bias_square, ffi::Buffer<D> input,
                ffi::Buffer<D> gradient, ffi::Buffer<ffi::PRED> is_stepping, ffi::Buffer<D> scale,
                ffi::Buffer<D> numbers, ffi::ResultBuffer<D> new_matrix, ffi::ResultBuffer<D> new_bias,
                ffi::ResultBuffer<D> new_mean, ffi::ResultBuffer<D> new_bias_mean, ffi::ResultBuffer<D> new_square,
                ffi::ResultBuffer<D> new_bias_square) {
  using T = ffi::NativeType<D>;
  carry_over(matrix, new_matrix), carry_over(bias, new_bias);
  carry_over(mean, new_mean), carry_over(bias_mean, new_bias_mean);
  carry_over(square, new_square), carry_over(bias_square, new_bias_square);
  T *m = new_matrix->typed_data(), *b = new_bias->typed_data();
  T *um = new_mean->typed_data(), *ub = new_bias_mean->typed_data();
  T *sm = new_square->typed_data(), *sb = new_bias_square->typed_data();
  const T *scales = scale.typed_data(), *number = numbers.typed_data();
  const T b1 = number[0], b2 = number[1], eps = number[2], c1 = T(1) - b1, c2 = T(1) - b2;
  for_rows(pool, new_matrix, new_bias, input, gradient, is_stepping,
           [=](long v, bool is_matrix, long offset, long columns, T x, const T* g) {
             T* __restrict w = (is_matrix ? m : b) + offset;
             T* __restrict u = (is_matrix ? um : ub) + offset;
             T* __restrict s = (is_matrix ? sm : sb) + offset;
             const T rate = scales[2 * v], correction = scales[2 * v + 1];
             for (long j = 0; j < columns; ++j) {
               const T along = x * g[j];
               u[j] = c1 * along + b1 * u[j];
               s[j] = c2 * (along * along) + b2 * s[j];
               w[j] = w[j] - rate * u[j] / (std::sqrt(s[j] * correction) + eps);
             }
           });
  return ffi::Error::Success();
}

}  // namespace jdgnn
