// The OpenMP loop of the project: independent iterations over a batch, exceptions carried out of the team.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace smlp {

/// Runs body(i) for i in [0, count) on all threads of the process. Iterations must be independent. The first
/// exception thrown by an iteration is rethrown here after all have ended.
template <typename Body>
void parallel_for(std::size_t count, Body&& body) {
  std::exception_ptr failure = nullptr;
#pragma omp parallel for schedule(dynamic) if (count > 1)
  for (std::size_t i = 0; i < count; ++i) {
    try {
      body(i);
    } catch (...) {
#pragma omp critical(smlp_parallel_for)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

/// body(first, size) for consecutive ranges of at most `block` that make up [0, count), by parallel_for.
template <typename Body>
void parallel_blocks(std::size_t count, std::size_t block, Body&& body) {
  parallel_for((count + block - 1) / block,
               [&](std::size_t b) { body(b * block, std::min(block, count - b * block)); });
}

/// {body(0), .., body(count - 1)}, computed by parallel_for; the results need no default value.
template <typename Body>
auto parallel_map(std::size_t count, Body&& body) {
  using Result = std::invoke_result_t<Body&, std::size_t>;
  std::vector<std::optional<Result>> slots(count);
  parallel_for(count, [&](std::size_t i) { slots[i].emplace(body(i)); });
  std::vector<Result> results;
  results.reserve(count);
  for (std::optional<Result>& slot : slots) results.push_back(std::move(*slot));
  return results;
}

/// Which thread of a parallel loop runs, from 0.
inline std::size_t thread_index() {
  return static_cast<std::size_t>(omp_get_thread_num());
}
/// Number of threads of parallel_for in loops that this thread starts. Throws nothing; set once at a thread's
/// start.
inline void set_thread_count(int threads) {
  omp_set_num_threads(threads);
}
inline int thread_count() {
  return omp_get_max_threads();
}

}  // namespace smlp
