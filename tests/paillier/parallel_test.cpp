// The parallel loop: every index once, exceptions carried out.
#include "paillier/parallel.h"

#include <doctest/doctest.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "paillier/error.h"

using namespace smlp;

TEST_CASE("every index runs once, nested loops too") {
  const int before = thread_count();
  for (const int threads : {1, 2, 4}) {
    set_thread_count(threads);
    CHECK(thread_count() == threads);
    std::vector<std::atomic<int>> visits(300);
    parallel_for(30, [&](std::size_t i) { parallel_for(10, [&](std::size_t j) { ++visits[10 * i + j]; }); });
    for (const auto& count : visits) CHECK(count == 1);
    parallel_for(0, [](std::size_t) { FAIL("an empty loop ran"); });
  }
  set_thread_count(before);
}

TEST_CASE("an exception of an iteration reaches the caller after the others have run") {
  std::atomic<int> ran = 0;
  CHECK_THROWS_WITH_AS(parallel_for(50,
                                    [&](std::size_t i) {
                                      ++ran;
                                      if (i == 17) throw Error("seventeen");
                                    }),
                       "seventeen", Error);
  CHECK(ran == 50);
}

// What the program chooses for itself (mlp/main.cpp) and the tests' script for the tests.
TEST_CASE("threads that wait for the end of a loop sleep where OMP_WAIT_POLICY is passive") {
  const char* policy = std::getenv("OMP_WAIT_POLICY");
  if (policy == nullptr || std::string_view(policy) != "passive") return;
  const auto seconds = [](clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const int before = thread_count();
  set_thread_count(2);
  parallel_for(2, [](std::size_t) {});  // the team is there
  const double wall = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
  for (int loop = 0; loop < 10; ++loop)
    parallel_for(2, [](std::size_t i) {
      if (i == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
  // 0.005 of it with either compiler's library; 0.25 and more where threads spin.
  CHECK(seconds(CLOCK_PROCESS_CPUTIME_ID) - processor < 0.1 * (seconds(CLOCK_MONOTONIC) - wall));
  set_thread_count(before);
}
