// The paper's secure multiplication, batched: sums of products of pairs of ciphertexts, one value a
// ciphertext.
#pragma once

#include <string>
#include <vector>

#include "protocols/protocol.h"

namespace smlp {

/// [sum_x a(i, x) b(i, x)] for each row i of two matrices of ciphertexts (rows x terms, row-major):
/// paper_multiply once a product, all products in one message. Both factors have `bits` bits.
///   E -> K  [a + r_a], [b + r_b]           K -> E  [(a + r_a)(b + r_b)]
///   E       removes a r_b + b r_a + r_a r_b
/// `layout` is that of the result (one cell a ciphertext, as many cells as rows).
EncryptedMatrix multiply_blinded(const Evaluator& evaluator, const std::string& wire_name, std::uint8_t stage,
                                 const OperationId& operation, const Layout& layout, std::size_t terms,
                                 const std::vector<Ciphertext>& a, const std::vector<Ciphertext>& b,
                                 std::size_t bits);

/// Key holder's half. Parameters: terms, bits.
void answer_blinded_products(Responder& responder);

Declaration declared_blinded_products(std::size_t rows, std::size_t terms, std::size_t mask_bits);

}  // namespace smlp
