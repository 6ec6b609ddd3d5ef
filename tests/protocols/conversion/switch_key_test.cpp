// Handing over more results than one request carries.
#include "protocols/conversion/switch_key.h"

#include <algorithm>

#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

TEST_CASE("switch-key: several round trips hand over what one does, in order") {
  const IntegerMatrix x = matrix_of(8, 5, {1, -2, 3, 500000, -500000, 0, 7});
  for (const std::size_t most : {1u, 3u, 5u, 10u}) {
    TwoParties parties;
    const EncryptedMatrix encrypted = parties.encrypt(x);
    const std::size_t count = encrypted.column_packed().size();
    REQUIRE(count == 15);
    const OperationId operation{9, 2, Direction::output};
    const auto switched = switch_key(parties.evaluator(), operation, toy_user_key(), Purpose::answers,
                                     encrypted.column_packed(), most);
    CHECK(unpack_columns(toy_user_secret_key().decrypt(local(switched)), encrypted.layout(),
                         parties.budget().slot_bits()) == x);
    // Each request is about at most so many ciphertexts, and no two share a place: masks are never used
    // twice.
    const auto& requests = parties.channel().requests();
    REQUIRE(requests.size() == (count + most - 1) / most);
    std::size_t sent = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const Header header = decode_request(requests[i]).header;
      CHECK(header.operation == OperationId{9, static_cast<std::uint8_t>(2 + i), Direction::output});
      CHECK(header.layout.cols() <= most);
      CHECK(header.parameters.at(0) == static_cast<std::int64_t>(header.layout.cols()));
      sent += header.layout.cols();
    }
    CHECK(sent == count);
  }
}

TEST_CASE(
    "switch-key: the key holder, with its transcript and the file, reads nothing of what was handed over") {
  const PaillierPublicKey& user = toy_user_key();
  for (const std::size_t most : {3u, 10u}) {
    TwoParties parties;
    const EncryptedMatrix encrypted = parties.encrypt(matrix_of(8, 5, {1, -2, 3, 500000, -500000, 0, 7}));
    const auto file = local(switch_key(parties.evaluator(), parties.next_operation(), user, Purpose::answers,
                                       encrypted.column_packed(), most));
    std::vector<Ciphertext> made;  // by the key holder
    for (const Bytes& answer : parties.channel().answers()) {
      const Bytes body = decode_answer(answer);
      for (const Ciphertext& c : user.decode(body, body.size() / user.ciphertext_bytes(), "an answer"))
        made.push_back(c);
    }
    REQUIRE(made.size() == file.size());
    // c' / c_K = (1 + n)^(-r) would tell r, and y = d - r.
    for (const Ciphertext& handed_over : file)
      for (const Ciphertext& own : made) CHECK(user.subtract(handed_over, own).residue() % user.n() != 1);
  }
  // The attack works on what has not been randomised again.
  RandomStream random = RandomSource::from_seed(1).stream({});
  const Ciphertext own = user.encrypt(12345, random).local();
  CHECK(user.subtract(user.add_plain(own, -345), own) == user.trivial(-345));
}

TEST_CASE("switch-key: the evaluator's randomness under the user's key has the sigma of the run") {
  TwoParties parties({.numbers = {20, 10, 50}});
  const EncryptedMatrix encrypted = parties.encrypt(matrix_of(1, 1, {1}));
  const auto hand_over = [&](std::size_t sigma) {
    return error_of([&] {
      switch_key(parties.evaluator(), parties.next_operation(), toy_user_key().with_sigma(sigma),
                 Purpose::answers, encrypted.column_packed());
    });
  };
  CHECK(hand_over(49) == "the user's key re-randomises for sigma = 49, the run has sigma = 50");
  CHECK(hand_over(50).empty());
}

TEST_CASE("switch-key: each value is hidden by a mask of its own") {
  std::vector<Integer> seen;
  TwoParties parties({.observer = [&](const Header&, std::string_view, const FixedIntegers& values) {
    std::ranges::move(values.integers(), std::back_inserter(seen));
  }});
  const EncryptedMatrix encrypted = parties.encrypt(matrix_of(3, 6, {0}));
  switch_key(parties.evaluator(), parties.next_operation(), toy_user_key(), Purpose::answers,
             encrypted.column_packed(), 2);
  REQUIRE(seen.size() == 18);
  std::ranges::sort(seen);
  CHECK(std::ranges::adjacent_find(seen) == seen.end());
}

TEST_CASE("switch-key: no more round trips than a step has layers") {
  TwoParties parties;
  const EncryptedMatrix encrypted = parties.encrypt(matrix_of(3, 3, {1}));
  const OperationId last{1, 255, Direction::output};
  CHECK(switch_key(parties.evaluator(), last, toy_user_key(), Purpose::answers, encrypted.column_packed(), 3)
            .size() == 3);
  CHECK(error_of([&] {
          switch_key(parties.evaluator(), last, toy_user_key(), Purpose::answers, encrypted.column_packed(),
                     2);
        }) ==
        "3 results are too many to hand over at one place, allowed are 2; encrypt the queries with a smaller "
        "--batch");
  CHECK(switch_key(parties.evaluator(), last, toy_user_key(), Purpose::answers, {}).empty());
  // What the descriptor declares for a batch of 65,536 rows, one value a ciphertext.
  const Descriptor& descriptor = find_protocol(Family::conversion, "switch-key");
  const auto rounds = [&](std::size_t cells) {
    const Layout layout{{1}, std::vector<std::size_t>(cells, 1)};
    return descriptor.traffic({.left = layout, .user_bits = 512}, parties.sizes()).rounds;
  };
  CHECK(rounds(65536) == 1);
  CHECK(rounds(65537) == 2);
  CHECK(rounds(3 * 65536) == 3);
}
