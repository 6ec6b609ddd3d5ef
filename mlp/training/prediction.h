// Classification of an encrypted table by an encrypted model: what `predict` does, and `run` at its end.
#pragma once

#include <optional>

#include "mlp/files/answers_file.h"
#include "mlp/ranks/ranks.h"
#include "mlp/training/encrypted_arithmetic.h"
#include "mlp/training/encrypted_table.h"
#include "mlp/training/network.h"
#include "mlp/training/training.h"

namespace smlp {

/// The scores (mlp/training/trainer.h) for every row of the table, with the owner's row numbers, in the
/// groups of the table (one row a group where the evaluator's budget has one slot). Under `user` where given:
/// then neither server can open them; else under the evaluator's key. An evaluator's randomness serves one
/// classification. `ranks` deal the batches in turn, and each has the answers to all.
EncryptedAnswers classify(EncryptedArithmetic& arithmetic, const Weights<EncryptedMatrix>& model,
                          const Network& network, const EncryptedTable& table,
                          const std::optional<PublicKeys>& user, const Progress& progress = nullptr,
                          Ranks* ranks = nullptr);

/// Decrypted answers in the owner's order.
struct Answers {
  Matrix<double> scores;             ///< rows x outputs
  Matrix<double> outputs;            ///< what their kind makes of them
  std::vector<std::size_t> classes;  ///< index of the largest score of each row; the first of equals
};

/// By whoever holds the secret key of the answers. Throws Error: another key, row numbers that are no
/// permutation, a value outside l bits.
Answers open_answers(const EncryptedAnswers& answers, const SecretKeys& keys);

/// What outputs of this kind are, cell by cell.
Matrix<double> outputs_of(const LayerKind& kind, const Matrix<double>& scores);

/// Index of the largest cell of each row; the first of equals.
std::vector<std::size_t> largest_outputs(const Matrix<double>& outputs);

/// Weights in the clear, by whoever holds their secret key. Throws Error when a value is outside l bits.
std::vector<IntegerMatrix> open_weights(const std::vector<EncryptedMatrix>& weights, const BitBudget& budget,
                                        const SecretKeys& keys);

}  // namespace smlp
