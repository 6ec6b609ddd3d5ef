// Big integers (GMP), their fixed-width byte form, and the type that holds the secret ones.
#pragma once

#include <gmpxx.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace smlp {

using Integer = mpz_class;
using Bytes = std::vector<std::uint8_t>;

/// Number of bits of |value|; 0 for 0.
std::size_t bit_length(const Integer& value);

/// 2^exponent.
Integer power_of_two(std::size_t exponent);

/// floor(value / 2^shift), for either sign.
Integer floor_shift(const Integer& value, std::size_t shift);

/// Little-endian bytes of a non-negative value, padded with zeros to `width`. Throws Error if it does not
/// fit.
void append_little_endian(const Integer& value, std::size_t width, Bytes& out);

/// The non-negative integer whose little-endian bytes these are.
Integer from_little_endian(std::span<const std::uint8_t> bytes);

/// a^-1 mod modulus. Throws Error when a is not a unit.
Integer inverse(const Integer& a, const Integer& modulus);

/// The x in [0, p q) with x = a mod p and x = b mod q, given p_inverse = p^-1 mod q.
Integer chinese_remainder(const Integer& a, const Integer& p, const Integer& b, const Integer& q,
                          const Integer& p_inverse);

/// An integer whose memory is overwritten before it is released. Temporaries made by arithmetic on value()
/// are ordinary integers: SECURITY.md says so.
class SecretInteger {
 public:
  SecretInteger() = default;
  explicit SecretInteger(Integer value) : value_(std::move(value)) {}
  SecretInteger(const SecretInteger&) = default;
  SecretInteger(SecretInteger&& other) noexcept : value_(std::move(other.value_)) {}
  SecretInteger& operator=(const SecretInteger& other);
  SecretInteger& operator=(SecretInteger&& other) noexcept;
  ~SecretInteger() { wipe(); }

  const Integer& value() const { return value_; }

 private:
  void wipe() noexcept;
  Integer value_;
};

/// Integers that are overwritten before they are released, for what works on spans of them.
struct SecretIntegers {
  std::vector<Integer> values;

  explicit SecretIntegers(std::vector<Integer> secrets = {}) : values(std::move(secrets)) {}
  SecretIntegers(SecretIntegers&&) noexcept = default;
  SecretIntegers(const SecretIntegers&) = delete;
  SecretIntegers& operator=(const SecretIntegers&) = delete;
  ~SecretIntegers() {
    for (Integer& value : values) SecretInteger wiped(std::move(value));
  }
};

/// Overwrites memory in a way that the optimiser keeps.
void wipe_memory(void* memory, std::size_t size) noexcept;

}  // namespace smlp
