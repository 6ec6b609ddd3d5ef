// Selections by oblivious transfers against retries, replicas and resumed runs: nothing that hides one
// content is used for another. And what the evaluator receives.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <set>

#include "paillier/error.h"
#include "protocols/oblivious_transfer/selections.h"
#include "protocols/registry.h"
#include "protocols/version.h"
#include "tests/support/replicas.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

constexpr auto wire_name = "selection/oblivious-transfer";
constexpr std::size_t rows = 4, cols = 3, cells = rows * cols;

ProtocolNames hybrid() {
  return preset("hybrid");
}

RingBytes ring() {
  const BitBudget budget(toy_numbers, toy_max_inner, toy_keys().public_keys().paillier().bits());
  return RingBytes::for_signed(budget.guarded_mask_bits() + mask_sum_bits);
}

Bytes part(const Bytes& bytes, std::size_t first, std::size_t count) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(first);
  return Bytes(begin, begin + static_cast<std::ptrdiff_t>(count));
}

Bytes joined(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Every label, pad and key of a hash with the contents that it was used for.
class Audit {
 public:
  void see(std::span<const std::uint8_t> frame, std::span<const std::uint8_t> answer) {
    const Request request = decode_request(frame);
    if (!refusal_in(answer).empty() || request.header.protocol != wire_name) return;
    const Bytes& body = request.body;
    if (request.header.stage == 0) {
      const Bytes ticket = part(body, 0, sizeof(Digest));
      const std::size_t sent = selection_choice_bytes(cells);
      const Bytes choices = part(body, body.size() - sent, sent);
      evaluator_labels[joined(ticket, part(choices, 0, sizeof(Label)))].insert(choices);
      corrections[evaluator_depth][ticket].insert(part(choices, sizeof(Label), evaluator_corrections(cells)));
      // The key holder's pads and its label hang on the request: one answer to each.
      const Bytes answered = part(decode_answer(answer), 0, selection_answer_bytes(cells, ring()));
      const Digest digest = sha256(frame);
      key_holder_answers[joined(ticket, Bytes(digest.begin(), digest.end()))].insert(answered);
      corrections[key_holder_depth][ticket].insert(
          part(answered, cells * ring().bytes, key_holder_corrections(cells)));
    } else {
      const std::size_t sent = selection_message_bytes(cells, ring());
      const Bytes message = part(body, body.size() - sent, sent);
      evaluator_pads[part(message, 0, sizeof(Block))].insert(message);
    }
  }
  using Uses = std::map<Bytes, std::set<Bytes>>;
  Uses evaluator_labels, key_holder_answers, evaluator_pads;
  std::map<std::size_t, Uses> corrections;  ///< by depth, so of either party, and by ticket

  /// Pairs of corrections under one stream.
  std::size_t streams_used_twice() const {
    std::size_t twice = 0;
    for (const auto& [depth, uses] : corrections)
      for (const auto& entry : uses)
        for (auto a = entry.second.begin(); a != entry.second.end(); ++a)
          for (auto b = std::next(a); b != entry.second.end(); ++b) twice += same_columns(*a, *b, depth);
    return twice;
  }

  static std::size_t twice(const Uses& uses) {
    std::size_t out = 0;
    for (const auto& use : uses) out += use.second.size() - 1;
    return out;
  }
};

}  // namespace

TEST_CASE(
    "oblivious selection: replayed, reordered, sent to other replicas, resumed: nothing serves two "
    "contents") {
  Audit audit;
  Replicas channel(1, [&](auto frame, auto answer) { audit.see(frame, answer); });
  TwoParties owner;  // encrypts and decrypts
  const RandomSource random = RandomSource::from_seed(2);
  RandomStream values = RandomSource::from_seed(3).stream({});
  constexpr int runs = 3, steps = 3;
  for (int run = 0; run < runs; ++run) {  // one session, the same masks: as after a resume with a seed
    const Evaluator evaluator = evaluator_on(channel, random);
    const ProtocolSet set = make_protocols(hybrid(), evaluator.budget);
    for (std::uint32_t step = 1; step <= steps; ++step) {
      const IntegerMatrix z = random_matrix(rows, cols, 24, values),
                          delta = random_matrix(rows, cols, 20, values);
      OperationId operation{step, 0, Direction::activation};
      const Activated out = set.activation->forward(evaluator, operation, owner.encrypt(z));
      operation.direction = Direction::activation_backward;
      const EncryptedMatrix back = set.activation->backward(evaluator, operation, owner.encrypt(delta),
                                                            *out.state, Packings::row_packed);
      IntegerMatrix positive = z, passed = delta;
      for (std::size_t i = 0; i < cells; ++i)
        if (z.cells()[i] < 0) positive.cells()[i] = passed.cells()[i] = 0;
      CHECK(owner.decrypt(out.values) == positive);
      CHECK(owner.decrypt(back) == passed);
    }
  }
  CHECK(audit.evaluator_labels.size() == 2 * runs * steps);
  // A chain that comes again has other shares, sealed anew, in the choices: other requests to the key holder.
  CHECK(audit.key_holder_answers.size() > 2 * runs * steps);
  CHECK(audit.evaluator_pads.size() == 2 * runs * steps);
  CHECK(Audit::twice(audit.evaluator_labels) == 0);
  CHECK(Audit::twice(audit.key_holder_answers) == 0);
  CHECK(Audit::twice(audit.evaluator_pads) == 0);

  CHECK(audit.streams_used_twice() == 0);

  // The same audit finds choices of either party under one label,
  const Evaluator evaluator = evaluator_on(channel, random);
  const EvaluatorTransfers& transfers = evaluator.transfers({});
  const Bytes ticket(transfers.ticket().begin(), transfers.ticket().end());
  const auto corrections_of = [&](TransferChooser chooser, std::uint64_t seed) {
    RandomStream coins = RandomSource::from_seed(seed).stream({});
    std::vector<std::uint8_t> choices(cells);
    for (std::uint8_t& choice : choices) choice = static_cast<std::uint8_t>(coins.below(std::uint64_t{2}));
    Bytes sent;
    SecretBlocks labels(cells);
    chooser.extend(choices, sent, labels);
    return sent;
  };
  const SecretBlocks leaves = key_holder_leaves(transfers.ticket(), toy_keys().sealing_secret());
  const Label label = selection_label(sha256(Bytes{1}));
  for (const std::uint64_t seed : {4U, 5U}) {
    audit.corrections[evaluator_depth][ticket].insert(corrections_of(transfers.chooser(label), seed));
    audit.corrections[key_holder_depth][ticket].insert(
        corrections_of({leaves, key_holder_depth, label}, seed));
  }
  CHECK(audit.streams_used_twice() == 2);
  // and none under those of two requests, or of two contents.
  audit.corrections.clear();
  Matrix<std::uint8_t> s(rows, cols), other(rows, cols);
  other.cells()[0] = 1;
  for (const auto request : std::array<std::uint8_t, 2>{1, 2}) {
    audit.corrections[key_holder_depth][ticket].insert(
        corrections_of({leaves, key_holder_depth, selection_label(sha256(Bytes{request}))}, request));
    for (const Matrix<std::uint8_t>& choices : {s, other})
      audit.corrections[evaluator_depth][ticket].insert(
          part(SelectionChoices(transfers, Bytes{request}, choices).bytes(), sizeof(Label),
               evaluator_corrections(cells)));
  }
  CHECK(audit.corrections[key_holder_depth][ticket].size() == 2);
  CHECK(audit.corrections[evaluator_depth][ticket].size() == 4);
  CHECK(audit.streams_used_twice() == 0);
}

TEST_CASE("oblivious selection: an evaluator whose secrets come again has other pads for another content") {
  TwoParties parties;  // whose key holder answers alike each time
  const ProtocolSet set = make_protocols(hybrid(), parties.budget());
  const OperationId operation{1, 0, Direction::activation};
  // With its own masks or others.
  const auto evaluator = [&](std::uint64_t masks) {
    return evaluator_on(parties.channel(), RandomSource::from_seed(masks), RandomSource::from_seed(4));
  };
  const auto select = [&](const Evaluator& own, const EncryptedMatrix& v, const SignShares& bits) {
    own.transfers(operation);  // the same ticket
    set.selection->select(own, operation, v, bits);
  };
  const auto compared = [&](const Evaluator& own, long value) {
    SignShares bits =
        set.comparison->sign(own, operation, parties.encrypt(matrix_of(rows, cols, {value, -value})));
    own.calls->send();  // a label of choices hangs on shares, once they are there
    return bits;
  };
  const Evaluator first = evaluator(1), again = evaluator(1);
  const SignShares bits = compared(first, 5);
  SignShares others = compared(again, 700);
  others.evaluator = bits.evaluator;
  const EncryptedMatrix shifted = subtract_plain(toy_keys().public_keys().paillier(), bits.compared,
                                                 matrix_of(rows, cols, {3}), parties.budget().slot_bits());
  select(first, bits.compared, bits);
  select(evaluator(2), bits.compared, bits);  // another mask of the result
  select(evaluator(1), shifted, bits);        // another mask of what is selected
  select(again, others.compared, others);     // the same of both, about another request
  Audit audit;
  const RecordingChannel& channel = parties.channel();
  for (std::size_t i = 0; i < channel.requests().size(); ++i)
    audit.see(channel.requests()[i], channel.answers()[i]);
  CHECK(audit.key_holder_answers.size() == 2);
  CHECK(Audit::twice(audit.key_holder_answers) == 0);
  CHECK(audit.evaluator_pads.size() == 4);
  CHECK(Audit::twice(audit.evaluator_pads) == 0);
}

TEST_CASE("oblivious selection: states of another place, session or ticket, and other versions are refused") {
  TwoParties parties, others({.seed = 2});
  for (TwoParties* each : {&parties, &others})
    make_protocols(hybrid(), each->budget())
        .activation->forward(each->evaluator(), each->next_operation(),
                             each->encrypt(matrix_of(rows, cols, {5, -5})));
  const std::vector<Bytes>& requests = parties.channel().requests();
  REQUIRE(requests.size() == 6);  // two of base transfers, two of the comparison
  const auto refusal = [&](std::size_t i, const std::function<void(Request&)>& change) {
    Request request = decode_request(requests[i]);
    change(request);
    return refusal_of(parties.key_holder(), encode_request(request.header, request.body));
  };
  const std::string refused = "the key holder refused: ",
                    foreign = refused + "a sealed state does not belong to this request";
  CHECK(refusal(4, [](Request&) {}).empty());
  CHECK(refusal(5, [](Request&) {}).empty());
  for (const std::size_t i : {4U, 5U}) {
    CHECK(refusal(i, [](Request& r) { ++r.header.operation.step; }) == foreign);
    CHECK(refusal(i, [](Request& r) { ++r.header.session[0]; }) == foreign);
    CHECK(refusal(i, [](Request& r) { r.header.parameters[0] = version_word() + 1; }) ==
          refused +
              "oblivious transfers need the same version of the program on both sides; this key holder is " +
              version);
    CHECK(refusal(i, [](Request& r) { r.body.push_back(0); }).find("a request") != std::string::npos);
    CHECK(refusal(i, [](Request& r) { r.body.pop_back(); }).find("is truncated at") != std::string::npos);
  }
  CHECK(refusal(5, [](Request& r) { r.header.operation.direction = Direction::backward; }) == foreign);
  CHECK(refusal(5, [](Request& r) { r.header.parameters[1] = 5; }) ==
        refused + "a selection asks for the packings 5, there are 0 to 4");
  CHECK(refusal(4, [](Request& r) { ++r.body[0]; }) == foreign);  // another ticket
  CHECK(refusal(4, [](Request& r) { ++r.body[200]; }) == foreign);
  // What another session's key holder sealed for it.
  CHECK(refusal(4, [&](Request& r) {
          const Bytes theirs = decode_request(others.channel().requests()[4]).body;
          std::copy_n(theirs.begin(), sizeof(Digest) + sender_bytes, r.body.begin());
        }).empty() == false);
}
