// Encrypted answers on disk: the scores of a network for every row of a table of queries.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "mlp/layers/layer_kind.h"
#include "mlp/task.h"
#include "paillier/keys.h"
#include "protocols/bit_budget.h"
#include "protocols/encrypted_matrix.h"

namespace smlp {

struct EncryptedAnswers {
  Fingerprint key{};         ///< of the keys that they are under
  bool handed_over = false;  ///< under the key of the data owner, not of the key holder
  BitBudget budget;          ///< gives the slot width and f
  Task task = Task::classification;
  std::size_t rows = 0;
  std::size_t outputs = 0;
  const LayerKind* kind = &output_kind("linear");  ///< makes outputs of scores (mlp/training/trainer.h)
  std::vector<std::size_t> groups;                 ///< rows of each group, in order
  std::vector<Ciphertext> order;   ///< one a group: the owner's index of each row, column-packed
  std::vector<Ciphertext> values;  ///< scores: groups x outputs, row-major, column-packed
  Fingerprint profile{};           ///< of the profile that scaled the queries; zeros: of none

  bool operator==(const EncryptedAnswers&) const = default;
};

/// Throws Error: nothing in it, counts that do not match, regression with other than one linear output,
/// groups wider than the slots or than the key of the answers holds.
void check_answers(const EncryptedAnswers& answers, const PaillierPublicKey& key);

/// Writes answers and public keys, whole or not at all. Throws Error also when they are under other keys.
void save_answers(const std::filesystem::path& path, const EncryptedAnswers& answers, const PublicKeys& keys);

struct LoadedAnswers {
  EncryptedAnswers answers;
  PublicKeys keys;
};
/// Checks everything. Throws Error naming the file.
LoadedAnswers load_answers(const std::filesystem::path& path);
/// The same, and refuses answers that belong to other keys.
EncryptedAnswers load_answers(const std::filesystem::path& path, const PublicKeys& keys);

}  // namespace smlp
