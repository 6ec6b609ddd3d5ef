// Tasks that take turns: while the key holder answers one, another works. The order of turns is fixed, so
// what the tasks do one after another, requests above all, is the same in every run.
#pragma once

#include <cstddef>
#include <functional>

namespace smlp {

class TurnOrder;

/// Whose turn it is, as one task sees it. A default one is of a task that works alone.
class Turn {
 public:
  Turn() = default;
  /// Runs `wait` while others have their turns; returns at the next turn of this task, in order. Returns the
  /// seconds for which the turn had come and `wait` had not ended: nobody worked.
  double pass_while(const std::function<void()>& wait) const;

 private:
  friend void take_turns(std::size_t, const std::function<void(std::size_t, Turn)>&);
  Turn(TurnOrder& turns, std::size_t task) : turns_(&turns), task_(task) {}
  TurnOrder* turns_ = nullptr;
  std::size_t task_ = 0;
};

/// Runs task(0), .., task(count - 1), one at a time but for what is within pass_while: from each such call on
/// the next task has its turn, and after the last one the first that has not ended. Each task has a thread.
/// The first failure is rethrown after all have ended; tasks whose turn comes after it end there.
void take_turns(std::size_t count, const std::function<void(std::size_t task, Turn turn)>& task);

}  // namespace smlp
