// Whether the ranks of a group live. Each shows it while it works, from a thread of its own, and waits for
// another as long as that one does: how long work takes says nothing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace smlp {

class Liveness {
 public:
  /// Shows the others that this rank lives, and sets heard[r] for each rank r that has shown it since the
  /// last call.
  using Beat = std::function<void(std::vector<bool>& heard)>;

  /// Calls `beat` from here on, eight times in `patience`, and at least once a second.
  Liveness(std::size_t rank, std::size_t size, std::chrono::milliseconds patience, Beat beat);
  Liveness(const Liveness&) = delete;
  Liveness& operator=(const Liveness&) = delete;

  /// Calls `work` while no beat is under way.
  void alone(const std::function<void()>& work);
  /// Calls `done` in this way until it is true, with pauses: a key holder may need the processor. Throws
  /// Error naming the rank that has been silent for longest, where that is longer than the patience. After an
  /// error, this or one of `work`, `done` and `beat`, the group is broken: both throw the same again.
  void wait(const std::function<bool()>& done);

 private:
  using Clock = std::chrono::steady_clock;
  void beat_until(const std::stop_token& stop);
  void count_silence();
  /// Throws Error where a rank is silent for too long.
  void require_sound() const;
  /// Calls `work` as long as the group is whole.
  template <typename Work>
  auto while_whole(Work&& work);

  const std::size_t rank_;
  const std::chrono::milliseconds patience_, interval_;
  const Beat beat_;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any stopped_;
  std::vector<bool> heard_;
  std::vector<Clock::duration> silence_;
  Clock::time_point looked_ = Clock::now();
  std::exception_ptr broken_;  ///< why
  std::jthread thread_;        ///< last: it uses the others
};

}  // namespace smlp
