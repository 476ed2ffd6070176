// The order in which models are merged in place.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "parallel.h"

namespace jdgnn {

namespace ffi = xla::ffi;

constexpr int32_t kSaveOwn = 1;    // overwritten before its last reader comes: its row is saved
constexpr int32_t kReadSaved = 2;  // that last reader
constexpr int32_t kReadKept = 3;   // 3 + i reads the i-th of the rows that were copied first

class Planner {
 public:
  Planner(const int32_t* source, const bool* active, int n) : source_(source), active_(active), n_(n), place_(n, -1) {}

  // Orders nodes so that each row is read by its readers before it is overwritten. Trees come first, leaves before
  // what they read; what is left are cycles, of each of which one row has to be saved. A row that was just read is
  // nearly always the next to be written, and so still in the cache.
  void arrange() {
    const int step = rotation();
    if (step > 0) return arrange_rotation(step);
    std::vector<int32_t> readers(n_, 0);
    for (int v = 0; v < n_; ++v)
      if (reads(v)) ++readers[source_[v]];
    for (int start = 0; start < n_; ++start)
      for (int v = start; place_[v] == -1 && readers[v] == 0;) {
        take(v, 0);
        if (!reads(v)) break;
        v = source_[v];
        --readers[v];
      }
    for (int start = 0; start < n_; ++start) {
      if (place_[start] != -1) continue;
      int v = start;
      take(v, kSaveOwn);
      while (source_[v] != start) {
        v = source_[v];
        take(v, source_[v] == start ? kReadSaved : 0);
      }
    }
  }

  // Cuts the order into pieces that can be gone through side by side, if few rows have to be kept for that: what is
  // read across pieces, or after it was overwritten. Returns how many pieces there are.
  int cut(int wanted, int most_kept, std::vector<int32_t>& kept) {
    const int count = static_cast<int>(order_.size());
    for (int pieces : {count < 64 * wanted ? 1 : wanted, 1}) {
      kept.clear();
      const std::vector<int32_t> kind_before = kind_;
      for (int piece = 0; piece < pieces; ++piece) {
        const int first = start_of(piece, count, pieces), last = start_of(piece + 1, count, pieces);
        for (int at = first; at < last && static_cast<int>(kept.size()) <= most_kept; ++at) {
          const int v = order_[at];
          if (!reads(v)) continue;
          const int other = place_[source_[v]];
          if (other < 0) continue;  // not active, and so never overwritten
          const bool is_read_in_time = other > at || kind_[at] == kReadSaved;
          if (is_read_in_time && other >= first && other < last) continue;
          kind_[at] = kReadKept + static_cast<int>(kept.size());
          kept.push_back(source_[v]);
        }
      }
      if (static_cast<int>(kept.size()) <= most_kept) return pieces;
      kind_ = kind_before;
    }
    return 0;
  }

  static int start_of(int piece, int count, int pieces) {
    return static_cast<int>(static_cast<long>(piece) * count / pieces);
  }

  const std::vector<int32_t>& order() const { return order_; }
  const std::vector<int32_t>& kind() const { return kind_; }

 private:
  static constexpr int kStrip = 16;

  bool reads(int v) const { return active_[v] && source_[v] >= 0 && source_[v] < n_ && source_[v] != v; }

  void take(int v, int32_t kind) {
    place_[v] = -2;
    if (!active_[v]) return;
    place_[v] = static_cast<int32_t>(order_.size());
    order_.push_back(v);
    kind_.push_back(kind);
  }

  // s > 0 if every node reads the one s below it, all around, and few cycles come of it.
  int rotation() const {
    if (n_ < 4 * kStrip || !reads(0)) return 0;
    const int step = (n_ - source_[0]) % n_;
    for (int v = 0; v < n_; ++v)
      if (!reads(v) || source_[v] != (v >= step ? v - step : v - step + n_)) return 0;
    return std::gcd(step, n_) <= kStrip ? step : 0;
  }

  // Strips of neighbours at a time, each reading the strip that comes next, so that memory is read in long pieces.
  void arrange_rotation(int step) {
    for (long start = n_ - kStrip; static_cast<int>(order_.size()) < n_; start -= step) {
      if (start < 0) start += n_;
      for (int i = 0; i < kStrip; ++i) {
        const int v = static_cast<int>((start + i) % n_);
        if (place_[v] == -1) take(v, 0);
      }
    }
  }

  const int32_t* source_;
  const bool* active_;
  int n_;
  std::vector<int32_t> place_, order_, kind_;
};

// Node v merges row source[v]; out of range for none. `bounds` are where the pieces begin and end.
inline ffi::Error plan(ffi::Buffer<ffi::S32> source, ffi::Buffer<ffi::PRED> active, ffi::ResultBuffer<ffi::S32> order,
                       ffi::ResultBuffer<ffi::S32> kind, ffi::ResultBuffer<ffi::S32> kept,
                       ffi::ResultBuffer<ffi::S32> bounds) {
  const int n = static_cast<int>(source.element_count());
  Planner planner(source.typed_data(), active.typed_data(), n);
  planner.arrange();
  std::vector<int32_t> rows;
  const int wanted = static_cast<int>(bounds->element_count()) - 1;
  const int pieces = planner.cut(wanted, static_cast<int>(kept->element_count()), rows);
  if (pieces == 0) return ffi::Error::Internal("no order was found in which models can be merged in place");
  const int count = static_cast<int>(planner.order().size());
  std::fill(std::copy(planner.order().begin(), planner.order().end(), order->typed_data()), order->typed_data() + n, n);
  std::fill(std::copy(planner.kind().begin(), planner.kind().end(), kind->typed_data()), kind->typed_data() + n, 0);
  std::fill(std::copy(rows.begin(), rows.end(), kept->typed_data()), kept->typed_data() + kept->element_count(), n);
  for (int piece = 0; piece <= wanted; ++piece)
    bounds->typed_data()[piece] = piece < pieces ? Planner::start_of(piece, count, pieces) : count;
  return ffi::Error::Success();
}

}  // namespace jdgnn
