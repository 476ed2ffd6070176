// Everything in one unit, so that XLA's headers are read once.
#include "exchange.h"
#include "merge.h"
#include "spread.h"
#include "step.h"
#include "sums.h"

namespace {

namespace ffi = xla::ffi;
using ffi::F32, ffi::F64, ffi::S32, ffi::U32, ffi::PRED;

template <ffi::DataType D>
using Array = ffi::Buffer<D>;

}  // namespace

#define JDGNN_FOR_EACH_TYPE(NAME, FUNCTION, BINDING)                                \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(NAME##_float32, FUNCTION<F32>, BINDING(F32));       \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(NAME##_float64, FUNCTION<F64>, BINDING(F64))

#define JDGNN_MERGE(T)                                                                                         \
  ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>()      \
      .Arg<Array<S32>>().Arg<Array<S32>>().Arg<Array<S32>>().Arg<Array<S32>>().Arg<Array<S32>>()               \
      .Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<PRED>>().Arg<Array<T>>()                      \
      .Ret<Array<T>>().Ret<Array<T>>().Ret<Array<T>>().Attr<int64_t>("slices")

#define JDGNN_DESCEND(T)                                                                                       \
  ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>()      \
      .Arg<Array<PRED>>().Ret<Array<T>>().Ret<Array<T>>()

#define JDGNN_MOMENTUM(T)                                                                                      \
  ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>()      \
      .Arg<Array<T>>().Arg<Array<T>>().Arg<Array<PRED>>().Arg<Array<T>>().Arg<Array<T>>()                      \
      .Ret<Array<T>>().Ret<Array<T>>().Ret<Array<T>>().Ret<Array<T>>()

#define JDGNN_ADAM(T)                                                                                          \
  ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>()      \
      .Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<PRED>>().Arg<Array<T>>()      \
      .Arg<Array<T>>().Ret<Array<T>>().Ret<Array<T>>().Ret<Array<T>>().Ret<Array<T>>().Ret<Array<T>>()         \
      .Ret<Array<T>>()

#define JDGNN_MEAN(T)                                                                                          \
  ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array<T>>().Arg<Array<PRED>>().Ret<Array<T>>()

#define JDGNN_SUMS(T)                                                                                          \
  ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array<T>>().Arg<Array<T>>().Arg<Array<S32>>().Arg<Array<S32>>()  \
      .Arg<Array<T>>().Ret<Array<T>>()

#define JDGNN_DISTANCES(T)                                                                                     \
  ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array<T>>().Arg<Array<T>>().Ret<Array<T>>().Ret<Array<T>>()

#define JDGNN_QUANTILES(T)                                                                                     \
  ffi::Ffi::Bind().Arg<Array<T>>().Arg<Array<PRED>>().Arg<Array<F32>>().Ret<Array<T>>()

XLA_FFI_DEFINE_HANDLER_SYMBOL(jdgnn_plan, jdgnn::plan,
                              ffi::Ffi::Bind().Arg<Array<S32>>().Arg<Array<PRED>>()
                                  .Ret<Array<S32>>().Ret<Array<S32>>().Ret<Array<S32>>().Ret<Array<S32>>());
JDGNN_FOR_EACH_TYPE(jdgnn_merge, jdgnn::merge, JDGNN_MERGE);
JDGNN_FOR_EACH_TYPE(jdgnn_descend, jdgnn::descend, JDGNN_DESCEND);
JDGNN_FOR_EACH_TYPE(jdgnn_momentum, jdgnn::momentum, JDGNN_MOMENTUM);
JDGNN_FOR_EACH_TYPE(jdgnn_adam, jdgnn::adam, JDGNN_ADAM);
JDGNN_FOR_EACH_TYPE(jdgnn_mean, jdgnn::mean, JDGNN_MEAN);
JDGNN_FOR_EACH_TYPE(jdgnn_distances, jdgnn::distances, JDGNN_DISTANCES);
JDGNN_FOR_EACH_TYPE(jdgnn_quantiles, jdgnn::quantiles, JDGNN_QUANTILES);
JDGNN_FOR_EACH_TYPE(jdgnn_sums, jdgnn::sums, JDGNN_SUMS);
XLA_FFI_DEFINE_HANDLER_SYMBOL(jdgnn_arrivals, jdgnn::arrivals,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<Array<S32>>().Arg<Array<U32>>()
                                  .Ret<Array<S32>>().Ret<Array<S32>>().Ret<Array<S32>>().Ret<Array<S32>>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(jdgnn_gather, jdgnn::gather,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<ffi::AnyBuffer>().Arg<Array<S32>>()
                                  .Ret<ffi::AnyBuffer>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(jdgnn_copy_rows, jdgnn::copy_rows,
                              ffi::Ffi::Bind().Ctx<ffi::ThreadPool>().Arg<ffi::AnyBuffer>().Arg<Array<S32>>()
                                  .Arg<ffi::AnyBuffer>().Arg<Array<S32>>().Ret<ffi::AnyBuffer>());
