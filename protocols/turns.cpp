// One token that goes round.
#include "protocols/turns.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "paillier/parallel.h"

namespace smlp {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

/// Ends a task after another has failed.
struct Stopped {};

}  // namespace

class TurnOrder {
 public:
  explicit TurnOrder(std::size_t tasks) : ended_(tasks) {}

  /// Returns when the turn came.
  Clock::time_point wait_for(std::size_t task) {
    std::unique_lock lock(mutex_);
    passed_.wait(lock, [&] { return holder_ == task; });
    if (failure_) throw Stopped{};
    return since_;
  }

  void pass(std::size_t task) {
    const std::lock_guard lock(mutex_);
    pass_locked(task);
  }

  void end(std::size_t task, std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    ended_[task] = true;
    if (!failure_) failure_ = failure;
    if (holder_ == task) pass_locked(task);
  }

  const std::exception_ptr& failure() const { return failure_; }

 private:
  void pass_locked(std::size_t task) {
    do holder_ = (holder_ + 1) % ended_.size();
    while (ended_[holder_] && holder_ != task);
    since_ = Clock::now();
    passed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable passed_;
  std::size_t holder_ = 0;
  Clock::time_point since_ = Clock::now();
  std::vector<bool> ended_;
  std::exception_ptr failure_;
};

double Turn::pass_while(const std::function<void()>& wait) const {
  if (turns_ == nullptr) {
    const Clock::time_point start = Clock::now();
    wait();
    return seconds_between(start, Clock::now());
  }
  turns_->pass(task_);
  std::exception_ptr failure;
  try {
    wait();
  } catch (...) {
    failure = std::current_exception();
  }
  const Clock::time_point end = Clock::now();
  const Clock::time_point turn = turns_->wait_for(task_);
  if (failure) std::rethrow_exception(failure);
  return seconds_between(turn, end);
}

void take_turns(std::size_t count, const std::function<void(std::size_t, Turn)>& task) {
  if (count == 1) return task(0, Turn());
  TurnOrder turns(count);
  {
    const auto run = [&, threads = thread_count()](std::size_t i) {
      std::exception_ptr failure;
      try {
        set_thread_count(threads);  // is of each thread
        turns.wait_for(i);
        task(i, Turn(turns, i));
      } catch (const Stopped&) {
      } catch (...) {
        failure = std::current_exception();
      }
      turns.end(i, failure);
    };
    std::vector<std::jthread> threads;
    try {
      for (std::size_t i = 0; i < count; ++i) threads.emplace_back(run, i);
    } catch (...) {  // the system has no thread left
      for (std::size_t i = threads.size(); i < count; ++i) turns.end(i, std::current_exception());
    }
  }
  if (turns.failure()) std::rethrow_exception(turns.failure());
}

}  // namespace smlp
