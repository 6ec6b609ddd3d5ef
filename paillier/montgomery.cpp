// Montgomery products: one mpn product, then one mpn_addmul_1 a limb, or for long moduli mpn products of
// halves too, which GMP computes in fewer steps.
#include "paillier/montgomery.h"

#include <algorithm>

#include "paillier/error.h"

namespace smlp {

static_assert(GMP_NUMB_BITS == 64, "limbs of 64 bits without nails");

namespace {

constexpr mp_size_t halved_limbs = 64;  // the shortest quotient that is found in two halves

mp_size_t size_of(std::size_t limbs) {
  return static_cast<mp_size_t>(limbs);
}

}  // namespace

Montgomery::Montgomery(const Integer& modulus) : modulus_(modulus) {
  if (modulus <= 1 || mpz_even_p(modulus.get_mpz_t()))
    throw Error("a Montgomery modulus must be odd and greater than 1");
  limbs_ = mpz_size(modulus.get_mpz_t());
  m_.resize(limbs_);
  one_.resize(limbs_);
  r_squared_.resize(limbs_);
  load(one_.data(), Integer(power_of_two(64 * limbs_) % modulus));
  load(r_squared_.data(), Integer(power_of_two(128 * limbs_) % modulus));
  std::copy_n(mpz_limbs_read(modulus.get_mpz_t()), limbs_, m_.begin());
  Limb inverse = 1;  // Newton: each step doubles the correct low bits
  for (int step = 0; step < 6; ++step) inverse *= 2 - m_[0] * inverse;
  negative_inverse_ = 0 - inverse;
}

Montgomery::~Montgomery() {
  // The modulus may be a secret one.
  for (auto* limbs : {&m_, &one_, &r_squared_}) wipe_memory(limbs->data(), limbs->size() * sizeof(Limb));
  const SecretInteger wiped(std::move(modulus_));
}

Montgomery::Limb Montgomery::clear(Limb* x, mp_size_t n, Limb* quotient, Limb* scratch) const {
  const Limb* const m = m_.data();
  if (n < halved_limbs) {
    for (mp_size_t i = 0; i < n; ++i) {
      quotient[i] = x[i] * negative_inverse_;
      x[i] = mpn_addmul_1(x + i, m, n, quotient[i]);  // clears limb i, keeps the carry there
    }
    return mpn_add_n(x + n, x + n, x, n);
  }
  // Half of the quotient by the lower limbs of m, then its product with the others; the other half likewise.
  const mp_size_t lower = n / 2, upper = n - lower;
  const auto clear_part = [&](Limb* part, mp_size_t size, Limb* digits) {
    const Limb carry = clear(part, size, digits, scratch);
    if (size < n - size)
      mpn_mul(scratch, m + size, n - size, digits, size);
    else
      mpn_mul(scratch, digits, size, m + size, n - size);
    // No carry leaves: the product is at most (2^(64 size) - 1) (2^(64 (n - size)) - 1).
    mpn_add_1(scratch + size, scratch + size, n - size, carry);
    return mpn_add_n(part + size, part + size, scratch, n);
  };
  const Limb carry = clear_part(x, lower, quotient);
  const Limb overflow = mpn_add_1(x + n + lower, x + n + lower, upper, carry);
  return overflow + clear_part(x + lower, upper, quotient + lower);
}

void Montgomery::reduce(Limb* out, Limb* product, Limb* scratch) const {
  const mp_size_t n = size_of(limbs_);
  const Limb carry = clear(product, n, scratch, scratch + n);
  mpn_cnd_sub_n(carry, out, product + n, m_.data(), n);
}

// Products of moduli up to 8192 bits stay on the stack.
template <typename Body>
void Montgomery::with_scratch(Body body) const {
  if (limbs_ <= 128) {
    Limb scratch[512];
    body(scratch, scratch + 2 * limbs_);
  } else {
    std::vector<Limb> scratch(4 * limbs_);
    body(scratch.data(), scratch.data() + 2 * limbs_);
  }
}

void Montgomery::multiply(Limb* out, const Limb* a, const Limb* b) const {
  with_scratch([&](Limb* product, Limb* scratch) {
    mpn_mul_n(product, a, b, size_of(limbs_));
    reduce(out, product, scratch);
  });
}

void Montgomery::square(Limb* out, const Limb* a) const {
  with_scratch([&](Limb* product, Limb* scratch) {
    mpn_sqr(product, a, size_of(limbs_));
    reduce(out, product, scratch);
  });
}

void Montgomery::load(Limb* out, const Integer& x) const {
  if (sgn(x) < 0 || x >= modulus_) throw Error("a residue outside [0, modulus) reached modular arithmetic");
  const std::size_t size = mpz_size(x.get_mpz_t());
  std::copy_n(mpz_limbs_read(x.get_mpz_t()), size, out);
  std::fill(out + size, out + limbs_, Limb{0});
}

void Montgomery::store(Limb* out, const Limb* a) const {
  const mp_size_t n = size_of(limbs_);
  std::copy_n(a, limbs_, out);
  for (int times = 0; times < 3; ++times) {
    const Limb below = mpn_sub_n(out, out, m_.data(), n);
    mpn_cnd_add_n(below, out, out, m_.data(), n);
  }
}

}  // namespace smlp
