// Bad parameters are refused by an exact sentence before anything is sent.
#include <doctest/doctest.h>

#include "protocols/conversion/switch_key.h"
#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

TEST_CASE("refusals: a matrix product outside the budget or of shapes that do not fit") {
  for_each_protocol(Family::matmul, [](const Descriptor& descriptor, const ProtocolNames& names,
                                       std::size_t slots) {
    TwoParties parties({.slots = slots});
    const ProtocolSet set = make_protocols(names, parties.budget());
    const std::string wire_name = descriptor.wire_name();
    const auto refusal = [&](std::size_t m, std::size_t k, std::size_t k2, std::size_t n,
                             const Rescale& factor, const std::optional<Addend>& addend = std::nullopt) {
      const EncryptedMatrix a = parties.encrypt(matrix_of(m, k, {1}));
      const EncryptedMatrix b = parties.encrypt(matrix_of(k2, n, {1}));
      return error_of(
          [&] { set.matmul->multiply(parties.evaluator(), parties.next_operation(), a, b, factor, addend); });
    };
    CHECK(refusal(2, 9, 9, 2, {1, 0}) == "the bit budget does not fit: " + wire_name +
                                             " sums 9 products, the table was laid out for at most 8; where "
                                             "it is encrypted, --inner 9 or more is needed");
    CHECK(refusal(2, 3, 4, 2, {1, 0}) == "a product of 2 x 3 and 4 x 2 matrices: inner dimensions differ");
    CHECK(refusal(2, 3, 3, 2, {9, 3}) ==
          "the bit budget does not fit: " + wire_name +
              " multiplies by 9 / 2^3, allowed is at most 1; lower --learning-rate");
    CHECK(refusal(2, 3, 3, 2, {-9, 3}) ==
          "the bit budget does not fit: " + wire_name +
              " multiplies by -9 / 2^3, allowed is at most 1; lower --learning-rate");
    CHECK(refusal(2, 3, 3, 2, {1, 44}) ==
          "the bit budget does not fit: " + wire_name + " shifts by 44 bits, its product has 43");
    const std::string adder = descriptor.fused ? wire_name : "truncation/" + names.truncation;
    CHECK(refusal(2, 3, 3, 2, {1, 0}, Addend{parties.encrypt(matrix_of(2, 2, {1})), 86}) ==
          "the bit budget does not fit: " + adder +
              " adds a value of 86 bits under a mask of 126 bits in slots of 129; lower --momentum or "
              "--weight-decay");
    CHECK(refusal(2, 3, 3, 2, {1, 0}, Addend{parties.encrypt(matrix_of(2, 2, {1})), 0}) ==
          "an addend has 0 bits, at least 1 is needed");
    CHECK(refusal(2, 3, 3, 2, {1, 0}, Addend{parties.encrypt(matrix_of(2, 3, {1})), 4}) ==
          "an addend of 2 x 3 cells does not fit a result of 2 x 2: layouts must be the same");
  });
}

TEST_CASE("refusals: a truncation outside the budget") {
  for_each_protocol(Family::truncation, [](const Descriptor& descriptor, const ProtocolNames& names,
                                           std::size_t slots) {
    TwoParties parties({.slots = slots});
    const ProtocolSet set = make_protocols(names, parties.budget());
    const EncryptedMatrix x = parties.encrypt(matrix_of(2, 2, {1}));
    const auto refusal = [&](std::size_t bits, const Rescale& factor,
                             const std::optional<Addend>& addend = std::nullopt) {
      return error_of([&] {
        set.truncation->rescale(parties.evaluator(), parties.next_operation(), x, bits, factor, addend);
      });
    };
    CHECK(refusal(44, {1, 0}) == "a truncation of 44 bits is outside the bit budget of 43");
    CHECK(refusal(0, {1, 0}) == "a truncation of 0 bits is outside the bit budget of 43");
    CHECK(refusal(20, {5, 2}) == "the bit budget does not fit: " + descriptor.wire_name() +
                                     " multiplies by 5 / 2^2, allowed is at most 1; lower --learning-rate");
    CHECK(refusal(20, {1, 0}, Addend{parties.encrypt(matrix_of(2, 3, {1})), 4}) ==
          "an addend of 2 x 3 cells does not fit a result of 2 x 2: layouts must be the same");
  });
}

TEST_CASE("refusals: protocols of one value a ciphertext do not read packed operands") {
  TwoParties parties;  // three slots
  const ProtocolSet set = make_protocols(preset("paper"), BitBudget(toy_numbers, toy_max_inner, 512, 1));
  const EncryptedMatrix packed = parties.encrypt(matrix_of(4, 4, {1}));
  const Layout rows{std::vector<std::size_t>(4, 1), {4}};
  const Layout columns{{4}, std::vector<std::size_t>(4, 1)};
  const auto multiply = [&](const EncryptedMatrix& a, const EncryptedMatrix& b) {
    return error_of([&] {
      set.matmul->multiply(parties.evaluator(), parties.next_operation(), a, b, {1, 0}, std::nullopt);
    });
  };
  const auto refusal = "the protocol matmul/blinded works on one value a ciphertext";
  CHECK(multiply(packed, packed) == refusal);
  // The result alone would have one value a ciphertext.
  CHECK(multiply(parties.encrypt(matrix_of(4, 4, {1}), rows),
                 parties.encrypt(matrix_of(4, 4, {1}), columns)) == refusal);
  CHECK(error_of([&] { set.activation->forward(parties.evaluator(), parties.next_operation(), packed); }) ==
        "the protocol activation/max works on one value a ciphertext");
}

TEST_CASE("refusals: shares of another matrix, states of another activation") {
  TwoParties parties({.slots = one_slot});
  const Evaluator& evaluator = parties.evaluator();
  const ProtocolSet homomorphic = make_protocols(preset("homomorphic"), parties.budget());
  const ProtocolSet paper = make_protocols(preset("paper"), parties.budget());
  const EncryptedMatrix z = parties.encrypt(matrix_of(2, 2, {1, -1}));
  const EncryptedMatrix other = parties.encrypt(matrix_of(2, 3, {1, -1}));
  const OperationId operation = parties.next_operation();
  const SignShares bits = homomorphic.comparison->sign(evaluator, operation, z);
  CHECK(error_of([&] { homomorphic.selection->select(evaluator, operation, other, bits); }) ==
        "a selection of 2 x 3 cells got shares of 2 x 2 bits");
  const Activated a = homomorphic.activation->forward(evaluator, parties.next_operation(), z);
  const Activated b = paper.activation->forward(evaluator, parties.next_operation(), z);
  CHECK(error_of([&] {
          homomorphic.activation->backward(evaluator, parties.next_operation(), z, *b.state);
        }) == "the state of another activation was given to compare-select");
  CHECK(error_of([&] { paper.activation->backward(evaluator, parties.next_operation(), z, *a.state); }) ==
        "the state of another activation was given to max");
  CHECK(error_of([&] { paper.activation->backward(evaluator, parties.next_operation(), other, *b.state); }) ==
        "a mask for 6 ciphertexts does not fit 4");
}

TEST_CASE("refusals: a comparison that the DGK key cannot carry") {
  // u = 197 serves digits + 1 < u, which all allowed numbers keep; a key with a smaller u does not.
  RandomStream random = RandomSource::from_seed(5).stream({});
  const DgkSecretKey small = DgkSecretKey::generate(512, 64, 13, random);
  TwoParties parties;
  const PublicKeys keys(parties.evaluator().paillier(), small.public_key());
  const Evaluator evaluator{keys, parties.budget(), parties.channel(), parties.evaluator_random(), {}};
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  const EncryptedMatrix z = parties.encrypt(matrix_of(1, 1, {1}));
  CHECK(error_of([&] { set.comparison->sign(evaluator, parties.next_operation(), z); }) ==
        "a comparison of 23 bits needs u > 13, the DGK key has u = 13; encrypt with fewer --value-bits");
}

TEST_CASE("refusals: a user key that is not configured, or too short for the slots") {
  TwoParties parties;
  RandomStream random = RandomSource::from_seed(6).stream({});
  const PaillierPublicKey stranger =
      PaillierSecretKey::generate(Variant::subgroup, 512, 64, random).public_key();
  const PaillierPublicKey shorter =
      PaillierSecretKey::generate(Variant::subgroup, 384, 64, random).public_key();
  const EncryptedMatrix x = parties.encrypt(matrix_of(4, 1, {1}));
  CHECK(error_of([&] {
          switch_key(parties.evaluator(), parties.next_operation(), stranger, Purpose::answers,
                     x.column_packed());
        }) ==
        "the key holder refused: the user key of a request is not one that this key holder was configured "
        "with");
  CHECK(error_of([&] {
          switch_key(parties.evaluator(), parties.next_operation(), shorter, Purpose::answers,
                     x.column_packed());
        }) == "the user's key has 384 bits, 3 slots of 129 bits need at least 389");

  // A key for one purpose alone; and the purpose is a number of the header, so any number may come.
  KeyHolderPolicy policy;
  policy.user_keys.push_back({toy_user_key(), {.answers = false, .model = true}});
  TwoParties models_alone({.policy = policy});
  const EncryptedMatrix y = models_alone.encrypt(matrix_of(4, 1, {1}));
  const auto hand_over = [&](Purpose purpose) {
    return error_of([&] {
      switch_key(models_alone.evaluator(), models_alone.next_operation(), toy_user_key(), purpose,
                 y.column_packed());
    });
  };
  CHECK(hand_over(Purpose::model).empty());
  CHECK(hand_over(Purpose::answers) ==
        "the key holder refused: the user key of a request was not given to this key holder for answers");
  Request request = decode_request(models_alone.channel().requests().front());
  CHECK(purpose_of(request.header) == Purpose::model);
  request.header.parameters.back() = 2;
  CHECK(refusal_of(models_alone.key_holder(), encode_request(request.header, request.body)) ==
        "the key holder refused: a request hands over for the purpose 2, allowed are 0 (answers) and 1 "
        "(model)");

  // A key that is there twice is one for both.
  policy.user_keys.push_back({toy_user_key(), {.answers = true, .model = false}});
  TwoParties both({.policy = policy});
  const EncryptedMatrix z = both.encrypt(matrix_of(4, 1, {1}));
  for (const Purpose purpose : {Purpose::answers, Purpose::model})
    CHECK_NOTHROW(
        switch_key(both.evaluator(), both.next_operation(), toy_user_key(), purpose, z.column_packed()));
}
