// Activations in tiles: the same values, traffic as declared, the same transcript in every run.
#include "protocols/activation/tiles.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "paillier/parallel.h"
#include "protocols/conversion/change_form.h"
#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

constexpr TileCells tile_of{128, 1024};

std::vector<std::vector<std::size_t>> groups_of_tiles(const Layout& layout) {
  std::vector<std::vector<std::size_t>> out;
  for (const Layout& tile : activation_tiles(layout, tile_of)) {
    CHECK(tile.col_groups == layout.col_groups);
    out.push_back(tile.row_groups);
  }
  return out;
}

using Groups = std::vector<std::size_t>;

struct Run {
  IntegerMatrix forward, backward;
  Traffic traffic;
  Digest transcript{};
  std::vector<Bytes> requests;
};

IntegerMatrix values(std::uint64_t seed) {
  RandomStream random = RandomSource::from_seed(seed).stream({});
  return random_matrix(23, 12, toy_numbers.value_bits, random);
}

Run run_activation(const ProtocolNames& names, std::size_t slots, bool tiled,
                   std::shared_ptr<AddressLog> log = nullptr, const TileCells& cells = tile_of) {
  TwoParties parties({.slots = slots, .seed = 60, .log = std::move(log)});
  auto activation = make_protocols(names, parties.budget()).activation;
  if (tiled) activation = in_tiles(activation, cells);
  const EncryptedMatrix z = parties.encrypt(values(1)), delta = parties.encrypt(values(2));
  const OperationId operation = parties.next_operation();
  OperationId backward = operation;
  backward.direction = Direction::activation_backward;
  const Activated out = activation->forward(parties.evaluator(), operation, z);
  const EncryptedMatrix kept =
      activation->backward(parties.evaluator(), backward, delta, *out.state, Packings::row_packed);
  CHECK(out.values.layout() == z.layout());
  return {parties.decrypt(out.values), parties.decrypt(kept), parties.channel().traffic(),
          parties.channel().transcript(), parties.channel().requests()};
}

}  // namespace

TEST_CASE("tiles: whole row groups, evenly, of about 128 cells up to 8, then of at most 1,024") {
  CHECK(groups_of_tiles({{4, 4, 4}, {10}}) == std::vector<Groups>{{4, 4, 4}});
  CHECK(groups_of_tiles({{16, 16}, {8, 8}}) == std::vector<Groups>{{16}, {16}});
  CHECK(groups_of_tiles({{16}, Groups(10, 10)}) == std::vector<Groups>{{16}});
  CHECK(groups_of_tiles({{7, 7, 6, 6, 6}, {16}}) == std::vector<Groups>{{7}, {7}, {6}, {6, 6}});
  CHECK(groups_of_tiles({Groups(16, 5), Groups(9, 10)}).size() == 8);
  CHECK(groups_of_tiles({Groups(700, 15), {100}}).size() == 700);         // each of 1,500
  CHECK(groups_of_tiles({Groups(5000, 1), {2000}}).size() == 4096);       // a request ends
  CHECK(groups_of_tiles({Groups(17, 15), Groups(9, 100)}).size() == 17);  // and groups end
  CHECK(groups_of_tiles({Groups(15, 15), {40}}).size() == 15);            // two would have 1,200 cells
  CHECK(groups_of_tiles({Groups(100, 15), {100}}).size() == 100);
  CHECK(groups_of_tiles({Groups(100, 12), {8}}).size() == 10);
  CHECK(groups_of_tiles({Groups(1000, 1), {1}}).size() == 7);
}

TEST_CASE("tiles: quick comparisons and selections have few") {
  CHECK(tile_cells(preset("homomorphic")).least == 128);
  CHECK(tile_cells(preset("hybrid")).least == 16384);
  CHECK(activation_tiles({Groups(16, 8), Groups(128, 1)}, tile_cells(preset("hybrid"))).size() == 1);
}

TEST_CASE(
    "tiles: the same values as in one piece, for every activation, in the rounds of one [parallel] [slow]") {
  for_each_protocol(Family::activation, [](const Descriptor&, const ProtocolNames& names, std::size_t slots) {
    const Run whole = run_activation(names, slots, false), tiled = run_activation(names, slots, true);
    const IntegerMatrix z = values(1), delta = values(2);
    for (std::size_t i = 0; i < z.size(); ++i) {
      CHECK(tiled.forward.cells()[i] == (z.cells()[i] >= 0 ? z.cells()[i] : 0));
      CHECK(tiled.backward.cells()[i] == (z.cells()[i] >= 0 ? delta.cells()[i] : 0));
    }
    CHECK(whole.forward == tiled.forward);
    CHECK(whole.backward == tiled.backward);
    CHECK(tiled.requests.size() > whole.requests.size());
    CHECK(tiled.traffic.rounds == whole.traffic.rounds);
  });
}

TEST_CASE("tiles: many go eight at a time, each eight in the rounds of one") {
  auto log = std::make_shared<AddressLog>();
  const Run whole = run_activation(preset("homomorphic"), one_slot, false),
            tiled = run_activation(preset("homomorphic"), one_slot, true, log, {8, 16});
  CHECK(whole.forward == tiled.forward);
  CHECK(whole.backward == tiled.backward);
  // 276 cells in 18 tiles.
  CHECK(tiled.traffic.rounds == 3 * whole.traffic.rounds);
  CHECK(log->repeated() == 0);
}

TEST_CASE("tiles: what as many as there can be give opened is brought as one sum [slow]") {
  TwoParties parties({.slots = one_slot, .seed = 61});
  ProtocolNames by_transfers = preset("hybrid");
  by_transfers.matmul = "oblivious-transfer";
  const auto activation = in_tiles(make_protocols(by_transfers, parties.budget()).activation, {1, 1});
  RandomStream random = RandomSource::from_seed(4).stream({});
  const IntegerMatrix z = random_matrix(most_tiles, 1, toy_numbers.value_bits, random);
  const OperationId operation = parties.next_operation();
  const EncryptedMatrix selected =
      activation->forward(parties.evaluator(), operation, parties.encrypt(z), Packings::none).values;
  const EncryptedMatrix twice = add(parties.evaluator().paillier(), selected, selected);
  const EncryptedMatrix closed = close_matrix(parties.evaluator(), parties.next_operation(), twice);
  IntegerMatrix expected = z;
  for (Integer& cell : expected.cells()) cell = cell < 0 ? Integer(0) : Integer(2 * cell);
  CHECK(parties.decrypt(closed) == expected);
}

TEST_CASE("tiles: the transcript depends neither on time nor on threads, and no address is used twice") {
  const int before = thread_count();
  const ProtocolNames names = preset("homomorphic");
  std::set<Digest> transcripts;
  for (const int threads : {1, 2, 3}) {
    set_thread_count(threads);
    auto log = std::make_shared<AddressLog>();
    transcripts.insert(run_activation(names, many_slots, true, log).transcript);
    CHECK(log->repeated() == 0);
  }
  CHECK(transcripts.size() == 1);
  set_thread_count(before);
}

TEST_CASE("tiles: the sealed state of one is refused in another") {
  TwoParties parties;
  const ProtocolSet set = make_protocols(preset("homomorphic"), parties.budget());
  const EncryptedMatrix z = parties.encrypt(values(3));
  OperationId operation = parties.next_operation();
  const SignShares shares = set.comparison->sign(parties.evaluator(), operation, z);
  operation.tile = 1;
  CHECK(error_of([&] {
          set.selection->select_compared(parties.evaluator(), operation, z, shares);
        }).find("a sealed state does not belong to this request") != std::string::npos);
}

TEST_CASE("tiles: the state of another activation is refused") {
  TwoParties parties;
  const auto whole = make_protocols(preset("homomorphic"), parties.budget()).activation;
  const auto tiled = in_tiles(whole, tile_of);
  const EncryptedMatrix z = parties.encrypt(values(3));
  const OperationId operation = parties.next_operation();
  const Activated in_one = whole->forward(parties.evaluator(), operation, z);
  CHECK(error_of([&] { tiled->backward(parties.evaluator(), operation, z, *in_one.state); }) ==
        "the state of another activation was given to one in tiles");
}

TEST_CASE("tiles: a refusal of the key holder ends the operation") {
  KeyHolderPolicy policy = permissive_policy();
  policy.protocols.erase("selection/homomorphic");
  TwoParties parties({.policy = policy});
  const auto tiled = in_tiles(make_protocols(preset("homomorphic"), parties.budget()).activation, tile_of);
  const EncryptedMatrix z = parties.encrypt(values(3));
  REQUIRE(activation_tiles(z.layout(), tile_of).size() > 1);
  CHECK(error_of([&] {
          tiled->forward(parties.evaluator(), parties.next_operation(), z);
        }).find("selection/homomorphic") != std::string::npos);
}
