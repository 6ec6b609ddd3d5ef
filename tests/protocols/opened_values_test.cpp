// Values that stay opened: results as good as ciphertexts, states bound to where they come from.
#include "protocols/opened_values.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

/// A product of two random matrices, opened or not, and a comparison and selections of it.
struct Layer {
  std::vector<std::string> views;
  TwoParties parties{{.observer = [this](const Header&, std::string_view what, const FixedIntegers&) {
    views.emplace_back(what);
  }}};
  ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  RandomStream random = RandomSource::from_seed(90).stream({});
  IntegerMatrix x = random_matrix(7, 5, 15, random), w = random_matrix(5, 4, 8, random),
                product = naive_product(x, w);
  OperationId operation = parties.next_operation();

  EncryptedMatrix multiply(Form form) {
    operation.direction = Direction::forward;
    return set.matmul->multiply(parties.evaluator(), operation, parties.encrypt(x), parties.encrypt(w),
                                {1, 4}, std::nullopt, form);
  }
  Activated relu(const EncryptedMatrix& z) {
    operation.direction = Direction::activation;
    return set.activation->forward(parties.evaluator(), operation, z);
  }
  std::size_t seen(const std::string& what) const {
    return static_cast<std::size_t>(std::count(views.begin(), views.end(), what));
  }
  Request last(const std::string& protocol, std::uint8_t stage) {
    const auto& all = parties.channel().requests();
    for (std::size_t i = all.size(); i-- > 0;) {
      Request request = decode_request(all[i]);
      if (request.header.protocol == protocol && request.header.stage == stage) return request;
    }
    throw std::runtime_error("there is no such request");
  }
  template <typename Change>
  std::string answer_to(const Request& request, Change&& change) {
    Request changed = request;
    change(changed);
    return refusal_of(parties.key_holder(), encode_request(changed.header, changed.body));
  }
};

}  // namespace

TEST_CASE("opened values: a product that stays opened has the values of one in ciphertexts") {
  Layer opened, encrypted;
  const EncryptedMatrix z = opened.multiply(Form::opened), c = encrypted.multiply(Form::ciphertexts);
  CHECK(!z.has_ciphertexts());
  CHECK(c.has_ciphertexts());
  CHECK(z.layout() == c.layout());
  CHECK(opened.parties.decrypt(z) == encrypted.parties.decrypt(c));
  const Activated from_opened = opened.relu(z), from_ciphertexts = encrypted.relu(c);
  CHECK(opened.parties.decrypt(from_opened.values) == encrypted.parties.decrypt(from_ciphertexts.values));
  // What was opened is neither masked nor decrypted again.
  CHECK(opened.seen("z + r") == 0);
  CHECK(encrypted.seen("z + r") == 1);
  opened.operation.direction = Direction::activation_backward;
  const EncryptedMatrix delta = opened.set.activation->backward(
      opened.parties.evaluator(), opened.operation, opened.parties.open(opened.product, opened.operation),
      *from_opened.state);
  CHECK(opened.seen("v + r") == 0);
  IntegerMatrix want = opened.product;
  for (Integer& value : want.cells())
    if (value < 0) value = 0;
  CHECK(opened.parties.decrypt(delta) == want);
}

TEST_CASE("opened values: masks wider than a comparison needs, and negative ones") {
  TwoParties parties;
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  for (const Rescale& factor : {Rescale{1, 0}, Rescale{-1, 0}, Rescale{-3, 2}, Rescale{1, 20}}) {
    CAPTURE(factor.scale);
    RandomStream random = RandomSource::from_seed(91).stream({});
    const EncryptedMatrix z = set.truncation->rescale(parties.evaluator(), parties.next_operation(),
                                                      parties.encrypt(random_matrix(5, 3, 24, random)), 43,
                                                      factor, std::nullopt, Form::opened);
    OperationId operation = z.value().terms[0].records.front()->origin;
    operation.direction = Direction::activation;
    const Evaluator gathering = gathering_evidence(parties.evaluator());
    const Activated out = set.activation->forward(gathering, operation, z);
    IntegerMatrix want = parties.decrypt(z);
    for (Integer& value : want.cells())
      if (value < 0) value = 0;
    CHECK(parties.decrypt(out.values) == want);
    CHECK(gathering.evidence->sums.size() == 1);
  }
}

TEST_CASE(
    "opened values: without ciphertexts, parts and stacks of row groups, and an error for anything else") {
  Layer layer;
  const EncryptedMatrix z = layer.multiply(Form::opened);
  REQUIRE(z.layout().row_groups.size() == 3);
  const EncryptedMatrix top = row_groups(z, 0, 1), rest = row_groups(z, 1, 2);
  CHECK(stack_rows({top, rest}) == z);
  CHECK(!(stack_rows({rest, top}) == z));
  CHECK(z.transposed().transposed() == z);
  CHECK(!(z.transposed() == z));
  const IntegerMatrix values = layer.parties.decrypt(z);
  CHECK(stacked(std::vector{layer.parties.decrypt(top), layer.parties.decrypt(rest)}) == values);
  const std::string none =
      "a matrix of 7 x 4 cells is held opened, without ciphertexts; ask the product that made it for "
      "ciphertexts";
  CHECK(error_of([&] { z.column_packed(); }) == none);
  CHECK(error_of([&] { z.row_packed(); }) == none);
  CHECK(error_of([&] {
          layer.set.matmul->multiply(layer.parties.evaluator(), layer.parties.next_operation(), z,
                                     layer.parties.encrypt(layer.w.transposed()), {1, 0}, std::nullopt);
        }) == none);
  CHECK(error_of([&] { EncryptedMatrix(z.layout(), top.value()); }) ==
        "an opened matrix of 7 x 4 cells needs a mask and records of its shape");
  CHECK(error_of([&] { layer.relu(z.transposed()); }) ==
        "an opened matrix of 4 x 7 cells cannot be brought transposed");
  CHECK(error_of([&] { layer.parties.encrypt(layer.x).value(); }) ==
        "a matrix of 7 x 5 cells is held as ciphertexts and was not opened; open it first");
}

TEST_CASE("opened values: a constant goes into the mask, and a stack of shifted copies is compared") {
  Layer layer;
  const EncryptedMatrix z = layer.multiply(Form::opened);
  const IntegerMatrix values = layer.parties.decrypt(z), half(7, 4, 512);
  const EncryptedMatrix less =
      subtract_plain(layer.parties.evaluator().paillier(), z, half, layer.parties.budget().slot_bits());
  IntegerMatrix shifted = values;
  for (Integer& value : shifted.cells()) value -= 512;
  CHECK(layer.parties.decrypt(less) == shifted);
  CHECK(layer.parties.decrypt(z) == values);
  IntegerMatrix want = stacked(std::vector{values, shifted});
  for (Integer& value : want.cells())
    if (value < 0) value = 0;
  CHECK(layer.parties.decrypt(layer.relu(stack_rows({z, less})).values) == want);
}

TEST_CASE("opened values: row groups of several origins come in one request") {
  Layer layer;
  OperationId other = layer.operation;
  other.tile = 3;
  const EncryptedMatrix z = layer.multiply(Form::opened),
                        more = layer.parties.open(layer.product, other, z.layout());
  const EncryptedMatrix all =
      stack_rows({row_groups(more, 1, 2), row_groups(z, 0, 2), row_groups(more, 0, 1)});
  IntegerMatrix want = layer.parties.decrypt(all);
  for (Integer& value : want.cells())
    if (value < 0) value = 0;
  const EncryptedMatrix same_bits = stack_rows({row_groups(more, 1, 2), row_groups(more, 0, 1)});
  CHECK(layer.seen("z + r") == 0);
  CHECK(layer.parties.decrypt(layer.relu(all).values) == want);  // of other masks: as a sum
  CHECK(layer.seen("z + r") == 1);
  layer.operation.layer += 1;
  IntegerMatrix want_same = layer.parties.decrypt(same_bits);
  for (Integer& value : want_same.cells())
    if (value < 0) value = 0;
  CHECK(layer.parties.decrypt(layer.relu(same_bits).values) == want_same);
}

TEST_CASE("opened values: a state serves no other step, session, numbers, shape, place or kind") {
  Layer layer;
  layer.relu(layer.multiply(Form::opened));
  for (const std::uint8_t stage : std::vector<std::uint8_t>{0, 1}) {
    CAPTURE(static_cast<int>(stage));
    const Request request = layer.last("comparison/dgk-veugen", stage);
    const auto answer_to = [&](auto&& change) {
      return layer.answer_to(request, [&](Request& r) { change(r.header); });
    };
    // bits, runs, then origin (kind, layer, direction, tile), first row, row groups
    REQUIRE(request.header.parameters.size() == 5);
    const std::int64_t word = request.header.parameters[2];
    CHECK(word == (static_cast<std::int64_t>(RandomnessKind::mask_product) | 1 << 8));
    CHECK(answer_to([](Header&) {}).empty());
    CHECK(answer_to([](Header& h) { ++h.operation.step; }) == foreign);
    CHECK(answer_to([](Header& h) { h.session[0] ^= 1; }) == foreign);
    CHECK(answer_to([](Header& h) { --h.max_inner; }) != "");
    CHECK(answer_to([](Header& h) { h.layout.row_groups = {2, 2, 3}; }) != "");
    CHECK(answer_to([](Header& h) { h.layout.col_groups = {2, 3}; }) != "");
    CHECK(answer_to([](Header& h) { h.parameters[2] ^= 1; }) == foreign);        // kind
    CHECK(answer_to([](Header& h) { h.parameters[2] ^= 1 << 8; }) == foreign);   // layer
    CHECK(answer_to([](Header& h) { h.parameters[2] ^= 1 << 16; }) == foreign);  // direction
    CHECK(answer_to([](Header& h) { h.parameters[2] ^= 1 << 24; }) == foreign);  // tile
    CHECK(answer_to([](Header& h) { h.parameters[2] ^= std::int64_t{1} << 39; }) == foreign);
    CHECK(answer_to([](Header& h) { h.parameters[2] |= std::int64_t{1} << 40; }) == misfit);
    CHECK(answer_to([](Header& h) { h.parameters[2] = -1; }) == misfit);
    CHECK(answer_to([](Header& h) { ++h.parameters[3]; }) == foreign);
    CHECK(answer_to([](Header& h) { h.parameters[3] = -1; }) == misfit);
    CHECK(answer_to([](Header& h) { --h.parameters[0]; }) == foreign);
    CHECK(answer_to([](Header& h) { h.parameters[0] += 100; }) != "");
    CHECK(answer_to([](Header& h) { h.parameters[0] = -1; }) != "");
    CHECK(answer_to([](Header& h) { h.parameters[0] = -2; }) == misfit);
    CHECK(answer_to([](Header& h) { h.parameters[1] = 0; }) == misfit);
    CHECK(answer_to([](Header& h) { h.parameters[1] = 65; }) == misfit);
    CHECK(answer_to([](Header& h) { --h.parameters[4]; }) == misfit);
    CHECK(answer_to([](Header& h) { ++h.parameters[4]; }) == misfit);
    CHECK(answer_to([](Header& h) { h.parameters[4] = 0; }) == misfit);
    CHECK(answer_to([](Header& h) { h.parameters.resize(4); }) != "");
  }
}

TEST_CASE("opened values: what a state is sealed for is as small in a request about many row groups") {
  Header few;
  few.protocol = "conversion/change-form";
  few.max_inner = toy_max_inner;
  few.layout = {{1}, {3}};
  Header many = few;
  many.layout.row_groups.assign(max_groups, 1);
  many.parameters.assign(1024, 7);
  const OperationId origin{1, 2, Direction::forward, 3};
  const Header context = opened_context(many, origin, 1, 3);
  CHECK(context == opened_context(few, origin, 1, 3));
  CHECK(context.layout == Layout{{1}, {3}});
  CHECK(context.operation == origin);
  CHECK(context.parameters.empty());
}

TEST_CASE("opened values: row groups of one width cannot change places") {
  Layer layer;
  const EncryptedMatrix z = layer.multiply(Form::opened);
  REQUIRE(z.layout().row_groups[1] == z.layout().row_groups[2]);
  layer.relu(z);
  const Request request = layer.last("comparison/dgk-veugen", 0);
  const auto at = [&](std::size_t group) {
    return z.value().terms[0].records[group]->sealed->bytes().size();
  };
  CHECK(layer.answer_to(request, [&](Request& r) {
    const auto second = r.body.begin() + static_cast<std::ptrdiff_t>(at(0));
    std::swap_ranges(second, second + static_cast<std::ptrdiff_t>(at(1)),
                     second + static_cast<std::ptrdiff_t>(at(1)));
  }) == foreign);
}

TEST_CASE("opened values: other states are no opened values, and opened values are no other states") {
  Layer layer;
  const EncryptedMatrix z = layer.multiply(Form::opened);
  const Activated out = layer.relu(z);
  const Request request = layer.last("selection/homomorphic", 0);
  // Shares of the comparison where the values should be, and the other way round.
  const std::size_t shares = sealed_overhead + 28;
  CHECK(layer.answer_to(request, [&](Request& r) {
    std::rotate(r.body.begin(), r.body.end() - static_cast<std::ptrdiff_t>(shares), r.body.end());
  }) == foreign);
}

TEST_CASE("opened values: what is wider than a slot has room for is refused before anything is sent") {
  TwoParties parties;
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  const EncryptedMatrix x = parties.encrypt(matrix_of(1, 1, {1}));
  const Addend widest{x, 85};
  CHECK(error_of([&] {
          set.truncation->rescale(parties.evaluator(), parties.next_operation(), x, 20, {1, 0}, widest,
                                  Form::opened);
        }) ==
        "the bit budget does not fit: an opened result works on values under masks of 126 bits in slots of "
        "129; "
        "lower --momentum or --weight-decay");
  CHECK(parties.channel().requests().empty());
}
