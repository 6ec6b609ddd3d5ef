// The same arithmetic by GMP's and OpenSSL's own functions, to compare with.
#pragma once

#include <openssl/bn.h>

#include <memory>

#include "paillier/integer.h"

namespace smlp::bench {

/// a = a b mod m, `count` times.
void multiply_with_gmp(Integer& a, const Integer& b, const Integer& m, std::size_t count);
Integer power_with_gmp(const Integer& base, const Integer& exponent, const Integer& m);

/// OpenSSL's Montgomery arithmetic modulo one odd number.
class Openssl {
 public:
  struct Free {
    void operator()(BIGNUM* number) const { BN_clear_free(number); }
    void operator()(BN_CTX* context) const { BN_CTX_free(context); }
    void operator()(BN_MONT_CTX* context) const { BN_MONT_CTX_free(context); }
  };
  using Number = std::unique_ptr<BIGNUM, Free>;
  static Number number(const Integer& value);
  static Integer integer(const Number& value);

  explicit Openssl(const Integer& modulus);

  /// a = a b / R, `count` times.
  void multiply(Number& a, const Number& b, std::size_t count) const;
  /// out = base^exponent, in constant time where the exponent is secret.
  void power(Number& out, const Number& base, const Number& exponent, bool secret) const;

 private:
  std::unique_ptr<BN_CTX, Free> context_;
  std::unique_ptr<BN_MONT_CTX, Free> montgomery_;
  Number modulus_;
};

}  // namespace smlp::bench
