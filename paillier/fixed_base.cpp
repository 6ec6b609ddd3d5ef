// Powers of one base from a table of base^(d 2^(w i)): one product a window and no squaring.
#include <algorithm>
#include <array>
#include <string>

#include "paillier/error.h"
#include "paillier/kernels.h"
#include "paillier/parallel.h"

namespace smlp {
namespace {

constexpr std::size_t table_bytes = std::size_t{20} << 20;
constexpr std::size_t widest_window = 12;  // for short moduli; the tables of long ones reach their bound

std::size_t window_count(std::size_t bits, std::size_t window) {
  return (bits + window - 1) / window;
}

std::size_t widest_fitting_window(std::size_t bits, std::size_t words) {
  std::size_t window = widest_window;
  while (window > 1 && (window_count(bits, window) << window) * words * sizeof(Word) > table_bytes) --window;
  return window;
}

void require_exponents(std::size_t factors, std::size_t exponents) {
  if (factors != exponents)
    throw Error("fixed-base powers got " + std::to_string(factors) + " factors and " +
                std::to_string(exponents) + " exponents");
}

}  // namespace

FixedBase::FixedBase(std::shared_ptr<const ModularContext> context, const Integer& base,
                     std::size_t exponent_bits)
    : context_(std::move(context)), bits_(exponent_bits) {
  if (exponent_bits == 0) throw Error("a fixed-base table needs exponents of at least 1 bit");
  const Lanes& lanes = context_->lanes();
  const std::size_t words = lanes.words(), width = lanes.lanes(), size = lanes.block_words();
  window_ = widest_fitting_window(bits_, words);
  windows_ = window_count(bits_, window_);
  const std::size_t digits = std::size_t{1} << window_;
  table_ = WordBuffer(windows_ * digits * words);
  const auto residue = [&](std::size_t window, std::size_t digit) {
    return table_.data() + (window * digits + digit) * words;
  };

  WordBuffer step(size);  // base^(2^(w i)), in the first lane
  lanes.enter(step.data(), {&base, 1});
  for (std::size_t i = 0; i < windows_; ++i) {
    std::copy_n(lanes.one(), words, residue(i, 0));
    lanes.scatter(residue(i, 1), 1, step.data());
    for (std::size_t b = 0; b < window_; ++b) lanes.square(step.data(), step.data());
  }
  parallel_blocks(windows_, width, [&](std::size_t first, std::size_t count) {
    WordBuffer power(size), factor(size);
    std::array<const Word*, most_lanes> from{};
    for (std::size_t k = 0; k < count; ++k) from[k] = residue(first + k, 1);
    lanes.gather(factor.data(), std::span(from).first(count));
    std::copy_n(factor.data(), size, power.data());
    for (std::size_t d = 2; d < digits; ++d) {
      lanes.multiply(power.data(), power.data(), factor.data());
      std::array<Word*, most_lanes> to{};
      for (std::size_t k = 0; k < count; ++k) to[k] = residue(first + k, d);
      lanes.scatter(std::span(to).first(count), power.data());
    }
  });
}

Integer FixedBase::power(const SecretInteger& exponent) const {
  Integer result = 1;
  multiply_powers({&result, 1}, {&exponent, 1});
  return result;
}

void FixedBase::multiply_powers(std::span<Integer> values, std::span<const SecretInteger> exponents) const {
  require_exponents(values.size(), exponents.size());
  const Lanes& lanes = context_->lanes();
  WordBuffer block(lanes.block_words());
  for (std::size_t first = 0; first < values.size(); first += lanes.lanes()) {
    const std::size_t count = std::min(lanes.lanes(), values.size() - first);
    lanes.load(block.data(), values.subspan(first, count));
    accumulate(block.data(), exponents.subspan(first, count), true);
    lanes.store(values.subspan(first, count), block.data());
  }
}

void FixedBase::multiply_powers(Limb* residues, std::span<const SecretInteger> exponents) const {
  const Lanes& lanes = context_->lanes();
  WordBuffer block(lanes.block_words());
  for (std::size_t first = 0; first < exponents.size(); first += lanes.lanes()) {
    const std::size_t count = std::min(lanes.lanes(), exponents.size() - first);
    lanes.load(block.data(), residues + first * lanes.limbs(), count);
    accumulate(block.data(), exponents.subspan(first, count), true);
    lanes.store(residues + first * lanes.limbs(), count, block.data());
  }
}

void FixedBase::write_powers(std::span<const SecretInteger> exponents, Word* out) const {
  const Lanes& lanes = context_->lanes();
  WordBuffer block(lanes.block_words());
  for (std::size_t first = 0; first < exponents.size(); first += lanes.lanes()) {
    const std::size_t count = std::min(lanes.lanes(), exponents.size() - first);
    accumulate(block.data(), exponents.subspan(first, count), false);
    lanes.scatter(out + first * lanes.words(), count, block.data());
  }
}

void FixedBase::accumulate(Word* block, std::span<const SecretInteger> exponents, bool multiplied) const {
  const Lanes& lanes = context_->lanes();
  const std::size_t count = exponents.size();
  // Digits come from padded copies, so that every exponent costs the same reads and products.
  const std::size_t limbs = limbs_for(bits_) + 1;
  WordBuffer padded(count * limbs), factor(lanes.block_words());
  for (std::size_t k = 0; k < count; ++k) {
    const Integer& exponent = exponents[k].value();
    if (sgn(exponent) < 0 || bit_length(exponent) > bits_)
      throw Error("a fixed-base exponent of " + std::to_string(bit_length(exponent)) +
                  " bits is negative or longer than " + std::to_string(bits_) + " bits");
    std::ranges::copy(limbs_of(exponent), padded.data() + k * limbs);
  }
  const Limb digits = (Limb{1} << window_) - 1;
  std::array<const Word*, most_lanes> from{};
  const auto find = [&](std::size_t i) {
    for (std::size_t k = 0; k < count; ++k)
      from[k] = entry(i, word_at({padded.data() + k * limbs, limbs}, i * window_) & digits);
    return std::span(from).first(count);
  };
  lanes.gather(multiplied ? factor.data() : block, find(0));
  for (std::size_t i = 0; i < windows_; ++i) {
    if (i + 1 < windows_) lanes.prefetch(find(i + 1));
    if (i > 0 || multiplied) lanes.multiply(block, block, factor.data());
    if (i + 1 < windows_) lanes.gather(factor.data(), std::span(from).first(count));
  }
}

}  // namespace smlp
