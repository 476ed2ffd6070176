// Merging in place, and the product of the merged matrix with one or two vectors, in one pass over the parameters.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "plan.h"

namespace jdgnn {

constexpr int kMostSlots = 16;      // models merged by one node in one tick
constexpr long kMostInputs = 2;     // vectors multiplied by one matrix
constexpr long kLargeSlice = 2048;  // bytes of a matrix from which it pays to prefetch the next

// The arrays of one matrix [N, R, C] with its bias [N, C] and what happens to them; null where there is nothing.
template <typename T>
struct Merge {
  long n, rows, columns, slots;
  T *matrix, *bias;
  const T *sent_matrix, *sent_bias;  // the models to be merged: these arrays, or a pool
  long num_sent;
  bool is_in_place;                        // they come from the arrays themselves
  const int32_t *order, *kind, *source;    // [N], [N], [N, slots]
  const T* share;                          // [N, slots], of the received model
  const T *old_input, *old_step;           // [N, R], [N, C]: a pending step, matrix - input x step
  const bool* has_step;                    // [N]
  const T* input;                          // [N, I, R], or null: factors of the merged matrix
  long num_inputs;                         // I
  std::vector<T> kept_matrix, kept_bias;   // rows copied first, with their steps made
  std::vector<T> zeros;

  bool steps(long v) const { return has_step && has_step[v]; }
};

template <typename T>
struct Other {  // a model to be merged, and its pending step
  const T *matrix, *input, *step;
  T share;
};

struct Ahead {  // rows that are needed next
  const char* rows[2] = {nullptr, nullptr};
  long stride = 0;
  int count = 0;
};

template <typename T>
struct Vectors {  // factors of a matrix, and the products
  const T* input[kMostInputs];
  T* output[kMostInputs];
};

// K times so many columns of some rows: makes pending steps, saves, merges, multiplies by I vectors.
template <typename T, typename L, int K, int I>
inline void block(long rows, long stride, T* own, const T* own_input, const T* own_step, const Other<T>* others,
                  int num_others, bool changes, T* saved, const Vectors<T>& vectors, const Ahead& ahead, long column) {
  using V = typename L::Value;
  V acc[I + 1][K], step[K];
  for (int k = 0; k < K; ++k) step[k] = L::get(own_step + k * L::size);
  for (int x = 0; x < I; ++x)
    for (int k = 0; k < K; ++k) acc[x][k] = L::all(T(0));
  for (long i = 0; i < rows; ++i) {
    T* w = own + i * stride;
    V m[K];
    const V p = L::all(-own_input[i]);
    for (int k = 0; k < K; ++k) m[k] = L::plus(L::get(w + k * L::size), p, step[k]);
    if (saved)
      for (int k = 0; k < K; ++k) L::put(saved + i * stride + k * L::size, m[k]);
    for (int a = 0; a < ahead.count; ++a)
      for (long b = 0; b < static_cast<long>(K * L::size * sizeof(T)); b += 64)
        __builtin_prefetch(ahead.rows[a] + i * ahead.stride + column * sizeof(T) + b, 0, 2);
    for (int n = 0; n < num_others; ++n) {
      const Other<T>& other = others[n];
      const T *o = other.matrix + i * stride, share = other.share;
      const V q = L::all(-other.input[i]);
      for (int k = 0; k < K; ++k) {
        const V b = L::plus(L::get(o + k * L::size), q, L::get(other.step + k * L::size));
        if (share == T(0.5)) m[k] = T(0.5) * (m[k] + b);
        else m[k] = share == T(1) ? b : L::mean(m[k], b, share);
      }
    }
    if (changes)  // else not even numbers so small that the processor takes them for zero
      for (int k = 0; k < K; ++k) L::put(w + k * L::size, m[k]);
    for (int x = 0; x < I; ++x)
      for (int k = 0; k < K; ++k) acc[x][k] = L::plus(acc[x][k], L::all(vectors.input[x][i]), m[k]);
  }
  for (int x = 0; x < I; ++x)
    for (int k = 0; k < K; ++k) {
      T* output = vectors.output[x] + column + k * L::size;
      L::put(output, L::get(output) + acc[x][k]);
    }
}

// All columns of some rows, multiplied by I vectors.
template <int I, typename T>
void wide_by(long rows, long columns, T* own, const T* own_input, const T* own_step, const Other<T>* others,
             int num_others, bool changes, T* saved, const Vectors<T>& vectors, const Ahead& ahead) {
  long c = 0;
  by_columns<T>([&](auto lanes, auto count) {
    using L = decltype(lanes);
    constexpr int K = decltype(count)::value;
    for (; c + K * L::size <= columns; c += K * L::size) {
      Other<T> shifted[kMostSlots];
      for (int k = 0; k < num_others; ++k)
        shifted[k] = {others[k].matrix + c, others[k].input, others[k].step + c, others[k].share};
      block<T, L, K, I>(rows, columns, own + c, own_input, own_step + c, shifted, num_others, changes,
                        saved ? saved + c : nullptr, vectors, ahead, c);
    }
  });
}

template <typename T, typename... Others>
void wide(long num_inputs, Others... others) {
  if (num_inputs == 0) wide_by<0, T>(others...);
  else if (num_inputs == 1) wide_by<1, T>(others...);
  else wide_by<2, T>(others...);
}

// Rows that the node at a place of the order needs and the one before it has not touched.
template <typename T>
Ahead what_comes(const Merge<T>& a, long at, long last, long begin) {
  Ahead ahead;
  if (at + 1 >= last) return ahead;
  ahead.stride = a.columns * sizeof(T);
  auto add = [&](const T* rows, long v) {
    ahead.rows[ahead.count++] = reinterpret_cast<const char*>(rows + (v * a.rows + begin) * a.columns);
  };
  const long v = a.order[at], next = a.order[at + 1];
  if (!(a.is_in_place && a.slots && a.source[v * a.slots] == next && a.kind[at] < kReadSaved)) add(a.matrix, next);
  const long u = a.slots ? a.source[next * a.slots] : -1;
  if (u >= 0 && u < a.num_sent && a.kind[at + 1] < kReadSaved) add(a.sent_matrix, u);
  return ahead;
}

inline void fetch(const void* from, long bytes) {
  for (long b = 0; b < bytes; b += 64) __builtin_prefetch(static_cast<const char*>(from) + b);
}

template <typename T>
void fetch_vectors(const Merge<T>& a, long at, long begin, long rows, const T* output) {
  const long v = a.order[at], row = rows * sizeof(T), column = a.columns * sizeof(T);
  for (long x = v * a.num_inputs; x < (v + 1) * a.num_inputs; ++x) {
    fetch(a.input + x * a.rows + begin, row);
    fetch(output + x * a.columns, column);
  }
  if (!a.has_step) return;
  fetch(a.old_input + v * a.rows + begin, row);
  fetch(a.old_step + v * a.columns, column);
}

// Rows [begin, end) of the matrices of nodes at places [first, last) of the order; the bias counts as row R, whose input
// is 1.
template <typename T>
void merge_part(const Merge<T>& a, long first, long last, long begin, long end, T* output) {
  const long rows = std::min(end, a.rows) - begin;
  const bool has_bias = a.bias && end > a.rows;
  std::vector<T> saved(std::max(0L, rows) * a.columns), saved_bias(a.columns);
  const T one = 1, *zeros = a.zeros.data();
  const bool is_large = rows * a.columns * static_cast<long>(sizeof(T)) >= kLargeSlice;
  for (long at = first; at < last; ++at) {
    const long v = a.order[at];
    if (is_large && at + 1 < last) fetch_vectors(a, at + 1, begin, rows, output);
    Other<T> others[kMostSlots], biases[kMostSlots];
    int num_others = 0;
    for (long slot = 0; slot < a.slots; ++slot) {
      const long u = a.source[v * a.slots + slot];
      const T share = a.share[v * a.slots + slot];
      if (u < 0 || u >= a.num_sent || (a.is_in_place && u == v) || share == T(0)) continue;
      Other<T>&other = others[num_others], &bias = biases[num_others];
      ++num_others;
      other.share = bias.share = share;
      const bool is_pending = a.is_in_place && a.kind[at] < kReadSaved && a.steps(u);
      other.step = bias.step = is_pending ? a.old_step + u * a.columns : zeros;
      other.input = is_pending ? a.old_input + u * a.rows + begin : zeros;
      bias.input = is_pending ? &one : zeros;
      if (a.kind[at] >= kReadKept) {
        const long i = a.kind[at] - kReadKept;
        other.matrix = a.kept_matrix.data() + (i * a.rows + begin) * a.columns;
        bias.matrix = a.kept_bias.data() + i * a.columns;
      } else {
        const bool is_saved = a.kind[at] == kReadSaved;
        other.matrix = is_saved ? saved.data() : a.sent_matrix + (u * a.rows + begin) * a.columns;
        bias.matrix = is_saved ? saved_bias.data() : a.sent_bias + u * a.columns;
      }
    }
    const bool steps = a.steps(v), saves = a.kind[at] == kSaveOwn, changes = steps || num_others > 0;
    const T* step = steps ? a.old_step + v * a.columns : zeros;
    Vectors<T> vectors, ones;
    for (long x = 0; x < a.num_inputs; ++x) {
      T* out = output + (v * a.num_inputs + x) * a.columns;
      std::fill(out, out + a.columns, T(0));
      vectors.input[x] = a.input + (v * a.num_inputs + x) * a.rows + begin, ones.input[x] = &one;
      vectors.output[x] = ones.output[x] = out;
    }
    if (rows > 0)
      wide<T>(a.num_inputs, rows, a.columns, a.matrix + (v * a.rows + begin) * a.columns,
              steps ? a.old_input + v * a.rows + begin : zeros, step, others, num_others, changes,
              saves ? saved.data() : nullptr, vectors, is_large ? what_comes(a, at, last, begin) : Ahead());
    if (has_bias)
      wide<T>(a.num_inputs, 1L, a.columns, a.bias + v * a.columns, steps ? &one : zeros, step, biases, num_others,
              changes, saves ? saved_bias.data() : nullptr, ones, Ahead());
  }
}

// Keeps rows that others will read after they are overwritten, with their steps made.
template <typename T>
void keep_rows(Merge<T>& a, const int32_t* kept, long most) {
  long count = 0;
  while (count < most && kept[count] < a.n) ++count;
  a.kept_matrix.resize(count * a.rows * a.columns);
  a.kept_bias.resize(a.bias ? count * a.columns : 0);
  for (long i = 0; i < count; ++i) {
    const long u = kept[i];
    const bool steps = a.steps(u);
    const T* step = steps ? a.old_step + u * a.columns : a.zeros.data();
    for (long r = 0; r < a.rows; ++r) {
      const T x = steps ? a.old_input[u * a.rows + r] : T(0);
      for (long j = 0; j < a.columns; ++j)
        a.kept_matrix[(i * a.rows + r) * a.columns + j] =
            plus_product(a.matrix[(u * a.rows + r) * a.columns + j], -x, step[j]);
    }
    if (a.bias)
      for (long j = 0; j < a.columns; ++j)
        a.kept_bias[i * a.columns + j] = plus_product(a.bias[u * a.columns + j], -T(steps ? 1 : 0), step[j]);
  }
}

// Runs pieces of the order in parallel if there are several; else slices of all matrices, whose products are added.
template <typename T>
void merge_all(ffi::ThreadPool& pool, const Merge<T>& a, const int32_t* bounds, long most_pieces, long slices, T* output) {
  const long count = bounds[most_pieces], all_rows = a.rows + (a.bias ? 1 : 0);
  const long num_products = a.n * a.num_inputs * a.columns;
  T* product = a.num_inputs ? output : nullptr;
  if (count < a.n) std::fill(output, output + num_products, T(0));
  if (bounds[1] < count || slices == 1) {
    share_out(pool, static_cast<int>(most_pieces),
              [&](int piece) { merge_part(a, bounds[piece], bounds[piece + 1], 0L, all_rows, product); });
    return;
  }
  std::vector<T> partial((slices - 1) * num_products, T(0));
  share_out(pool, static_cast<int>(slices), [&](int slice) {
    T* mine = slice == 0 || !product ? product : partial.data() + (slice - 1) * num_products;
    merge_part(a, 0L, count, all_rows * slice / slices, all_rows * (slice + 1) / slices, mine);
  });
  if (!product) return;
  share_range(pool, num_products, 1L << 16, [&](long begin, long end) {
    for (long slice = 1; slice < slices; ++slice)
      for (long j = begin; j < end; ++j) product[j] += partial[(slice - 1) * num_products + j];
  });
}

// jdgnn/backend/calls.py documents the arguments; empty arrays stand for absent ones.
template <ffi::DataType D>
ffi::Error merge(ffi::ThreadPool pool, ffi::Buffer<D> matrix, ffi::Buffer<D> bias, ffi::Buffer<D> sent_matrix,
                 ffi::Buffer<D> sent_bias, ffi::Buffer<ffi::S32> order, ffi::Buffer<ffi::S32> kind,
                 ffi::Buffer<ffi::S32> kept, ffi::Buffer<ffi::S32> bounds, ffi::Buffer<ffi::S32> source,
                 ffi::Buffer<D> share, ffi::Buffer<D> old_input, ffi::Buffer<D> old_step,
                 ffi::Buffer<ffi::PRED> has_step, ffi::Buffer<D> input, ffi::ResultBuffer<D> new_matrix,
                 ffi::ResultBuffer<D> new_bias, ffi::ResultBuffer<D> output, int64_t slices) {
  using T = ffi::NativeType<D>;
  const auto shape = matrix.dimensions();
  Merge<T> a;
  a.n = shape[0], a.rows = shape[1], a.columns = shape[2], a.slots = source.dimensions()[1];
  carry_over(matrix, new_matrix), carry_over(bias, new_bias);
  a.matrix = new_matrix->typed_data();
  a.bias = bias.element_count() ? new_bias->typed_data() : nullptr;
  a.is_in_place = sent_matrix.dimensions()[0] == 0;
  a.num_sent = a.is_in_place ? a.n : sent_matrix.dimensions()[0];
  a.sent_matrix = a.is_in_place ? a.matrix : sent_matrix.typed_data();
  a.sent_bias = a.is_in_place ? a.bias : sent_bias.typed_data();
  a.order = order.typed_data(), a.kind = kind.typed_data(), a.source = source.typed_data(), a.share = share.typed_data();
  a.old_input = old_input.typed_data(), a.old_step = old_step.typed_data();
  a.has_step = has_step.element_count() ? has_step.typed_data() : nullptr;
  a.num_inputs = input.dimensions()[1];
  a.input = input.typed_data();
  a.zeros.assign(std::max(a.rows, a.columns), T(0));
  if (a.slots > kMostSlots || (a.is_in_place && a.slots > 1))
    return ffi::Error::InvalidArgument("more models at a node than can be merged");
  if (a.num_inputs > kMostInputs) return ffi::Error::InvalidArgument("more vectors than can be multiplied");
  keep_rows(a, kept.typed_data(), kept.element_count());
  merge_all(pool, a, bounds.typed_data(), static_cast<long>(bounds.element_count()) - 1,
            std::max(1L, std::min<long>(slices, a.rows)), output->typed_data());
  return ffi::Error::Success();
}

}  // namespace jdgnn
