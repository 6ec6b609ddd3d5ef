// Modular products and squares on IFMA beside those in doubles, sampled in turn, with the count of
// multiply-adds and the time that these alone would take.
#include <algorithm>
#include <iostream>

#include "bench/counts.h"
#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp::bench {

namespace {

// The multiply-adds of paillier/digit_kernels_avx512_ifma.cpp for a vector of residues, as it is written.
constexpr std::size_t block = 10;
constexpr bool by_halves(std::size_t digits, bool square) {
  return digits >= (square ? 60 : 40) && digits % (2 * block) == 0;
}
constexpr std::size_t product_count(std::size_t digits, bool square) {
  if (by_halves(digits, square)) return 3 * product_count(digits / 2, square);
  return square ? digits * (digits + 1) : 2 * digits * digits;
}
constexpr std::size_t reduction_count(std::size_t digits) {
  const bool halves = by_halves(digits, false);
  const std::size_t part = halves ? digits / 2 : block, parts = digits / part;
  const std::size_t own = halves ? reduction_count(part) : 2 * block * (block + 1) - 1;
  return parts * (own + (parts - 1) * product_count(part, false));
}

/// Twelve multiply-adds a round that wait for nothing but their ports.
void multiply_adds(std::size_t rounds) {
#ifdef __x86_64__
  for (std::size_t i = 0; i < rounds; ++i)
    asm volatile(
        "vpmadd52luq %%zmm12, %%zmm12, %%zmm0\n vpmadd52luq %%zmm12, %%zmm12, %%zmm1\n"
        "vpmadd52luq %%zmm12, %%zmm12, %%zmm2\n vpmadd52luq %%zmm12, %%zmm12, %%zmm3\n"
        "vpmadd52luq %%zmm12, %%zmm12, %%zmm4\n vpmadd52luq %%zmm12, %%zmm12, %%zmm5\n"
        "vpmadd52luq %%zmm12, %%zmm12, %%zmm6\n vpmadd52luq %%zmm12, %%zmm12, %%zmm7\n"
        "vpmadd52luq %%zmm12, %%zmm12, %%zmm8\n vpmadd52luq %%zmm12, %%zmm12, %%zmm9\n"
        "vpmadd52luq %%zmm12, %%zmm12, %%zmm10\n vpmadd52luq %%zmm12, %%zmm12, %%zmm11\n"
        :
        :
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11");
#else
  static_cast<void>(rounds);
#endif
}

/// A task that takes about a millisecond: the clock of a busy machine is too coarse for less.
Task longer(const Task& task, std::size_t times) {
  return {task.units * times, [=] {
            for (std::size_t i = 0; i < times; ++i) task.body();
          }};
}

void run_kernels(int argc, char** argv) {
  const Options options(argc, argv,
                        "Products on AVX-512 with and without IFMA, on one thread.\n"
                        "--bits LIST    of the moduli (1024,1536,2048,3072,4096,6144,8192)\n"
                        "--rounds N     turns of each size (40)\n"
                        "--json FILE    results\n");
  if (best_instructions() != Instructions::avx512_ifma) throw Error("this processor has no AVX-512 IFMA");
  set_thread_count(1);
  const std::vector<std::size_t> moduli = options.numbers("bits", "1024,1536,2048,3072,4096,6144,8192");
  const std::size_t rounds = options.number("rounds", 40);
  RandomStream random = RandomSource::from_system().stream({});
  Json rows = Json::array();
  for (const std::size_t bits : moduli) {
    const Integer m = power_of_two(bits - 1) + 2 * random.bits(bits - 2) + 1;
    const auto doubles = std::make_shared<const Lanes>(m, Instructions::avx512);
    const auto integers = std::make_shared<const Lanes>(m, Instructions::avx512_ifma);
    constexpr std::size_t repeats = std::size_t{1} << 19;
    Turns turns;
    turns.add({12 * repeats, [] { multiply_adds(repeats); }});
    for (const bool square : {false, true})
      for (const auto& lanes : {doubles, integers})
        turns.add(longer(product_task(lanes, square), (1 << 16) / bits + 1));
    for (std::size_t round = 0; round < rounds; ++round) turns.round();
    for (const bool square : {false, true}) {
      const std::size_t count = product_count(integers->words(), square) + reduction_count(integers->words());
      rows.push_back({{"bits", bits},
                      {"what", square ? "square" : "product"},
                      {"digits", integers->words()},
                      {"doubles", turns.samples(square ? 3 : 1).to_json()},
                      {"integers", turns.samples(square ? 4 : 2).to_json()},
                      {"multiply_adds", static_cast<double>(count) / static_cast<double>(integers->lanes())},
                      {"multiply_add", turns.samples(0).to_json()}});
      std::cout << rows.back().dump() << '\n';
    }
  }
  write_results(options.text("json", ""), "kernels", {{"rows", std::move(rows)}});
}

}  // namespace

}  // namespace smlp::bench

int main(int argc, char** argv) {
  return smlp::bench::run_benchmark(argc, argv, smlp::bench::run_kernels);
}
