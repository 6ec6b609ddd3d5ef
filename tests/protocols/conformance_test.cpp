// The conformance suite: every protocol of the registry, in every composition, against integers in the clear;
// and the traffic that it declares against the traffic that the channel counts. A protocol is tested by being
// registered.
#include <doctest/doctest.h>

#include <map>

#include "paillier/error.h"
#include "protocols/conversion/change_form.h"
#include "protocols/conversion/range_check.h"
#include "protocols/conversion/switch_key.h"
#include "protocols/conversion/unpack.h"
#include "protocols/opened_values.h"
#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

/// Measures what a call sends, by protocol, and compares it with declarations.
class Meter {
 public:
  explicit Meter(TwoParties& parties) : parties_(parties) {
    parties.evaluator().calls->send();
    before_ = parties.channel().traffic_by_protocol();
  }
  void expect(const Descriptor& descriptor, const Work& work) {
    Declaration declared = descriptor.declared(work, parties_.sizes());
    expected_[descriptor.wire_name()] += declared.traffic(parties_.sizes());
    const bool waits = declared.last_waits(parties_.sizes());
    declared.rounds -= waits ? 1 : 0;
    rounds_ += declared.rounds;
    waits_ = waits || (waits_ && declared.rounds == 0);
  }
  void check() const {
    parties_.evaluator().calls->send();
    std::map<std::string, Traffic> measured;
    std::uint64_t rounds = 0;
    for (const auto& [name, after] : parties_.channel().traffic_by_protocol()) {
      const auto found = before_.find(name);
      const Traffic before = found == before_.end() ? Traffic{} : found->second;
      const Traffic sent{after.to_key_holder - before.to_key_holder, after.to_evaluator - before.to_evaluator,
                         after.rounds - before.rounds};
      if (sent != Traffic{}) measured[name] = sent;
      rounds += sent.rounds;
    }
    CHECK(rounds == rounds_ + (waits_ ? 1 : 0));
    CHECK(measured.size() == expected_.size());
    for (const auto& entry : expected_) {
      const std::string& name = entry.first;
      const Traffic& traffic = entry.second;
      INFO(name);
      CHECK(measured[name].to_key_holder == traffic.to_key_holder);
      CHECK(measured[name].to_evaluator == traffic.to_evaluator);
    }
  }

 private:
  TwoParties& parties_;
  std::map<std::string, Traffic> before_;
  std::map<std::string, Traffic> expected_;  ///< but for its rounds
  std::uint64_t rounds_ = 0;
  bool waits_ = false;  ///< a request for the next one
};

Integer floor_divide(const Integer& value, std::size_t shift) {
  Integer quotient;
  mpz_fdiv_q(quotient.get_mpz_t(), value.get_mpz_t(), power_of_two(shift).get_mpz_t());
  return quotient;
}

/// The mask of cell i, drawn again.
Integer drawn(const TwoParties& parties, const OperationId& operation, RandomnessKind kind, std::size_t i,
              std::size_t bits) {
  Address address = operation.address(kind);
  address.element = i;
  RandomStream random = parties.evaluator_random().stream(address);
  return random.bits(bits) + random.bits(bits) + random.bits(bits);
}

/// An addend in the clear.
struct PlainAddend {
  IntegerMatrix matrix;
  std::size_t bits = 0;
};

std::optional<Addend> encrypted(TwoParties& parties, const std::optional<PlainAddend>& addend,
                                const Layout& layout) {
  if (!addend) return std::nullopt;
  return Addend{parties.encrypt(addend->matrix, layout), addend->bits};
}

/// The result is the specification's formula with the masks that were drawn, and the exact floor up to one
/// unit.
void check_rescaled(const TwoParties& parties, const OperationId& operation, const IntegerMatrix& exact,
                    std::size_t content_bits, const Rescale& factor, const std::optional<PlainAddend>& addend,
                    const IntegerMatrix& got) {
  const std::size_t sigma = parties.budget().numbers().sigma;
  const Integer scale(static_cast<long>(factor.scale));
  REQUIRE(got.rows() == exact.rows());
  REQUIRE(got.cols() == exact.cols());
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const Integer c = addend ? addend->matrix.cells()[i] : Integer(0);
    const Integer rho = drawn(parties, operation, RandomnessKind::mask_product, i, content_bits + sigma);
    const Integer r_c =
        addend ? drawn(parties, operation, RandomnessKind::mask_addend, i, addend->bits + sigma) : Integer(0);
    const Integer value = scale * exact.cells()[i] + c;
    const Integer masks = scale * rho + r_c;
    CAPTURE(i);
    CHECK(got.cells()[i] == floor_divide(value + masks, factor.shift) - floor_divide(masks, factor.shift));
    const Integer error = got.cells()[i] - floor_divide(value, factor.shift);
    CHECK((error == 0 || error == 1));
    if (value == floor_divide(value, factor.shift) * power_of_two(factor.shift)) CHECK(error == 0);
  }
}

/// Multipliers from end to end of the budget.
const std::vector<Rescale>& factors() {
  static const std::vector<Rescale> all = {{1, 0},     {-1, 0},     {3, 10}, {-37, 10},
                                           {1024, 10}, {-1024, 10}, {0, 5},  {1, 43}};
  return all;
}

/// Both ends and the middle of `bits` bits.
std::vector<long> extremes(std::size_t bits) {
  const long half = 1L << (bits - 1);
  return {0, -1, 1, -half, half - 1, -half + 1, half - 2};
}

struct Shape {
  Layout left, right;
};

/// Shapes of products: single cells, odd ones, one group, several, uneven groups.
std::vector<Shape> shapes(std::size_t slots) {
  std::vector<Shape> out;
  for (const auto& [m, k, n] :
       {std::array<std::size_t, 3>{1, 1, 1}, {3, 8, 2}, {5, 4, 7}, {9, 3, 1}, {1, 2, 6}})
    out.push_back({balanced_layout(m, k, slots), balanced_layout(k, n, slots)});
  if (slots > 1) {
    out.push_back({{{1, 3, 2}, {2, 1}}, {{1, 1, 1}, {3, 1}}});  // inner groups may differ
    out.push_back({{{1, 1}, {3}}, {{3}, {1, 1, 1}}});           // one value a ciphertext in the result alone
  }
  return out;
}

}  // namespace

TEST_CASE("conformance: matrix products equal the formula in both packings [parallel]") {
  for_each_protocol(Family::matmul, [](const Descriptor& descriptor, const ProtocolNames& names,
                                       std::size_t slots) {
    TwoParties parties({.slots = slots});
    const BitBudget& budget = parties.budget();
    const ProtocolSet set = make_protocols(names, budget);
    if (descriptor.transfers) parties.evaluator().transfers(parties.next_operation());
    RandomStream random = RandomSource::from_seed(10).stream({});
    std::size_t next_factor = 0;
    const auto run = [&](const Shape& shape, const IntegerMatrix& a, const IntegerMatrix& b,
                         const Rescale& factor, const std::optional<PlainAddend>& addend) {
      const Layout result{shape.left.row_groups, shape.right.col_groups};
      const EncryptedMatrix x = parties.encrypt(a, shape.left);
      const EncryptedMatrix y = parties.encrypt(b, shape.right);
      const auto c = encrypted(parties, addend, result);
      const OperationId operation = parties.next_operation();
      Meter meter(parties);
      const EncryptedMatrix product = set.matmul->multiply(parties.evaluator(), operation, x, y, factor, c);
      meter.expect(descriptor, {.left = shape.left, .right = shape.right, .addend = addend.has_value()});
      if (!descriptor.fused)
        meter.expect(find_protocol(Family::truncation, names.truncation),
                     {.left = result, .addend = addend.has_value()});
      meter.check();
      CHECK(product.layout() == result);
      check_rescaled(parties, operation, naive_product(a, b), budget.product_bits(), factor, addend,
                     parties.decrypt(product));
      // The same value opened, where a slot has room.
      const std::size_t bits = budget.rescaled_mask_bits(budget.product_mask_bits(), factor,
                                                         addend ? addend->bits + budget.numbers().sigma : 0);
      if (bits + 6 > budget.slot_bits()) return;
      const OperationId second = parties.next_operation();
      Meter opens(parties);
      const EncryptedMatrix opened =
          set.matmul->multiply(parties.evaluator(), second, x, y, factor, c, Form::opened);
      opens.expect(descriptor, {.left = shape.left,
                                .right = shape.right,
                                .addend = addend.has_value(),
                                .result_bits = descriptor.fused ? bits : 0});
      if (!descriptor.fused)
        opens.expect(find_protocol(Family::truncation, names.truncation),
                     {.left = result, .addend = addend.has_value(), .result_bits = bits});
      opens.check();
      CHECK(!opened.has_ciphertexts());
      CHECK(opened.layout() == result);
      check_rescaled(parties, second, naive_product(a, b), budget.product_bits(), factor, addend,
                     parties.decrypt(opened));
    };
    for (const Shape& shape : shapes(budget.slots())) {
      const std::size_t m = shape.left.rows(), k = shape.left.cols(), n = shape.right.cols();
      CAPTURE(m);
      CAPTURE(k);
      CAPTURE(n);
      const Rescale factor = factors()[next_factor++ % factors().size()];
      run(shape, random_matrix(m, k, 20, random), random_matrix(k, n, 20, random), factor, std::nullopt);
      run(shape, random_matrix(m, k, 20, random), random_matrix(k, n, 20, random), {-37, 10},
          PlainAddend{random_matrix(m, n, 21, random), 20});
    }
    // Ends of the range under every multiplier; the widest addend that the budget admits.
    const Shape wide{balanced_layout(2, 8, budget.slots()), balanced_layout(8, 3, budget.slots())};
    const IntegerMatrix lowest = matrix_of(2, 8, {-(1L << 19)});
    const IntegerMatrix mixed = matrix_of(8, 3, extremes(20));
    IntegerMatrix addend(2, 3);
    for (std::size_t i = 0; i < addend.size(); ++i)
      addend.cells()[i] = i % 2 == 0 ? power_of_two(84) - 1 : Integer(1 - power_of_two(84));
    for (const Rescale& factor : factors()) {
      CAPTURE(factor.scale);
      CAPTURE(factor.shift);
      run(wide, lowest, matrix_of(8, 3, {-(1L << 19), (1L << 19) - 1}), factor, std::nullopt);
      run(wide, matrix_of(2, 8, extremes(20)), mixed, factor, PlainAddend{addend, 84});
    }
  });
}

TEST_CASE("conformance: truncations equal the formula in both packings") {
  for_each_protocol(
      Family::truncation, [](const Descriptor& descriptor, const ProtocolNames& names, std::size_t slots) {
        TwoParties parties({.slots = slots});
        const BitBudget& budget = parties.budget();
        const ProtocolSet set = make_protocols(names, budget);
        RandomStream random = RandomSource::from_seed(11).stream({});
        const auto run = [&](const Layout& layout, const IntegerMatrix& x, std::size_t bits,
                             const Rescale& factor, const std::optional<PlainAddend>& addend) {
          const EncryptedMatrix encrypted_x = parties.encrypt(x, layout);
          const auto c = encrypted(parties, addend, layout);
          const OperationId operation = parties.next_operation();
          Meter meter(parties);
          const EncryptedMatrix out =
              set.truncation->rescale(parties.evaluator(), operation, encrypted_x, bits, factor, c);
          meter.expect(descriptor, {.left = layout, .addend = addend.has_value()});
          meter.check();
          CHECK(out.layout() == layout);
          check_rescaled(parties, operation, x, bits, factor, addend, parties.decrypt(out));
          const std::size_t sigma = budget.numbers().sigma,
                            mask_bits = budget.rescaled_mask_bits(bits + sigma, factor,
                                                                  addend ? addend->bits + sigma : 0);
          const OperationId second = parties.next_operation();
          Meter opens(parties);
          const EncryptedMatrix opened = set.truncation->rescale(parties.evaluator(), second, encrypted_x,
                                                                 bits, factor, c, Form::opened);
          opens.expect(descriptor, {.left = layout, .addend = addend.has_value(), .result_bits = mask_bits});
          opens.check();
          check_rescaled(parties, second, x, bits, factor, addend, parties.decrypt(opened));
        };
        for (const auto& [rows, cols] : {std::array<std::size_t, 2>{1, 1}, {5, 7}, {9, 2}, {1, 6}})
          for (const std::size_t bits : {1U, 20U, 43U}) {
            const Layout layout = balanced_layout(rows, cols, budget.slots());
            for (const Rescale& factor : {Rescale{1, 10}, Rescale{-5, 3}}) {
              run(layout, random_matrix(rows, cols, bits, random), bits, factor, std::nullopt);
              run(layout, random_matrix(rows, cols, bits, random), bits, factor,
                  PlainAddend{random_matrix(rows, cols, 31, random), 30});
            }
          }
        const Layout layout = balanced_layout(2, 5, budget.slots());
        for (const Rescale& factor : factors())
          run(layout, matrix_of(2, 5, extremes(44)), 43, factor, PlainAddend{matrix_of(2, 5, {-1, 1, 0}), 1});
      });
}

TEST_CASE("conformance: comparisons and selections from end to end of the guarded range [parallel] [slow]") {
  const auto test = [](const Descriptor&, const ProtocolNames& names, std::size_t slots) {
    TwoParties parties({.slots = slots});
    const BitBudget& budget = parties.budget();
    const ProtocolSet set = make_protocols(names, budget);
    const Descriptor& comparison = find_protocol(Family::comparison, names.comparison);
    const Descriptor& selection = find_protocol(Family::selection, names.selection);
    if (names.needs_transfers()) parties.evaluator().transfers(parties.next_operation());
    RandomStream random = RandomSource::from_seed(12).stream({});
    // z and v as ciphertexts, or opened under masks of `wide` bits.
    const std::size_t wide = budget.product_mask_bits(), narrow = budget.guarded_mask_bits();
    const auto run_as = [&](const Layout& layout, const IntegerMatrix& z, const IntegerMatrix& v,
                            bool z_opened, bool v_opened) {
      const OperationId operation = parties.next_operation();
      OperationId backward = operation;
      backward.direction = Direction::activation_backward;
      const EncryptedMatrix encrypted_z =
          z_opened ? parties.open(z, operation, layout) : parties.encrypt(z, layout);
      const EncryptedMatrix encrypted_v =
          v_opened ? parties.open(v, backward, layout) : parties.encrypt(v, layout);
      Meter signs(parties);
      const SignShares bits = set.comparison->sign(parties.evaluator(), operation, encrypted_z);
      signs.expect(comparison, {.left = layout, .opened_bits = z_opened ? wide : 0});
      signs.check();
      const bool opened = comparison.on_opened;
      CHECK(opened == (bits.compared.rows() != 0));
      const std::size_t compared_bits = !opened ? 0 : z_opened ? wide : narrow;
      Meter selects(parties);
      const EncryptedMatrix chosen = set.selection->select(parties.evaluator(), backward, encrypted_v, bits);
      selects.expect(selection, {.left = layout, .opened_bits = v_opened ? wide : 0});
      selects.check();
      OperationId once_more = operation;
      once_more.direction = Direction::weight_check;
      Meter selects_column_packed(parties);
      const EncryptedMatrix column_packed = set.selection->select_compared(
          parties.evaluator(), once_more, encrypted_z, bits, Packings::column_packed);
      selects_column_packed.expect(
          selection, {.left = layout, .opened_bits = compared_bits, .packings = Packings::column_packed});
      selects_column_packed.check();
      CHECK(error_of([&] {
              set.selection->select_compared(parties.evaluator(), once_more, encrypted_z, bits,
                                             Packings::row_packed);
            }) == "a selection of what was compared was asked for `across` alone; ask for both packings");
      CHECK(column_packed.stored_row_packed().empty());
      CHECK(column_packed.layout() == layout);
      OperationId gradient = operation;
      gradient.direction = Direction::gradient;
      const EncryptedMatrix again_v = v_opened ? parties.open(v, gradient, layout) : encrypted_v;
      Meter selects_row_packed(parties);
      const EncryptedMatrix row_packed =
          set.selection->select(parties.evaluator(), gradient, again_v, bits, Packings::row_packed);
      selects_row_packed.expect(
          selection, {.left = layout, .opened_bits = v_opened ? wide : 0, .packings = Packings::row_packed});
      selects_row_packed.check();
      CHECK(row_packed.stored_column_packed().empty() == !layout.single());
      CHECK(row_packed.layout() == layout);
      for (const auto& [direction, packings] :
           {std::pair(Direction::clipping, Packings::none), {Direction::lookahead, Packings::operand}}) {
        if (!selection.on_opened) break;
        OperationId again = operation;
        again.direction = direction;
        const EncryptedMatrix once_opened = v_opened ? parties.open(v, again, layout) : encrypted_v;
        Meter stays(parties);
        const EncryptedMatrix opened_v =
            set.selection->select(parties.evaluator(), again, once_opened, bits, packings);
        stays.expect(selection, {.left = layout, .opened_bits = v_opened ? wide : 0, .packings = packings});
        stays.check();
        CHECK(!opened_v.has_ciphertexts());
        CHECK(parties.decrypt(opened_v) == parties.decrypt(chosen));
      }
      Meter selects_compared(parties);
      const EncryptedMatrix positive =
          set.selection->select_compared(parties.evaluator(), operation, encrypted_z, bits);
      selects_compared.expect(selection, {.left = layout, .opened_bits = compared_bits});
      selects_compared.check();
      IntegerMatrix want_chosen = v, want_positive = z;
      for (std::size_t i = 0; i < z.size(); ++i)
        if (z.cells()[i] < 0) want_chosen.cells()[i] = want_positive.cells()[i] = 0;
      // Again with evidence of ranges, which changes no result.
      const Evaluator gathering = gathering_evidence(parties.evaluator());
      Meter selects_checked(parties);
      OperationId again = operation;
      again.direction = Direction::backward;
      const EncryptedMatrix checked = set.selection->select_compared(gathering, again, encrypted_z, bits);
      selects_checked.expect(selection, {.left = layout, .checked = opened, .opened_bits = compared_bits});
      selects_checked.check();
      CHECK(gathering.evidence->sums.size() == (opened && selection.brings_evidence ? 1 : 0));
      CHECK(parties.decrypt(checked) == want_positive);
      CHECK(chosen.layout() == layout);
      CHECK(positive.layout() == layout);
      CHECK(parties.decrypt(chosen) == want_chosen);
      CHECK(parties.decrypt(row_packed) == want_chosen);
      CHECK(parties.decrypt(column_packed) == want_positive);
      CHECK(parties.decrypt(positive) == want_positive);
    };
    const auto run = [&](const Layout& layout, const IntegerMatrix& z, const IntegerMatrix& v) {
      run_as(layout, z, v, false, false);
      run_as(layout, z, v, comparison.on_opened, true);
    };
    for (const auto& [rows, cols] : {std::array<std::size_t, 2>{1, 1}, {3, 5}, {5, 2}, {1, 6}})
      run(balanced_layout(rows, cols, budget.slots()), random_matrix(rows, cols, 20, random),
          random_matrix(rows, cols, 24, random));
    for (int repeat = 0; repeat < 4; ++repeat)  // other coins and masks each time
      run(balanced_layout(3, 3, budget.slots()), matrix_of(3, 3, extremes(24)),
          matrix_of(3, 3, extremes(24)));
    run(balanced_layout(1, 1, budget.slots()), matrix_of(1, 1, {0}), matrix_of(1, 1, {-1}));
    if (budget.slots() > 1)
      run({{1, 3, 2}, {3, 1}}, random_matrix(6, 4, 24, random), random_matrix(6, 4, 24, random));
  };
  for_each_protocol(Family::comparison, test);
  for_each_protocol(Family::selection, test);
}

TEST_CASE("conformance: activations are ReLU and its derivative, over every comparison and selection") {
  for_each_protocol(
      Family::activation, [](const Descriptor& descriptor, const ProtocolNames& names, std::size_t slots) {
        TwoParties parties({.slots = slots});
        const BitBudget& budget = parties.budget();
        const ProtocolSet set = make_protocols(names, budget);
        if (names.needs_transfers()) parties.evaluator().transfers(parties.next_operation());
        RandomStream random = RandomSource::from_seed(13).stream({});
        const auto declare = [&](Meter& meter, const Layout& layout, bool backward) {
          if (descriptor.fused) return meter.expect(descriptor, {.left = layout, .backward = backward});
          const Descriptor& comparison = find_protocol(Family::comparison, names.comparison);
          const Descriptor& selection = find_protocol(Family::selection, names.selection);
          if (!backward) meter.expect(comparison, {.left = layout});
          const bool opened = comparison.on_opened && !backward;
          meter.expect(selection, {.left = layout, .opened_bits = opened ? budget.guarded_mask_bits() : 0});
        };
        const auto run = [&](const IntegerMatrix& z, const IntegerMatrix& delta) {
          const Layout layout = balanced_layout(z.rows(), z.cols(), budget.slots());
          const EncryptedMatrix encrypted_z = parties.encrypt(z, layout);
          const EncryptedMatrix encrypted_delta = parties.encrypt(delta, layout);
          OperationId operation = parties.next_operation();
          operation.direction = Direction::activation;
          Meter forward(parties);
          const Activated out = set.activation->forward(parties.evaluator(), operation, encrypted_z);
          declare(forward, layout, false);
          forward.check();
          operation.direction = Direction::activation_backward;
          Meter backward(parties);
          const EncryptedMatrix derived =
              set.activation->backward(parties.evaluator(), operation, encrypted_delta, *out.state);
          declare(backward, layout, true);
          backward.check();
          IntegerMatrix want_values = z, want_derived = delta;
          for (std::size_t i = 0; i < z.size(); ++i)
            if (z.cells()[i] < 0) want_values.cells()[i] = want_derived.cells()[i] = 0;
          CHECK(out.values.layout() == layout);
          CHECK(derived.layout() == layout);
          CHECK(parties.decrypt(out.values) == want_values);
          CHECK(parties.decrypt(derived) == want_derived);
        };
        for (const auto& [rows, cols] : {std::array<std::size_t, 2>{1, 1}, {3, 5}, {6, 2}})
          run(random_matrix(rows, cols, 20, random), random_matrix(rows, cols, 20, random));
        run(matrix_of(3, 3, extremes(24)), matrix_of(3, 3, {5, -6, 7, -8}));
      });
}

TEST_CASE("conformance: conversions keep every value") {
  for_each_protocol(Family::conversion, [](const Descriptor& descriptor, const ProtocolNames&,
                                           std::size_t slots) {
    TwoParties parties({.slots = slots});
    const BitBudget& budget = parties.budget();
    for (const auto& [rows, cols] : {std::array<std::size_t, 2>{1, 1}, {3, 5}, {9, 2}}) {
      const IntegerMatrix x = matrix_of(rows, cols, extremes(24));
      const Layout layout = balanced_layout(rows, cols, budget.slots());
      const EncryptedMatrix encrypted_x = parties.encrypt(x, layout);
      const OperationId operation = parties.next_operation();
      Meter meter(parties);
      if (descriptor.name == "unpack") {
        const EncryptedMatrix out = unpack_matrix(parties.evaluator(), operation, encrypted_x);
        if (!layout.single()) meter.expect(descriptor, {.left = layout});  // else there is nothing to do
        meter.check();
        CHECK(out.layout().single());
        CHECK(parties.decrypt(out) == x);
      } else if (descriptor.name == "switch-key") {
        const auto out = switch_key(parties.evaluator(), operation, toy_user_key(), Purpose::answers,
                                    encrypted_x.column_packed());
        meter.expect(descriptor, {.left = layout, .user_bits = toy_user_key().bits()});
        meter.check();
        CHECK(unpack_columns(toy_user_secret_key().decrypt(local(out)), layout, budget.slot_bits()) == x);
      } else if (descriptor.name == "range-check") {
        const Evaluator gathering = gathering_evidence(parties.evaluator());
        make_protocols(preset("homomorphic"), budget).activation->forward(gathering, operation, encrypted_x);
        Meter check(parties);
        check_ranges(gathering, operation);
        check.expect(descriptor, {.left = layout});
        check.check();
      } else if (descriptor.name == "change-form") {
        const std::size_t bits = budget.guarded_mask_bits();
        const auto at = [&](Direction direction) {
          OperationId other = operation;
          other.direction = direction;
          return other;
        };
        const EncryptedMatrix opened = open_matrix(parties.evaluator(), operation, encrypted_x);
        meter.expect(descriptor, {.left = layout, .result_bits = bits});
        meter.check();
        CHECK(!opened.has_ciphertexts());
        CHECK(open_matrix(parties.evaluator(), operation, opened) == opened);
        CHECK(parties.decrypt(opened) == x);
        Meter closes(parties);
        const EncryptedMatrix closed = close_matrix(parties.evaluator(), at(Direction::stored), opened);
        closes.expect(descriptor, {.left = layout, .opened_bits = bits});
        closes.check();
        CHECK(closed.layout() == layout);
        CHECK(parties.decrypt(closed) == x);
        // A sum of two, under a mask of its own.
        const PaillierPublicKey& key = parties.evaluator().paillier();
        const EncryptedMatrix ones = parties.encrypt(IntegerMatrix(rows, cols, 1), layout),
                              sum = subtract(key, opened,
                                             open_matrix(parties.evaluator(), at(Direction::input), ones));
        IntegerMatrix less = x;
        for (Integer& cell : less.cells()) cell -= 1;
        Work work{.left = layout};
        work.sum_bytes = 2 * opened_bytes(layout, bits);
        for (const Form form : {Form::opened, Form::ciphertexts}) {
          Meter changes(parties);
          const OperationId place = at(form == Form::opened ? Direction::gradient : Direction::backward);
          const EncryptedMatrix out = form == Form::opened ? open_matrix(parties.evaluator(), place, sum)
                                                           : close_matrix(parties.evaluator(), place, sum);
          work.result_bits = form == Form::opened ? bits : 0;
          changes.expect(descriptor, work);
          changes.check();
          CHECK(parties.decrypt(out) == less);
        }
      } else if (descriptor.name == "base-transfers") {
        parties.evaluator().transfers(operation);
        if (rows * cols == 1) meter.expect(descriptor, {});  // once
        parties.evaluator().transfers(parties.next_operation());
        meter.check();
      } else {
        FAIL("there is no driver for the conversion ", descriptor.name);
      }
    }
  });
}

TEST_CASE("conformance: one seed gives one result whatever the matrix product and the truncation") {
  const IntegerMatrix a = matrix_of(4, 3, {700, -3, 250, -1});
  const IntegerMatrix b = matrix_of(3, 2, {-9, 800, 77});
  std::vector<IntegerMatrix> results;
  for (const Descriptor& descriptor : registry()) {
    if (descriptor.family != Family::matmul) continue;
    for (const ProtocolNames& names : compositions(descriptor)) {
      TwoParties parties({.slots = one_slot});
      const EncryptedMatrix x = parties.encrypt(a);
      const EncryptedMatrix y = parties.encrypt(b);
      const Addend c{parties.encrypt(matrix_of(4, 2, {5, -5})), 4};
      results.push_back(parties.decrypt(
          make_protocols(names, parties.budget())
              .matmul->multiply(parties.evaluator(), parties.next_operation(), x, y, {5, 6}, c)));
    }
  }
  REQUIRE(results.size() >= 2);
  for (const IntegerMatrix& result : results) CHECK(result == results.front());
}
