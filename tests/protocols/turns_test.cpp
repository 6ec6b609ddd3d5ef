// Turns: their order, what goes on meanwhile, and failures.
#include "protocols/turns.h"

#include <doctest/doctest.h>

#include <barrier>
#include <string>
#include <thread>

#include "paillier/error.h"
#include "paillier/parallel.h"

using namespace smlp;

TEST_CASE("turns go round in order, however long each task waits [parallel]") {
  for (int repetition = 0; repetition < 5; ++repetition) {
    std::string order;
    take_turns(3, [&](std::size_t task, Turn turn) {
      const auto wait = [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds((static_cast<int>(task) * 7 + repetition) % 5));
      };
      // Task 1 has a round less than the others.
      for (char round = 'a'; round < (task == 1 ? 'c' : 'd'); ++round) {
        order += round + std::to_string(task) + ' ';
        turn.pass_while(wait);
      }
      order += "end" + std::to_string(task) + ' ';
    });
    CHECK(order == "a0 a1 a2 b0 b1 b2 c0 end1 c2 end0 end2 ");
  }
}

TEST_CASE("turns: all tasks wait at the same time [parallel]") {
  std::barrier together(4);  // would never open if one task waited for another to come back
  take_turns(4, [&](std::size_t, Turn turn) { turn.pass_while([&] { together.arrive_and_wait(); }); });
}

TEST_CASE("turns: tasks have the threads of their caller") {
  const int before = thread_count();
  set_thread_count(3);
  std::vector<int> counts(2);
  take_turns(2, [&](std::size_t task, Turn) { counts[task] = thread_count(); });
  CHECK(counts == std::vector<int>{3, 3});
  set_thread_count(before);
}

TEST_CASE("turns: the first failure ends the others at their next turn") {
  std::string order;
  CHECK_THROWS_WITH_AS(take_turns(3,
                                  [&](std::size_t task, Turn turn) {
                                    order += "a" + std::to_string(task) + ' ';
                                    turn.pass_while([&] {
                                      if (task == 1) throw Error("the link broke");
                                    });
                                    order += "b" + std::to_string(task) + ' ';
                                  }),
                       "the link broke", Error);
  CHECK(order == "a0 a1 a2 b0 ");
  CHECK_THROWS_WITH_AS(take_turns(2, [](std::size_t, Turn) { throw Error("at once"); }), "at once", Error);
}

TEST_CASE("turns: one task, and a task that is alone, run where they are called") {
  const std::thread::id here = std::this_thread::get_id();
  take_turns(1, [&](std::size_t task, Turn turn) {
    CHECK(task == 0);
    CHECK(std::this_thread::get_id() == here);
    turn.pass_while([&] { CHECK(std::this_thread::get_id() == here); });
  });
  take_turns(0, [](std::size_t, Turn) { FAIL("there is no task"); });
  const double seconds =
      Turn().pass_while([] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
  CHECK(seconds >= 0.02);
}
