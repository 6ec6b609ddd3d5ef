// Operations by number.
#include "protocols/sessions.h"

#include <limits>
#include <string>

#include "paillier/error.h"

namespace smlp {

namespace {

std::uint32_t next(std::uint32_t& count, const char* what) {
  if (count == std::numeric_limits<std::uint32_t>::max())
    throw Error(std::string("a session has at most 2^32 - 1 ") + what + ": begin another one");
  return ++count;
}

void check_size(const PublicKeys& keys, const BitBudget& budget) {
  if (keys.paillier().bits() != budget.modulus_bits())
    throw Error("a budget for keys of " + std::to_string(budget.modulus_bits()) +
                " bits does not serve a key of " + std::to_string(keys.paillier().bits()));
}

std::unique_ptr<Channel> checked(const PublicKeys& keys, const BitBudget& budget,
                                 std::unique_ptr<Channel> channel) {
  check_size(keys, budget);
  if (!channel) throw Error("a session has no channel: host_key_holder or RemoteKeyHolder makes one");
  return channel;
}

}  // namespace

OwnerSession::OwnerSession(const PublicKeys& keys, const BitBudget& budget)
    : keys_(keys), budget_(budget), random_(RandomSource::from_system()) {
  check_size(keys, budget);
}

FreshMatrix OwnerSession::encrypt(const IntegerMatrix& m) {
  const Integer most = power_of_two(budget_.numbers().value_bits - 1);
  for (const Integer& cell : m.cells())
    if (cell < -most || cell >= most)
      throw Error("a cell is " + cell.get_str() + ", allowed are " +
                  std::to_string(budget_.numbers().value_bits) + " bits with the sign");
  const OperationId operation{next(matrices_, "matrices"), 0, Direction::input};
  return encrypt_matrix(keys_.paillier(), m, balanced_layout(m.rows(), m.cols(), budget_.slots()),
                        budget_.slot_bits(),
                        Draws(random_, operation.address(RandomnessKind::table_column_packed)),
                        Draws(random_, operation.address(RandomnessKind::table_row_packed)));
}

EvaluatorSession::EvaluatorSession(const PublicKeys& keys, const BitBudget& budget,
                                   std::unique_ptr<Channel> channel, const ProtocolNames& names)
    : EvaluatorSession(keys, budget, std::move(channel), names, RandomSource::from_system()) {}

EvaluatorSession::EvaluatorSession(const PublicKeys& keys, const BitBudget& budget,
                                   std::unique_ptr<Channel> channel, const ProtocolNames& names,
                                   const RandomSource& random)
    : channel_(checked(keys, budget, std::move(channel))),
      evaluator_(keys.with_sigma(budget.numbers().sigma), budget, *channel_, random, draw_session(random),
                 true),
      protocols_(make_protocols(names, budget)) {}

OperationId EvaluatorSession::next_operation() {
  return {next(step_, "operations"), 1, Direction::forward};
}

EncryptedMatrix EvaluatorSession::product(const EncryptedMatrix& a, const EncryptedMatrix& b) {
  const Rescale back{1, evaluator_.budget.numbers().fraction_bits};
  evaluator_.budget.check_product("a product", a.cols(), back);
  return protocols_.matmul->multiply(evaluator_, next_operation(), a, b, back, std::nullopt);
}

EncryptedMatrix EvaluatorSession::where_not_negative(const EncryptedMatrix& v, const EncryptedMatrix& z) {
  if (v.layout() != z.layout()) throw Error("a matrix is selected by the signs of one with another layout");
  const OperationId operation = next_operation();  // of both: the sealed share belongs to it
  return protocols_.selection->select(evaluator_, operation, v,
                                      protocols_.comparison->sign(evaluator_, operation, z));
}

EncryptedMatrix EvaluatorSession::relu(const EncryptedMatrix& z) {
  return protocols_.activation->forward(evaluator_, next_operation(), z).values;
}

}  // namespace smlp
