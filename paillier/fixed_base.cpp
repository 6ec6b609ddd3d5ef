// Powers of one base from a table of base^(d 2^(w i)): one product a window and no squaring.
#include <algorithm>
#include <string>

#include "paillier/error.h"
#include "paillier/kernels.h"
#include "paillier/montgomery.h"

namespace smlp {
namespace {

using Limb = Montgomery::Limb;

constexpr std::size_t table_bytes = std::size_t{16} << 20;
constexpr std::size_t widest_window = 9;  // wider gains less than its table costs to build

std::size_t window_count(std::size_t bits, std::size_t window) {
  return (bits + window - 1) / window;
}

std::size_t widest_fitting_window(std::size_t bits, std::size_t limbs) {
  std::size_t window = widest_window;
  while (window > 1 && (window_count(bits, window) << window) * limbs * sizeof(Limb) > table_bytes) --window;
  return window;
}

}  // namespace

struct FixedBase::State {
  std::shared_ptr<const ModularContext> context;
  std::size_t bits = 0, window = 0, windows = 0;
  std::vector<Limb> table;  // windows x 2^window residues in Montgomery form

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { wipe_memory(table.data(), table.size() * sizeof(Limb)); }  // the modulus may be a secret one

  const Limb* entry(std::size_t i, std::size_t digit, std::size_t limbs) const {
    return table.data() + ((i << window) + digit) * limbs;
  }
};

FixedBase::FixedBase(std::shared_ptr<const ModularContext> context, const Integer& base,
                     std::size_t exponent_bits) {
  if (exponent_bits == 0) throw Error("a fixed-base table needs exponents of at least 1 bit");
  auto state = std::make_unique<State>();
  const Montgomery& m = context->montgomery();
  const std::size_t n = m.limbs();
  state->context = std::move(context);
  state->bits = exponent_bits;
  state->window = widest_fitting_window(exponent_bits, n);
  state->windows = window_count(exponent_bits, state->window);
  const std::size_t digits = std::size_t{1} << state->window;
  state->table.resize(state->windows * digits * n);
  std::vector<Limb> scratch(m.scratch_limbs()), step(n);  // step = base^(2^(window i))
  m.enter(step.data(), base, scratch.data());
  for (std::size_t i = 0; i < state->windows; ++i) {
    Limb* row = state->table.data() + i * digits * n;
    std::copy_n(m.one(), n, row);
    for (std::size_t d = 1; d < digits; ++d)
      m.multiply(row + d * n, row + (d - 1) * n, step.data(), scratch.data());
    m.multiply(step.data(), row + (digits - 1) * n, step.data(), scratch.data());
  }
  state_ = std::move(state);
}

FixedBase::~FixedBase() = default;

std::size_t FixedBase::exponent_bits() const {
  return state_->bits;
}

Integer FixedBase::power(const Integer& exponent) const {
  return multiply_power(1, exponent);
}

Integer FixedBase::multiply_power(const Integer& factor, const Integer& exponent) const {
  if (sgn(exponent) < 0 || bit_length(exponent) > state_->bits)
    throw Error("a fixed-base exponent of " + std::to_string(bit_length(exponent)) +
                " bits is negative or longer than " + std::to_string(state_->bits) + " bits");
  const Montgomery& m = state_->context->montgomery();
  const std::size_t n = m.limbs();
  const std::size_t w = state_->window;
  // Digits come from a padded copy, so that every exponent costs the same reads and products.
  std::vector<Limb> padded(state_->bits / 64 + 2);
  std::copy_n(mpz_limbs_read(exponent.get_mpz_t()), mpz_size(exponent.get_mpz_t()), padded.begin());
  const auto digit = [&](std::size_t i) {
    const std::size_t word = i * w / 64, offset = i * w % 64;
    const Limb low = padded[word] >> offset;
    const Limb high = offset == 0 ? 0 : padded[word + 1] << (64 - offset);
    return static_cast<std::size_t>((low | high) & ((Limb{1} << w) - 1));
  };
  std::vector<Limb> scratch(m.scratch_limbs());
  std::vector<Limb> power(state_->entry(0, digit(0), n), state_->entry(0, digit(0), n) + n);
  for (std::size_t i = 1; i < state_->windows; ++i)
    m.multiply(power.data(), power.data(), state_->entry(i, digit(i), n), scratch.data());
  Integer result = m.leave_times(power.data(), factor, scratch.data());
  wipe_memory(padded.data(), padded.size() * sizeof(Limb));
  return result;
}

}  // namespace smlp
