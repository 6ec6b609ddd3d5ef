// The guard of the evaluator's addresses: each is drawn from once, and a long run keeps no more than a step.
#include "protocols/used_places.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "paillier/error.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

TEST_CASE("used places: each place and kind once, steps only upwards") {
  UsedOperations used;
  const OperationId first{3, 1, Direction::forward, 0};
  std::vector<OperationId> places(5, first);
  places[1].layer = 2;
  places[2].direction = Direction::backward;
  places[3].tile = 1;
  places[4].step = 4;
  for (const OperationId& operation : places)
    for (const RandomnessKind kind : {RandomnessKind::mask_left, RandomnessKind::mask_right})
      CHECK(error_of([&] { used.use(operation, kind); }) == "");
  CHECK(error_of([&] { used.use(places[4], RandomnessKind::mask_right); }) ==
        "the randomness of step 4, layer 1, direction 0, tile 0, kind 1 is used already and would hide two "
        "values; give every training and every classification a session of its own");
  CHECK(error_of([&] { used.use(first, RandomnessKind::shuffle); }) ==
        "randomness of step 3 was asked for at step 4, but steps only go up; give every training and every "
        "classification a session of its own");
}

TEST_CASE("used places: what lasts is kept for good, in any order, beside the steps") {
  UsedOperations used;
  for (const std::uint32_t group : {7u, 2u, 5u})
    used.use({group, 0, Direction::lasting}, RandomnessKind::mask_left);
  used.use({1, 0, Direction::forward}, RandomnessKind::mask_left);
  used.use({9, 0, Direction::forward}, RandomnessKind::mask_left);
  used.use({1, 0, Direction::lasting}, RandomnessKind::mask_left);
  for (const std::uint32_t group : {1u, 2u, 5u, 7u})
    CHECK_THROWS_AS(used.use({group, 0, Direction::lasting}, RandomnessKind::mask_left), Error);
}

TEST_CASE("used places: a long run keeps one step") {
  UsedOperations used;
  for (std::uint32_t step = 0; step < 10000; ++step) {
    for (std::uint8_t layer = 0; layer < 3; ++layer)
      for (const RandomnessKind kind : {RandomnessKind::mask_left, RandomnessKind::mask_right,
                                        RandomnessKind::mask_cross, RandomnessKind::mask_product})
        used.use({step, layer, Direction::forward}, kind);
    CHECK(used.size() == 12);
  }
}

TEST_CASE("used places: of threads that ask for one place, one gets it") {
  UsedOperations used;
  std::atomic<int> got = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (std::uint8_t layer = 0; layer < 200; ++layer)
          got += error_of([&] {
                   used.use({0, layer, Direction::forward}, RandomnessKind::mask_left);
                 }).empty()
                     ? 1
                     : 0;
      });
  }
  CHECK(got == 200);
}

TEST_CASE("used places: copies of an evaluator share the record, and nothing else draws") {
  TwoParties parties;
  const Evaluator copy = parties.evaluator();
  const OperationId operation = parties.next_operation();
  copy.draws(operation, RandomnessKind::mask_left);
  CHECK_THROWS_AS(parties.evaluator().draws(operation, RandomnessKind::mask_left), Error);
  CHECK_NOTHROW(parties.evaluator().draws(operation, RandomnessKind::mask_right));
}
