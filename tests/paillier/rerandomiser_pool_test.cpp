// Pools: what they hand out is the same whoever made it, is used once and re-randomises.
#include "paillier/rerandomiser_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "paillier/error.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

namespace {

RandomSource source() {
  return RandomSource::from_seed(91);
}

/// Ciphertexts of 0, 1, .. without randomness, re-randomised in pieces of these sizes.
std::vector<FreshCiphertext> in_pieces(const PaillierPublicKey& key, std::size_t capacity,
                                       const std::vector<std::size_t>& sizes,
                                       std::shared_ptr<AddressLog> log = nullptr) {
  RerandomiserPool pool(key.rerandomisers(), log ? source().recording(log) : source(), capacity);
  std::vector<FreshCiphertext> out;
  for (const std::size_t size : sizes) {
    std::vector<Ciphertext> cs;
    for (std::size_t i = 0; i < size; ++i) cs.push_back(key.trivial(Integer(out.size() + i)));
    for (FreshCiphertext& c : key.rerandomise(cs, pool.take(size))) out.push_back(std::move(c));
  }
  return out;
}

void wait_until_full(const RerandomiserPool& pool, std::size_t count) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (pool.ready() < count && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  REQUIRE(pool.ready() >= count);
}

}  // namespace

TEST_CASE(
    "pool: element i is the key's own re-randomisation from element i, however it is taken [parallel]") {
  const std::vector<std::size_t> sizes = {1, 0, 31, 33, 2, 70, 5};
  const std::size_t all = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
  for (const Variant variant : {Variant::standard, Variant::subgroup}) {
    const SecretKeys& keys = toy_keys(variant);
    const PaillierPublicKey& key = keys.public_keys().paillier();
    INFO(name(variant));
    for (const std::size_t capacity : std::vector<std::size_t>{0, 40, 256}) {
      const auto fresh = in_pieces(key, capacity, sizes);
      REQUIRE(fresh.size() == all);
      for (std::size_t i = 0; i < all; ++i) {
        RandomStream random = source().stream({.element = i});
        CHECK(fresh[i].local() == key.rerandomise(key.trivial(Integer(i)), random).local());
        CHECK(keys.paillier().decrypt(fresh[i].local()) == i);
      }
    }
  }
}

TEST_CASE("pool: DGK re-randomisers keep the plaintext, each with randomness of its own") {
  const DgkSecretKey& secret = toy_keys().dgk();
  const DgkPublicKey& key = secret.public_key();
  RerandomiserPool pool(key.rerandomisers(), source(), 64);
  Rerandomisers ready = pool.take(3 * key.lanes());
  std::vector<DgkCiphertext> seen;
  for (unsigned m = 0; m < 3; ++m) {
    std::vector<std::size_t> which(key.lanes());
    std::iota(which.begin(), which.end(), m * key.lanes());
    const std::vector<unsigned> ms(key.lanes(), m);
    for (const FreshDgkCiphertext& c : key.rerandomise(key.trivial(ms), ready, which)) {
      CHECK(secret.decrypt(c.local()) == m);
      CHECK(std::ranges::find(seen, c.local()) == seen.end());
      seen.push_back(c.local());
    }
  }
  CHECK(seen.size() == 3 * key.lanes());
}

TEST_CASE("pool: a re-randomiser is used once") {
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  RerandomiserPool pool(key.rerandomisers(), source(), 0);
  Rerandomisers ready = pool.take(2);
  ready.use(1);
  CHECK_THROWS_WITH_AS(ready.use(1), "re-randomiser 1 was asked for twice", Error);
  CHECK_THROWS_WITH_AS(ready.use(2), "re-randomiser 2 of 2 was asked for", Error);
  const std::vector<Ciphertext> cs(2, key.trivial(1));
  CHECK_THROWS_WITH_AS(key.rerandomise(cs, std::move(ready)), "re-randomiser 1 was asked for twice", Error);
  CHECK_THROWS_WITH_AS(key.rerandomise(cs, pool.take(3)), "3 re-randomisers do not fit 2 ciphertexts", Error);
}

TEST_CASE("pool: is filled from the first use on, and again after each") {
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  RerandomiserPool pool(key.rerandomisers(), source(), 128);
  CHECK(pool.ready() == 0);
  for (const std::size_t count : std::vector<std::size_t>{1, 100, 300}) {
    pool.take(count);
    wait_until_full(pool, 120);
    CHECK(pool.ready() <= 128);
  }
  RerandomiserPool none(key.rerandomisers(), source(), 0);
  none.take(1);
  CHECK(none.ready() == 7);  // the rest of its chunk
}

TEST_CASE("pool: is filled after a failure to fill it") {
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  RerandomiserMaker maker = key.rerandomisers();
  std::atomic<int> by_filler = 0;
  maker.make = [make = maker.make, user = std::this_thread::get_id(), &by_filler](
                   std::span<const SecretInteger> secrets, Word* out) {
    if (std::this_thread::get_id() != user && by_filler++ == 0) throw std::runtime_error("no memory");
    make(secrets, out);
  };
  RerandomiserPool pool(maker, source(), 128);
  pool.take(1);  // one chunk, which its user makes
  wait_until_full(pool, 104);
  CHECK(by_filler > 1);
}

TEST_CASE("pool: no address is drawn from twice, whoever comes first [parallel]") {
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  auto log = std::make_shared<AddressLog>();
  in_pieces(key, 256, std::vector<std::size_t>(40, 21), log);
  CHECK(log->size() >= 40 * 21);
  CHECK(log->repeated() == 0);
}

TEST_CASE("pool: a draw that fails is an error, and what comes after it is made, new and used once") {
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  for (const std::size_t capacity : {0U, 64U}) {
    for (const int failing : {1, 12, 30}) {
      INFO("capacity ", capacity, ", draw ", failing);
      RerandomiserMaker maker = key.rerandomisers();
      std::atomic<int> calls = 0;
      maker.draw = [draw = maker.draw, &calls, failing](RandomStream& random) {
        if (++calls == failing) throw std::runtime_error("no memory");
        return draw(random);
      };
      const auto log = std::make_shared<AddressLog>();
      RerandomiserPool pool(maker, source().recording(log), capacity);
      std::vector<std::vector<Word>> seen;
      int errors = 0;
      for (int round = 0; round < 6; ++round) {
        try {
          Rerandomisers ready = pool.take(8);
          for (std::size_t i = 0; i < 8; ++i) {
            const Word* const residue = ready.use(i);
            seen.emplace_back(residue, residue + maker.words);
          }
        } catch (const std::runtime_error& error) {
          CHECK(std::string(error.what()) == "no memory");
          ++errors;
        }
      }
      CHECK(errors == (calls >= failing ? 1 : 0));
      CHECK(seen.size() == 8 * (6 - static_cast<std::size_t>(errors)));
      CHECK(log->repeated() == 0);
      std::ranges::sort(seen);
      CHECK(std::ranges::adjacent_find(seen) == seen.end());
      CHECK(seen[0] != std::vector<Word>(maker.words));  // never made
    }
  }
}

TEST_CASE("pool: a failure to make loses what was asked for and nothing else") {
  const PaillierPublicKey& key = toy_keys().public_keys().paillier();
  RerandomiserMaker maker = key.rerandomisers();
  bool fails = true;
  maker.make = [make = maker.make, &fails](std::span<const SecretInteger> secrets, Word* out) {
    if (fails) throw std::runtime_error("no memory");
    make(secrets, out);
  };
  RerandomiserPool pool(maker, source(), 0);
  CHECK_THROWS_WITH_AS(pool.take(3), "no memory", std::runtime_error);
  fails = false;
  const auto fresh = key.rerandomise(std::vector<Ciphertext>{key.trivial(5)}, pool.take(1));
  RandomStream random = source().stream({.element = 3});
  CHECK(fresh[0].local() == key.rerandomise(key.trivial(5), random).local());
}
