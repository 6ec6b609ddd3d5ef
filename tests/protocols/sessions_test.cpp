// Owner and evaluator that number their places.
#include "protocols/sessions.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "protocols/transport/hosted.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

const PublicKeys& keys() {
  return toy_keys().public_keys();
}

BitBudget toy_budget() {
  return {toy_numbers, toy_max_inner, keys().paillier().bits()};
}

std::unique_ptr<Channel> hosted() {
  return host_key_holder(
      std::make_shared<KeyHolder>(toy_keys(), permissive_policy(), AnswerRandomness::from_system()));
}

IntegerMatrix opened(const EncryptedMatrix& m) {
  return unpack_columns(toy_keys().paillier().decrypt(m.column_packed()), m.layout(),
                        toy_budget().slot_bits());
}

}  // namespace

TEST_CASE("sessions compute, again and again, at places of their own") {
  OwnerSession owner(keys(), toy_budget());
  EvaluatorSession session(keys(), toy_budget(), hosted());
  const IntegerMatrix a = matrix_of(2, 3, {1024, -2048, 512, 0, 3072, -1}),
                      b = matrix_of(3, 2, {1024, 2048, -1024, 4096, 0, 1024});
  const EncryptedMatrix x = owner.encrypt(a).local(), y = owner.encrypt(b).local();
  for (int round = 0; round < 2; ++round) {
    const IntegerMatrix product = opened(session.product(x, y)), exact = naive_product(a, b);
    for (std::size_t cell = 0; cell < exact.size(); ++cell) {
      const Integer off = product.cells()[cell] * 1024 - exact.cells()[cell];
      CHECK(abs(off) < 1024);
    }
    const IntegerMatrix relu = opened(session.relu(x));
    const IntegerMatrix selected = opened(session.where_not_negative(x, x));
    for (std::size_t cell = 0; cell < a.size(); ++cell) {
      CHECK(relu.cells()[cell] == std::max(a.cells()[cell], Integer(0)));
      CHECK(selected.cells()[cell] == relu.cells()[cell]);
    }
  }
  CHECK(session.next_operation() != session.next_operation());
}

TEST_CASE("an owner shares no randomness between matrices") {
  OwnerSession owner(keys(), toy_budget());
  const IntegerMatrix m = matrix_of(1, 1, {7});
  CHECK_FALSE(owner.encrypt(m).local() == owner.encrypt(m).local());
  CHECK_FALSE(owner.encrypt(m).local() == OwnerSession(keys(), toy_budget()).encrypt(m).local());
}

TEST_CASE("sessions refuse what does not fit") {
  OwnerSession owner(keys(), toy_budget());
  CHECK_THROWS_WITH_AS(owner.encrypt(matrix_of(1, 1, {1L << 19})),
                       "a cell is 524288, allowed are 20 bits with the sign", Error);
  const BitBudget other(toy_numbers, toy_max_inner, 2048);
  CHECK_THROWS_AS(OwnerSession(keys(), other), Error);
  CHECK_THROWS_AS(EvaluatorSession(keys(), other, hosted()), Error);
  CHECK_THROWS_WITH_AS(EvaluatorSession(keys(), toy_budget(), nullptr),
                       "a session has no channel: host_key_holder or RemoteKeyHolder makes one", Error);
  static_assert(!std::is_copy_constructible_v<OwnerSession>);
  EvaluatorSession session(keys(), toy_budget(), hosted());
  const EncryptedMatrix wide = owner.encrypt(matrix_of(1, 9, {1})).local();
  CHECK_THROWS_AS(session.product(wide, wide.transposed()), Error);
}
