// Products by oblivious transfers: in tiles, beside packed ones, and against retries, replicas and resumed
// runs: nothing that hides one content is used for another. And what the evaluator receives.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <set>

#include "protocols/masked_values.h"
#include "protocols/matmul/cross_terms.h"
#include "protocols/matmul/operand.h"
#include "protocols/registry.h"
#include "protocols/version.h"
#include "tests/support/replicas.h"
#include "tests/support/statistics.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

constexpr auto wire_name = "matmul/oblivious-transfer";
constexpr std::size_t rows = 4, inner = 3, cols = 5;
constexpr std::size_t place_bytes = 1 + 2 * 32 + 8;

ProtocolNames names() {
  ProtocolNames names = preset("homomorphic");
  names.matmul = "oblivious-transfer";
  return names;
}

CrossTerms terms_of(const Header& header) {
  const BitBudget budget(header.numbers, header.max_inner, 512, header.slots);
  return cross_terms(budget, header.layout.rows(), static_cast<std::size_t>(header.parameters[0]),
                     header.layout.cols());
}

/// Where the corrections for a tile begin in the answer that brings them. The first answer begins with the
/// key holder's messages, if any.
std::size_t corrections_at(const CrossTerms& terms, bool first) {
  const std::size_t sums = sealed_overhead + place_bytes + terms.cells() * terms.ring_bytes();
  if (!first) return sums;
  return (terms.both_choose() ? cross_term_bytes(terms, 0) : 0) +
         terms.tiles() * (sealed_overhead + place_bytes) + terms.elements() * terms.choice_bytes() + sums;
}

/// Corrections in an answer about a tile.
Bytes corrections_in(const Request& request, const Bytes& body) {
  const CrossTerms terms = terms_of(request.header);
  const bool first = request.header.stage == 0;
  const std::size_t tile = first ? 0 : static_cast<std::size_t>(request.header.parameters[6]);
  const auto from = body.begin() + static_cast<std::ptrdiff_t>(corrections_at(terms, first));
  return {from, from + static_cast<std::ptrdiff_t>(
                           key_holder_corrections(terms.tile(tile).count * terms.choice_bits))};
}

/// Looks for labels and keys of pads that serve two contents.
class Audit {
 public:
  void see(std::span<const std::uint8_t> frame, std::span<const std::uint8_t> answer) {
    const Request request = decode_request(frame);
    if (!refusal_in(answer).empty() || request.header.protocol != wire_name) return;
    const CrossTerms terms = terms_of(request.header);
    const Bytes& sent = request.body;
    const Bytes body = decode_answer(answer);
    const bool first = request.header.stage == 0;
    const std::size_t tile = first ? 0 : static_cast<std::size_t>(request.header.parameters[6]);
    if (first) tickets_.emplace(sent.begin(), sent.begin() + sizeof(Digest));
    if (first || tile < terms.tiles()) {
      Bytes matrix = corrections_in(request, body);  // the first of several, one a piece
      matrix.resize(std::min(matrix.size(), key_holder_corrections(128 * terms.choice_bits)));
      corrections(sha256(frame), matrix);
    }
    if (first && terms.both_choose()) {
      const auto at = sent.end() - static_cast<std::ptrdiff_t>(element_choice_bytes(terms));
      choices({at, at + sizeof(Label)}, {at + sizeof(Label), sent.end()});
      messages({body.begin(), body.begin() + static_cast<std::ptrdiff_t>(cross_term_bytes(terms, 0))});
    }
    if (first) return;
    const auto end =
        sent.end() - static_cast<std::ptrdiff_t>(tile == terms.tiles() ? cross_sum_bytes(terms) : 0);
    messages({end - static_cast<std::ptrdiff_t>(cross_term_bytes(terms, tile - 1)), sent.end()});
  }
  /// The evaluator's, under a label.
  void choices(const Bytes& label, const Bytes& matrix) { choices_[label].insert(matrix); }
  std::size_t labels_of_choices() const { return choices_.size(); }
  std::size_t choices_under_one_label() const {
    std::size_t twice = 0;
    for (const auto& entry : choices_) twice += entry.second.size() - 1;
    return twice;
  }
  void corrections(const Digest& request, const Bytes& matrix) {
    const auto [known, added] = corrections_.emplace(request, matrix);
    if (!added && known->second != matrix) ++answers_that_differ;
  }
  /// A key, and what is sent under it.
  void messages(const Bytes& sent) { keys_[Bytes(sent.begin(), sent.begin() + sizeof(Block))].insert(sent); }

  /// Two matrices under one label differ by the same bits in every column: those of the choices.
  std::size_t labels_used_twice() const {
    std::size_t twice = 0;
    for (auto a = corrections_.begin(); a != corrections_.end(); ++a)
      for (auto b = std::next(a); b != corrections_.end(); ++b)
        twice += same_columns(a->second, b->second, key_holder_depth);
    return twice;
  }
  std::size_t keys_used_twice() const {
    std::size_t twice = 0;
    for (const auto& entry : keys_) twice += entry.second.size() - 1;
    return twice;
  }
  std::size_t tickets() const { return tickets_.size(); }
  std::size_t requests() const { return corrections_.size(); }
  std::size_t keys() const { return keys_.size(); }
  std::size_t answers_that_differ = 0;  ///< of replicas, to one request

 private:
  std::set<Bytes> tickets_;
  std::map<Digest, Bytes> corrections_;  ///< by request, of all tickets
  std::map<Bytes, std::set<Bytes>> keys_, choices_;
};

}  // namespace

TEST_CASE("oblivious product: replayed, reordered, to other replicas, resumed: nothing serves two contents") {
  Audit audit;
  Replicas channel(1, [&](auto frame, auto answer) { audit.see(frame, answer); });
  TwoParties owner;  // encrypts and decrypts
  RandomStream values = RandomSource::from_seed(3).stream({});
  const RandomSource random = RandomSource::from_seed(2);
  // The same session and the same masks each time, as after a resume with a seed.
  const auto evaluator = [&] { return evaluator_on(channel, random); };
  // Both parties choose; the key holder alone.
  constexpr int runs = 3, steps = 2;
  for (int run = 0; run < runs; ++run) {
    const Evaluator own = evaluator();
    const ProtocolSet set = make_protocols(names(), own.budget);
    for (std::uint32_t step = 1; step <= steps; ++step) {
      const IntegerMatrix a = random_matrix(rows, inner, 20, values),
                          b = random_matrix(inner, step == 1 ? cols : rows, 20, values);
      const EncryptedMatrix x = owner.encrypt(a).opened_once(), y = owner.encrypt(b).opened_once();
      OperationId operation{step, 0, Direction::forward};
      for (const Direction direction : {Direction::forward, Direction::backward}) {
        operation.direction = direction;  // the second brings both sealed
        CHECK(owner.decrypt(set.matmul->multiply(own, operation, x, y, {1, 0}, std::nullopt)) ==
              naive_product(a, b));
      }
    }
  }
  CHECK(audit.tickets() == runs);
  CHECK(audit.requests() == 2 * runs * steps);
  CHECK(audit.keys() == 2 * runs * (steps + 1));  // and of the key holder, in the first step
  CHECK(audit.choices_under_one_label() == 0);
  CHECK(audit.labels_of_choices() == 2 * runs);
  CHECK(audit.answers_that_differ == 0);
  CHECK(audit.labels_used_twice() == 0);
  CHECK(audit.keys_used_twice() == 0);

  // The same audit finds a label and a key of the pads by the place instead of the request.
  const Evaluator own = evaluator();
  const EvaluatorTransfers& transfers = own.transfers({});
  const CrossTerms terms = cross_terms(own.budget, rows, inner, cols);
  const Label by_place = tile_label(sha256(Bytes{1}), 0);
  const IntegerMatrix zero_b(inner, cols);
  const Mask rho = Mask::drawn(Draws(random, {}), rows, cols, 40);
  for (const long cell : {0x123456L, 0x654321L}) {
    const FixedIntegers elements =
        elements_of(terms, IntegerMatrix(rows, inner, cell), IntegerMatrix(inner, cols, cell));
    const Bytes corrections = choose_elements(
        terms,
        {key_holder_leaves(transfers.ticket(), toy_keys().sealing_secret()), key_holder_depth, by_place},
        elements, {0, elements.size()});
    audit.corrections(sha256(Bytes{static_cast<std::uint8_t>(cell)}), corrections);
    CrossTermSender sender(terms, key_holder_depth, zero_b, IntegerMatrix(inner, cols, cell), rho.values());
    audit.messages(sender.send(
        transfers.offset(), [&] { return transfers.offset_holder(by_place); }, corrections,
        transfers.secret_for(sha256(Bytes{1}), {}, {})));
    // And a label of the evaluator's choices.
    const Bytes own = choose_elements(terms, transfers.chooser(by_place), elements, {0, elements.size()});
    audit.choices(Bytes(by_place.begin(), by_place.end()), own);
  }
  CHECK(audit.labels_used_twice() == 1);
  CHECK(audit.keys_used_twice() == 1);
  CHECK(audit.choices_under_one_label() == 1);
}

TEST_CASE("oblivious product: an evaluator whose secrets come again has other pads for another content") {
  TwoParties parties;  // whose key holder answers alike each time
  const auto matmul = make_protocols(names(), parties.budget()).matmul;
  const OperationId opening{1, 0, Direction::forward}, brought{1, 0, Direction::backward};
  // With its own masks or others.
  const auto evaluator = [&](std::uint64_t masks) {
    return evaluator_on(parties.channel(), RandomSource::from_seed(masks), RandomSource::from_seed(4));
  };
  const auto multiply = [&](const Evaluator& own, const OperationId& operation, const EncryptedMatrix& x,
                            const EncryptedMatrix& y) {
    own.transfers(opening);  // the same ticket
    return parties.decrypt(matmul->multiply(own, operation, x, y, {1, 0}, std::nullopt));
  };
  const auto once = [&](std::size_t height, std::size_t width, long value) {
    return parties.encrypt(matrix_of(height, width, {value, -value})).opened_once();
  };
  const EncryptedMatrix x = once(rows, inner, 5), y = once(inner, cols, 6), other_x = once(rows, inner, 700),
                        other_y = once(inner, cols, 800);
  const Evaluator first = evaluator(1), again = evaluator(1);
  multiply(first, opening, x, y);
  multiply(again, opening, other_x, other_y);  // the same masks, about another request
  const IntegerMatrix product = multiply(first, brought, x, y);
  CHECK(multiply(evaluator(2), brought, x, y) == product);  // the same request, and another rho
  CHECK(multiply(again, brought, other_x, other_y) != product);
  Audit audit;
  const RecordingChannel& channel = parties.channel();
  for (std::size_t i = 0; i < channel.requests().size(); ++i)
    audit.see(channel.requests()[i], channel.answers()[i]);
  CHECK(audit.tickets() == 1);
  CHECK(audit.requests() == 4);
  CHECK(audit.keys() == 4 + 5);  // of the key holder and of the evaluator
  CHECK(audit.keys_used_twice() == 0);
  CHECK(audit.labels_of_choices() == 4);
  CHECK(audit.choices_under_one_label() == 0);
  CHECK(audit.labels_used_twice() == 0);
}

TEST_CASE(
    "oblivious product: the tiles of a long one, replayed and sent to other replicas, share nothing [slow]") {
  Audit audit;
  Replicas channel(4, [&](auto frame, auto answer) { audit.see(frame, answer); });
  constexpr std::size_t side = 64, depth = 24;
  TwoParties owner({.max_inner = depth});
  RandomStream values = RandomSource::from_seed(5).stream({});
  const IntegerMatrix a = random_matrix(side, depth, 20, values), b = random_matrix(depth, side, 20, values);
  const PublicKeys& keys = toy_keys().public_keys();
  const Evaluator evaluator{keys, owner.budget(), channel, RandomSource::from_seed(2), {}};
  CHECK(owner.decrypt(make_protocols(names(), owner.budget())
                          .matmul->multiply(evaluator, {1, 0, Direction::forward}, owner.encrypt(a),
                                            owner.encrypt(b), {1, 0}, std::nullopt)) == naive_product(a, b));
  CHECK(audit.keys() == 3);
  CHECK(audit.requests() >= 3);
  CHECK(audit.labels_used_twice() == 0);
  CHECK(audit.keys_used_twice() == 0);
}

TEST_CASE("oblivious product: what it hides decides its pads") {
  const BitBudget budget(toy_numbers, toy_max_inner, 512);
  const CrossTerms terms = cross_terms(budget, 2, 2, 2);
  const IntegerMatrix zero(2, 2), one(2, 2, 1);
  const auto drawn = [](std::uint64_t seed) {
    return Mask::drawn(Draws(RandomSource::from_seed(seed), {}), 2, 2, 40);
  };
  const Mask rho = drawn(1), other = drawn(2);
  const auto content = [&](const IntegerMatrix& e_a, const IntegerMatrix& e_b, const Mask& of) {
    const auto found =
        CrossTermSender(terms, key_holder_depth, e_a, e_b, sum(naive_product(e_a, e_b), of.values()))
            .content();
    return std::vector<std::uint64_t>(found.begin(), found.end());
  };
  std::set<std::vector<std::uint64_t>> contents{content(zero, zero, rho), content(one, zero, rho),
                                                content(zero, one, rho), content(zero, zero, other)};
  CHECK(contents.size() == 4);
  CHECK(content(one, zero, other) == content(one, zero, other));
}

TEST_CASE("oblivious product: operands that a packed product opened serve it, and the reverse") {
  for (const bool packed_first : {true, false}) {
    std::vector<std::string> views;
    TwoParties parties({.observer = [&](const Header&, std::string_view what, const FixedIntegers&) {
      views.emplace_back(what);
    }});
    RandomStream random = RandomSource::from_seed(4).stream({});
    const IntegerMatrix a = random_matrix(rows, inner, 20, random),
                        b = random_matrix(inner, cols, 20, random), d = random_matrix(rows, cols, 20, random);
    const EncryptedMatrix x = parties.encrypt(a).opened_once(), y = parties.encrypt(b).opened_once(),
                          z = parties.encrypt(d).opened_once();
    const auto packed = make_protocols(preset("homomorphic"), parties.budget()).matmul,
               oblivious = make_protocols(names(), parties.budget()).matmul;
    OperationId operation = parties.next_operation();
    const auto product = [&](const auto& matmul, Direction direction, const EncryptedMatrix& left,
                             const EncryptedMatrix& right) {
      operation.direction = direction;
      return parties.decrypt(
          matmul->multiply(parties.evaluator(), operation, left, right, {1, 0}, std::nullopt));
    };
    const auto& first = packed_first ? packed : oblivious;
    const auto& second = packed_first ? oblivious : packed;
    CHECK(product(first, Direction::forward, x, y) == naive_product(a, b));
    CHECK(product(second, Direction::gradient, x.transposed(), z) == naive_product(a.transposed(), d));
    CHECK(product(second, Direction::backward, z, y.transposed()) == naive_product(d, b.transposed()));
    CHECK(std::ranges::count(views, "A + R_A") == 1);
    CHECK(std::ranges::count(views, "B + R_B") == 2);
  }
}

TEST_CASE("oblivious product: in several tiles it is the same, and each is bound to its place [parallel]") {
  constexpr std::size_t side = 64, depth = 24;
  TwoParties parties({.max_inner = depth});
  RandomStream random = RandomSource::from_seed(5).stream({});
  const IntegerMatrix a = random_matrix(side, depth, 20, random), b = random_matrix(depth, side, 20, random);
  const EncryptedMatrix x = parties.encrypt(a), y = parties.encrypt(b);
  const Addend addend{parties.encrypt(IntegerMatrix(side, side, 7)), 4};
  IntegerMatrix want = naive_product(a, b);
  for (Integer& cell : want.cells()) cell += 7;
  const ProtocolSet set = make_protocols(names(), parties.budget());
  parties.evaluator().transfers(parties.next_operation());
  const Traffic before = parties.channel().traffic();
  CHECK(parties.decrypt(set.matmul->multiply(parties.evaluator(), parties.next_operation(), x, y, {1, 0},
                                             addend)) == want);
  Traffic sent = parties.channel().traffic();
  const Work work{.left = x.layout(), .right = y.layout(), .addend = true};
  CHECK(sent == before + find_protocol(wire_name).traffic(work, parties.sizes()));
  const std::vector<Bytes>&requests = parties.channel().requests(), &answers = parties.channel().answers();
  const CrossTerms terms = cross_terms(parties.budget(), side, depth, side);
  REQUIRE(terms.tiles() == 3);
  REQUIRE(requests.size() == 2 + 1 + 3);
  // No answer needs more memory than the key holder asks for, nor as much as all together.
  for (std::size_t i = 2; i < requests.size(); ++i) {
    const std::size_t needed =
        parties.key_holder().memory_needed(read_request_header(requests[i]), requests[i].size());
    CHECK(needed >= requests[i].size() + answers[i].size());
    CHECK(needed < 4 * (requests[i].size() + terms.most_corrections()) + (std::size_t{16} << 20));
  }
  const std::string foreign = "the key holder refused: a sealed state does not belong to this request";
  const auto refusal = [&](std::size_t i, const std::function<void(Request&)>& change) {
    Request request = decode_request(requests[i]);
    change(request);
    return refusal_of(parties.key_holder(), encode_request(request.header, request.body));
  };
  const Request second = decode_request(requests[4]), third = decode_request(requests[5]);
  const std::size_t ciphertexts = 22 * side * parties.sizes().ciphertext_bytes;  // of the addend
  const auto state_bytes = [&](std::size_t tile) {
    return sealed_overhead + place_bytes + terms.tile(tile).count * terms.choice_bytes();
  };
  const std::size_t sums = sealed_overhead + place_bytes + terms.cells() * terms.ring_bytes();
  CHECK(third.body.size() ==
        ciphertexts + state_bytes(2) + sums + cross_term_bytes(terms, 2) + cross_sum_bytes(terms));
  CHECK(refusal(4, [](Request& r) { r.header.parameters[6] = 1; }) == foreign);
  CHECK(refusal(4, [](Request& r) { r.header.parameters[6] = 4; }) ==
        "the key holder refused: a request has the number of a tile 4, allowed are 1 to 3");
  CHECK(refusal(4, [](Request& r) { ++r.header.operation.step; }) == foreign);
  CHECK(refusal(4, [](Request& r) { r.header.operation.direction = Direction::backward; }) == foreign);
  CHECK(refusal(4, [](Request& r) { ++r.header.session[0]; }) == foreign);
  CHECK(refusal(4, [](Request& r) { ++r.body[100]; }) == foreign);
  // The sums of another tile, and elements in the place of sums.
  CHECK(refusal(4, [&](Request& r) {
          const Request first = decode_request(requests[3]);
          std::copy_n(first.body.begin() + static_cast<std::ptrdiff_t>(state_bytes(0)), sums,
                      r.body.begin() + static_cast<std::ptrdiff_t>(state_bytes(1)));
        }) == foreign);
  CHECK(refusal(4, [](Request& r) { r.body.pop_back(); }) ==
        "the key holder refused: a frame is truncated at messages of transfers");
  CHECK(refusal(4, [](Request& r) { r.body.push_back(0); }).find("a request") != std::string::npos);
  // The same product at another place: the states of one serve no other.
  const EncryptedMatrix again =
      set.matmul->multiply(parties.evaluator(), parties.next_operation(), x, y, {1, 0}, addend);
  CHECK(parties.decrypt(again) == want);
}

TEST_CASE("oblivious product: other versions, tickets and forms are refused") {
  TwoParties parties;
  const EncryptedMatrix x = parties.encrypt(matrix_of(rows, inner, {5})),
                        y = parties.encrypt(matrix_of(inner, cols, {-7}));
  make_protocols(names(), parties.budget())
      .matmul->multiply(parties.evaluator(), parties.next_operation(), x, y, {1, 0}, std::nullopt);
  const std::vector<Bytes>& requests = parties.channel().requests();
  REQUIRE(requests.size() == 4);  // two of base transfers
  const auto refusal = [&](std::size_t i, const std::function<void(Request&)>& change) {
    Request request = decode_request(requests[i]);
    change(request);
    return refusal_of(parties.key_holder(), encode_request(request.header, request.body));
  };
  const std::string refused = "the key holder refused: ";
  CHECK(refusal(2, [](Request&) {}).empty());
  CHECK(refusal(3, [](Request&) {}).empty());
  const std::string other =
      refused +
      "oblivious transfers need the same version of the program on both sides; this key holder is " + version;
  CHECK(refusal(2, [](Request& r) { ++r.header.parameters[11]; }) == other);
  CHECK(refusal(3, [](Request& r) { ++r.header.parameters[5]; }) == other);
  CHECK(refusal(2, [](Request& r) { r.body.resize(31); }) == refused + "a frame is truncated at a ticket");
  CHECK(refusal(3, [](Request& r) { r.header.parameters[0] = 2; }) ==
        refused + "a sealed state does not belong to this request");
  CHECK(refusal(3, [](Request& r) { r.header.parameters[4] = 2; }) ==
        refused + "a request asks for a result in the form 2, there are 0 and 1");
  CHECK(refusal(3, [](Request& r) { r.header.parameters.pop_back(); }).find("parameters") !=
        std::string::npos);
}

TEST_CASE("oblivious product: an operand beyond its range ends the session") {
  for (const bool left : {true, false}) {
    TwoParties parties;
    IntegerMatrix a = matrix_of(2, 2, {5}), b = a;
    (left ? a : b).cells()[1] = -power_of_two(62);
    const EncryptedMatrix x = parties.encrypt(a), y = parties.encrypt(b);
    CHECK(error_of([&] {
            make_protocols(names(), parties.budget())
                .matmul->multiply(parties.evaluator(), parties.next_operation(), x, y, {1, 0}, std::nullopt);
          }) == "the key holder refused: a masked value is out of range; the session ends");
  }
}

TEST_CASE("oblivious product: beyond l bits it is exact as far as rho hides it") {
  TwoParties parties;
  const IntegerMatrix a = matrix_of(2, 2, {1L << 40}), b = matrix_of(2, 2, {-(1L << 41)});
  const EncryptedMatrix x = parties.encrypt(a), y = parties.encrypt(b);
  CHECK(parties.decrypt(make_protocols(names(), parties.budget())
                            .matmul->multiply(parties.evaluator(), parties.next_operation(), x, y, {1, 0},
                                              std::nullopt)) == naive_product(a, b));
}

TEST_CASE(
    "oblivious product: messages are uniform to either party, and two show nothing, whatever they hide") {
  // To choices that come again under one label. The key holder's key hangs on the request, the evaluator's on
  // request, answer and content.
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  const CrossTerms terms = cross_terms(parties.budget(), rows, inner, cols);
  REQUIRE(terms.by == ChosenBy::left);
  const Label label = tile_label(sha256(Bytes{7}), 0);
  const FixedIntegers bits =
      elements_of(terms, IntegerMatrix(rows, inner, 0x123456), IntegerMatrix(inner, cols));
  SecretBlocks known;
  for (std::size_t i = 0; i < transfer_bits; ++i)
    known.push_back(to_block(sha256(Bytes{static_cast<std::uint8_t>(i)})));
  const TransferSender key_holder(to_block(sha256(Bytes{8})), known);
  bool to_evaluator = true;
  const auto corrections_of = [&] {
    const SecretBlocks leaves = key_holder_leaves(transfers.ticket(), toy_keys().sealing_secret());
    return choose_elements(
        terms, to_evaluator ? transfers.chooser(label) : TransferChooser(leaves, key_holder_depth, label),
        bits, {0, bits.size()});
  };
  const auto sent = [&](long cell, const Digest& key) {
    CrossTermSender sender(terms, to_evaluator ? evaluator_depth : key_holder_depth,
                           IntegerMatrix(rows, inner), IntegerMatrix(inner, cols, cell),
                           IntegerMatrix(rows, cols));
    const auto holder = [&] {
      return to_evaluator ? key_holder.offset_holder(label) : transfers.offset_holder(label);
    };
    const Bytes all = sender.send(to_evaluator ? key_holder.offset() : transfers.offset(), holder,
                                  corrections_of(), hash_key("pads", key));
    return Bytes(all.begin() + sizeof(Block), all.end());
  };
  constexpr long end = 1L << 19;
  for (const bool whose : {true, false}) {
    to_evaluator = whose;
    const Bytes low = sent(-end, sha256(Bytes{1})), high = sent(end - 1, sha256(Bytes{2}));
    REQUIRE(low.size() > 10'000);
    for (const Bytes& view : {low, high, difference(low, high)}) CHECK(evenness(view) > 1e-6);
    // The same finds two contents under one key.
    CHECK(evenness(difference(low, sent(end - 1, sha256(Bytes{1})))) < 1e-6);
  }
}

TEST_CASE("oblivious product: what the evaluator receives is uniform beside the seeds that it has") {
  const auto seen = [](long cell, std::uint64_t seed) {
    TwoParties parties({.seed = seed});
    const OperationId operation = parties.next_operation();
    const EncryptedMatrix x = parties.encrypt(matrix_of(rows, inner, {cell})),
                          y = parties.encrypt(matrix_of(inner, cols, {cell}));
    make_protocols(names(), parties.budget())
        .matmul->multiply(parties.evaluator(), operation, x, y, {1, 0}, std::nullopt);
    const RecordingChannel& channel = parties.channel();
    for (std::size_t i = 0; i < channel.requests().size(); ++i) {
      const Request request = decode_request(channel.requests()[i]);
      if (request.header.protocol != wire_name || request.header.stage != 0) continue;
      const Bytes body = corrections_in(request, decode_answer(channel.answers()[i]));
      return without_known_streams(body, parties.evaluator().transfers(operation),
                                   tile_label(sha256(channel.requests()[i]), 0));
    }
    return Bytes();
  };
  constexpr long end = 1L << 19;
  const Bytes low = seen(-end, 60), high = seen(end - 1, 61);
  REQUIRE(low.size() == high.size());
  REQUIRE(low.size() > 5'000);
  for (const Bytes& view : {low, high, difference(low, high)}) CHECK(evenness(view) > 1e-6);
}
