// Handing a trained model to its owner under the owner's key: what `release` does.
#pragma once

#include "mlp/files/model_file.h"
#include "protocols/evaluator.h"

namespace smlp {

/// The model under the keys of `owner`, without velocities: neither server can open it, and its owner needs
/// no other's secret. Both packings of each layer are handed over, layer i at step i; an evaluator's
/// randomness serves one release. Throws Error: the owner's modulus is too short for the slots of the model,
/// the key holder does not know the owner's key.
EncryptedModel release_model(const Evaluator& evaluator, const EncryptedModel& model, const PublicKeys& owner,
                             const Progress& progress = nullptr);

}  // namespace smlp
