// Montgomery arithmetic on blocks of independent residues modulo one number: eight together on AVX-512, with
// or without IFMA, four on AVX2, one at a time (GMP's limbs) elsewhere. Callers see the number of lanes and
// nothing else of the processor.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "paillier/digit_kernels.h"
#include "paillier/integer.h"
#include "paillier/montgomery.h"

namespace smlp {

enum class Instructions { scalar, avx2, avx512, avx512_ifma };
std::string_view name(Instructions instructions);
/// Residues in a block.
constexpr std::size_t lane_count(Instructions instructions) {
  return instructions == Instructions::scalar ? 1 : instructions == Instructions::avx2 ? 4 : 8;
}
constexpr std::size_t most_lanes = 8;
/// The latest that this processor has.
Instructions best_instructions();
/// The fastest that it has for a modulus of so many bits: where there are IFMA and other kernels for AVX-512,
/// both are timed at first use, in some milliseconds.
Instructions best_instructions(std::size_t modulus_bits);
/// Of two kernels for AVX-512 with these times of products and squares: IFMA where it takes at most 0.85 and
/// 0.75 of the other.
struct KernelTimes {
  double product, square;
};
Instructions faster_avx512(const KernelTimes& ifma, const KernelTimes& other);

/// Memory aligned for every kernel; large pieces on large pages where the system has them, since tables are
/// read at random.
void* allocate_words(std::size_t bytes);
void free_words(void* memory, std::size_t bytes) noexcept;

/// Words for residues or blocks; wiped at the end, since the modulus may be a secret.
class WordBuffer {
 public:
  explicit WordBuffer(std::size_t words = 0) : words_(words) {}
  WordBuffer(WordBuffer&&) noexcept = default;
  WordBuffer& operator=(WordBuffer&& other) noexcept {
    words_.swap(other.words_);
    return *this;
  }
  ~WordBuffer() { wipe_memory(words_.data(), words_.size() * sizeof(Word)); }

  Word* data() { return words_.data(); }
  const Word* data() const { return words_.data(); }
  std::size_t size() const { return words_.size(); }

 private:
  template <typename T>
  struct Aligned {
    using value_type = T;
    Aligned() = default;
    template <typename U>
    Aligned(const Aligned<U>&) {}
    T* allocate(std::size_t count) { return static_cast<T*>(allocate_words(count * sizeof(T))); }
    void deallocate(T* memory, std::size_t count) { free_words(memory, count * sizeof(T)); }
    bool operator==(const Aligned&) const = default;
  };
  std::vector<Word, Aligned<Word>> words_;
};

/// What has been computed since construction, in single residues (blocks times lanes).
struct OperationCount {
  std::uint64_t products = 0, squares = 0, conversions = 0;
};

/// Arithmetic modulo one odd modulus m > 1. A residue is `words()` words, a block is `lanes()` residues with
/// their words interleaved (word i of lane k at i * lanes() + k), aligned to 64 bytes. x stands as x R mod m
/// for a fixed R ("Montgomery form"); forms are not unique, `store` makes them so. In vector lanes nothing
/// branches on residues, so time depends on sizes alone; the scalar path promises no such thing.
/// Immutable but for its counters; shared between threads. Rounding must be to nearest, which is checked at
/// construction.
class Lanes {
 public:
  explicit Lanes(const Integer& modulus) : Lanes(modulus, best_instructions(bit_length(modulus))) {}
  Lanes(const Integer& modulus, Instructions instructions);

  const Integer& modulus() const { return scalar_.modulus(); }
  std::size_t lanes() const { return kernel_ ? kernel_->lanes : 1; }
  std::size_t words() const { return kernel_ ? kernel_->digits : scalar_.limbs(); }
  std::size_t block_words() const { return lanes() * words(); }
  /// Limbs of the modulus, and of a plain residue in limbs.
  std::size_t limbs() const { return scalar_.limbs(); }
  /// How many blocks hold `count` residues.
  std::size_t blocks(std::size_t count) const { return (count + lanes() - 1) / lanes(); }

  // ---- on blocks ----

  /// out = a b / R; out may be a or b.
  void multiply(Word* out, const Word* a, const Word* b) const;
  /// out = a a / R; out may be a.
  void square(Word* out, const Word* a) const;

  /// The plain x_k, in [0, m), in the lanes; lanes beyond xs hold zero. Multiplying a plain block by a form
  /// gives the plain product. Throws Error for an x outside [0, m).
  void load(Word* block, std::span<const Integer> xs) const;
  /// The numbers in [0, m) that a block holds, for the first xs.size() lanes.
  void store(std::span<Integer> xs, const Word* block) const;
  /// The same for 1 to lanes() residues of limbs() limbs each, one after another, in the same steps whatever
  /// they are; each must be below m.
  void load(Word* block, const mp_limb_t* residues, std::size_t count) const;
  void store(mp_limb_t* residues, std::size_t count, const Word* block) const;
  /// load, then into Montgomery form: one product.
  void enter(Word* block, std::span<const Integer> xs) const;
  /// store of the residues of a block in Montgomery form: one product; the block is scratch afterwards.
  void leave(std::span<Integer> xs, Word* block) const;
  void enter(Word* block, const mp_limb_t* residues, std::size_t count) const;
  void leave(mp_limb_t* residues, std::size_t count, Word* block) const;

  // ---- between blocks and residues ----

  /// The Montgomery form of 1, as a residue.
  const Word* one() const { return one_.data(); }
  /// Lane k of the block = *residues[k], for residues.size() <= lanes(); the other lanes hold 1.
  void gather(Word* block, std::span<const Word* const> residues) const;
  /// *residues[k] = lane k of the block, for 1 to lanes() residues.
  void scatter(std::span<Word* const> residues, const Word* block) const;
  /// The first `count` lanes as residues one after another.
  void scatter(Word* residues, std::size_t count, const Word* block) const;
  /// The same residue in all lanes.
  void broadcast(Word* block, const Word* residue) const;

  /// out = the block at `index` of a table of `entries` blocks, all of which are read.
  void select(Word* out, const Word* table, std::size_t entries, std::size_t index) const;
  /// Asks for residues that a gather will soon read.
  void prefetch(std::span<const Word* const> residues) const;

  OperationCount count() const;

 private:
  void require_lanes(std::size_t residues) const;
  void store_digits(mp_limb_t* limbs, const Word* block, std::size_t lane) const;
  void clear_lanes(Word* block, std::size_t first) const;
  enum Counted : std::size_t { products, squares, conversions };
  void add_to_count(Counted what, std::size_t residues) const;

  // A counter a thread, as far as they go, so that counting does not slow threads down.
  struct alignas(64) Counters {
    std::array<std::atomic<std::uint64_t>, 3> of{};
  };

  Montgomery scalar_;
  const DigitKernel* kernel_ = nullptr;
  WordBuffer kernel_modulus_;
  WordBuffer one_;                // a residue
  WordBuffer r_squared_, unity_;  // blocks: R^2 mod m, and the plain 1
  mutable std::array<Counters, 16> counters_;
};

}  // namespace smlp
