// Two encrypted vectors: their scalar product, and by how much one is above the other.
//
// All roles are in this process. On three machines the owner sends `FreshMatrix`es, the evaluator has a
// RemoteKeyHolder for its channel, and `smlp serve` is the key holder.
#include <iostream>
#include <vector>

#include "mlp/training/fixed_point.h"
#include "mlp/training/prediction.h"
#include "protocols/sessions.h"
#include "protocols/transport/hosted.h"

using namespace smlp;

int main() {
  // The key holder's keys, 2048 bits, and numbers of 20 bits with 10 behind the point.
  const SecretKeys secret =
      SecretKeys::generate(Variant::subgroup, 2048, default_subgroup_bits(2048), RandomSource::from_system());
  const BitBudget budget(Numbers{}, /*widest inner dimension*/ 16, 2048);

  // The data owner, with the public key.
  OwnerSession owner(secret.public_keys(), budget);
  Matrix<double> a(1, 3), b(1, 3);
  a.cells() = {1.5, -2, 3.25};
  b.cells() = {4, 0.5, 2};
  const EncryptedMatrix x = owner.encrypt(encode(a, budget.numbers())).local();
  const EncryptedMatrix y = owner.encrypt(encode(b, budget.numbers())).local();

  // The evaluator, which sees ciphertexts alone.
  EvaluatorSession session(secret.public_keys(), budget,
                           host_key_holder(std::make_shared<KeyHolder>(secret, KeyHolderPolicy{},
                                                                       AnswerRandomness::from_system())));
  const EncryptedMatrix product = session.product(x, y.transposed());
  const EncryptedMatrix above = session.relu(subtract(secret.public_keys().paillier(), x, y));

  // Whoever holds the secret keys.
  const auto opened = open_weights({product, above}, budget, secret);
  const Matrix<double> scalar = decode(opened[0], budget.numbers()),
                       excess = decode(opened[1], budget.numbers());
  std::cout << "a . b = " << scalar(0, 0) << '\n';
  std::cout << "max(a - b, 0) =";
  for (const double value : excess.cells()) std::cout << ' ' << value;
  std::cout << '\n';
}
