// Fixed-width integers over GMP's mpn layer.
#include "paillier/fixed_width.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "paillier/error.h"

namespace smlp {
namespace {

mp_size_t size_of(std::size_t limbs) {
  return static_cast<mp_size_t>(limbs);
}

}  // namespace

FixedIntegers::FixedIntegers(std::span<const Integer> values, std::size_t limbs)
    : FixedIntegers(values.size(), limbs) {
  for (std::size_t i = 0; i < count_; ++i) {
    if (bit_length(values[i]) >= limb_bits * width_)
      throw Error("an integer of " + std::to_string(bit_length(values[i])) + " bits does not fit " +
                  std::to_string(width_) + " limbs with its sign");
    std::ranges::copy(limbs_of(values[i]), (*this)[i].begin());
    negate_where((*this)[i], mask_of(sgn(values[i]) < 0));
  }
}

Integer FixedIntegers::integer(std::size_t i) const {
  return signed_integer((*this)[i]);
}

std::vector<Integer> FixedIntegers::integers() const {
  std::vector<Integer> out(count_);
  for (std::size_t i = 0; i < count_; ++i) out[i] = integer(i);
  return out;
}

Integer signed_integer(std::span<const Limb> limbs) {
  if (limbs.empty()) return 0;
  const auto negative = static_cast<unsigned>(limbs.back() >> (limb_bits - 1));
  const mp_size_t size = size_of(limbs.size());
  Integer result;
  Limb* const out = mpz_limbs_write(result.get_mpz_t(), size);
  std::ranges::copy(limbs, out);
  negate_where({out, limbs.size()}, mask_of(negative));
  mpz_limbs_finish(result.get_mpz_t(), negative != 0 ? -size : size);
  return result;
}

void add_shifted(std::span<Limb> sum, std::span<const Limb> term, std::size_t shift, Limb mask) {
  const std::size_t first = shift / limb_bits, offset = shift % limb_bits;
  const Limb sign = mask_of(static_cast<unsigned>(term.back() >> (limb_bits - 1)));
  Limb carry = 0, below = 0;
  for (std::size_t i = first; i < sum.size(); ++i) {
    const Limb here = i - first < term.size() ? term[i - first] : sign;
    const Limb addend = (here << offset | below >> 1 >> (limb_bits - 1 - offset)) & mask;
    below = here;
    const Limb partial = sum[i] + addend;
    const Limb total = partial + carry;
    carry = static_cast<Limb>(partial < addend) | static_cast<Limb>(total < partial);
    sum[i] = total;
  }
}

void negate_where(std::span<Limb> value, Limb mask) {
  Limb carry = mask & 1;
  for (Limb& limb : value) {
    limb = (limb ^ mask) + carry;
    carry = static_cast<Limb>(limb < carry);
  }
}

SecretModulus::SecretModulus(const Integer& modulus) : limbs_(mpz_size(modulus.get_mpz_t())) {
  if (modulus <= 0) throw Error("a modulus must be positive");
  std::ranges::copy(limbs_of(modulus), limbs_.data());
}

void SecretModulus::divide(Limb* quotient, Limb* remainder, const Limb* x, std::size_t size,
                           Scratch& scratch) const {
  const mp_size_t n = size_of(limbs()), all = std::max(size_of(size), n);
  Limb* const work = scratch.limbs(static_cast<std::size_t>(all + mpn_sec_div_qr_itch(all, n)));
  std::fill(std::copy_n(x, size, work), work + all, 0);
  quotient[all - n] = mpn_sec_div_qr(quotient, work, all, data(), n, work + all);
  std::copy_n(work, n, remainder);
}

void SecretModulus::reduce(Limb* out, const Limb* x, std::size_t size, Scratch& scratch) const {
  const mp_size_t n = size_of(limbs()), all = std::max(size_of(size), n);
  Limb* const work = scratch.limbs(static_cast<std::size_t>(all + mpn_sec_div_r_itch(all, n)));
  std::fill(std::copy_n(x, size, work), work + all, 0);
  mpn_sec_div_r(work, all, data(), n, work + all);
  std::copy_n(work, n, out);
}

void SecretModulus::multiply(Limb* out, const Limb* a, const Limb* b, Scratch& scratch) const {
  const mp_size_t n = size_of(limbs()), all = 2 * n;
  Limb* const work = scratch.limbs(
      static_cast<std::size_t>(all + std::max(mpn_sec_mul_itch(n, n), mpn_sec_div_r_itch(all, n))));
  mpn_sec_mul(work, a, n, b, n, work + all);
  mpn_sec_div_r(work, all, data(), n, work + all);
  std::copy_n(work, n, out);
}

void join_remainders(std::span<Limb> out, const Limb* a, const SecretModulus& p, const Limb* b,
                     const SecretModulus& q, const Integer& p_q, Scratch& scratch) {
  const mp_size_t n = size_of(p.limbs()), m = size_of(q.limbs()), all = n + m;
  const mp_size_t longer = std::max(n, m), shorter = std::min(n, m);
  Limb* const sum = scratch.limbs(static_cast<std::size_t>(2 * all + mpn_sec_mul_itch(longer, shorter)));
  Limb *const term = sum + all, *const rest = term + all;
  const auto multiply = [&](Limb* to, const Limb* x, mp_size_t x_size, const Limb* y, mp_size_t y_size) {
    if (x_size < y_size) std::tie(x, x_size, y, y_size) = std::make_tuple(y, y_size, x, x_size);
    mpn_sec_mul(to, x, x_size, y, y_size, rest);
  };
  multiply(sum, a, n, q.data(), m);
  multiply(term, b, m, p.data(), n);
  const mp_size_t size = size_of(out.size());  // of p q; either product is below that
  const Limb carry = mpn_add_n(sum, sum, term, size);
  const Limb below = mpn_sub_n(out.data(), sum, limbs_of(p_q).data(), size);
  mpn_cnd_add_n(below & (carry ^ 1), out.data(), out.data(), limbs_of(p_q).data(), size);
}

}  // namespace smlp
