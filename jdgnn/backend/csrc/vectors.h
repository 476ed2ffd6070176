// As many numbers as a register of this processor holds.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace jdgnn {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__) && defined(__FMA__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

template <typename T>
using Vector __attribute__((vector_size(kBytes))) = T;

template <typename T>
constexpr int kLanes = kBytes / sizeof(T);

template <typename T>
inline Vector<T> load(const T* from) {
  Vector<T> all;
  std::memcpy(&all, from, kBytes);
  return all;
}

template <typename T>
inline void store(T* to, Vector<T> all) {
  std::memcpy(to, &all, kBytes);
}

template <typename T>
inline Vector<T> filled(T value) {
  return Vector<T>{} + value;
}

// sum + x y, rounded once where the processor can; the same wherever it stands, so that a step gives the same bits when
// it is made by itself and when it is made while merging.
template <typename T>
inline T plus_product(T sum, T x, T y) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return std::fma(x, y, sum);
#else
  return sum + x * y;
#endif
}

#if defined(__AVX512F__)
inline Vector<float> plus_products(Vector<float> sum, Vector<float> x, Vector<float> y) {
  return (Vector<float>)_mm512_fmadd_ps((__m512)x, (__m512)y, (__m512)sum);
}
inline Vector<double> plus_products(Vector<double> sum, Vector<double> x, Vector<double> y) {
  return (Vector<double>)_mm512_fmadd_pd((__m512d)x, (__m512d)y, (__m512d)sum);
}
#elif defined(__AVX2__) && defined(__FMA__)
inline Vector<float> plus_products(Vector<float> sum, Vector<float> x, Vector<float> y) {
  return (Vector<float>)_mm256_fmadd_ps((__m256)x, (__m256)y, (__m256)sum);
}
inline Vector<double> plus_products(Vector<double> sum, Vector<double> x, Vector<double> y) {
  return (Vector<double>)_mm256_fmadd_pd((__m256d)x, (__m256d)y, (__m256d)sum);
}
#elif defined(__aarch64__)
inline Vector<float> plus_products(Vector<float> sum, Vector<float> x, Vector<float> y) {
  return (Vector<float>)vfmaq_f32((float32x4_t)sum, (float32x4_t)x, (float32x4_t)y);
}
inline Vector<double> plus_products(Vector<double> sum, Vector<double> x, Vector<double> y) {
  return (Vector<double>)vfmaq_f64((float64x2_t)sum, (float64x2_t)x, (float64x2_t)y);
}
#else
template <typename V>
inline V plus_products(V sum, V x, V y) {
  for (int i = 0; i < static_cast<int>(kBytes / sizeof(sum[0])); ++i) sum[i] = plus_product(sum[i], x[i], y[i]);
  return sum;
}
#endif

// One number, or as many as a register holds: the same arithmetic.
template <typename T>
struct One {
  using Value = T;
  static constexpr int size = 1;
  static T get(const T* from) { return *from; }
  static void put(T* to, T value) { *to = value; }
  static T all(T value) { return value; }
  static T plus(T sum, T x, T y) { return plus_product(sum, x, y); }
  static T mean(T a, T b, T share) { return a == b ? b : (T(1) - share) * a + share * b; }
  static T sum(T value) { return value; }
};

template <typename T>
struct Many {
  using Value = Vector<T>;
  static constexpr int size = kLanes<T>;
  static Value get(const T* from) { return load<T>(from); }
  static void put(T* to, Value value) { store<T>(to, value); }
  static Value all(T value) { return filled<T>(value); }
  static Value plus(Value sum, Value x, Value y) { return plus_products(sum, x, y); }
  static Value mean(Value a, Value b, T share) { return a == b ? b : (T(1) - share) * a + share * b; }
  static T sum(Value value) {
    for (int half = size / 2; half; half /= 2)
      for (int i = 0; i < half; ++i) value[i] += value[i + half];
    return value[0];
  }
};

// Calls run(lanes, count) for as many blocks of columns, `count` times lanes wide, as there is room for: wide ones first.
template <typename T, typename Run>
inline void by_columns(const Run& run) {
  run(Many<T>(), std::integral_constant<int, 4>());
  run(Many<T>(), std::integral_constant<int, 1>());
  run(One<T>(), std::integral_constant<int, 1>());
}

}  // namespace jdgnn
