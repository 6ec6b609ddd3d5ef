// Garbled comparisons against retries, replicas and resumed runs: nothing that hides one content is used for
// another. And what the evaluator receives.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <set>

#include "paillier/error.h"
#include "protocols/oblivious_transfer/garbled_comparisons.h"
#include "protocols/registry.h"
#include "protocols/version.h"
#include "tests/support/replicas.h"
#include "tests/support/statistics.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

constexpr auto wire_name = "comparison/garbled";
constexpr std::size_t rows = 4, cols = 3, cells = rows * cols, bits = toy_numbers.value_bits + 4;

/// Looks for labels and seeds that serve two contents.
class Audit {
 public:
  void see(std::span<const std::uint8_t> frame, std::span<const std::uint8_t> answer) {
    const Request request = decode_request(frame);
    if (!refusal_in(answer).empty() || request.header.protocol != wire_name) return;
    if (request.header.stage == 0) {
      const Bytes body = decode_answer(answer);
      corrections(
          {request.body.begin(), request.body.begin() + sizeof(Digest)}, sha256(frame),
          {body.begin(), body.begin() + static_cast<std::ptrdiff_t>(key_holder_corrections(cells * bits))});
    } else {
      garbled(
          {request.body.end() - static_cast<std::ptrdiff_t>(garbled_bytes(cells, bits)), request.body.end()});
    }
  }
  /// What the key holder sent under a ticket about a request.
  void corrections(const Bytes& ticket, const Digest& request, const Bytes& matrix) {
    tickets_.insert(ticket);
    const auto [known, added] = corrections_[ticket].emplace(request, matrix);
    if (!added && known->second != matrix) ++answers_that_differ;
  }
  /// Seed and tables.
  void garbled(const Bytes& sent) { seeds_[Bytes(sent.begin(), sent.begin() + sizeof(Block))].insert(sent); }

  /// Two matrices under one label differ by the same bits in every column: those of d xor d'.
  std::size_t labels_used_twice() const {
    std::size_t twice = 0;
    for (const auto& entry : corrections_)
      for (auto a = entry.second.begin(); a != entry.second.end(); ++a)
        for (auto b = std::next(a); b != entry.second.end(); ++b)
          twice += same_columns(a->second, b->second, key_holder_depth);
    return twice;
  }
  std::size_t seeds_used_twice() const {
    std::size_t twice = 0;
    for (const auto& entry : seeds_) twice += entry.second.size() - 1;
    return twice;
  }
  std::size_t tickets() const { return tickets_.size(); }
  std::size_t requests() const {
    std::size_t all = 0;
    for (const auto& entry : corrections_) all += entry.second.size();
    return all;
  }
  std::size_t seeds() const { return seeds_.size(); }
  std::size_t answers_that_differ = 0;  ///< of replicas, to one request

 private:
  std::set<Bytes> tickets_;
  std::map<Bytes, std::map<Digest, Bytes>> corrections_;
  std::map<Bytes, std::set<Bytes>> seeds_;
};

/// What the key holder would send for d, 2 d, .. under this label.
Bytes corrections_for(const Digest& ticket, const Label& label, std::uint64_t d) {
  std::vector<std::uint64_t> all;
  for (std::size_t i = 1; i <= cells; ++i) all.push_back(d * i);
  return choose_bits({key_holder_leaves(ticket, toy_keys().sealing_secret()), key_holder_depth, label}, bits,
                     all);
}

}  // namespace

TEST_CASE(
    "garbled comparison: replayed, reordered, sent to other replicas, resumed: nothing serves two contents") {
  Audit audit;
  Replicas channel(1, [&](auto frame, auto answer) { audit.see(frame, answer); });
  TwoParties owner;  // encrypts and decrypts
  const ProtocolNames names = [] {
    ProtocolNames garbled = preset("homomorphic");
    garbled.comparison = "garbled";
    return garbled;
  }();
  const RandomSource random = RandomSource::from_seed(2);
  RandomStream values = RandomSource::from_seed(3).stream({});
  constexpr int runs = 3, steps = 3;
  for (int run = 0; run < runs;
       ++run) {  // the same session and the same masks, as after a resume with a seed
    const Evaluator evaluator = evaluator_on(channel, random);
    const ProtocolSet set = make_protocols(names, evaluator.budget);
    for (std::uint32_t step = 1; step <= steps; ++step) {
      const IntegerMatrix z = random_matrix(rows, cols, 24, values);
      const OperationId operation{step, 0, Direction::activation};
      const SignShares shares = set.comparison->sign(evaluator, operation, owner.encrypt(z));
      IntegerMatrix positive = z;
      for (Integer& cell : positive.cells()) cell = cell < 0 ? Integer(0) : cell;
      CHECK(owner.decrypt(set.selection->select_compared(evaluator, operation, {}, shares)) == positive);
      // Compared again as it was opened: with the same r, the same labels and bytes are right.
      set.comparison->sign(evaluator, operation, shares.compared);
      evaluator.calls->send();
    }
  }
  CHECK(audit.tickets() == runs);
  CHECK(audit.requests() == 2 * runs * steps);
  CHECK(audit.seeds() == 2 * runs * steps);
  CHECK(audit.answers_that_differ == 0);
  CHECK(audit.labels_used_twice() == 0);
  CHECK(audit.seeds_used_twice() == 0);

  // The same audit finds a label by the place instead of the request, and a seed by the place.
  const Evaluator evaluator = evaluator_on(channel, random);
  const EvaluatorTransfers& transfers = evaluator.transfers({});
  const Label by_place = transfer_label("bits of d", sha256(Bytes{1}));
  const Bytes first = corrections_for(transfers.ticket(), by_place, 0x123456),
              second = corrections_for(transfers.ticket(), by_place, 0x654321);
  const Bytes ticket(transfers.ticket().begin(), transfers.ticket().end());
  audit.corrections(ticket, sha256(Bytes{1}), first);
  audit.corrections(ticket, sha256(Bytes{2}), second);
  CHECK(audit.labels_used_twice() == 1);
  const Block seed = transfers.secret_for(sha256(Bytes{1}), {}, {});
  for (const std::uint64_t r : {1U, 2U})
    audit.garbled(
        garble(transfers, by_place, first, seed, bits, std::vector<std::uint64_t>(cells, r)).bytes());
  CHECK(audit.seeds_used_twice() == 1);
}

TEST_CASE(
    "garbled comparison: one opened value against two constants at one place is garbled from two seeds") {
  TwoParties parties;  // whose key holder answers alike each time
  ProtocolNames names = preset("homomorphic");
  names.comparison = "garbled";
  const auto comparison = make_protocols(names, parties.budget()).comparison;
  const OperationId operation{1, 0, Direction::activation};
  const EncryptedMatrix z =
      parties.open(matrix_of(rows, cols, {700, -5}), {operation.step, 0, Direction::forward});
  const EncryptedMatrix shifted = subtract_plain(toy_keys().public_keys().paillier(), z,
                                                 matrix_of(rows, cols, {512}), parties.budget().slot_bits());
  for (const EncryptedMatrix& compared : {z, shifted})
    comparison->sign(parties.evaluator(), operation, compared);
  Audit audit;
  const RecordingChannel& channel = parties.channel();
  for (std::size_t i = 0; i < channel.requests().size(); ++i)
    audit.see(channel.requests()[i], channel.answers()[i]);
  CHECK(audit.requests() == 1);  // both about one k
  CHECK(audit.seeds() == 2);
  CHECK(audit.seeds_used_twice() == 0);
}

TEST_CASE("garbled comparison: secrets hang on evaluator, request, answer and content") {
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  const Digest request = sha256(Bytes{1});
  const Digest answer = sha256(Bytes{1, 2, 3}), other = sha256(Bytes{1, 2, 4});
  const std::vector<std::uint64_t> r{5, 6}, other_r{5, 7};
  CHECK(transfers.secret_for(request, answer, r) == transfers.secret_for(request, answer, r));
  CHECK(transfers.secret_for(request, answer, r) != transfers.secret_for(request, answer, other_r));
  CHECK(transfers.secret_for(request, answer, r) != transfers.secret_for(request, other, r));
  CHECK(transfers.secret_for(request, answer, r) != transfers.secret_for(sha256(Bytes{2}), answer, r));
  const Bytes frame{1, 2, 3}, other_frame{1, 2, 4};
  CHECK(transfers.answer_tag(frame) == transfers.answer_tag(frame));
  CHECK(transfers.answer_tag(frame) != transfers.answer_tag(other_frame));
  const Evaluator resumed = evaluator_on(parties.channel(), parties.evaluator_random());
  const EvaluatorTransfers& anew = resumed.transfers({});
  CHECK(anew.ticket() != transfers.ticket());
  CHECK(anew.offset() != transfers.offset());
  CHECK(anew.secret_for(request, answer, r) != transfers.secret_for(request, answer, r));
  CHECK(anew.answer_tag(frame) != transfers.answer_tag(frame));
}

TEST_CASE("garbled comparison: what the evaluator receives is uniform beside the seeds that it has") {
  const auto seen = [](long z, std::uint64_t seed) {
    TwoParties parties({.seed = seed});
    ProtocolNames names = preset("homomorphic");
    names.comparison = "garbled";
    const OperationId operation = parties.next_operation();
    make_protocols(names, parties.budget())
        .comparison->sign(parties.evaluator(), operation, parties.encrypt(matrix_of(rows, cols, {z})));
    const RecordingChannel& channel = parties.channel();
    for (std::size_t i = 0; i < channel.requests().size(); ++i) {
      const Header header = read_request_header(channel.requests()[i]);
      if (header.protocol != wire_name || header.stage != 0) continue;
      Bytes body = decode_answer(channel.answers()[i]);
      body.resize(key_holder_corrections(cells * bits));
      return without_known_streams(body, parties.evaluator().transfers(operation),
                                   transfer_label("bits of d", sha256(channel.requests()[i])));
    }
    return Bytes();
  };
  constexpr long end = 1L << (bits - 1);
  const Bytes low = seen(-end, 60), high = seen(end - 1, 61);
  REQUIRE(low.size() == key_holder_corrections(cells * bits));
  for (const Bytes& view : {low, high, difference(low, high)}) CHECK(evenness(view) > 1e-6);
  // Under one label the difference is that of the bits, 64 times.
  const Digest ticket = sha256(Bytes{3});
  const Bytes one = corrections_for(ticket, {}, 0x123456), two = corrections_for(ticket, {}, 0x5af3c1);
  CHECK(evenness(one) > 1e-6);
  CHECK(evenness(difference(one, two)) < 1e-6);
}

TEST_CASE(
    "garbled comparison: tables are uniform to the key holder, and two show nothing, whatever they hide") {
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  const Label label = transfer_label("bits of d", sha256(Bytes{1}));
  const Bytes choices = corrections_for(transfers.ticket(), label, 0x123456);
  const auto tables = [&](std::uint64_t r, const Block& seed) {
    const Bytes sent =
        garble(transfers, label, choices, seed, bits, std::vector<std::uint64_t>(cells, r)).bytes();
    return Bytes(sent.begin() + sizeof(Block), sent.end());
  };
  const Block seed = to_block(sha256(Bytes{1})), other_seed = to_block(sha256(Bytes{2}));
  constexpr std::uint64_t most = (std::uint64_t{1} << bits) - 1;
  const Bytes low = tables(0, seed), high = tables(most, other_seed);
  REQUIRE(low.size() > 5'000);
  for (const Bytes& view : {low, high, difference(low, high)}) CHECK(evenness(view) > 1e-6);
  // The same finds one seed for two contents.
  CHECK(evenness(difference(low, tables(most, seed))) < 1e-6);
}

TEST_CASE(
    "garbled comparison: states of another place, session or protocol, and other versions are refused") {
  TwoParties parties;
  ProtocolNames names = preset("homomorphic");
  names.comparison = "garbled";
  const OperationId operation = parties.next_operation();
  make_protocols(names, parties.budget())
      .comparison->sign(parties.evaluator(), operation, parties.encrypt(matrix_of(rows, cols, {5, -5})));
  const std::vector<Bytes>& requests = parties.channel().requests();
  REQUIRE(requests.size() == 4);  // two of base transfers
  const auto refusal = [&](std::size_t i, const std::function<void(Request&)>& change) {
    Request request = decode_request(requests[i]);
    change(request);
    return refusal_of(parties.key_holder(), encode_request(request.header, request.body));
  };
  const std::string refused = "the key holder refused: ",
                    foreign = refused + "a sealed state does not belong to this request";
  CHECK(refusal(3, [](Request&) {}).empty());
  CHECK(refusal(3, [](Request& r) { ++r.header.operation.tile; }) == foreign);
  CHECK(refusal(3, [](Request& r) { ++r.header.operation.step; }) == foreign);
  CHECK(refusal(3, [](Request& r) { r.header.operation.direction = Direction::backward; }) == foreign);
  CHECK(refusal(3, [](Request& r) { ++r.header.session[0]; }) == foreign);
  CHECK(refusal(3, [](Request& r) { ++r.body[60]; }) == foreign);
  CHECK(refusal(3, [](Request& r) { r.body.pop_back(); }) ==
        refused + "a frame is truncated at garbled comparisons");
  CHECK(refusal(3, [](Request& r) { r.body.push_back(0); }).find("a request") != std::string::npos);
  CHECK(refusal(2, [](Request& r) { r.body.resize(31); }) == refused + "a frame is truncated at a ticket");
  for (const std::size_t i : {0U, 1U, 2U, 3U})
    CHECK(refusal(i, [](Request& r) { r.header.parameters = {version_word() + 1}; }) ==
          refused +
              "oblivious transfers need the same version of the program on both sides; this key holder is " +
              version);
  CHECK(refusal(1, [](Request& r) { r.body[0] = 9; }) ==
        refused + "the evaluator's base point is not a point of P-256");
}
