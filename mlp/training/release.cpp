// Hand-over of models.
#include "mlp/training/release.h"

#include "protocols/conversion/switch_key.h"

namespace smlp {

namespace {

EncryptedMatrix release_matrix(const Evaluator& evaluator, const OperationId& operation,
                               const EncryptedMatrix& matrix, const PaillierPublicKey& owner) {
  std::vector<Ciphertext> both = matrix.column_packed();
  both.insert(both.end(), matrix.stored_row_packed().begin(), matrix.stored_row_packed().end());
  const std::vector<Ciphertext> switched =
      local(switch_key(evaluator, operation, owner, Purpose::model, both));
  const auto middle = switched.begin() + static_cast<std::ptrdiff_t>(matrix.column_packed().size());
  return {matrix.layout(), {switched.begin(), middle}, {middle, switched.end()}};
}

}  // namespace

EncryptedModel release_model(const Evaluator& evaluator, const EncryptedModel& model, const PublicKeys& owner,
                             const Progress& progress) {
  EncryptedModel released = model;
  released.key = owner.fingerprint();
  released.handed_over = true;
  released.velocities.clear();
  released.weights.clear();
  for (const EncryptedMatrix& matrix : model.weights) {
    const OperationId operation{static_cast<std::uint32_t>(released.weights.size()), 0, Direction::output};
    released.weights.push_back(release_matrix(evaluator, operation, matrix, owner.paillier()));
    if (progress) progress(released.weights.size(), model.weights.size());
  }
  // The slots of the model, in plaintexts of another length.
  released.budget = BitBudget(model.budget.numbers(), model.budget.max_inner(), owner.paillier().bits(),
                              model.budget.slots());
  return released;
}

}  // namespace smlp
