// A protocol of one's own, made of the library's: the larger of two encrypted matrices, cell by cell,
// max(a, b) = b + (a - b where a - b >= 0, else 0).
//
// It inherits the security of its parts, which see masked values alone. One that sends messages of its own
// has both halves in one file and a line in the registry: CONTRIBUTING.md shows how.
#include <iostream>

#include "mlp/training/prediction.h"
#include "protocols/sessions.h"
#include "protocols/transport/hosted.h"

using namespace smlp;

namespace {

/// Cells of a and b have l bits, their difference one more, which the guard bits of a comparison hold. Two
/// round trips.
EncryptedMatrix maximum(EvaluatorSession& session, const EncryptedMatrix& a, const EncryptedMatrix& b) {
  const PaillierPublicKey& key = session.evaluator().paillier();
  const ProtocolSet& parts = session.protocols();
  const EncryptedMatrix difference = subtract(key, a, b);
  const OperationId operation = session.next_operation();  // one for all parts of one operation
  const SignShares signs = parts.comparison->sign(session.evaluator(), operation, difference);
  return add(key, b, parts.selection->select(session.evaluator(), operation, difference, signs));
}

IntegerMatrix matrix(const std::vector<long>& cells) {
  IntegerMatrix out(1, cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) out.cells()[i] = cells[i];
  return out;
}

}  // namespace

int main() {
  const SecretKeys secret =
      SecretKeys::generate(Variant::subgroup, 2048, default_subgroup_bits(2048), RandomSource::from_system());
  const BitBudget budget(Numbers{}, 16, 2048);
  OwnerSession owner(secret.public_keys(), budget);
  const EncryptedMatrix a = owner.encrypt(matrix({5, -7, 100000})).local();
  const EncryptedMatrix b = owner.encrypt(matrix({3, 12, -400000})).local();

  const auto key_holder =
      std::make_shared<KeyHolder>(secret, KeyHolderPolicy{}, AnswerRandomness::from_system());
  ProtocolNames names = preset("homomorphic");
  for (const char* comparison : {"dgk-veugen", "garbled"}) {
    names.comparison = comparison;
    EvaluatorSession session(secret.public_keys(), budget, host_key_holder(key_holder), names);
    std::cout << comparison << ':';
    const auto opened = open_weights({maximum(session, a, b)}, budget, secret);
    for (const Integer& cell : opened[0].cells()) std::cout << ' ' << cell;
    std::cout << '\n';
  }
}
