// Sign bits as XOR shares, by a garbled circuit on labels from correlated oblivious transfers.
//
// Zahur, Rosulek, Evans 2015 (half gates); Roy 2022 (transfers); the hash is
// that of Guo, Katz, Wang, Yu 2020. Here the evaluator garbles. Base transfers once a session
// (oblivious_transfer/session.h).
//   E -> K  ticket;  k sealed, of z = k - r that is opened already; or [z + r] (Paillier, packed), k = z + r
//   K -> E  for d = k + 2^(L-1) = w + r with w = z + 2^(L-1) in [0, 2^L): corrections that give E labels of
//           the lowest L bits of d (garbled_comparisons.h); ticket and request, sealed; k sealed where it was
//           opened now (opened_values.h)
//   E -> K  the seed of its active labels, L - 1 garbled AND gates a sign, of the circuit
//           bit L-1 of d - r (half_gates.h); ticket and request, sealed
//   K -> E  t, the colour of the active label at the end, sealed
//   E       s_share: the colour of the label of 0 there
// Ranges   L = l + guard bits, at most 64; r drawn for it is a mask of L + sigma bits; k and r of any length
//          and sign serve, since the circuit takes bits of two's complement.
// Views    K: k, once; active labels, of which one alone can be computed for each wire, and tables that are
//          pseudorandom without the others (the hash is circular correlation robust); t, a coin: the colour
//          of a label of E.
//          E: corrections, d under the stream of a seed of each tree that it does not have.
//          Labels of d hang on the request, those of r and the key of the hash on request, answer and r: a
//          label or key serves one content, the same content has the same bytes.
#include <algorithm>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "protocols/comparison/sign_state.h"
#include "protocols/masked_values.h"
#include "protocols/oblivious_transfer/garbled_comparisons.h"
#include "protocols/opened_values.h"

namespace smlp {

namespace {

constexpr auto wire_name = "comparison/garbled";
enum Stage : std::uint8_t { stage_bits, stage_tables };

/// Between the two round trips the key holder remembers ticket and request.
constexpr std::size_t state_bytes = 2 * sizeof(Digest);

Label label_of(const Digest& request) {
  return transfer_label("bits of d", request);
}

/// Modulo 2^64.
std::vector<std::uint64_t> lowest_words(const FixedIntegers& values) {
  std::vector<std::uint64_t> words;
  words.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) words.push_back(word_at(values[i], 0));
  return words;
}

class Garbled : public Comparison {
 public:
  SignShares sign(const Evaluator& evaluator, const OperationId& operation,
                  const EncryptedMatrix& z) const override {
    const std::size_t bits = evaluator.budget.guarded_bits(), cells = z.rows() * z.cols();
    const EvaluatorTransfers& transfers = evaluator.transfers(operation);
    std::vector<std::int64_t> form{version_word()};
    RequestBody request(evaluator);
    request.add(transfers);
    const Brought brought = bring(evaluator, operation, z, RandomnessKind::mask_comparison, request, form);
    const Header header = evaluator.header(wire_name, stage_bits, operation, z.layout(), std::move(form));
    AnswerBody labels(evaluator, header, request);
    const auto corrections = labels.raw(key_holder_corrections(cells * bits), "corrections of transfers");
    const SealedState remembered = labels.sealed(state_bytes);
    EncryptedMatrix opened = brought.now ? read_opened(labels, operation, RandomnessKind::mask_comparison,
                                                       z.layout(), brought.mask, brought.mask_bits)
                                         : z;
    labels.finish();

    const Digest& digest = labels.call().request_digest();
    const std::vector<std::uint64_t> r =
        lowest_words(FixedIntegers(brought.mask.cells(), masked_value_limbs(brought.mask_bits)));
    const GarbledComparisons garbled =
        garble(transfers, label_of(digest), corrections,
               transfers.secret_for(digest, transfers.answer_tag(labels.call().answer()), r), bits, r);
    RequestBody tables(evaluator,
                       evaluator.header(wire_name, stage_tables, operation, z.layout(), {version_word()}));
    tables.add(remembered).add(garbled);
    AnswerBody answer(evaluator, std::move(tables));
    SealedState sealed_shares = answer.sealed(SignState::encoded_size(cells));
    answer.finish();
    Matrix<std::uint8_t> shares(z.rows(), z.cols());
    shares.cells() = garbled.shares();
    return {std::move(shares), std::move(sealed_shares), wire_name, std::move(opened)};
  }
};

void answer_bits(Responder& responder) {
  const std::size_t bits = responder.budget().guarded_bits();
  require_same_version(responder.parameter(0));
  const Digest ticket = read_ticket(responder);
  std::size_t next = 1;
  const Received k = receive(responder, next, "z + r");
  std::vector<std::uint64_t> d = lowest_words(k.values);
  for (std::uint64_t& word : d) word ^= std::uint64_t{1} << (bits - 1);
  const Label label = label_of(responder.request_digest());
  responder.put_bytes(choose_bits(transfer_chooser(responder, ticket, label), bits, d));
  Bytes state(ticket.begin(), ticket.end());
  state.insert(state.end(), responder.request_digest().begin(), responder.request_digest().end());
  responder.put_sealed(state);
  if (k.now) put_opened(responder, k.values, RandomnessKind::mask_comparison, k.mask_bits);
}

void answer_tables(Responder& responder) {
  const Header& header = responder.header();
  require_same_version(responder.parameter(0));
  const std::size_t bits = responder.budget().guarded_bits(),
                    cells = header.layout.rows() * header.layout.cols();
  const OpenedState remembered = responder.open_sealed(state_bytes, wire_name, stage_bits);
  if (remembered.origin != header.operation) throw Error("a sealed state does not belong to this request");
  ByteReader reader(remembered.state);
  Digest ticket, request;
  std::ranges::copy(reader.take(ticket.size(), "a ticket"), ticket.begin());
  std::ranges::copy(reader.take(request.size(), "a request"), request.begin());
  const auto garbled = responder.read_bytes(garbled_bytes(cells, bits), "garbled comparisons");
  responder.observe("labels and tables", garbled);
  SignState state{Matrix<std::uint8_t>(header.layout.rows(), header.layout.cols())};
  state.bits.cells() = evaluate(transfer_chooser(responder, ticket, label_of(request)), bits, cells, garbled);
  responder.observe("t", state.bits.cells());
  responder.put_sealed(state.encode());
}

}  // namespace

extern constexpr Descriptor garbled_comparison_descriptor{
    .family = Family::comparison,
    .name = "garbled",
    .paper = "Zahur, Rosulek, Evans 2015; Roy 2022",
    .flow =
        "E -> K k = z + r sealed, or [z + r];  K -> E corrections for labels of k's bits;  E -> K labels, "
        "garbled tables;  K -> E its shares, sealed",
    .on_opened = true,
    .transfers = true,
    .handlers = {answer_bits, answer_tables},
    .declared =
        [](const Work& work, const Sizes& sizes) {
          const std::size_t cells = cell_count(work.left), bits = sizes.budget.guarded_bits();
          const bool opened = work.opened_bits != 0;
          const Bringing z = bringing(work, sizes);
          const std::size_t k = opened_bytes(work.left, z.mask_bits);
          const std::size_t state = sealed_overhead + state_bytes;
          return Declaration{
              .rounds = 2,
              .waits = Payload{.bytes = state + garbled_bytes(cells, bits)},
              .to_key_holder = {.ciphertexts = z.sent.ciphertexts,
                                .bytes = sizeof(Digest) + z.sent.bytes + state + garbled_bytes(cells, bits)},
              .to_evaluator = {.bytes = key_holder_corrections(cells * bits) + state + (opened ? 0 : k) +
                                        sealed_overhead + SignState::encoded_size(cells)},
              .masked_values = z.masked_values,
              .beside = {.gates = static_cast<double>(cells * (bits - 1))}};
        },
    .make = made<Garbled>,
};

}  // namespace smlp
