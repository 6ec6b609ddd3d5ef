// Randomness of ciphertexts, made ahead of its use by processors that would be idle.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "paillier/integer.h"
#include "paillier/lanes.h"
#include "paillier/random.h"

namespace smlp {

/// How a key makes what re-randomises its ciphertexts: r^n or hs^r mod n^2 (Paillier), h^r mod n (DGK).
struct RerandomiserMaker {
  std::size_t words = 0;  ///< of one, a residue in the form of the key's Lanes
  std::function<SecretInteger(RandomStream&)> draw;
  /// out = one for each secret, one after another. On the calling thread; called by many.
  std::function<void(std::span<const SecretInteger> secrets, Word* out)> make;
};

/// Re-randomisers that a pool has handed out. Each is used once: one product.
class Rerandomisers {
 public:
  Rerandomisers(Rerandomisers&&) noexcept = default;
  std::size_t size() const { return used_.size(); }
  /// Throws Error for one that there is not or that has been used. Different ones may be used in parallel.
  const Word* use(std::size_t i);

 private:
  friend class RerandomiserPool;
  Rerandomisers(std::size_t count, std::size_t words)
      : words_(words), residues_(count * words), used_(count) {}
  std::size_t words_;
  WordBuffer residues_;
  std::vector<std::uint8_t> used_;
};

/// Re-randomisers in a fixed order: number i comes from element i of `random`, whoever makes it and when, so
/// that what is ready changes time alone. Up to `capacity` are kept ready, from the first use on, by a thread
/// that runs when a processor has nothing else to do; 0: none are made ahead.
class RerandomiserPool {
 public:
  RerandomiserPool(RerandomiserMaker maker, RandomSource random, std::size_t capacity);
  RerandomiserPool(const RerandomiserPool&) = delete;
  RerandomiserPool& operator=(const RerandomiserPool&) = delete;
  ~RerandomiserPool();

  /// The next `count`. Those that are not ready are made here, in parallel. One call at a time. When it
  /// throws, what it drew is lost and the pool stays as good as before.
  Rerandomisers take(std::size_t count);
  /// Those that are ready at this moment.
  std::size_t ready() const;

 private:
  class Chunk;
  /// What `count` need beyond those that there are, and what then fills the pool.
  std::vector<std::shared_ptr<Chunk>> draw_for(std::size_t count);
  void start_filler();
  void fill(const std::stop_token& stop);

  const RerandomiserMaker maker_;
  const RandomSource random_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable_any drawn_;
  std::deque<std::shared_ptr<Chunk>> chunks_;   // not used up, in order
  std::deque<std::shared_ptr<Chunk>> to_make_;  // drawn, by the filler if nobody comes before it
  std::size_t used_of_first_ = 0;
  std::uint64_t next_element_ = 0;
  std::jthread filler_;  // last: it is joined before what it fills goes
};

}  // namespace smlp
