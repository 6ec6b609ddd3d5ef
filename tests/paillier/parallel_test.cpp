// The parallel loop: every index once, exceptions carried out.
#include "paillier/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
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
