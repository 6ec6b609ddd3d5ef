// Batches of selections from choices to masked products, whatever their size and the length of numbers.
#include "protocols/oblivious_transfer/selections.h"

#include <doctest/doctest.h>

#include <array>

#include "paillier/error.h"
#include "tests/support/blocks.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/replicas.h"
#include "tests/support/statistics.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

/// What the key holder has of a session's base transfers.
BaseTransfers key_holder_of(TwoParties& parties) {
  const Bytes& request = parties.channel().requests()[1];
  return answer_base_request(decode_request(request).body, sha256(request), toy_keys().sealing_secret())
      .transfers;
}

struct Batch {
  Matrix<std::uint8_t> s, t;
  std::vector<Integer> k, e, mask;
};

/// `value_bits` of k - e, `mask_bits` of the mask, k and e of `long_bits`.
Batch random_batch(std::size_t count, std::size_t value_bits, std::size_t mask_bits, std::size_t long_bits,
                   std::uint64_t seed) {
  RandomStream random = RandomSource::from_seed(seed).stream({});
  Batch batch{Matrix<std::uint8_t>(count, 1), Matrix<std::uint8_t>(count, 1), {}, {}, {}};
  for (std::size_t j = 0; j < count; ++j) {
    batch.s.cells()[j] = static_cast<std::uint8_t>(random.below(std::uint64_t{2}));
    batch.t.cells()[j] = static_cast<std::uint8_t>(random.below(std::uint64_t{2}));
    const Integer v = random.bits(value_bits) - power_of_two(value_bits - 1);
    batch.e.push_back(random.bits(long_bits) - power_of_two(long_bits - 1));
    batch.k.push_back(v + batch.e.back());
    batch.mask.push_back(random.bits(mask_bits));
  }
  return batch;
}

}  // namespace

TEST_CASE("selections: beta (k - e) + mask for batches, numbers and masks of any size") {
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  const BaseTransfers theirs = key_holder_of(parties);
  const TransferSender sender(theirs.offset[0], theirs.known);
  struct Sizes {
    std::size_t value_bits, mask_bits, long_bits;
  };
  for (const Sizes& sizes : {Sizes{8, 50, 60}, {24, 64, 64}, {24, 80, 200}, {60, 120, 127}, {60, 188, 300}})
    for (const std::size_t count : {1U, 7U, 128U, 300U}) {
      CAPTURE(sizes.mask_bits);
      CAPTURE(count);
      const RingBytes ring = RingBytes::for_signed(sizes.mask_bits + 1);
      const Batch batch = random_batch(count, sizes.value_bits, sizes.mask_bits, sizes.long_bits, count);
      const FixedIntegers k(batch.k, 6), e(batch.e, 6), mask(batch.mask, 4);
      const Digest request =
          sha256(Bytes{static_cast<std::uint8_t>(count), static_cast<std::uint8_t>(sizes.mask_bits)});
      const Label label = selection_label(request);
      const SelectionChoices choices(transfers, request, batch.s);
      CHECK(choices.bytes().size() == selection_choice_bytes(count));
      AnsweredSelection answer = answer_choices(sender, {theirs.leaves, key_holder_depth, label}, request,
                                                choices.bytes(), batch.t, k, ring);
      CHECK(answer.bytes.size() == selection_answer_bytes(count, ring));
      const SelectionMessage message(transfers, choices, request, sha256(answer.bytes), answer.bytes, batch.s,
                                     e, mask, ring);
      CHECK(message.bytes().size() == selection_message_bytes(count, ring));
      Bytes remembered;
      append_ring(answer.remembered, ring, remembered);
      const auto finish = [&](const Bytes& sent) {
        return finish_selection({theirs.leaves, key_holder_depth, label}, sent, batch.t,
                                read_ring(remembered, ring), ring);
      };
      const FixedIntegers got = finish(message.bytes());
      std::size_t wrong = 0;
      for (std::size_t j = 0; j < count; ++j) {
        const bool selected = batch.s.cells()[j] != batch.t.cells()[j];
        const Integer value = selected ? Integer(batch.k[j] - batch.e[j]) : Integer(0);
        wrong += got.integer(j) != value + batch.mask[j];
      }
      CHECK(wrong == 0);

      Bytes longer = choices.bytes(), shorter = message.bytes();
      longer.push_back(0);
      shorter.pop_back();
      const auto complains = [&](auto&& action) {
        return error_of(action).find("bytes, expected are") != std::string::npos;
      };
      CHECK(complains([&] {
        answer_choices(sender, {theirs.leaves, key_holder_depth, label}, request, longer, batch.t, k, ring);
      }));
      CHECK(complains([&] { finish(shorter); }));
      answer.bytes.pop_back();
      CHECK(complains([&] {
        SelectionMessage(transfers, choices, request, sha256(answer.bytes), answer.bytes, batch.s, e, mask,
                         ring);
      }));
    }
}

TEST_CASE("selections: pads are hashes of labels under the numbers of their cell and block") {
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  const BaseTransfers theirs = key_holder_of(parties);
  const TransferSender sender(theirs.offset[0], theirs.known);
  constexpr std::size_t count = 20;
  const RingBytes ring = RingBytes::for_signed(140);  // two blocks
  const Integer modulus = power_of_two(8 * ring.bytes);
  const Batch batch = random_batch(count, 24, 64, 130, 8);
  const Digest request = sha256(Bytes{1});
  const SelectionChoices choices(transfers, Bytes{1}, batch.s);
  const AnsweredSelection answer =
      answer_choices(sender, {theirs.leaves, key_holder_depth, selection_label(request)}, request,
                     choices.bytes(), batch.t, FixedIntegers(batch.k, 3), ring);
  const FixedIntegers products = read_ring(std::span(answer.bytes).first(count * ring.bytes), ring);
  Label label;
  std::copy_n(choices.bytes().begin(), label.size(), label.begin());
  SecretBlocks zeros(count);
  sender.offset_holder(label).extend(std::span(choices.bytes()).subspan(label.size()), zeros);
  const Block key = hash_key("key holder's pads", request);
  std::size_t wrong = 0;
  for (std::size_t j = 0; j < count; ++j) {
    const auto pad = [&](const Block& of) {
      Integer number;
      for (const std::uint64_t block : std::array<std::uint64_t, 2>{1, 0}) {
        const Block part = independent_hash(key, of, {j, block});
        for (const std::uint64_t word : {part.high, part.low})
          number = number * power_of_two(64) + Integer(static_cast<unsigned long>(word));
      }
      return number;
    };
    const Integer& k = batch.k[j];
    Integer left = pad(zeros[j]) - pad(zeros[j] ^ sender.offset()) - products.integer(j);
    left += batch.t.cells()[j] != 0 ? Integer(-k) : k;
    wrong += left % modulus != 0 ? 1 : 0;
  }
  CHECK(wrong == 0);
}

TEST_CASE("selections: what the evaluator receives is uniform beside the pads that it has") {
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  const BaseTransfers theirs = key_holder_of(parties);
  const TransferSender sender(theirs.offset[0], theirs.known);
  constexpr std::size_t count = 1000;
  const RingBytes ring = RingBytes::for_signed(66);
  const Batch coins = random_batch(count, 24, 64, 24, 5);
  const SelectionChoices choices(transfers, Bytes{1}, coins.s);
  const auto sent_products = [&](long k, const Digest& request) {
    const AnsweredSelection answer = answer_choices(
        sender, {theirs.leaves, key_holder_depth, selection_label(request)}, request, choices.bytes(),
        coins.t, FixedIntegers(std::vector<Integer>(count, Integer(k)), 2), ring);
    return read_ring(std::span(answer.bytes).first(count * ring.bytes), ring);
  };
  // Less the pad that the evaluator has of each, by an evaluation of its own.
  const auto seen = [&](long k, std::uint8_t number) {
    const Digest request = sha256(Bytes{number});
    const std::string purpose = "key holder's pads";
    Bytes text(purpose.begin(), purpose.end());
    text.insert(text.end(), request.begin(), request.end());
    SecretBlocks pads = choices.labels();
    std::vector<Block> tweaks(count);
    for (std::size_t j = 0; j < count; ++j) tweaks[j] = {j, 0};
    Aes128(to_block(sha256(text)), AesUnit::openssl).hash(pads, tweaks);
    const FixedIntegers products = sent_products(k, request);
    std::vector<Integer> view;
    const Integer modulus = power_of_two(8 * ring.bytes);
    for (std::size_t j = 0; j < count; ++j) {
      const FixedIntegers pad(std::vector<Integer>{Integer(static_cast<unsigned long>(pads[j].high))}, 3);
      const Integer known =
          pad.integer(0) * power_of_two(64) + Integer(static_cast<unsigned long>(pads[j].low));
      Integer value = products.integer(j) + (coins.s.cells()[j] != 0 ? known : Integer(-known));
      mpz_mod(value.get_mpz_t(), value.get_mpz_t(), modulus.get_mpz_t());
      view.push_back(value);
    }
    return view;
  };
  const auto evenness = [&](const std::vector<Integer>& view) {
    std::vector<std::size_t> counts(256);
    for (Integer value : view)
      for (std::size_t byte = 0; byte < ring.bytes; ++byte, value >>= 8)
        ++counts[mpz_fdiv_ui(value.get_mpz_t(), 256)];
    return chi_square_uniform(counts);
  };
  const auto difference = [&](std::vector<Integer> a, const std::vector<Integer>& b) {
    const Integer modulus = power_of_two(8 * ring.bytes);
    for (std::size_t j = 0; j < a.size(); ++j) {
      a[j] -= b[j];
      mpz_mod(a[j].get_mpz_t(), a[j].get_mpz_t(), modulus.get_mpz_t());
    }
    return a;
  };
  const std::vector<Integer> low = seen(-(1L << 23), 1), high = seen((1L << 23) - 1, 2);
  for (const std::vector<Integer>& view : {low, high, difference(low, high)}) CHECK(evenness(view) > 1e-6);
  // The same request twice, for two contents, shows their difference.
  CHECK(evenness(difference(low, seen((1L << 23) - 1, 1))) < 1e-6);
  // The same choices in two requests do not: pads hang on the request.
  const auto sent = [&](long k, std::uint8_t number) {
    return sent_products(k, sha256(Bytes{number})).integers();
  };
  CHECK(evenness(difference(sent(-(1L << 23), 1), sent((1L << 23) - 1, 2))) > 1e-6);
  CHECK(evenness(difference(sent(-(1L << 23), 1), sent((1L << 23) - 1, 1))) < 1e-6);
}

TEST_CASE("selections: what the key holder receives is uniform, and two show nothing, whatever they hide") {
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  const BaseTransfers theirs = key_holder_of(parties);
  const TransferSender sender(theirs.offset[0], theirs.known);
  constexpr std::size_t count = 1000;
  const RingBytes ring = RingBytes::for_signed(66);
  const Batch coins = random_batch(count, 24, 64, 24, 6);
  const Digest request = sha256(Bytes{1});
  // Its choices: all zero or all one, under one label they differ by what they are.
  const auto corrections = [&](std::uint8_t s, std::uint8_t beside) {
    Matrix<std::uint8_t> choices(count, 1, s);
    const Bytes sent = SelectionChoices(transfers, Bytes{beside}, choices).bytes();
    return Bytes(sent.begin() + sizeof(Label), sent.end());
  };
  const auto under = [&](std::uint8_t s, const Label& label) {
    Bytes sent;
    SecretBlocks labels(count);
    transfers.chooser(label).extend(std::vector<std::uint8_t>(count, s), sent, labels);
    return sent;
  };
  const Bytes zeros = corrections(0, 1), ones = corrections(1, 2);
  for (const Bytes& view : {zeros, ones, difference(zeros, ones)}) CHECK(evenness(view) > 1e-6);
  CHECK(evenness(difference(under(0, Label{}), under(1, Label{}))) < 1e-6);
  // Its messages, about one answer of the key holder.
  const SelectionChoices choices(transfers, Bytes{1}, coins.s);
  const AnsweredSelection answer =
      answer_choices(sender, {theirs.leaves, key_holder_depth, selection_label(request)}, request,
                     choices.bytes(), coins.t, FixedIntegers(coins.k, 2), ring);
  const auto message = [&](long e, const Bytes& answered) {
    return SelectionMessage(transfers, choices, request, sha256(answered), answer.bytes, coins.s,
                            FixedIntegers(std::vector<Integer>(count, Integer(e)), 2),
                            FixedIntegers(coins.mask, 2), ring)
        .bytes();
  };
  const auto numbers = [](const Bytes& sent) { return Bytes(sent.begin() + sizeof(Block), sent.end()); };
  constexpr long end = 1L << 23;
  const Bytes low = message(-end, answer.bytes), high = message(end - 1, answer.bytes);
  for (const Bytes& view : {numbers(low), numbers(high), difference(numbers(low), numbers(high))})
    CHECK(evenness(view) > 1e-6);
  const auto key = [](const Bytes& sent) { return Bytes(sent.begin(), sent.begin() + sizeof(Block)); };
  CHECK(key(low) != key(high));                         // of another content
  CHECK(key(low) != key(message(-end, Bytes{1})));      // of another answer
  CHECK(key(low) == key(message(-end, answer.bytes)));  // of the same
}

TEST_CASE("selections: the label of a choice hangs on the choice and on what it stands beside") {
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  Matrix<std::uint8_t> s(3, 1), other(3, 1);
  other.cells()[2] = 1;
  const auto label = [&](const Matrix<std::uint8_t>& choices, std::uint8_t beside) {
    const Bytes sent = SelectionChoices(transfers, Bytes{beside}, choices).bytes();
    return Bytes(sent.begin(), sent.begin() + sizeof(Label));
  };
  CHECK(label(s, 1) == label(s, 1));
  CHECK(label(s, 1) != label(other, 1));
  CHECK(label(s, 1) != label(s, 2));
}

TEST_CASE("selections: the tiles of an activation have no stream in common, whatever their bits") {
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  const BaseTransfers theirs = key_holder_of(parties);
  constexpr std::size_t count = 64;
  const auto request_of = [&](std::uint8_t tile) {
    const OperationId operation{1, 0, Direction::activation, tile};
    return encode_request(
        parties.evaluator().header("selection/oblivious-transfer", 0, operation, {{8}, {8}}), Bytes{});
  };
  // Of both parties: the evaluator's label follows from its bits too, the key holder's from the request
  // alone.
  const auto corrections = [&](std::uint8_t tile, std::uint64_t seed, bool evaluators) {
    const Batch batch = random_batch(count, 24, 64, 24, seed);
    Bytes sent;
    if (evaluators) {
      const SelectionChoices choices(transfers, request_of(tile), batch.s);
      sent.assign(choices.bytes().begin() + sizeof(Label), choices.bytes().end());
    } else {
      SecretBlocks labels(count);
      TransferChooser(theirs.leaves, key_holder_depth, selection_label(sha256(request_of(tile))))
          .extend(batch.t.cells(), sent, labels);
    }
    return sent;
  };
  CHECK(same_columns(corrections(0, 1, false), corrections(0, 2, false),
                     key_holder_depth));  // what the test would find
  for (const bool evaluators : {true, false}) {
    std::vector<Bytes> all;
    for (const std::uint8_t tile : std::array<std::uint8_t, 2>{0, 1})
      for (const std::uint64_t seed : {3U, 4U})
        if (evaluators || seed == 3) all.push_back(corrections(tile, seed, evaluators));
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        CHECK(!same_columns(all[i], all[j], evaluators ? evaluator_depth : key_holder_depth));
  }
}

TEST_CASE("selections: numbers of a ring as bytes, and an error for half a one") {
  const RingBytes ring = RingBytes::for_signed(70);
  CHECK(ring.bytes == 9);
  CHECK(ring.limbs() == 2);
  CHECK(RingBytes::for_signed(63).bytes == 8);
  const FixedIntegers numbers(std::vector<Integer>{Integer(-1), Integer(5)}, 2);
  Bytes bytes;
  append_ring(numbers, ring, bytes);
  CHECK(bytes == Bytes{255, 255, 255, 255, 255, 255, 255, 255, 255, 5, 0, 0, 0, 0, 0, 0, 0, 0});
  const FixedIntegers read = read_ring(bytes, ring);
  CHECK(read.integer(0) == power_of_two(72) - 1);
  CHECK(read.integer(1) == 5);
  bytes.pop_back();
  CHECK(error_of([&] { read_ring(bytes, ring); }) == "a list of numbers has 17 bytes, expected are 9");
}
