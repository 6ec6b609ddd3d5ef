// Operands that the key holder opens once: the same products, fewer ciphertexts, states bound to their place.
#include "protocols/matmul/operand.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

/// The products of a layer: X W, X^T D and D W^T, with the views that the key holder names.
struct Layer {
  std::vector<std::string> views;
  TwoParties parties{{.observer = [this](const Header&, std::string_view what, const FixedIntegers&) {
    views.emplace_back(what);
  }}};
  ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  RandomStream random = RandomSource::from_seed(50).stream({});
  IntegerMatrix x = random_matrix(5, 8, 20, random), w = random_matrix(8, 3, 20, random),
                d = random_matrix(5, 3, 20, random);
  OperationId operation = parties.next_operation();

  /// Exact products of `scale` 1 and shift 0.
  IntegerMatrix product(Direction direction, const EncryptedMatrix& a, const EncryptedMatrix& b) {
    operation.direction = direction;
    return parties.decrypt(set.matmul->multiply(parties.evaluator(), operation, a, b, {1, 0}, std::nullopt));
  }
  std::size_t opened(const std::string& what) const {
    return static_cast<std::size_t>(std::count(views.begin(), views.end(), what));
  }
  Traffic declared(const EncryptedMatrix& a, const EncryptedMatrix& b, const OperandStates& left,
                   const OperandStates& right) const {
    Work work{a.layout(), b.layout()};
    work.left_states = left;
    work.right_states = right;
    return find_protocol("matmul/packed").traffic(work, parties.sizes());
  }
};

constexpr OperandStates masked{}, kept{OperandUse::kept}, reused{OperandUse::reused};

}  // namespace

TEST_CASE("operands: three products of a step open each matrix once, and send what they declare") {
  Layer layer;
  const EncryptedMatrix x = layer.parties.encrypt(layer.x).opened_once(),
                        w = layer.parties.encrypt(layer.w).opened_once(),
                        d = layer.parties.encrypt(layer.d).opened_once();
  auto sent = [&, before = Traffic{}]() mutable {
    const Traffic now = layer.parties.channel().traffic();
    const Traffic difference{now.to_key_holder - before.to_key_holder, now.to_evaluator - before.to_evaluator,
                             now.rounds - before.rounds};
    before = now;
    return difference;
  };
  CHECK(layer.product(Direction::forward, x, w) == naive_product(layer.x, layer.w));
  CHECK(sent() == layer.declared(x, w, kept, kept));
  CHECK(layer.product(Direction::gradient, x.transposed(), d) ==
        naive_product(layer.x.transposed(), layer.d));
  CHECK(sent() == layer.declared(x.transposed(), d, reused, kept));
  CHECK(layer.product(Direction::backward, d, w.transposed()) ==
        naive_product(layer.d, layer.w.transposed()));
  CHECK(sent() == layer.declared(d, w.transposed(), reused, reused));
  CHECK(layer.opened("A + R_A") == 1);
  CHECK(layer.opened("B + R_B") == 2);
  CHECK(layer.opened("A B + rho") == 3);
}

TEST_CASE("operands: a bias row is left out of a state") {
  Layer layer;
  const BitBudget& budget = layer.parties.budget();
  const Layout with_bias{{3, 3, 1, 1}, {3}};
  REQUIRE(budget.slots() >= 3);
  const EncryptedMatrix w = layer.parties.encrypt(layer.w, with_bias).opened_once(),
                        x = layer.parties.encrypt(layer.x), d = layer.parties.encrypt(layer.d);
  layer.product(Direction::forward, x, w);
  IntegerMatrix without_bias(7, 3);
  std::copy_n(layer.w.cells().begin(), without_bias.size(), without_bias.cells().begin());
  const Traffic before = layer.parties.channel().traffic();
  const EncryptedMatrix transposed = drop_last_row(w).transposed();
  CHECK(layer.product(Direction::backward, d, transposed) ==
        naive_product(layer.d, without_bias.transposed()));
  OperandStates states = reused;
  states.unused_cells = 3;
  CHECK(layer.parties.channel().traffic() == before + layer.declared(d, transposed, masked, states));
  CHECK(layer.opened("B + R_B") == 1);
}

TEST_CASE("operands: a left operand held in one packing gets the other from its first product") {
  Layer layer;
  const Layout layout{{3, 2}, {3, 2, 2, 1}};
  REQUIRE(layout.col_groups == groups_with_bias(8, layer.parties.budget().slots()));
  const EncryptedMatrix both = layer.parties.encrypt(layer.x, layout),
                        x = EncryptedMatrix::partial(layout, both.column_packed(), {}).opened_once(),
                        w = layer.parties.encrypt(layer.w, {layout.col_groups, {3}}),
                        d = layer.parties.encrypt(layer.d, {layout.row_groups, {3}});
  CHECK(error_of([&] { layer.product(Direction::gradient, x.transposed(), d); }) ==
        "a matrix of 8 x 5 cells has no ciphertexts down; ask the selection that made it for both packings");
  OperandStates closing = kept;
  closing.closes = true;
  CHECK(layer.product(Direction::forward, x, w) == naive_product(layer.x, layer.w));
  CHECK(layer.parties.channel().traffic() == layer.declared(x, w, closing, masked));
  const Traffic before = layer.parties.channel().traffic();
  const EncryptedMatrix transposed = x.transposed();
  CHECK(!transposed.stored_column_packed().empty());
  CHECK(layer.parties.decrypt(transposed) == layer.x.transposed());
  CHECK(layer.product(Direction::gradient, transposed, d) == naive_product(layer.x.transposed(), layer.d));
  CHECK(layer.parties.channel().traffic() == before + layer.declared(transposed, d, reused, masked));
  CHECK(layer.opened("A + R_A") == 1);

  const Request request = decode_request(layer.parties.channel().requests().front());
  const auto answer_to = [&](auto&& change) {
    Request changed = request;
    change(changed.header.parameters);
    return refusal_of(layer.parties.key_holder(), encode_request(changed.header, changed.body));
  };
  using Parameters = std::vector<std::int64_t>;
  CHECK(answer_to([](Parameters&) {}).empty());
  // inner, scale, shift, addend; form 1 + 16 + 32, dropped, pieces, rows, step; the right operand
  CHECK(request.header.parameters == Parameters{8, 1, 0, 0, 49, 0, 1, 5, 0, 0, 0, 0, 0});
  const std::string misfit = "the key holder refused: the form of an operand does not fit its matrix";
  for (const std::int64_t form : {16, 18, 33, 48, 50, 64})
    CHECK(answer_to([&](Parameters& p) { p[4] = form; }) == misfit);
  CHECK(answer_to([](Parameters& p) { p[9] = 16; }) == misfit);
  CHECK(answer_to([](Parameters& p) { p = {8, 1, 0, 0, 49, 0, 2, 3, 0, 2, 0, 0, 0, 0, 0}; }) == misfit);
  // With one value a ciphertext there is one packing.
  TwoParties single({.slots = 1});
  const EncryptedMatrix cells = single.encrypt(layer.x).opened_once();
  make_protocols(preset("homomorphic"), single.budget())
      .matmul->multiply(single.evaluator(), single.next_operation(), cells, single.encrypt(layer.w), {1, 0},
                        std::nullopt);
  Request one = decode_request(single.channel().requests().front());
  CHECK(refusal_of(single.key_holder(), encode_request(one.header, one.body)).empty());
  REQUIRE(one.header.parameters[4] == 1);
  for (const std::int64_t form : {17, 49}) {
    one.header.parameters[4] = form;
    CHECK(refusal_of(single.key_holder(), encode_request(one.header, one.body)) == misfit);
  }

  // Other groups of columns are refused before anything is drawn or sent.
  const Layout uneven{{3, 2}, {2, 3, 3}};
  const std::size_t sent = layer.parties.channel().requests().size();
  const EncryptedMatrix other =
      EncryptedMatrix::partial(uneven, layer.parties.encrypt(layer.x, uneven).column_packed(), {})
          .opened_once();
  layer.operation = layer.parties.next_operation();
  CHECK(error_of([&] { layer.product(Direction::forward, other, w); }) ==
        "an operand of 8 columns is held in one packing; the key holder makes the other for balanced groups, "
        "with a constant column or without, alone");
  CHECK(layer.parties.channel().requests().size() == sent);
}

TEST_CASE("operands: a left operand held in one packing is a right one in the next product") {
  Layer layer;
  const Layout layout{{3, 2}, {3}};
  const EncryptedMatrix d = EncryptedMatrix::partial(
                                layout, layer.parties.encrypt(layer.d, layout).column_packed(), {})
                                .opened_once(),
                        x = layer.parties.encrypt(layer.x, {layout.row_groups, {3, 3, 2}}),
                        transposed = layer.parties.encrypt(layer.w).transposed();
  OperandStates closing = kept;
  closing.closes = true;
  CHECK(layer.product(Direction::backward, d, transposed) == naive_product(layer.d, layer.w.transposed()));
  CHECK(layer.parties.channel().traffic() == layer.declared(d, transposed, closing, masked));
  const Traffic before = layer.parties.channel().traffic();
  CHECK(layer.parties.decrypt(d.transposed()) == layer.d.transposed());
  CHECK(layer.product(Direction::gradient, x.transposed(), d) ==
        naive_product(layer.x.transposed(), layer.d));
  CHECK(layer.parties.channel().traffic() == before + layer.declared(x.transposed(), d, masked, reused));
  CHECK(layer.opened("B + R_B") == 1);
}

TEST_CASE("operands: groups of a table stay opened in later steps, in any order") {
  Layer layer;
  // Seven columns, so that a pair of ciphertexts lies across two groups.
  const Layout group{{2}, balanced_layout(2, 7, layer.parties.budget().slots()).col_groups};
  std::vector<IntegerMatrix> plain;
  std::vector<EncryptedMatrix> groups;
  for (std::uint32_t g = 0; g < 3; ++g) {
    plain.push_back(random_matrix(2, 7, 20, layer.random));
    const auto rows = std::make_shared<OpenedRows>(2, OperationId{g, 0, Direction::lasting});
    groups.push_back(layer.parties.encrypt(plain.back(), group).opened_once(rows));
  }
  const IntegerMatrix plain_w = random_matrix(7, 3, 20, layer.random);
  const EncryptedMatrix w = layer.parties.encrypt(plain_w);
  for (const std::vector<std::size_t>& order : {std::vector<std::size_t>{0, 1, 2}, {2, 0}, {1, 2, 0}}) {
    std::vector<EncryptedMatrix> parts;
    IntegerMatrix expected(2 * order.size(), 7);
    for (std::size_t i = 0; i < order.size(); ++i) {
      parts.push_back(groups[order[i]]);
      std::copy(plain[order[i]].cells().begin(), plain[order[i]].cells().end(),
                expected.cells().begin() + static_cast<std::ptrdiff_t>(14 * i));
    }
    layer.operation = layer.parties.next_operation();
    CHECK(layer.product(Direction::forward, stack_rows(parts), w) == naive_product(expected, plain_w));
  }
  CHECK(layer.opened("A + R_A") == 1);
}

TEST_CASE("operands: two ciphertexts go out as one, at the price of a power") {
  Layer layer;
  Work work{balanced_layout(5, 8, layer.parties.budget().slots()),
            balanced_layout(8, 3, layer.parties.budget().slots())};
  const Descriptor& protocol = find_protocol("matmul/packed");
  work.left_states = work.right_states = reused;
  const Operations without = protocol.operations(work, layer.parties.sizes());
  work.left_states = masked;  // two groups of rows, eight columns
  const Operations with = protocol.operations(work, layer.parties.sizes());
  CHECK(with.rerandomisations - without.rerandomisations == 8);
  CHECK(with.decryptions - without.decryptions == 8);
  CHECK(with.products - without.products == 8 * 65);
}

TEST_CASE("operands: pairs at an inner dimension of 1") {
  TwoParties parties({.max_inner = 1});
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  const IntegerMatrix a = matrix_of(3, 1, {524287, -524288, 5}), b = matrix_of(1, 2, {-524288, 3});
  const EncryptedMatrix x = parties.encrypt(a), y = parties.encrypt(b);
  const EncryptedMatrix product =
      set.matmul->multiply(parties.evaluator(), parties.next_operation(), x, y, {1, 0}, std::nullopt);
  CHECK(parties.decrypt(product) == naive_product(a, b));
  CHECK(parties.channel().traffic() ==
        find_protocol("matmul/packed").traffic({x.layout(), y.layout()}, parties.sizes()));
}

TEST_CASE("operands: a cell beyond its range ends the session, in either half of a pair") {
  for (const std::size_t column : {0u, 1u})
    for (const std::size_t bits : {62u, 63u, 65u}) {
      TwoParties parties;
      const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
      IntegerMatrix a = matrix_of(1, 2, {5, 7});
      a.cells()[column] = power_of_two(bits);
      const EncryptedMatrix x = parties.encrypt(a), y = parties.encrypt(matrix_of(2, 1, {3, -4}));
      CHECK(error_of([&] {
              set.matmul->multiply(parties.evaluator(), parties.next_operation(), x, y, {1, 0}, std::nullopt);
            }) == "the key holder refused: a masked value is out of range; the session ends");
    }
}

TEST_CASE("operands: without an opened form, in a new step, or half opened, they are masked anew") {
  Layer layer;
  const EncryptedMatrix x = layer.parties.encrypt(layer.x), w = layer.parties.encrypt(layer.w);
  layer.product(Direction::forward, x, w);
  layer.product(Direction::backward, x, w);
  CHECK(layer.opened("A + R_A") == 2);
  const EncryptedMatrix kept_x = x.opened_once();
  layer.product(Direction::gradient, kept_x, w);
  layer.operation = layer.parties.next_operation();
  layer.product(Direction::gradient, kept_x, w);
  CHECK(layer.opened("A + R_A") == 4);
  const auto lasting = [&](std::uint32_t g) {
    return x.opened_once(std::make_shared<OpenedRows>(5, OperationId{g, 0, Direction::lasting}));
  };
  const EncryptedMatrix first = lasting(1), second = lasting(2);
  layer.operation = layer.parties.next_operation();
  layer.product(Direction::forward, stack_rows({first}), w);
  layer.product(Direction::gradient, stack_rows({first, second}), w);
  CHECK(layer.opened("A + R_A") == 6);
}

TEST_CASE("operands: a state serves no other step, session, shape or kind") {
  Layer layer;
  const EncryptedMatrix x = layer.parties.encrypt(layer.x).opened_once(), w = layer.parties.encrypt(layer.w);
  layer.product(Direction::forward, x, w);
  layer.product(Direction::backward, x, w);
  const Request request = decode_request(layer.parties.channel().requests().back());
  const auto answer_to = [&](auto&& change) {
    Request changed = request;
    change(changed.header);
    return refusal_of(layer.parties.key_holder(), encode_request(changed.header, changed.body));
  };
  const std::string foreign = "the key holder refused: a sealed state does not belong to this request";
  CHECK(answer_to([](Header&) {}).empty());
  CHECK(answer_to([](Header& h) { h.operation.direction = Direction::gradient; }).empty());
  CHECK(answer_to([](Header& h) { ++h.operation.step; }) == foreign);
  CHECK(answer_to([](Header& h) { ++h.operation.layer; }) == foreign);
  CHECK(answer_to([](Header& h) { h.session[0] ^= 1; }) == foreign);
  CHECK(answer_to([](Header& h) { ++h.numbers.sigma; }) != "");
  REQUIRE(request.header.parameters.size() == 4 + 5 + 3 + 1);
  const std::int64_t sealed = request.header.parameters[4];
  CHECK(sealed == 2);
  // 5 x 8 values as 8 x 5, as values that last, or without a row that is there.
  CHECK(answer_to([&](Header& h) { h.parameters[4] = sealed + 8; }) != "");
  CHECK(answer_to([&](Header& h) { h.parameters[4] = sealed + 4; }) == foreign);
  const std::string misfit = "the key holder refused: the form of an operand does not fit its matrix";
  CHECK(answer_to([](Header& h) { h.parameters[4] = -1; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[4] = 16; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[4] = 3; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[4] = 0; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[5] = 1; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[5] = -1; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[6] = 0; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[6] = -1; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[6] = std::int64_t{1} << 62; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[7] = 0; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[7] = 6; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[7] = std::int64_t{1} << 62; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[8] = -1; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters[8] = std::int64_t{1} << 32; }) == misfit);
  CHECK(answer_to([](Header& h) { h.parameters.resize(7); }) != "");
  CHECK(answer_to([](Header& h) { h.max_inner = 1 << 24, h.parameters[0] = 1 << 24; }) != "");
}

TEST_CASE("operands: what lasts belongs to one matrix, and its state to its group") {
  Layer layer;
  const auto rows = std::make_shared<OpenedRows>(5, OperationId{3, 0, Direction::lasting});
  const EncryptedMatrix x = layer.parties.encrypt(layer.x), w = layer.parties.encrypt(layer.w);
  layer.operation.layer = 0;
  layer.product(Direction::forward, x.opened_once(rows), w);
  CHECK_THROWS_WITH_AS(layer.parties.encrypt(layer.x).opened_once(rows),
                       "rows of one matrix that the key holder has opened were given to another",
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(w.opened_once(rows), "a matrix of 8 rows cannot be opened into 5", std::runtime_error);
  // Nor to one that has nothing to tell it by.
  const Layout layout = x.layout();
  CHECK_THROWS_AS(EncryptedMatrix::partial(layout, {}, x.row_packed()).opened_once(rows), Error);
  layer.product(Direction::gradient, x.opened_once(rows), w);
  Request request = decode_request(layer.parties.channel().requests().back());
  CHECK(refusal_of(layer.parties.key_holder(), encode_request(request.header, request.body)).empty());
  CHECK(request.header.parameters[8] == 3);
  ++request.header.parameters[8];
  CHECK(refusal_of(layer.parties.key_holder(), encode_request(request.header, request.body)) ==
        "the key holder refused: a sealed state does not belong to this request");
}

TEST_CASE("operands: a state that lasts is no state of a step") {
  Layer layer;
  const auto rows = std::make_shared<OpenedRows>(5, OperationId{0, 0, Direction::lasting});
  const EncryptedMatrix x = layer.parties.encrypt(layer.x).opened_once(rows),
                        w = layer.parties.encrypt(layer.w);
  layer.operation = {0, 0, Direction::forward};
  layer.product(Direction::forward, x, w);
  layer.product(Direction::gradient, x, w);
  Request request = decode_request(layer.parties.channel().requests().back());
  request.header.parameters[4] -= 4;
  CHECK(refusal_of(layer.parties.key_holder(), encode_request(request.header, request.body)) ==
        "the key holder refused: a sealed state does not belong to this request");
}
