// Sums of opened values: the integers that they stand for, brought under a new mask to whatever reads them,
// and states bound to where they come from.
#include "protocols/opened_sums.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "protocols/conversion/change_form.h"
#include "protocols/masked_values.h"
#include "protocols/opened_arithmetic.h"
#include "protocols/opened_values.h"
#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/replicas.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

ProtocolNames opened_throughout() {
  ProtocolNames names = preset("hybrid");
  names.matmul = "oblivious-transfer";
  return names;
}

/// Two opened matrices of 5 x 3 cells and what the key holder sees.
struct Opened {
  std::vector<std::string> views;
  TwoParties parties{{.observer = [this](const Header&, std::string_view what, const FixedIntegers&) {
    views.emplace_back(what);
  }}};
  ProtocolSet set = make_protocols(opened_throughout(), parties.budget());
  const PaillierPublicKey& key = parties.evaluator().paillier();
  RandomStream random = RandomSource::from_seed(95).stream({});
  OperationId operation = parties.next_operation();
  IntegerMatrix a = random_matrix(5, 3, 18, random), b = random_matrix(5, 3, 18, random);
  EncryptedMatrix x = open(a, Direction::input), y = open(b, Direction::output);

  OperationId at(Direction direction) {
    operation.direction = direction;
    return operation;
  }
  EncryptedMatrix open(const IntegerMatrix& m, Direction direction) {
    return open_matrix(parties.evaluator(), at(direction), parties.encrypt(m));
  }
  std::size_t seen(const std::string& what) const {
    return static_cast<std::size_t>(std::count(views.begin(), views.end(), what));
  }
};

using Change = std::function<void(Request&)>;
/// What a key holder that ended no session says of the request with that change.
std::string refusal_of_changed(Request request, const Change& change) {
  change(request);
  const KeyHolder key_holder(toy_keys(), permissive_policy(), AnswerRandomness::from_system());
  return refusal_of(key_holder, encode_request(request.header, request.body));
}

IntegerMatrix combined(const IntegerMatrix& a, long p, const IntegerMatrix& b, long q) {
  IntegerMatrix out = a;
  for (std::size_t i = 0; i < out.size(); ++i) out.cells()[i] = p * a.cells()[i] + q * b.cells()[i];
  return out;
}

}  // namespace

TEST_CASE("opened sums: sums, multiples, constants, parts and stacks are those of the integers") {
  Opened o;
  const std::size_t requests = o.parties.channel().requests().size();
  const EncryptedMatrix sum = add(o.key, scale(o.key, o.x, 3), scale(o.key, o.y, -2));
  CHECK(o.parties.decrypt(sum) == combined(o.a, 3, o.b, -2));
  CHECK(o.parties.decrypt(subtract(o.key, o.x, o.y)) == combined(o.a, 1, o.b, -1));
  CHECK(sum.value().terms.size() == 2);
  // The same records once, and none of the factor 0.
  const EncryptedMatrix again = add(o.key, sum, scale(o.key, o.y, 2));
  CHECK(again.value().terms.size() == 1);
  CHECK(o.parties.decrypt(again) == combined(o.a, 3, o.b, 0));
  const std::size_t slot_bits = o.parties.budget().slot_bits();
  CHECK(o.parties.decrypt(subtract_plain(o.key, sum, o.a, slot_bits)) == combined(o.a, 2, o.b, -2));
  const EncryptedMatrix wide = append_constant_column(o.key, sum, 7, slot_bits);
  CHECK(wide.cols() == 4);
  CHECK(o.parties.decrypt(wide)(4, 3) == 7);
  CHECK(o.parties.decrypt(wide)(4, 2) == o.parties.decrypt(sum)(4, 2));
  const EncryptedMatrix top = row_groups(sum, 0, 1), rest = row_groups(sum, 1, 1);
  CHECK(stack_rows({top, rest}) == sum);
  CHECK(o.parties.decrypt(stack_rows({sum, sum})) ==
        stacked(std::vector{o.parties.decrypt(sum), o.parties.decrypt(sum)}));
  CHECK(o.parties.channel().requests().size() == requests);  // all of it without the key holder

  CHECK(error_of([&] {
          stack_rows({sum, o.x});
        }) == "opened matrices that are sums with other factors cannot be stacked");
  CHECK(error_of([&] { add(o.key, o.x, o.parties.encrypt(o.a)); }) ==
        "a matrix of 5 x 3 cells is held as ciphertexts and was not opened; open it first");
  CHECK(error_of([&] { scale(o.key, o.x, power_of_two(62)); }).find("allowed are numbers below 2^62") !=
        std::string::npos);
  CHECK(error_of([&] { part(o.x.value(), 1, 2); }) == "rows 1 to 3 of an opened matrix are no whole records");
  CHECK(error_of([&] { sum.transposed().value(); }) ==
        "an opened matrix of 3 x 5 cells cannot be brought transposed");
}

TEST_CASE("opened sums: products read them without a ciphertext, and seal what they open of them") {
  Opened o;
  const EncryptedMatrix sum =
      append_constant_column(o.key, add(o.key, o.x, o.y), 9, o.parties.budget().slot_bits());
  const IntegerMatrix plain = o.parties.decrypt(sum);
  const IntegerMatrix w = random_matrix(4, 2, 18, o.random), d = random_matrix(5, 2, 18, o.random);
  const EncryptedMatrix weights = o.open(w, Direction::clipping), delta = o.open(d, Direction::stored);
  const EncryptedMatrix kept = sum.opened_once(), kept_w = scale(o.key, weights, 2).opened_once();
  o.parties.evaluator().transfers(o.operation);
  const Traffic before = o.parties.channel().traffic();
  const Traffic& after = o.parties.channel().traffic();
  const auto product = [&](Direction direction, const EncryptedMatrix& left, const EncryptedMatrix& right) {
    return o.parties.decrypt(o.set.matmul->multiply(o.parties.evaluator(), o.at(direction), left, right,
                                                    {1, 0}, std::nullopt, Form::opened));
  };
  CHECK(product(Direction::forward, kept, kept_w) == naive_product(plain, combined(w, 2, w, 0)));
  CHECK(o.seen("A + R_A") == 1);
  CHECK(o.seen("B + R_B") == 1);
  // Declared bytes are those that were sent.
  const BitBudget& budget = o.parties.budget();
  const std::size_t bits = budget.guarded_mask_bits();
  Work work{.left = sum.layout(), .right = weights.layout()};
  work.result_bits = budget.product_mask_bits();
  work.left_states.use = work.right_states.use = OperandUse::kept;
  work.left_states.term_bytes = 2 * opened_bytes(o.x.layout(), bits);
  work.right_states.term_bytes = opened_bytes(weights.layout(), bits);
  CHECK(after == before + find_protocol("matmul/oblivious-transfer").traffic(work, o.parties.sizes()));
  // Transposed, and without the last row, as they were opened.
  CHECK(product(Direction::gradient, kept.transposed(), delta) == naive_product(plain.transposed(), d));
  CHECK(o.seen("A + R_A") == 1);
  CHECK(o.seen("B + R_B") == 2);
  // What was opened as an operand is a term of what follows.
  const EncryptedMatrix next = add(o.key, kept_w, weights);
  CHECK(next.value().terms.size() == 2);
  CHECK(o.parties.decrypt(next) == combined(w, 3, w, 0));
  OperationId later = o.parties.next_operation();
  CHECK(o.parties.decrypt(open_matrix(o.parties.evaluator(), later, next)) == combined(w, 3, w, 0));
  CHECK(o.parties.decrypt(close_matrix(o.parties.evaluator(), o.parties.next_operation(), next)) ==
        combined(w, 3, w, 0));
}

TEST_CASE("opened sums: what a selection gave is an operand as it is, with its column of constants") {
  Opened o;
  const BitBudget& budget = o.parties.budget();
  const EncryptedMatrix relu =
      o.set.activation->forward(o.parties.evaluator(), o.at(Direction::activation), o.x, Packings::operand)
          .values;
  const EncryptedMatrix with_bias = append_constant_column(o.key, relu, 9, budget.slot_bits());
  const IntegerMatrix plain = o.parties.decrypt(with_bias);
  const IntegerMatrix w = random_matrix(4, 2, 18, o.random), d = random_matrix(5, 2, 18, o.random);
  const EncryptedMatrix weights = o.open(w, Direction::clipping), delta = o.open(d, Direction::stored);
  const EncryptedMatrix kept = with_bias.opened_once(), kept_w = weights.opened_once();
  o.parties.evaluator().calls->send();
  const Traffic before = o.parties.channel().traffic();
  const auto product = [&](Direction direction, const EncryptedMatrix& left, const EncryptedMatrix& right) {
    return o.parties.decrypt(o.set.matmul->multiply(o.parties.evaluator(), o.at(direction), left, right,
                                                    {1, 0}, std::nullopt, Form::opened));
  };
  CHECK(product(Direction::forward, kept, kept_w) == naive_product(plain, w));
  CHECK(o.seen("differences of masks") == 1);  // of the weights alone
  CHECK(kept.opened().pieces[0]->mask == with_bias.value().mask);
  Work work{.left = with_bias.layout(), .right = weights.layout()};
  work.result_bits = budget.product_mask_bits();
  work.left_states.use = work.right_states.use = OperandUse::kept;
  work.left_states.term_bytes = opened_bytes(relu.layout(), budget.value_mask_bits());
  work.left_states.as_it_is = true;
  work.right_states.term_bytes = opened_bytes(weights.layout(), budget.guarded_mask_bits());
  CHECK(o.parties.channel().traffic() ==
        before + find_protocol("matmul/oblivious-transfer").traffic(work, o.parties.sizes()));
  CHECK(product(Direction::gradient, kept.transposed(), delta) == naive_product(plain.transposed(), d));
  // A sum or a multiple of it is not: it has another mask.
  const std::size_t seen = o.seen("differences of masks");
  const EncryptedMatrix twice = scale(o.key, with_bias, 2).opened_once();
  CHECK(product(Direction::backward, twice, kept_w) == naive_product(combined(plain, 2, plain, 0), w));
  CHECK(o.seen("differences of masks") == seen + 1);
}

TEST_CASE("opened sums: an operand as it is was given by a selection, is one term, and needs no other form") {
  Opened o;
  const BitBudget& budget = o.parties.budget();
  const auto relu = [&](Direction direction, Packings packings) {
    return o.set.activation->forward(o.parties.evaluator(), o.at(direction), o.x, packings).values;
  };
  const EncryptedMatrix left = append_constant_column(o.key, relu(Direction::activation, Packings::operand),
                                                      9, budget.slot_bits()),
                        guarded = relu(Direction::lookahead, Packings::none);
  const EncryptedMatrix right = o.parties.encrypt(random_matrix(4, 2, 18, o.random));
  const EncryptedMatrix narrower = o.parties.encrypt(random_matrix(3, 2, 18, o.random));
  const auto request_of = [&](Direction direction, const EncryptedMatrix& a, const EncryptedMatrix& b) {
    o.parties.evaluator().calls->send();
    const std::size_t before = o.parties.channel().requests().size();
    o.set.matmul->multiply(o.parties.evaluator(), o.at(direction), a, b, {1, 0}, std::nullopt, Form::opened);
    o.parties.evaluator().calls->send();
    return decode_request(o.parties.channel().requests().at(before));
  };
  const Request request = request_of(Direction::forward, left.opened_once(), right);
  const auto answer_to = [&](const Change& change) { return refusal_of_changed(request, change); };
  const auto parameter = [&](std::size_t i, std::int64_t value) {
    return answer_to([&](Request& r) { r.header.parameters.at(i) = value; });
  };
  // inner, scale, shift, addend; form, rows left out, pieces; rows, step; ..: kept, terms, as it is
  const std::vector<std::int64_t>& p = request.header.parameters;
  constexpr std::int64_t kept = 1, sealed = 2, lasting = 4, transposed = 8, closes = 16, constant = 32,
                         terms = 64, as_it_is = 128;
  REQUIRE(p.at(4) == kept + terms + as_it_is);
  const std::size_t sum = std::size_t{9} + 2 * (static_cast<std::size_t>(p.at(6)) - 1);
  REQUIRE(p.at(sum) == 1);      // terms
  REQUIRE(p.at(sum + 1) == 1);  // columns of constants
  CHECK(answer_to([](Request&) {}).empty());
  const std::string no_operand = "the key holder refused: the form of an operand does not fit its matrix";
  for (const std::int64_t form :
       {kept + as_it_is, sealed + as_it_is, as_it_is, kept + terms + as_it_is + lasting,
        kept + terms + as_it_is + closes, kept + terms + as_it_is + closes + constant,
        kept + terms + as_it_is + transposed, sealed + terms + as_it_is, std::int64_t{256}})
    CHECK(parameter(4, form) == no_operand);
  // Two columns of constants are more than a frame accounts for.
  CHECK(answer_to([&](Request& r) {
          r.header.parameters[0] = 5;
          r.header.parameters[sum + 1] = 2;
        }) == misfit);
  CHECK(parameter(sum, 0) != "");
  CHECK(parameter(sum + 2, 2) == misfit);   // the factor
  CHECK(parameter(sum + 2, -1) == misfit);  // -k is no operand
  const std::int64_t word = p.at(sum + 4), bits = p.at(sum + 6);
  CHECK(bits == static_cast<std::int64_t>(budget.value_mask_bits()));
  CHECK(parameter(sum + 4, (word & ~255) | static_cast<int>(RandomnessKind::mask_conversion)) == misfit);
  CHECK(parameter(sum + 6, bits + 1) == misfit);
  CHECK(parameter(sum + 6, static_cast<std::int64_t>(budget.guarded_mask_bits())) == misfit);
  CHECK(parameter(sum + 5, p.at(sum + 5) + 1) == foreign);
  CHECK(answer_to([](Request& r) { r.body.resize(40); }) != "");
  CHECK(answer_to([](Request& r) { r.body[60] ^= 1; }) == foreign);
  // With a sum under a new mask beside it, or one of another kind, the flag has no place.
  const auto with_flag = [&](Direction direction, const EncryptedMatrix& other) {
    Request changed = request_of(direction, other.opened_once(), narrower);
    REQUIRE(changed.header.parameters.at(4) == kept + terms);
    changed.header.parameters[4] += as_it_is;
    return refusal_of(o.parties.key_holder(), encode_request(changed.header, changed.body));
  };
  // Nor on the right is there a column of constants.
  Request on_the_right = request_of(Direction::clipping, o.parties.encrypt(random_matrix(2, 5, 18, o.random)),
                                    relu(Direction::stored, Packings::operand));
  std::vector<std::int64_t>& q = on_the_right.header.parameters;
  REQUIRE(q.at(7) == terms + as_it_is);  // after a left one that is masked anew
  REQUIRE(q.at(11) == 0);
  CHECK(refusal_of(o.parties.key_holder(), encode_request(on_the_right.header, on_the_right.body)).empty());
  q[11] = 1;
  on_the_right.header.layout.col_groups.push_back(1);
  CHECK(refusal_of(o.parties.key_holder(), encode_request(on_the_right.header, on_the_right.body)) ==
        no_operand);
  CHECK(with_flag(Direction::backward, o.x) == misfit);
  CHECK(with_flag(Direction::gradient, guarded) == misfit);
}

TEST_CASE("opened sums: an operand as it is serves a product in tiles [parallel]") {
  constexpr std::size_t rows = 64, depth = 24;
  TwoParties parties({.max_inner = depth});
  const ProtocolSet set = make_protocols(opened_throughout(), parties.budget());
  RandomStream random = RandomSource::from_seed(5).stream({});
  OperationId operation = parties.next_operation();
  const auto at = [&](Direction direction) {
    operation.direction = direction;
    return operation;
  };
  IntegerMatrix plain = random_matrix(rows, depth - 1, 20, random);
  const IntegerMatrix w = random_matrix(depth, rows, 20, random);
  const EncryptedMatrix x = open_matrix(parties.evaluator(), at(Direction::input), parties.encrypt(plain));
  const EncryptedMatrix relu =
      set.activation->forward(parties.evaluator(), at(Direction::activation), x, Packings::operand).values;
  IntegerMatrix inputs(rows, depth);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j + 1 < depth; ++j) inputs(i, j) = std::max(plain(i, j), Integer(0));
    inputs(i, depth - 1) = 5;
  }
  const EncryptedMatrix left =
      append_constant_column(parties.evaluator().paillier(), relu, 5, parties.budget().slot_bits());
  parties.evaluator().calls->send();
  const std::size_t before = parties.channel().requests().size();
  CHECK(parties.decrypt(set.matmul->multiply(parties.evaluator(), at(Direction::forward), left.opened_once(),
                                             parties.encrypt(w), {1, 0}, std::nullopt, Form::opened)) ==
        naive_product(inputs, w));
  CHECK(parties.channel().requests().size() >= before + 4);  // one more than there are tiles
}

TEST_CASE("opened sums: weights without their bias row are read transposed") {
  Opened o;
  const IntegerMatrix w = random_matrix(4, 2, 18, o.random), d = random_matrix(5, 2, 18, o.random);
  const Layout layout{{3, 1}, {2}};
  const EncryptedMatrix opened =
      open_matrix(o.parties.evaluator(), o.at(Direction::clipping), o.parties.encrypt(w, layout));
  const EncryptedMatrix weights = opened.opened_once();
  const EncryptedMatrix inputs = append_constant_column(o.key, o.x, 1, o.parties.budget().slot_bits());
  o.set.matmul->multiply(o.parties.evaluator(), o.at(Direction::forward), inputs, weights, {1, 0},
                         std::nullopt, Form::opened);
  const EncryptedMatrix delta = o.open(d, Direction::stored);
  CHECK(o.parties.decrypt(o.set.matmul->multiply(
            o.parties.evaluator(), o.at(Direction::backward), delta, drop_last_row(weights).transposed(),
            {1, 0}, std::nullopt, Form::opened)) == naive_product(d, w.first_rows(3).transposed()));
  CHECK(o.seen("B + R_B") == 1);
  CHECK(error_of([&] { drop_last_row(weights).value(); }) ==
        "an opened matrix of 3 x 2 cells cannot be brought without its last row");
}

TEST_CASE("opened sums: an addend comes opened too, and the rounding is that of its ciphertexts") {
  const auto rescaled = [](bool opened) {
    Opened o;
    const IntegerMatrix w = matrix_of(3, 2, {5, -700, 81});
    const EncryptedMatrix weights = o.open(w, Direction::clipping);
    const IntegerMatrix c = matrix_of(5, 2, {123, -45, 6789});
    const EncryptedMatrix addend = o.parties.encrypt(c), of_addend = o.open(c, Direction::stored);
    return o.parties.decrypt(
        o.set.matmul->multiply(o.parties.evaluator(), o.at(Direction::forward), o.x, weights, {3, 7},
                               Addend{opened ? scale(o.key, of_addend, 1) : addend, 14}, Form::opened));
  };
  CHECK(rescaled(true) == rescaled(false));
  // A product under Paillier reads ciphertexts alone.
  Opened o;
  const ProtocolSet packed = make_protocols(preset("homomorphic"), o.parties.budget());
  const EncryptedMatrix w = o.parties.encrypt(matrix_of(3, 3, {1})), x = o.parties.encrypt(o.a);
  CHECK(error_of([&] {
          packed.matmul->multiply(o.parties.evaluator(), o.parties.next_operation(), x, w, {1, 0},
                                  Addend{o.x, 20});
        }).find("is held opened, without ciphertexts") != std::string::npos);
}

TEST_CASE("opened sums: comparisons and selections open them once") {
  for (const char* comparison : {"garbled", "dgk-veugen"}) {
    CAPTURE(comparison);
    ProtocolNames names = opened_throughout();
    names.comparison = comparison;
    Opened o;
    const ProtocolSet set = make_protocols(names, o.parties.budget());
    const EncryptedMatrix sum = subtract(o.key, o.x, o.y);
    const Activated out =
        set.activation->forward(o.parties.evaluator(), o.at(Direction::activation), sum, Packings::none);
    CHECK(o.seen("z + r") == 1);
    const EncryptedMatrix back =
        set.activation->backward(o.parties.evaluator(), o.at(Direction::activation_backward),
                                 add(o.key, o.x, o.y), *out.state, Packings::none);
    CHECK(o.seen("v + r") == 1);
    CHECK(!out.values.has_ciphertexts());
    IntegerMatrix want = combined(o.a, 1, o.b, -1), passed = combined(o.a, 1, o.b, 1);
    for (std::size_t i = 0; i < want.size(); ++i)
      if (want.cells()[i] < 0) want.cells()[i] = passed.cells()[i] = 0;
    CHECK(o.parties.decrypt(out.values) == want);
    CHECK(o.parties.decrypt(back) == passed);
  }
  Opened o;
  const ProtocolSet set = make_protocols(preset("homomorphic"), o.parties.budget());
  CHECK(error_of([&] {
          set.activation->forward(o.parties.evaluator(), o.at(Direction::activation), o.x, Packings::none);
        }) == "selection/homomorphic gives ciphertexts; ask it for a packing");
}

TEST_CASE("opened sums: a state serves no other session, numbers, shape, place or kind") {
  Opened o;
  open_matrix(o.parties.evaluator(), o.at(Direction::gradient), add(o.key, scale(o.key, o.x, -3), o.y));
  const Request request = decode_request(o.parties.channel().requests().back());
  const auto answer_to = [&](const Change& change) { return refusal_of_changed(request, change); };
  const auto parameter = [&](std::size_t i, std::int64_t value) {
    return answer_to([&](Request& r) { r.header.parameters.at(i) = value; });
  };
  // form, sum, terms, constants; factor, runs; origin, step, bits, first row, records, rows; ..
  const std::vector<std::int64_t>& p = request.header.parameters;
  REQUIRE(p.size() == 4 + 2 * (2 + 2 * 6));  // rows in groups of 3 and of 2
  CHECK(p[1] == -1);
  CHECK(p[4] == -3);
  CHECK(answer_to([](Request&) {}).empty());
  CHECK(answer_to([](Request& r) { ++r.header.session[0]; }) == foreign);
  CHECK(answer_to([](Request& r) { ++r.header.numbers.fraction_bits; }) == foreign);
  CHECK(answer_to([](Request& r) { r.header.layout.col_groups = {1, 2}; }).empty());  // the same shape
  CHECK(answer_to([](Request& r) { ++r.header.operation.step; }).empty());            // a sum lives on
  CHECK(answer_to([](Request& r) { r.body.push_back(0); }) != "");
  CHECK(answer_to([](Request& r) { r.body.pop_back(); }) != "");
  CHECK(answer_to([](Request& r) { r.body[60] ^= 1; }) == foreign);
  CHECK(answer_to([](Request& r) { r.header.parameters.pop_back(); }) != "");
  CHECK(parameter(2, 1) != "");
  CHECK(parameter(2, 17) == misfit);
  CHECK(parameter(2, -1) == misfit);
  CHECK(parameter(3, 1) == foreign);
  CHECK(parameter(3, 3) == misfit);
  CHECK(parameter(5, 0) == misfit);
  CHECK(parameter(5, 129) == misfit);
  for (const int shift : {0, 8, 16, 24, 39}) CHECK(parameter(6, p[6] ^ std::int64_t{1} << shift) == foreign);
  CHECK(parameter(6, std::int64_t{1} << 40) == misfit);
  CHECK(parameter(7, p[7] + 1) == foreign);
  CHECK(parameter(7, -1) == misfit);
  CHECK(parameter(8, p[8] - 1) == foreign);
  CHECK(parameter(8, 0) == misfit);
  CHECK(parameter(8, 1000) == misfit);
  CHECK(parameter(9, p[9] + 1) == foreign);
  CHECK(parameter(9, -1) == misfit);
  CHECK(parameter(10, p[10] + 1) == misfit);
  CHECK(parameter(10, 0) == misfit);
  CHECK(parameter(11, p[11] + 1) != "");
  CHECK(parameter(11, std::int64_t{1} << 62) == misfit);
}

TEST_CASE("opened sums: the key holder refuses factors that no sum has, and rows that come twice") {
  Opened o;
  const auto opened = [&](const OpenedValue& value) {
    open_matrix(o.parties.evaluator(), o.parties.next_operation(), EncryptedMatrix(o.x.layout(), value));
    o.parties.evaluator().calls->send();
  };
  const OpenedTerm x = o.x.value().terms[0], y = o.y.value().terms[0];
  const IntegerMatrix none(5, 3);
  for (const std::int64_t factor :
       {std::int64_t{0}, std::int64_t{1} << 62, -(std::int64_t{1} << 62), INT64_MAX, INT64_MIN})
    CHECK(error_of([&] {
            opened({{x, {factor, y.records}}, none});
          }) == "the key holder refused: a term of a sum of opened values has the factor " +
                    std::to_string(factor) + ", allowed are numbers below 2^62 in size but 0");
  // Nor under two factors, wholly or in part.
  const std::string twice =
      "the key holder refused: a sum of opened values has rows twice; add the factors of their terms";
  CHECK(error_of([&] { opened({{x, {2, x.records}}, none}); }) == twice);
  CHECK(error_of([&] { opened({{x, {-1, {x.records[0], y.records[1]}}}, none}); }) == twice);
  CHECK(error_of([&] { opened({{{1, {y.records[0], x.records[1]}}, {2, x.records}}, none}); }) == twice);
  // What a layer of two hinges reads has the same records for other rows.
  const EncryptedMatrix difference = subtract(o.key, o.x, o.y), both = stack_rows({difference, difference});
  const IntegerMatrix values = combined(o.a, 1, o.b, -1);
  CHECK(o.parties.decrypt(open_matrix(o.parties.evaluator(), o.parties.next_operation(), both)) ==
        stacked(std::vector{values, values}));
  // The evaluator adds factors, so that momentum and decay take a term of both once.
  const EncryptedMatrix weights = add(o.key, o.x, o.y);
  const EncryptedMatrix addend = add(o.key, scale(o.key, weights, -3), scale(o.key, o.y, 5));
  CHECK(addend.value().terms.size() == 2);
  CHECK(o.parties.decrypt(open_matrix(o.parties.evaluator(), o.parties.next_operation(), addend)) ==
        combined(o.a, -3, o.b, 2));
}

TEST_CASE("opened sums: beyond its range one ends the session; a mask that is too narrow is refused") {
  Opened o;
  const EncryptedMatrix far = scale(o.key, o.x, power_of_two(50));
  CHECK(error_of([&] {
          open_matrix(o.parties.evaluator(), o.at(Direction::gradient), far);
          o.parties.evaluator().calls->send();
        }) == "the key holder refused: a masked value is out of range; the session ends");
  const Mask narrow = Mask::drawn(
      o.parties.evaluator().draws(o.at(Direction::backward), RandomnessKind::mask_left), 5, 3, 59);
  CHECK(error_of([&] {
          mask_opened(o.parties.evaluator(), o.x.value(), narrow, 20);
        }).find("does not hide 20 bits") != std::string::npos);
  CHECK(error_of([&] { mask_opened(o.parties.evaluator(), row_groups(o.x, 0, 1).value(), narrow, 10); }) !=
        "");
}

TEST_CASE("opened sums: what a request has no room for is refused before it is sent") {
  Opened o;
  EncryptedMatrix sum = o.x;
  for (std::uint32_t i = 0; i < 16; ++i)
    sum = add(o.key, sum,
              open_matrix(o.parties.evaluator(), o.parties.next_operation(), o.parties.encrypt(o.b)));
  const std::size_t requests = o.parties.channel().requests().size();
  CHECK(error_of([&] { open_matrix(o.parties.evaluator(), o.parties.next_operation(), sum); }) ==
        "an opened matrix of 5 x 3 cells is a sum of 17 terms in 34 runs of rows, a request has room for 16 "
        "and 5000; take a smaller --batch");
  CHECK(o.parties.channel().requests().size() == requests);
}

namespace {

/// All masked values that key holders saw.
class MaskedViews {
 public:
  void see(const FixedIntegers& values) {
    for (Integer& value : values.integers())
      if (bit_length(value) > 50) seen_.insert(std::move(value));  // what is shorter is no masked value
  }
  std::size_t size() const { return seen_.size(); }
  /// Pairs that differ by less than what they hide may: under one mask, but of two contents.
  std::size_t under_one_mask() const {
    std::size_t out = 0;
    for (auto value = seen_.begin(); value != seen_.end(); ++value)
      if (const auto next = std::next(value); next != seen_.end())
        out += Integer(*next - *value) < power_of_two(25);
    return out;
  }

 private:
  std::set<Integer> seen_;
};

}  // namespace

TEST_CASE(
    "opened sums: any replica serves them, with answers lost and old requests sent again, and no mask hides "
    "two contents") {
  std::size_t sums = 0;
  MaskedViews views;
  Replicas channel(
      7,
      [&](std::span<const std::uint8_t> frame, std::span<const std::uint8_t> answer) {
        CHECK(refusal_in(answer).empty());
        const Request request = decode_request(frame);
        sums += request.header.protocol == "conversion/change-form" && request.header.parameters.at(1) == -1;
      },
      [&](const Header& header, std::string_view, const FixedIntegers& values) {
        if (header.protocol != "conversion/base-transfers") views.see(values);  // points
      });
  TwoParties owner;
  const auto run = [&](std::uint64_t masks, std::uint64_t contents) {  // all in one session
    RandomStream values = RandomSource::from_seed(contents).stream({});
    const Evaluator evaluator = evaluator_on(channel, RandomSource::from_seed(masks));
    const ProtocolSet set = make_protocols(opened_throughout(), evaluator.budget);
    OperationId operation{1, 0, Direction::input};
    const auto at = [&](Direction direction) {
      operation.direction = direction;
      return operation;
    };
    const IntegerMatrix a = random_matrix(4, 3, 18, values), b = random_matrix(4, 3, 18, values),
                        w = random_matrix(3, 5, 18, values);
    const EncryptedMatrix x = open_matrix(evaluator, at(Direction::input), owner.encrypt(a)),
                          y = open_matrix(evaluator, at(Direction::output), owner.encrypt(b)),
                          weights = open_matrix(evaluator, at(Direction::clipping), owner.encrypt(w));
    const EncryptedMatrix sum = subtract(evaluator.paillier(), x, y);
    const EncryptedMatrix z = set.matmul->multiply(evaluator, at(Direction::forward), sum, weights, {1, 18},
                                                   std::nullopt, Form::opened);
    const Activated out = set.activation->forward(evaluator, at(Direction::activation), z, Packings::operand);
    const EncryptedMatrix back =
        set.activation->backward(evaluator, at(Direction::activation_backward),
                                 add(evaluator.paillier(), z, z), *out.state, Packings::none);
    // As it is, with a column of constants, and kept for another product.
    const EncryptedMatrix inputs =
        append_constant_column(evaluator.paillier(), out.values, 1, evaluator.budget.slot_bits())
            .opened_once();
    const IntegerMatrix next = random_matrix(6, 2, 18, values);
    set.matmul->multiply(evaluator, at(Direction::lookahead), inputs, owner.encrypt(next), {1, 18},
                         std::nullopt, Form::opened);
    set.matmul->multiply(evaluator, at(Direction::gradient), inputs.transposed(), back, {1, 18}, std::nullopt,
                         Form::opened);
    IntegerMatrix want = opened_in_clear(evaluator, toy_keys(), z), passed = want;
    const IntegerMatrix exact = naive_product(combined(a, 1, b, -1), w);
    for (std::size_t i = 0; i < want.size(); ++i) {
      const Integer error = want.cells()[i] - floor_shift(exact.cells()[i], 18);
      CHECK((error == 0 || error == 1));
      if (want.cells()[i] < 0) want.cells()[i] = passed.cells()[i] = 0;
      passed.cells()[i] *= 2;
    }
    CHECK(opened_in_clear(evaluator, toy_keys(), out.values) == want);
    CHECK(opened_in_clear(evaluator, toy_keys(), back) == passed);
    CHECK(owner.decrypt(close_matrix(evaluator, at(Direction::stored), sum)) == combined(a, 1, b, -1));
  };
  run(8, 96);
  const std::size_t once = views.size();
  CHECK(once > 100);
  CHECK(views.under_one_mask() == 0);
  run(8, 96);  // as after a resume with a seed: the same values under the same masks
  CHECK(views.size() == once);
  run(9, 97);  // as after any other
  CHECK(views.size() == 2 * once);
  CHECK(views.under_one_mask() == 0);
  CHECK(sums >= 3);
  // Masks that serve again, for other contents, are found: of each value that the run shows.
  run(8, 98);
  CHECK(views.under_one_mask() >= once / 2);
}
