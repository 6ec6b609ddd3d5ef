// Requests that wait for each other: what is sent is what would be sent one after another.
#include "protocols/call.h"

#include <doctest/doctest.h>

#include "protocols/opened_values.h"
#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

/// Answers chains from frames, as a server does, and counts what it is asked in.
class ChainChannel : public Channel {
 public:
  explicit ChainChannel(const KeyHolder& key_holder) : key_holder_(key_holder) { keep_transcript(); }
  std::vector<Bytes> requests;
  std::vector<std::size_t> chains;  ///< requests in each

 protected:
  Bytes exchange(std::span<const std::uint8_t> frame) override {
    requests.emplace_back(frame.begin(), frame.end());
    return key_holder_.answer(frame);
  }
  std::vector<Bytes> exchange_chain(std::span<ChainedRequest> chain) override {
    const Bytes frame = encode_chain(chain);
    REQUIRE(is_chain(frame));
    chains.push_back(chain.size());
    std::vector<ChainedRequest> there = decode_chain(frame);
    const std::vector<Bytes> answers = Channel::exchange_chain(there);
    return decode_chain_answer(encode_chain_answer(answers), chain.size());
  }

 private:
  const KeyHolder& key_holder_;
};

Evaluator on(const TwoParties& parties, Channel& channel) {
  return {parties.evaluator().keys,  parties.budget(), channel, parties.evaluator_random(), {}, false,
          RandomSource::from_seed(9)};
}

/// A product that stays opened, its ReLU, and another product.
IntegerMatrix layer(const Evaluator& evaluator, const ProtocolSet& set, const EncryptedMatrix& x,
                    const EncryptedMatrix& w, const EncryptedMatrix& v, bool one_by_one) {
  const auto wait = [&] {
    if (one_by_one) evaluator.calls->send();
  };
  const EncryptedMatrix z =
      set.matmul->multiply(evaluator, {1, 0, Direction::forward}, x, w, {1, 10}, std::nullopt, Form::opened);
  wait();
  const SignShares signs = set.comparison->sign(evaluator, {1, 0, Direction::activation}, z);
  wait();
  const EncryptedMatrix h =
      set.selection->select(evaluator, {1, 0, Direction::activation}, z, signs, Packings::none);
  wait();
  const EncryptedMatrix out =
      set.matmul->multiply(evaluator, {1, 1, Direction::forward}, h, v, {1, 10}, std::nullopt, Form::opened);
  evaluator.calls->send();
  return opened_in_clear(evaluator, toy_keys(), out);
}

}  // namespace

TEST_CASE("calls: a layer by transfers takes five rounds, and one by one as many requests and bytes") {
  TwoParties parties;
  const ProtocolNames names = [] {
    ProtocolNames by_transfers = preset("hybrid");
    by_transfers.matmul = "oblivious-transfer";
    return by_transfers;
  }();
  const ProtocolSet set = make_protocols(names, parties.budget());
  RandomStream random = RandomSource::from_seed(3).stream({});
  const EncryptedMatrix x = parties.encrypt(random_matrix(5, 3, 14, random)),
                        w = parties.encrypt(random_matrix(3, 4, 13, random)),
                        v = parties.encrypt(random_matrix(4, 2, 13, random));
  const KeyHolder key_holder(toy_keys(), permissive_policy(),
                             AnswerRandomness::from_source(RandomSource::from_seed(8)));
  ChainChannel waiting(key_holder), direct(key_holder);
  CHECK(layer(on(parties, waiting), set, x, w, v, false) == layer(on(parties, direct), set, x, w, v, true));
  CHECK(direct.chains.empty());
  CHECK(waiting.chains == std::vector<std::size_t>{2, 2, 2});
  // Base transfers; the first product; with the second message of each the first of the next; the end.
  CHECK(direct.traffic().rounds == 2 + 2 + 2 + 2 + 2);
  CHECK(waiting.traffic().rounds == 2 + 1 + 1 + 1 + 1 + 1);
  CHECK(waiting.traffic().to_key_holder == direct.traffic().to_key_holder);
  CHECK(waiting.traffic().to_evaluator == direct.traffic().to_evaluator);
  CHECK(waiting.requests.size() == direct.requests.size());
}

TEST_CASE("calls: a request with gaps is, filled, the one that would have been sent") {
  TwoParties parties;  // no choices of the evaluator: its labels hang on what stands beside them
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  const EncryptedMatrix z = parties.encrypt(matrix_of(3, 2, {0, -1, 1, 700, -700, 5}));
  const KeyHolder key_holder(toy_keys(), permissive_policy(),
                             AnswerRandomness::from_source(RandomSource::from_seed(8)));
  ChainChannel waiting(key_holder), direct(key_holder);
  for (ChainChannel* channel : {&waiting, &direct}) {
    const Evaluator evaluator = on(parties, *channel);
    const OperationId operation{1, 0, Direction::activation};
    const SignShares signs = set.comparison->sign(evaluator, operation, z);
    if (channel == &direct) evaluator.calls->send();
    const IntegerMatrix selected =
        parties.decrypt(set.selection->select_compared(evaluator, operation, z, signs));
    CHECK(selected == matrix_of(3, 2, {0, 0, 1, 700, 0, 5}));
  }
  CHECK(waiting.chains == std::vector<std::size_t>{2});
  CHECK(waiting.requests == direct.requests);
  CHECK(waiting.transcript() == direct.transcript());
  CHECK(waiting.traffic().rounds + 1 == direct.traffic().rounds);
}

TEST_CASE("calls: a long request does not wait, and a state outlives its evaluator") {
  TwoParties parties;
  const KeyHolder key_holder(toy_keys(), permissive_policy(), AnswerRandomness::from_system());
  ChainChannel channel(key_holder);
  const auto sign = [&](std::size_t rows) {
    const EncryptedMatrix z = parties.encrypt(matrix_of(rows, 4, {5, -7}));
    const Evaluator evaluator = on(parties, channel);
    return make_protocols(preset("homomorphic"), evaluator.budget)
        .comparison->sign(evaluator, {1, 0, Direction::activation}, z);
  };
  const SignShares shares = sign(1);
  CHECK(channel.requests.size() == 1);
  CHECK(shares.key_holder.bytes().size() > 4);
  CHECK(channel.requests.size() == 2);
  static_assert(most_waiting_bytes == std::size_t{16} << 20);
}

TEST_CASE("calls: a state that another evaluator of the session waits for is sent for") {
  TwoParties parties;
  const KeyHolder key_holder(toy_keys(), permissive_policy(), AnswerRandomness::from_system());
  ChainChannel channel(key_holder);
  const EncryptedMatrix z = parties.encrypt(matrix_of(3, 2, {0, -1, 1, 700, -700, 5}));
  const Evaluator first = on(parties, channel), second = on(parties, channel);
  const ProtocolSet set = make_protocols(preset("homomorphic"), first.budget);
  const SignShares shares = set.comparison->sign(first, {1, 0, Direction::activation}, z);
  const EncryptedMatrix selected = set.selection->select(second, {1, 0, Direction::activation}, z, shares);
  CHECK(parties.decrypt(selected) == matrix_of(3, 2, {0, 0, 1, 700, 0, 5}));
  CHECK(channel.chains.empty());
}

TEST_CASE("calls: a refusal in a chain names its own place, and what hung on it is lost") {
  KeyHolderPolicy policy = permissive_policy();
  policy.protocols.erase("selection/homomorphic");
  TwoParties parties({.policy = policy});
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  const EncryptedMatrix z = parties.encrypt(matrix_of(3, 2, {0, -1, 1, 700, -700, 5}));
  const OperationId operation = parties.next_operation();
  const SignShares signs = set.comparison->sign(parties.evaluator(), operation, z);
  CHECK(error_of([&] {
          set.selection->select_compared(parties.evaluator(), operation, z, signs);
        }).starts_with("the key holder refused: the protocol selection/homomorphic"));
  CHECK_NOTHROW(signs.key_holder.bytes());  // it came before the refusal

  // A product out of range, opened, with what would have read it.
  TwoParties others;
  const EncryptedMatrix x = others.encrypt(matrix_of(1, 8, {(1 << 19) - 1}));
  const EncryptedMatrix huge = scale(others.evaluator().paillier(), x, Integer(1) << 60);
  const OperationId first = others.next_operation(), second = others.next_operation();
  const EncryptedMatrix product = set.matmul->multiply(others.evaluator(), first, huge, x.transposed(),
                                                       {1, 10}, std::nullopt, Form::opened);
  std::optional<OperationId> refused;
  try {
    set.comparison->sign(others.evaluator(), second, product);
  } catch (const RangeRefusal& refusal) {
    refused = refusal.operation();
  }
  CHECK(refused == first);
  CHECK(error_of([&] { others.decrypt(product); }) ==
        "a sealed state was lost with the request whose answer would have had it");
}

TEST_CASE("calls: the other packing that a product's answer has of an operand is read when it is asked for") {
  TwoParties parties;
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  const KeyHolder key_holder(toy_keys(), permissive_policy(), AnswerRandomness::from_system());
  ChainChannel channel(key_holder);
  RandomStream random = RandomSource::from_seed(5).stream({});
  const IntegerMatrix x = random_matrix(5, 3, 14, random), w = random_matrix(3, 4, 13, random);
  const EncryptedMatrix right = parties.encrypt(w);
  const auto down_alone = [&] {
    const EncryptedMatrix both = parties.encrypt(x);
    return EncryptedMatrix::partial(both.layout(), both.column_packed(), {}).opened_once();
  };
  const auto product_of = [&](const Evaluator& evaluator, const EncryptedMatrix& left, std::uint32_t step) {
    return set.matmul->multiply(evaluator, {step, 0, Direction::forward}, left, right, {1, 10}, std::nullopt,
                                Form::opened);
  };
  const EncryptedMatrix left = down_alone();
  const EncryptedMatrix product = product_of(on(parties, channel), left, 1);
  CHECK(channel.requests.empty());
  CHECK(parties.decrypt(left.transposed()) == x.transposed());
  CHECK(channel.requests.size() == 1);
  CHECK(parties.decrypt(left.transposed()) == x.transposed());  // once more, without a request
  CHECK(channel.requests.size() == 1);

  // With what reads the product, in one frame.
  const EncryptedMatrix chained = down_alone();
  const Evaluator evaluator = on(parties, channel);
  set.comparison->sign(evaluator, {2, 0, Direction::activation}, product_of(evaluator, chained, 2));
  CHECK(channel.chains == std::vector<std::size_t>{2});
  CHECK(parties.decrypt(chained.transposed()) == x.transposed());

  KeyHolderPolicy policy = permissive_policy();
  policy.protocols.erase("matmul/packed");
  const KeyHolder refusing(toy_keys(), policy, AnswerRandomness::from_system());
  ChainChannel refused(refusing);
  const EncryptedMatrix lost = down_alone();
  product_of(on(parties, refused), lost, 1);
  CHECK(
      error_of([&] { lost.transposed(); }).starts_with("the key holder refused: the protocol matmul/packed"));
  CHECK(error_of([&] { lost.transposed(); }) ==
        "[A + R_A] across was lost with the request whose answer would have had it");
}

TEST_CASE("calls: what follows on answers that are read later has room as long as others have gone") {
  TwoParties parties;
  const KeyHolder key_holder(toy_keys(), permissive_policy(), AnswerRandomness::from_system());
  ChainChannel channel(key_holder);
  CallQueue queue(channel);
  std::shared_ptr<void> first = queue.room_to_follow(most_following_bytes - 5);
  REQUIRE(first != nullptr);
  CHECK(queue.room_to_follow(6) == nullptr);
  const std::shared_ptr<void> second = queue.room_to_follow(5);
  CHECK(second != nullptr);
  CHECK(queue.room_to_follow(1) == nullptr);
  first.reset();
  CHECK(queue.room_to_follow(most_following_bytes - 5) != nullptr);
  CHECK(queue.room_to_follow(most_following_bytes - 4) == nullptr);  // what was asked for before is gone
}

TEST_CASE("calls: where much waits already, nothing waits with it") {
  TwoParties parties;
  const KeyHolder key_holder(toy_keys(), permissive_policy(), AnswerRandomness::from_system());
  ChainChannel channel(key_holder);
  const Evaluator evaluator = on(parties, channel);
  const Header header = evaluator.header("no protocol", 0, {}, {{1}, {1}}, {});
  RequestBody body(evaluator);
  static_assert(most_chained_bytes == 4 * most_waiting_bytes);
  const SealedState state = [&] {  // of 16 MiB, which the answer would have
    AnswerBody answer(evaluator, header, RequestBody(evaluator));
    return answer.sealed(most_waiting_bytes - sealed_overhead);
  }();
  body.add(state);
  for (int i = 0; i < 4; ++i) {
    AnswerBody(evaluator, header, body).sealed(1);
    CHECK(channel.chains.empty());
  }
  AnswerBody(evaluator, header, body).sealed(1);  // 64 MiB wait, and no more than that
  CHECK(channel.chains.empty());
  CHECK(error_of([&] { AnswerBody(evaluator, header, body); }).starts_with("the key holder refused"));
  CHECK(channel.chains == std::vector<std::size_t>{6});
}
