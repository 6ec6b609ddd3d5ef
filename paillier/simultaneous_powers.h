// Many products of powers modulo one number: the core of every homomorphic matrix product.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "paillier/fixed_width.h"
#include "paillier/integer.h"
#include "paillier/lanes.h"

namespace smlp {

/// What is computed: out[i][j] = prod_k base[i][k]^exponent[k][j] for rows i, inner k and outputs j, with
/// exponents of at most `bits` bits. With `own_exponents` every row has exponents of its own,
/// exponent[i][k][j].
struct PowersShape {
  std::size_t rows = 0, inner = 0, outputs = 0, bits = 0;
  bool own_exponents = false;
};

/// How it is computed. Every base is replaced by `splits` bases base^(2^(u chunk)) with exponents of chunk =
/// ceil(bits / splits) bits; the bases of a row go in groups of `group`, whose 2^group subset products are
/// shared by all outputs; every output has an accumulator for each bit of a chunk, joined by squarings at the
/// end.
struct PowersPlan {
  std::size_t splits = 1, group = 1;
  double products = 0;  ///< expected, squarings and idle lanes included
};

/// The cheapest plan by the count
///   rows inner (splits - 1) chunk            squarings of the splits
/// + rows groups (2^group - 1 - group)        subset products, groups = ceil(inner splits / group)
/// + rows outputs chunk (groups - 1)          accumulation
/// + rows outputs 2 (chunk - 1)               joining
/// each filled up to whole blocks of lanes.
PowersPlan plan_powers(const PowersShape& shape, std::size_t lanes);

/// Bases in [0, m), row by row; exponents >= 0 in the order above. Variable time in the exponents, which must
/// not be secret from whoever shares the processor. Parallel over outputs. Memory: at most three buffers of
/// powers_buffer_bytes, or what one row and one block of outputs need, and 4 bytes a bit of a chunk for each
/// table and lane that a thread reads. Throws Error for sizes that do not match.
std::vector<Integer> simultaneous_powers(const Lanes& lanes, std::span<const Integer> bases,
                                         std::span<const Integer> exponents, PowersShape shape);
/// The same for exponents below 2^shape.bits: whatever they are, in the same steps but for the addresses of
/// tables.
std::vector<Integer> simultaneous_powers(const Lanes& lanes, std::span<const Integer> bases,
                                         const FixedIntegers& exponents, const PowersShape& shape);
constexpr std::size_t powers_buffer_bytes = std::size_t{32} << 20;

/// What is computed together, so that the buffers stay within their bounds: rows and outputs, and, of each of
/// these rows, groups whose tables stand at once.
struct PowersTile {
  std::size_t rows = 0, outputs = 0, groups = 0;
  std::size_t residues = 0;  ///< of all three buffers: split bases, tables and accumulators
};
/// Of residues of so many bytes.
PowersTile powers_tile(const PowersShape& shape, const PowersPlan& plan, std::size_t lanes,
                       std::size_t residue_bytes);

}  // namespace smlp
