// GMP's and OpenSSL's ways.
#include "bench/reference.h"

#include "paillier/error.h"

namespace smlp::bench {

namespace {

void require(bool done) {
  if (!done) throw Error("OpenSSL's arithmetic failed");
}

}  // namespace

void multiply_with_gmp(Integer& a, const Integer& b, const Integer& m, std::size_t count) {
  Integer product;
  for (std::size_t i = 0; i < count; ++i) {
    mpz_mul(product.get_mpz_t(), a.get_mpz_t(), b.get_mpz_t());
    mpz_mod(a.get_mpz_t(), product.get_mpz_t(), m.get_mpz_t());
  }
}

Integer power_with_gmp(const Integer& base, const Integer& exponent, const Integer& m) {
  Integer out;
  mpz_powm(out.get_mpz_t(), base.get_mpz_t(), exponent.get_mpz_t(), m.get_mpz_t());
  return out;
}

Openssl::Number Openssl::number(const Integer& value) {
  BIGNUM* out = nullptr;
  require(BN_hex2bn(&out, value.get_str(16).c_str()) != 0);
  return Number(out);
}

Integer Openssl::integer(const Number& value) {
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(value.get())));
  require(BN_bn2lebinpad(value.get(), bytes.data(), static_cast<int>(bytes.size())) >= 0);
  return from_little_endian(bytes);
}

Openssl::Openssl(const Integer& modulus)
    : context_(BN_CTX_new()), montgomery_(BN_MONT_CTX_new()), modulus_(number(modulus)) {
  require(BN_MONT_CTX_set(montgomery_.get(), modulus_.get(), context_.get()) == 1);
}

void Openssl::multiply(Number& a, const Number& b, std::size_t count) const {
  for (std::size_t i = 0; i < count; ++i)
    require(BN_mod_mul_montgomery(a.get(), a.get(), b.get(), montgomery_.get(), context_.get()) == 1);
}

void Openssl::power(Number& out, const Number& base, const Number& exponent, bool secret) const {
  const auto call = secret ? BN_mod_exp_mont_consttime : BN_mod_exp_mont;
  require(call(out.get(), base.get(), exponent.get(), modulus_.get(), context_.get(), montgomery_.get()) ==
          1);
}

}  // namespace smlp::bench
