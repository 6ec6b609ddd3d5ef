// A thread that beats, and waits that look at what was heard.
#include "mlp/ranks/liveness.h"

#include <algorithm>
#include <string>
#include <utility>

#include "paillier/error.h"

namespace smlp {

Liveness::Liveness(std::size_t rank, std::size_t size, std::chrono::milliseconds patience, Beat beat)
    : rank_(rank),
      patience_(patience),
      interval_(std::clamp<std::chrono::milliseconds>(patience / 8, std::chrono::milliseconds(1),
                                                      std::chrono::seconds(1))),
      beat_(std::move(beat)),
      heard_(size),
      silence_(size),
      thread_([this](const std::stop_token& stop) { beat_until(stop); }) {}

template <typename Work>
auto Liveness::while_whole(Work&& work) {
  if (broken_) std::rethrow_exception(broken_);
  try {
    return work();
  } catch (...) {
    broken_ = std::current_exception();
    throw;
  }
}

void Liveness::beat_until(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  do {
    try {
      while_whole([&] {
        heard_.assign(heard_.size(), false);
        beat_(heard_);
      });
    } catch (...) {
      return;  // who waits is told
    }
    count_silence();
  } while (!stopped_.wait_for(lock, stop, interval_, [&] { return stop.stop_requested(); }));
}

void Liveness::count_silence() {
  // A rank that was stopped itself has not listened: what passed then is nobody's silence.
  const Clock::time_point now = Clock::now();
  const Clock::duration passed = std::min<Clock::duration>(now - std::exchange(looked_, now), 2 * interval_);
  for (std::size_t other = 0; other < silence_.size(); ++other)
    silence_[other] = heard_[other] || other == rank_ ? Clock::duration(0) : silence_[other] + passed;
}

void Liveness::require_sound() const {
  const auto longest = std::ranges::max_element(silence_);
  if (*longest <= patience_) return;
  throw Error("rank " + std::to_string(longest - silence_.begin()) + " of " +
              std::to_string(silence_.size()) + " has shown no life for " +
              std::to_string(std::chrono::duration_cast<std::chrono::seconds>(patience_).count()) +
              " s: see whether it and its machine run, or raise --timeout");
}

void Liveness::alone(const std::function<void()>& work) {
  const std::lock_guard lock(mutex_);
  while_whole(work);
}

void Liveness::wait(const std::function<bool()>& done) {
  auto pause = std::chrono::microseconds(20);
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      const bool ended = while_whole([&] {
        if (done()) return true;
        require_sound();
        return false;
      });
      if (ended) return;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, std::chrono::microseconds(1000));
  }
}

}  // namespace smlp
