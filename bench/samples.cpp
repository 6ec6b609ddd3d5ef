// Sampling in turn.
#include "bench/samples.h"

#include <algorithm>
#include <ctime>

namespace smlp::bench {

namespace {

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

double thread_seconds() {
  return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double process_seconds() {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double Samples::min() const {
  return *std::ranges::min_element(seconds);
}

double Samples::median() const {
  std::vector<double> sorted = seconds;
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

Json Samples::to_json() const {
  return {{"min", min()}, {"median", median()}, {"samples", seconds.size()}};
}

void Turns::sample(std::size_t task) {
  constexpr double least = 5e-3;  // so that short tasks get the many samples that they can
  for (double spent = 0; spent < least;) {
    const double start = thread_seconds();
    tasks_[task].body();
    const double seconds = thread_seconds() - start;
    samples_[task].seconds.push_back(seconds / static_cast<double>(tasks_[task].units));
    spent += seconds;
  }
}

void Turns::round() {
  for (std::size_t task = 0; task < tasks_.size(); ++task) sample(task);
}

}  // namespace smlp::bench
