// Initial weights: He et al. 2015, drawn by the evaluator. They are public to it; training makes them secret.
#pragma once

#include <vector>

#include "mlp/training/network.h"
#include "mlp/training/trainer.h"
#include "paillier/keys.h"
#include "protocols/encrypted_matrix.h"

namespace smlp {

/// Layer i: (sizes[i] + 1) x sizes[i + 1], normal with variance 2 / sizes[i], rounded to f bits; biases (last
/// row) 0.
std::vector<IntegerMatrix> initial_weights(const Network& network, const Numbers& numbers,
                                           const RandomSource& random);

/// Row groups of the inputs, one more for the bias; balanced column groups.
Layout weight_layout(const Network& network, std::size_t layer, std::size_t slots);

/// The same weights under the public key, with zero velocities where there is momentum.
Weights<EncryptedMatrix> encrypt_weights(const std::vector<IntegerMatrix>& weights, const Network& network,
                                         const PaillierPublicKey& key, const BitBudget& budget, bool momentum,
                                         const RandomSource& random);

}  // namespace smlp
