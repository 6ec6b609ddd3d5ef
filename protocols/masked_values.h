// Masked values as bytes of fixed width, for the states that the key holder seals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "paillier/fixed_width.h"
#include "paillier/secret_text.h"
#include "protocols/matrix.h"

namespace smlp {

/// Bytes of a value under a mask of these bits: |v| < 2^(mask_bits + mask_sum_bits).
std::size_t masked_value_bytes(std::size_t mask_bits);
/// Bytes of a number that makes one of others (protocols/opened_sums.h), modulo 2^W: W is 40 bits more, so
/// that one that is out of range is hardly ever taken for another.
std::size_t masked_difference_bytes(std::size_t mask_bits);
/// Limbs of such a value beside what protocols add to it, below 2^(mask_bits + 6).
std::size_t masked_value_limbs(std::size_t mask_bits);
/// Appends values of masked_value_limbs(mask_bits) limbs, in the same steps whatever they are.
void append_masked(const FixedIntegers& values, std::size_t mask_bits, SecretBytes& out);
/// The inverse. Throws Error unless `bytes` are those of `count` values.
FixedIntegers read_masked(std::span<const std::uint8_t> bytes, std::size_t count, std::size_t mask_bits);
/// The cells in rows of limbs as integers. Time depends on their lengths and signs.
IntegerMatrix integer_matrix(const FixedIntegers& cells, std::size_t rows, std::size_t cols);

}  // namespace smlp
