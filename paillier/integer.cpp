// Big integers: byte form, inverses, Chinese remainders, wiping.
#include "paillier/integer.h"

#include <string.h>

#include "paillier/error.h"

namespace smlp {
namespace {

// Little-endian words are little-endian bytes, and GMP converts them without taking them apart.
std::size_t unit_bytes(std::size_t width) {
  return width % 8 == 0 ? 8 : 1;
}

}  // namespace

std::size_t bit_length(const Integer& value) {
  return sgn(value) == 0 ? 0 : mpz_sizeinbase(value.get_mpz_t(), 2);
}

Integer power_of_two(std::size_t exponent) {
  Integer result;
  mpz_setbit(result.get_mpz_t(), exponent);
  return result;
}

Integer floor_shift(const Integer& value, std::size_t shift) {
  Integer result;
  mpz_fdiv_q_2exp(result.get_mpz_t(), value.get_mpz_t(), shift);
  return result;
}

void append_little_endian(const Integer& value, std::size_t width, Bytes& out) {
  if (sgn(value) < 0) throw Error("a negative integer has no fixed-width byte form");
  const std::size_t needed = (bit_length(value) + 7) / 8;
  if (needed > width)
    throw Error("an integer of " + std::to_string(needed) + " bytes does not fit in " +
                std::to_string(width));
  const std::size_t start = out.size();
  out.resize(start + width);
  const std::size_t unit = unit_bytes(width);
  mpz_export(out.data() + start, nullptr, -1, unit, -1, 0, value.get_mpz_t());
}

Integer from_little_endian(std::span<const std::uint8_t> bytes) {
  Integer result;
  const std::size_t unit = unit_bytes(bytes.size());
  mpz_import(result.get_mpz_t(), bytes.size() / unit, -1, unit, -1, 0, bytes.data());
  return result;
}

Integer inverse(const Integer& a, const Integer& modulus) {
  Integer result;
  if (sgn(modulus) <= 0) throw Error("an inverse needs a positive modulus");
  if (mpz_invert(result.get_mpz_t(), a.get_mpz_t(), modulus.get_mpz_t()) == 0)
    throw Error("a residue that shares a factor with the modulus has no inverse");
  return result;
}

Integer chinese_remainder(const Integer& a, const Integer& p, const Integer& b, const Integer& q,
                          const Integer& p_inverse) {
  Integer k = (b - a) * p_inverse;
  mpz_mod(k.get_mpz_t(), k.get_mpz_t(), q.get_mpz_t());
  return a + p * k;
}

SecretInteger& SecretInteger::operator=(const SecretInteger& other) {
  SecretInteger copy(other);
  mpz_swap(value_.get_mpz_t(), copy.value_.get_mpz_t());
  return *this;
}

SecretInteger& SecretInteger::operator=(SecretInteger&& other) noexcept {
  SecretInteger taken(std::move(other));
  mpz_swap(value_.get_mpz_t(), taken.value_.get_mpz_t());
  return *this;
}

void SecretInteger::wipe() noexcept {
  const mpz_ptr raw = value_.get_mpz_t();
  if (raw->_mp_alloc > 0)
    wipe_memory(raw->_mp_d, static_cast<std::size_t>(raw->_mp_alloc) * sizeof(mp_limb_t));
  mpz_set_ui(raw, 0);
}

void wipe_memory(void* memory, std::size_t size) noexcept {
  if (size > 0) ::explicit_bzero(memory, size);
}

}  // namespace smlp
