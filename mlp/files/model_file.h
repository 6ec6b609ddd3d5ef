// Encrypted models on disk: what training saves after each epoch, and prediction reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "mlp/training/encrypted_table.h"
#include "mlp/training/network.h"
#include "paillier/keys.h"
#include "protocols/bit_budget.h"
#include "protocols/encrypted_matrix.h"
#include "protocols/statistical_distance.h"

namespace smlp {

struct EncryptedModel {
  Fingerprint key{};         ///< of the keys that it is under
  bool handed_over = false;  ///< under the key of its owner, not of the key holder
  BitBudget budget;
  Task task = Task::classification;
  Network network;                               ///< at least two sizes
  std::map<std::string, std::string> protocols;  ///< family -> name
  std::string training;                          ///< hyper-parameters as JSON text, without secrets
  TableId table_id{};                            ///< of the table that it was trained on
  Fingerprint profile{};                         ///< of the profile that scaled that table; zeros: of none
  std::uint64_t epochs_done = 0;
  std::uint64_t steps_done = 0;
  /// What its training has shown the key holder: counted before it is shown, repeated steps again.
  Shown shown{};
  /// Layer i: (sizes[i] + 1) x sizes[i + 1]; the last row is the bias, in a row group of its own.
  std::vector<EncryptedMatrix> weights;
  std::vector<EncryptedMatrix> velocities;  ///< of momentum: none, or as weights

  bool operator==(const EncryptedModel&) const = default;
};

/// Throws Error: a network of less than 2 or more than 64 sizes or sizes outside 1 to 2^24, matrices that do
/// not have its shapes, regression with other than one linear output, a protocol without a name.
void check_model(const EncryptedModel& model);

/// Writes model and public keys, whole or not at all, replacing what was there. Throws Error also when the
/// model is under other keys.
void save_model(const std::filesystem::path& path, const EncryptedModel& model, const PublicKeys& keys);

struct LoadedModel {
  EncryptedModel model;
  PublicKeys keys;
};
/// Checks everything. Throws Error naming the file. Loading what was saved gives the same model, bit for bit.
LoadedModel load_model(const std::filesystem::path& path);
/// The same, and refuses a model that belongs to other keys.
EncryptedModel load_model(const std::filesystem::path& path, const PublicKeys& keys);

}  // namespace smlp
