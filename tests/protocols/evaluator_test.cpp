// Masks: drawn where their address says, wide enough, and the only way out.
#include "protocols/evaluator.h"

#include <doctest/doctest.h>

#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

// What may leave is a matter of types: local ciphertexts and plain bytes cannot be added to a request.
template <typename T>
concept Sendable = requires(RequestBody body, T value) { body.add(value); };
static_assert(Sendable<MaskedCiphertexts> && Sendable<BlindedBits> && Sendable<SealedState>);
static_assert(!Sendable<std::vector<Ciphertext>> && !Sendable<std::vector<FreshCiphertext>> &&
              !Sendable<Ciphertext> && !Sendable<EncryptedMatrix> && !Sendable<std::vector<DgkCiphertext>> &&
              !Sendable<IntegerMatrix> && !Sendable<Bytes>);
template <typename T>
concept Callable = requires(CallQueue& calls, const Header& header, T body) { calls.add(header, body); };
template <typename T>
concept CallableWhole = requires(CallQueue& calls, T body) { calls.add(std::move(body)); };
static_assert(Callable<RequestBody> && !Callable<Bytes> && !Callable<std::span<const std::uint8_t>>);
static_assert(CallableWhole<RequestBody> && !CallableWhole<Bytes> && !CallableWhole<Call>);
// Nor can bytes, ciphertexts at rest for one, pass for a state of the key holder.
static_assert(!std::is_constructible_v<SealedState, Bytes> && !std::is_default_constructible_v<SealedState> &&
              !std::is_aggregate_v<SealedState> && !std::is_assignable_v<SealedState, Bytes>);
template <typename T>
concept Encodable =
    requires(const PaillierPublicKey& key, std::vector<T> cs, Bytes out) { key.encode(cs, out); };
static_assert(Encodable<FreshCiphertext> && !Encodable<Ciphertext>);
static_assert(!std::is_default_constructible_v<Mask> &&
              !std::is_constructible_v<Mask, IntegerMatrix, std::size_t>);
static_assert(!std::is_constructible_v<MaskedCiphertexts, std::vector<FreshCiphertext>>);

TEST_CASE("mask: each cell is what its address draws") {
  TwoParties parties;
  const OperationId operation{3, 1, Direction::gradient};
  const Mask mask = Mask::drawn(parties.evaluator().draws(operation, RandomnessKind::mask_left), 3, 4, 60);
  CHECK(mask.bits() == 60);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 4; ++j) {
      Address address = operation.address(RandomnessKind::mask_left);
      address.element = i * 4 + j;
      RandomStream random = parties.evaluator_random().stream(address);
      const Integer first = random.bits(60), second = random.bits(60), third = random.bits(60);
      CHECK(mask.values()(i, j) == first + second + third);
    }
}

TEST_CASE("mask: what evaluators share is drawn for its cells of the whole") {
  TwoParties parties;
  const auto drawn = [&](const ResultWindow& window, std::size_t rows, std::size_t cols,
                         const OperationId& operation) {
    const Evaluator& like = parties.evaluator();
    Evaluator one(like.keys, like.budget, like.channel, parties.evaluator_random(), like.session);
    one.window = window;
    return Mask::drawn(one.rounding_draws(operation, RandomnessKind::mask_product, cols), rows, cols, 60)
        .values();
  };
  const OperationId operation{3, 1, Direction::forward};
  const IntegerMatrix whole = drawn({}, 5, 7, operation);
  const IntegerMatrix part = drawn({2, 3, 7}, 3, 2, operation),
                      rows = drawn({.first_row = 4}, 1, 7, operation);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 2; ++j) CHECK(part(i, j) == whole(2 + i, 3 + j));
  for (std::size_t j = 0; j < 7; ++j) CHECK(rows(0, j) == whole(4, j));
  CHECK(error_of([&] {
          drawn({0, 3, 7}, 1, 5, operation);
        }) == "a result of 5 columns does not fit its place from column 3 of 7 on");
  OperationId tile = operation;
  tile.tile = 1;
  CHECK(error_of([&] {
          drawn({0, 3, 7}, 1, 2, tile);
        }) == "a tile is rounded where evaluators share its result");
}

TEST_CASE("mask: a cell is the sum of three uniforms from the stream of its element") {
  const Draws draws(RandomSource::from_seed(3), OperationId{3, 1}.address(RandomnessKind::mask_product));
  const auto expected = [&](std::size_t element, std::size_t bits) {
    RandomStream random = draws.stream(element);
    const Integer first = random.bits(bits), second = random.bits(bits), third = random.bits(bits);
    return Integer(first + second + third);
  };
  for (const std::size_t bits : {1U, 8U, 62U, 63U, 64U, 78U, 125U, 128U, 1024U, 1360U}) {
    CAPTURE(bits);
    const IntegerMatrix cells = Mask::drawn(draws, 7, 300, bits).values();  // more than one run
    const IntegerMatrix window = Mask::drawn({draws, 300}, 7, 3, bits).values();
    bool same = true;
    for (std::size_t i = 0; i < 7; ++i)
      for (std::size_t j = 0; j < 300; ++j) {
        same &= cells(i, j) == expected(i * 300 + j, bits);
        if (j < 3) same &= window(i, j) == cells(i, j);
      }
    CHECK(same);
  }
  CHECK(Mask::drawn(draws, 0, 3, 20).values().size() == 0);
  CHECK(error_of([&] { Mask::drawn(draws, 1, 1, 1361); }) ==
        "a head of 513 random bytes was asked for, allowed are 1 to 512");
}

TEST_CASE("mask: its low words are those of its cells") {
  const Draws draws(RandomSource::from_seed(3), OperationId{3, 1}.address(RandomnessKind::mask_product));
  for (const std::size_t bits : {1U, 20U, 60U, 63U, 64U, 65U, 128U, 241U, 512U, 1024U}) {
    const IntegerMatrix cells = Mask::drawn(draws, 2, 3, bits).values();
    std::vector<std::uint64_t> words;
    for (const Integer& cell : cells.cells()) words.push_back(Integer(cell % power_of_two(64)).get_ui());
    CHECK(Mask::low_words(draws, cells.size(), bits) == words);
  }
}

TEST_CASE("mask: the remainder of a product completes the effective mask") {
  TwoParties parties;
  const auto draw = [&](std::size_t rows, std::size_t cols, std::size_t bits) {
    return Mask::drawn(parties.evaluator().draws(parties.next_operation(), RandomnessKind::mask_left), rows,
                       cols, bits);
  };
  const IntegerMatrix product = matrix_of(2, 3, {5, -8, 1000});
  const Mask cross = draw(2, 3, 123);
  const Mask effective = draw(2, 3, 83);
  const Mask rest = Mask::remainder(product, cross, effective);
  CHECK(rest.bits() == 123);
  for (std::size_t i = 0; i < 6; ++i)
    CHECK(rest.values().cells()[i] + cross.values().cells()[i] + effective.values().cells()[i] ==
          product.cells()[i]);
  const auto refusal = "masks of a product of 2 x 3 cells have another shape";
  CHECK(error_of([&] { Mask::remainder(product, draw(3, 2, 123), effective); }) == refusal);
  CHECK(error_of([&] { Mask::remainder(product, cross, draw(1, 3, 83)); }) == refusal);
}

TEST_CASE("masking: adds mask and offset in both packings, under new randomness") {
  TwoParties parties;
  const Evaluator& evaluator = parties.evaluator();
  const PaillierSecretKey& key = toy_keys().paillier();
  const std::size_t slot_bits = parties.budget().slot_bits();
  const IntegerMatrix x = matrix_of(5, 3, {-4, 0, 17, 1000, -999});
  const EncryptedMatrix encrypted = parties.encrypt(x, {{3, 2}, {1, 2}});
  const OperationId operation = parties.next_operation();
  const Mask mask = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_left), 5, 3, 60);
  IntegerMatrix wanted = x;
  for (std::size_t i = 0; i < x.size(); ++i) wanted.cells()[i] += mask.values().cells()[i] + 77;
  const auto open = [&](const MaskedCiphertexts& masked) {
    std::vector<Ciphertext> local;
    for (const FreshCiphertext& c : masked.ciphertexts()) local.push_back(c.local());
    return key.decrypt(local);
  };
  const MaskedCiphertexts column_packed =
      mask_column_packed(evaluator, encrypted.column_packed(), encrypted.layout(), mask, 20, operation, 77);
  CHECK(unpack_columns(open(column_packed), encrypted.layout(), slot_bits) == wanted);
  const MaskedCiphertexts row_packed =
      mask_row_packed(evaluator, encrypted.row_packed(), encrypted.layout(), mask, 20, operation, 77);
  CHECK(unpack_rows(open(row_packed), encrypted.layout(), slot_bits) == wanted);
  // Re-randomised: not the residue that local arithmetic gives.
  const auto packed = pack_columns(mask.values(), encrypted.layout(), slot_bits);
  for (std::size_t i = 0; i < packed.size(); ++i)
    CHECK(!(column_packed.ciphertexts()[i].local() ==
            evaluator.paillier().add_plain(encrypted.column_packed()[i], packed[i])));
}

TEST_CASE("masking: an operand goes out in pairs, the last of an odd number alone") {
  for (const std::size_t max_inner : {toy_max_inner, std::size_t{1}}) {
    TwoParties parties({.max_inner = max_inner});
    const Evaluator& evaluator = parties.evaluator();
    const std::size_t slot_bits = parties.budget().slot_bits();
    for (const Layout& layout : {Layout{{3, 2}, {1, 2}}, Layout{{2}, {1, 1, 1}}, Layout{{1}, {1}}}) {
      const IntegerMatrix x = matrix_of(layout.rows(), layout.cols(), {-4, 0, 17, 524287, -524288});
      const EncryptedMatrix encrypted = parties.encrypt(x, layout);
      const OperationId operation = parties.next_operation();
      const Mask mask = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_left), layout.rows(),
                                    layout.cols(), 60);
      IntegerMatrix sum = x;
      for (std::size_t i = 0; i < x.size(); ++i) sum.cells()[i] += mask.values().cells()[i];
      for (const Side side : {Side::left, Side::right}) {
        const auto packed =
            side == Side::left ? pack_columns(sum, layout, slot_bits) : pack_rows(sum, layout, slot_bits);
        std::vector<Integer> wanted;
        for (std::size_t i = 0; i < packed.size(); i += 2)
          wanted.push_back(i + 1 < packed.size() ? Integer(packed[i] + (packed[i + 1] << 63)) : packed[i]);
        std::vector<Ciphertext> sent;
        const MaskedCiphertexts operand = mask_operand(evaluator, encrypted, side, mask, operation);
        for (const FreshCiphertext& c : operand.ciphertexts()) sent.push_back(c.local());
        CHECK(toy_keys().paillier().decrypt(sent) == wanted);
      }
    }
    const EncryptedMatrix x = parties.encrypt(matrix_of(2, 2, {1}));
    const auto refusal = [&](std::size_t rows, std::size_t bits) {
      const OperationId operation = parties.next_operation();
      const Mask mask = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_left), rows, 2, bits);
      return error_of([&] { mask_operand(evaluator, x, Side::left, mask, operation); });
    };
    CHECK(refusal(2, 59) == "a mask of 59 bits reached an operand; it needs 60 bits");
    CHECK(refusal(2, 61) == "a mask of 61 bits reached an operand; it needs 60 bits");
    CHECK(refusal(3, 60) == "a matrix of 3 x 2 cells does not fit a layout of 2 x 2");
  }
}

TEST_CASE("masking: masks of pieces under each other") {
  TwoParties parties;
  const auto draw = [&](std::size_t rows, std::size_t cols, std::size_t bits) {
    return Mask::drawn(parties.evaluator().draws(parties.next_operation(), RandomnessKind::mask_left), rows,
                       cols, bits);
  };
  const std::vector<Mask> pieces{draw(2, 3, 60), draw(1, 3, 60)};
  const Mask all = Mask::stacked(pieces);
  CHECK(all.bits() == 60);
  REQUIRE(all.values().rows() == 3);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      CHECK(all.values()(i, j) == (i < 2 ? pieces[0].values()(i, j) : pieces[1].values()(0, j)));
  CHECK(error_of([&] {
          Mask::stacked(std::vector<Mask>{draw(1, 3, 60), draw(1, 2, 60)});
        }) == "matrices of 3 and 2 columns cannot be stacked");
  CHECK(error_of([&] {
          Mask::stacked(std::vector<Mask>{draw(1, 3, 60), draw(1, 3, 61)});
        }) == "masks of 60 and 61 bits cannot be stacked");
}

TEST_CASE("masking: a mask that is too narrow, or of another shape, is refused") {
  TwoParties parties;
  const Evaluator& evaluator = parties.evaluator();
  const EncryptedMatrix x = parties.encrypt(matrix_of(2, 2, {1}));
  const auto masked = [&](std::size_t rows, std::size_t bits, std::size_t content) {
    const OperationId operation = parties.next_operation();
    const Mask mask = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_left), rows, 2, bits);
    mask_column_packed(evaluator, x.column_packed(), x.layout(), mask, content, operation);
  };
  masked(2, 60, 20);
  CHECK(error_of([&] { masked(2, 59, 20); }) ==
        "a mask of 59 bits does not hide 20 bits; at least 60 are needed");
  CHECK(error_of([&] { masked(2, 60, 21); }) ==
        "a mask of 60 bits does not hide 21 bits; at least 61 are needed");
  CHECK(error_of([&] { masked(3, 60, 20); }) == "a matrix of 3 x 2 cells does not fit a layout of 2 x 2");
  const OperationId operation = parties.next_operation();
  const Mask mask = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_left), 2, 2, 60);
  CHECK(error_of([&] { mask_row_packed(evaluator, x.row_packed(), x.layout(), mask, 21, operation); }) ==
        "a mask of 60 bits does not hide 21 bits; at least 61 are needed");
  CHECK(error_of([&] { mask_column_packed(evaluator, {}, x.layout(), mask, 20, operation); }) ==
        "a mask for 2 ciphertexts does not fit 0");
}

TEST_CASE("blinding: every comparison keeps its zeros and no other plaintext in place [parallel]") {
  TwoParties parties;
  const Evaluator& evaluator = parties.evaluator();
  const DgkPublicKey& key = evaluator.keys.dgk();
  const std::vector<unsigned> plain{0, 5, 7, 1, /**/ 2, 3, 4, 196, /**/ 9, 9, 0, 9};
  const auto terms_of = [&](std::size_t first, std::size_t count) {
    std::vector<DgkBlock> terms;
    for (std::size_t i = 0; i < 4; ++i) {
      std::vector<unsigned> of_lanes;
      for (std::size_t c = first; c < first + count; ++c) of_lanes.push_back(plain[c * 4 + i]);
      terms.push_back(key.trivial(of_lanes));
    }
    return terms;
  };
  const BlindedBits blinded = blind_and_shuffle(evaluator, parties.next_operation(), 3, 4, terms_of);
  REQUIRE(blinded.ciphertexts().size() == 12);
  std::vector<unsigned> zeros(3);
  for (std::size_t i = 0; i < 12; ++i)
    zeros[i / 4] += toy_keys().dgk().is_zero(blinded.ciphertexts()[i].local()) ? 1 : 0;
  CHECK(zeros == std::vector<unsigned>{1, 0, 1});
  CHECK(error_of([&] { blind_and_shuffle(evaluator, parties.next_operation(), 3, 5, terms_of); }) ==
        "a comparison of 5 terms made 4");
}

TEST_CASE("session: a function of the source, different for another seed") {
  const SessionId a = draw_session(RandomSource::from_seed(1));
  CHECK(a == draw_session(RandomSource::from_seed(1)));
  CHECK(a != draw_session(RandomSource::from_seed(2)));
}
