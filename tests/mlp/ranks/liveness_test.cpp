// Ranks, as threads, that wait for each other.
#include "mlp/ranks/liveness.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "paillier/error.h"
#include "tests/support/thread_ranks.h"

using namespace smlp;
using namespace std::chrono_literals;

namespace {

/// Beats through memory: how many each rank has sent.
struct Beats {
  explicit Beats(std::size_t size) : sent(size) {}
  /// Of `rank`, which remembers what it has heard.
  Liveness::Beat of(std::size_t rank) {
    return [this, rank, before = std::vector<std::size_t>(sent.size())](std::vector<bool>& heard) mutable {
      ++sent[rank];
      for (std::size_t other = 0; other < sent.size(); ++other)
        heard[other] = sent[other] != std::exchange(before[other], sent[other]);
    };
  }
  std::vector<std::atomic<std::size_t>> sent;
};

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a rank without work waits for one that works, however long [parallel]") {
  constexpr auto patience = 800ms;  // 8 beats
  Beats beats(2);
  std::atomic<bool> done = false;
  testing::on_threads(2, [&](Ranks& ranks) {
    Liveness liveness(ranks.rank(), 2, patience, beats.of(ranks.rank()));
    if (ranks.rank() == 0) return liveness.wait([&] { return done.load(); });
    while (beats.sent[0] < 12) std::this_thread::sleep_for(1ms);  // work: longer than the patience
    done = true;
  });
  CHECK(done);
}

TEST_CASE("the rank that shows no life is named, by those that wait for others too [parallel]") {
  Beats beats(3);
  std::vector<std::string> said(3), again(3);
  std::atomic<int> ended = 0;
  testing::on_threads(3, [&](Ranks& ranks) {
    if (ranks.rank() == 1) return;  // was stopped
    Liveness liveness(ranks.rank(), 3, 1000ms, beats.of(ranks.rank()));
    said[ranks.rank()] = error_of([&] { liveness.wait([] { return false; }); });
    again[ranks.rank()] = error_of([&] { liveness.alone([] {}); });
    ++ended;
    while (ended < 2) std::this_thread::sleep_for(1ms);  // and lives
  });
  for (const std::size_t rank : {0U, 2U}) {
    CHECK(said[rank].starts_with("rank 1 of 3 has shown no life for 1 s"));
    CHECK(again[rank] == said[rank]);
  }
}

TEST_CASE("a rank that was stopped itself takes nobody for dead") {
  std::atomic<int> looked = 0;
  Liveness liveness(0, 2, 200ms, [&](std::vector<bool>& heard) {
    if (++looked == 2) std::this_thread::sleep_for(600ms);  // the process was stopped
    heard[1] = looked != 2;
  });
  CHECK(error_of([&] { liveness.wait([&] { return looked >= 4; }); }) == "");
}

TEST_CASE("what fails while ranks exchange is said to who waits, and again") {
  Liveness liveness(0, 2, 200ms, [](std::vector<bool>&) { throw Error("the network is down"); });
  CHECK(error_of([&] { liveness.wait([] { return false; }); }) == "the network is down");
  CHECK(error_of([&] { liveness.alone([] {}); }) == "the network is down");
  Liveness other(0, 1, 200ms, [](std::vector<bool>&) {});
  CHECK(error_of([&] { other.alone([] { throw Error("no such message"); }); }) == "no such message");
  CHECK(error_of([&] { other.wait([] { return true; }); }) == "no such message");
}
