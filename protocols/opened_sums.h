// Opened values that a request brings under a new mask: the terms, sealed, and what makes x + r of them.
//
//   E -> K  k of each record of each term, sealed;  c = e - r modulo 2^W, for a mask r drawn for it
//   K       sum of factor k - c = x + r
// No ciphertext is made, re-randomised or decrypted. Columns of constants, which E adds, are c alone.
// Ranges   |x + r| < 2^(b + 2) for r of b bits; modulo 2^W with W >= b + 43 that is exact whatever terms and
//          factors are. Beyond, K refuses it as it does any value out of range, and takes it for one within
//          with a chance of 2^-40 where E follows the protocol; with factors of its choice E can make that
//          a test of low bits, as it can under Paillier: what ended sessions bound (SECURITY.md).
// Views    K: x + r, as if x had come as a ciphertext; c follows from it and from the k that K has seen.
// Binding  as in opened_values.h, to the session; a request names the step of each record.
// Parameters  terms, columns of constants; of each term: factor, runs; of each run of records: origin, step,
//             bits of the mask, first row, records, rows of each
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocols/evaluator.h"
#include "protocols/key_holder.h"

namespace smlp {

// Evaluator. Both belong together with mask_opened.

/// Adds the states of x.
void add_terms(const OpenedValue& x, RequestBody& body);
/// Says in the parameters which they are. Throws Error for more than a request has room for.
void append_terms(const OpenedValue& x, std::vector<std::int64_t>& parameters);

// Key holder.

class BroughtSum {
 public:
  /// Reads what append_terms said of a rows x cols matrix, from parameter `next` on, which moves past it.
  /// Throws Error on a form that does not fit, for a factor that is 0 or not below 2^62 in size, and for a
  /// record that comes twice for the same rows: the evaluator adds the factors of such.
  BroughtSum(Responder& responder, std::size_t rows, std::size_t cols, std::size_t& next);
  /// Reads states and c: x + r under a mask of `bits` bits, row by row, of masked_value_limbs(bits) limbs.
  /// Throws the uniform out-of-range Error. In the same steps whatever the values are.
  FixedIntegers open(std::size_t bits, std::string_view what) const;
  /// k of one term alone that was opened under masks of `bits` bits drawn for selections, and 0 in a column
  /// of constants. No c comes with it. Throws Error unless it is such a term, with one such column at most.
  FixedIntegers open_as_it_is(std::size_t bits) const;
  std::size_t constant_columns() const { return constant_columns_; }

 private:
  struct Run {
    OperationId origin;
    RandomnessKind kind{};
    std::size_t mask_bits = 0, first_row = 0, records = 0, rows = 0;
    std::size_t at = 0;  ///< its first row in the sum
  };
  struct Term {
    std::int64_t factor = 0;
    std::vector<Run> runs;
  };
  static bool repeats(const Run& a, const Run& b);
  void add_term(const Term& term, FixedIntegers& sum) const;

  Responder& responder_;
  std::size_t rows_, cols_, constant_columns_ = 0;
  std::vector<Term> terms_;
};

/// Bytes of c.
std::size_t difference_bytes(std::size_t cells, std::size_t mask_bits);

}  // namespace smlp
