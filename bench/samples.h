// Short samples of several tasks, taken in turn: what the speed of a machine does from second to second then
// meets all of them alike.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "bench/report.h"

namespace smlp::bench {

/// Processor seconds of the calling thread.
double thread_seconds();
/// Of all threads of the process.
double process_seconds();

/// Seconds of one unit of work, sample by sample.
struct Samples {
  std::vector<double> seconds;

  double min() const;
  double median() const;
  /// {"min", "median", "samples"}: seconds and a number.
  Json to_json() const;
};

/// Work that can be repeated: `body` does `units` of it.
struct Task {
  std::size_t units = 1;
  std::function<void()> body;
};

/// Tasks that are sampled in turn.
class Turns {
 public:
  void add(Task task) {
    tasks_.push_back(std::move(task));
    samples_.emplace_back();
  }
  /// Each task once, a short one several times, in processor time of this thread.
  void round();
  /// One task alone.
  void sample(std::size_t task);
  const Samples& samples(std::size_t task) const { return samples_[task]; }

 private:
  std::vector<Task> tasks_;
  std::vector<Samples> samples_;
};

}  // namespace smlp::bench
