// A seed repeats a run; without one no run repeats.
#include "mlp/program/seeds.h"

#include <doctest/doctest.h>

#include <set>

using namespace smlp;

namespace {

std::uint64_t first(const RandomSource& source) {
  return source.stream({}).word();
}

std::vector<std::uint64_t> all(const Seeds& seeds) {
  return {first(seeds.split()),           seeds.shuffle().word(),     first(seeds.training()),
          first(seeds.initial_weights()), first(seeds.batch_order()), first(seeds.prediction())};
}

}  // namespace

TEST_CASE("the same seed gives the same randomness, every purpose its own") {
  CHECK(all(Seeds(7)) == all(Seeds(7)));
  std::set<std::uint64_t> words;
  for (const Seeds& seeds : {Seeds(7), Seeds(8), Seeds(std::nullopt), Seeds(std::nullopt)})
    for (const std::uint64_t word : all(seeds)) words.insert(word);
  CHECK(words.size() == 24);
}

TEST_CASE("answers of the key holder repeat with a seed alone") {
  const Digest request{};
  const auto answer = [&](std::optional<std::uint64_t> seed) {
    return first(Seeds(seed).key_holder().for_request(request));
  };
  CHECK(answer(7) == answer(7));
  CHECK(answer(7) != answer(8));
  CHECK(answer(std::nullopt) != answer(std::nullopt));
}
