// Selection by a shared bit through oblivious transfers: [beta v] for beta = s xor t, in the packings that
// are asked for.
//
// Two transfers a cell, one each way (oblivious_transfer/selections.h). Base transfers once a session
// (oblivious_transfer/session.h).
//   E -> K  ticket and what K has of E's pairs, sealed;  d sealed, of v = d - r that is opened already, or
//           [v + r], d = v + r;  K's share t, sealed;  corrections for s
//   K -> E  (1 - 2t) d between two pads; corrections for t; ticket, request, t and t d - pad, sealed
//   E -> K  what gives K beta v + e, for a mask e that E draws now
//   K -> E  [k] of k = beta v + e, in each packing that is asked for; or k, sealed: it stays opened
//   E       subtracts e, or keeps it; k may be an operand of the next product as it is (matmul/operand.h)
// Ranges   |v| < 2^(L-1), L = l + guard bits; e a mask of L + sigma bits: |k| < 2^(L + sigma + 2), exact
//          modulo 2^W for W >= L + sigma + 3. d and r may have any length. Where k will be an operand,
//          |beta v| < 2^(l-1), as of any operand, and e has l + sigma bits.
// Views    K: v + r if v is opened now; k, under a mask of its own; corrections, pads (selections.h).
//          E: corrections and pads; ciphertexts.
// Parameters  of the first request: version, word of the comparison that sealed the shares, how v comes; of
//             the second: version, which packings are asked for
#include <algorithm>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "protocols/masked_values.h"
#include "protocols/oblivious_transfer/selections.h"
#include "protocols/opened_values.h"
#include "protocols/selection/shares.h"

namespace smlp {

namespace {

constexpr auto wire_name = "selection/oblivious-transfer";
enum Stage : std::uint8_t { stage_choices, stage_pads };

RingBytes ring_of(const BitBudget& budget) {
  return RingBytes::for_signed(budget.guarded_mask_bits() + mask_sum_bits);
}

/// Of the mask of the result: as long as that of an operand, where it will be one.
std::size_t result_mask_bits(const BitBudget& budget, Packings packings) {
  return packings == Packings::operand ? budget.value_mask_bits() : budget.guarded_mask_bits();
}

/// Between the two round trips the key holder remembers ticket, request and, for each cell, t and t d - pad.
std::size_t state_bytes(std::size_t cells, RingBytes ring) {
  return 2 * sizeof(Digest) + cells * (1 + ring.bytes);
}

class ObliviousSelection : public Selection {
 public:
  EncryptedMatrix select(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& v,
                         const SignShares& bits, Packings packings) const override {
    const Layout& layout = v.layout();
    const std::size_t cells = layout.rows() * layout.cols();
    check_shares(layout, bits);
    const BitBudget& budget = evaluator.budget;
    const RingBytes ring = ring_of(budget);
    const EvaluatorTransfers& transfers = evaluator.transfers(operation);
    RequestBody request(evaluator);
    request.add(transfers).add(transfers.sealed());
    std::vector<std::int64_t> parameters{version_word(), comparison_word(bits.protocol)};
    const Brought r = bring(evaluator, operation, v, RandomnessKind::mask_selection, request, parameters);
    request.add(bits.key_holder);
    const Header header =
        evaluator.header(wire_name, stage_choices, operation, layout, std::move(parameters));
    // Shares that are not there yet count as zeros for the label: what follows hangs on the request as it is
    // sent.
    const SelectionChoices choices(transfers, encode_request(header, request.bytes()), bits.evaluator);
    request.add(choices);
    AnswerBody answer(evaluator, header, request);
    const auto products = answer.raw(selection_answer_bytes(cells, ring), "products and corrections");
    const SealedState remembered = answer.sealed(state_bytes(cells, ring));
    answer.finish();

    const Mask mask = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_selected), layout.rows(),
                                  layout.cols(), result_mask_bits(budget, packings));
    const auto fixed = [](const IntegerMatrix& m, std::size_t bits_of) {
      return FixedIntegers(m.cells(), masked_value_limbs(bits_of));
    };
    RequestBody second(evaluator, evaluator.header(wire_name, stage_pads, operation, layout,
                                                   {version_word(), static_cast<std::int64_t>(packings)}));
    second.add(remembered)
        .add(SelectionMessage(transfers, choices, answer.call().request_digest(),
                              transfers.answer_tag(answer.call().answer()), products, bits.evaluator,
                              fixed(r.mask, r.mask_bits), fixed(mask.values(), mask.bits()), ring));
    AnswerBody selected(evaluator, std::move(second));
    if (stay_opened(packings)) {
      EncryptedMatrix out =
          read_opened(selected, operation, RandomnessKind::mask_selected, layout, mask.values(), mask.bits());
      selected.finish();
      return out;
    }
    std::vector<Ciphertext> column_packed, row_packed;
    if (makes_column_packed(layout, packings))
      column_packed = selected.ciphertexts(column_packed_count(layout), "[k]");
    if (makes_row_packed(layout, packings))
      row_packed = selected.ciphertexts(row_packed_count(layout), "[k]");
    selected.finish();
    return subtract_plain(evaluator.paillier(),
                          EncryptedMatrix::partial(layout, std::move(column_packed), std::move(row_packed)),
                          mask.values(), budget.slot_bits());
  }

  EncryptedMatrix select_compared(const Evaluator& evaluator, const OperationId& operation,
                                  const EncryptedMatrix& z, const SignShares& bits,
                                  Packings packings) const override {
    check_compared_packings(packings);
    return select(evaluator, operation, bits.compared.rows() == 0 ? z : bits.compared, bits, packings);
  }
};

void answer_choices(Responder& responder) {
  require_same_version(responder.parameter(0));
  const Layout& layout = responder.header().layout;
  const std::size_t cells = layout.rows() * layout.cols();
  const RingBytes ring = ring_of(responder.budget());
  const Digest ticket = read_ticket(responder);
  const TransferSender sender = read_sender(responder, ticket);
  std::size_t next = 2;
  const Received d = receive(responder, next, "v + r");
  const SignState shares = open_shares(responder, responder.parameter(1));
  const auto choices = responder.read_bytes(selection_choice_bytes(cells), "choices of the evaluator");
  responder.observe("choices of the evaluator", choices);
  const Digest& request = responder.request_digest();
  const AnsweredSelection answered =
      answer_choices(sender, transfer_chooser(responder, ticket, selection_label(request)), request, choices,
                     shares.bits, d.values, ring);
  responder.put_bytes(answered.bytes);
  Bytes state;
  state.reserve(state_bytes(cells, ring));
  state.insert(state.end(), ticket.begin(), ticket.end());
  state.insert(state.end(), request.begin(), request.end());
  state.insert(state.end(), shares.bits.cells().begin(), shares.bits.cells().end());
  append_ring(answered.remembered, ring, state);
  responder.put_sealed(state);
  wipe_memory(state.data(), state.size());
}

void answer_pads(Responder& responder) {
  require_same_version(responder.parameter(0));
  const Header& header = responder.header();
  const Layout& layout = header.layout;
  const std::size_t cells = layout.rows() * layout.cols();
  const BitBudget& budget = responder.budget();
  const RingBytes ring = ring_of(budget);
  const Packings packings = checked_packings(responder.parameter(1), Packings::operand);
  const OpenedState remembered = responder.open_sealed(state_bytes(cells, ring), wire_name, stage_choices);
  if (remembered.origin != header.operation) throw Error("a sealed state does not belong to this request");
  ByteReader reader(remembered.state);
  Digest ticket, request;
  std::ranges::copy(reader.take(ticket.size(), "a ticket"), ticket.begin());
  std::ranges::copy(reader.take(request.size(), "a request"), request.begin());
  const SignState shares = SignState::decode(reader.take(cells, "shares"), layout.rows(), layout.cols());
  FixedIntegers products = read_ring(reader.take(cells * ring.bytes, "products"), ring);
  const auto message =
      responder.read_bytes(selection_message_bytes(cells, ring), "the message of a selection");
  responder.observe("the message of a selection", message);
  const FixedIntegers k = finish_selection(transfer_chooser(responder, ticket, selection_label(request)),
                                           message, shares.bits, std::move(products), ring);
  responder.observe("beta v + e", k);
  const std::size_t bits = result_mask_bits(budget, packings);
  refuse_wider(k, bits + mask_sum_bits);
  if (stay_opened(packings))
    put_opened(responder, k, RandomnessKind::mask_selected, bits);
  else
    responder.put_matrix(k, packings);
}

}  // namespace

extern constexpr Descriptor oblivious_selection_descriptor{
    .family = Family::selection,
    .name = "oblivious-transfer",
    .paper = "Rathee et al. 2020, CrypTFlow2; Asharov, Lindell, Schneider, Zohner 2013; Roy 2022",
    .flow =
        "E -> K v + r sealed, or [v + r], its shares, sealed, and corrections;  K -> E products under pads, "
        "corrections;  E -> K numbers under pads;  K -> E [k] in each packing that is read, or k sealed",
    .on_opened = true,
    .transfers = true,
    .handlers = {answer_choices, answer_pads},
    .declared =
        [](const Work& work, const Sizes& sizes) {
          const Bringing v = bringing(work, sizes);
          const std::size_t cells = cell_count(work.left);
          const RingBytes ring = ring_of(sizes.budget);
          const std::size_t state = sealed_overhead + state_bytes(cells, ring);
          const std::size_t answered =
              (makes_column_packed(work.left, work.packings) ? column_packed_count(work.left) : 0) +
              (makes_row_packed(work.left, work.packings) ? row_packed_count(work.left) : 0);
          const std::size_t left_opened =
              stay_opened(work.packings)
                  ? opened_bytes(work.left, result_mask_bits(sizes.budget, work.packings))
                  : 0;
          Declaration out{
              .rounds = 2,
              .to_key_holder = {.ciphertexts = v.sent.ciphertexts,
                                .bytes = sizeof(Digest) + sender_bytes + v.sent.bytes + sealed_overhead +
                                         SignState::encoded_size(cells) + selection_choice_bytes(cells) +
                                         state + selection_message_bytes(cells, ring)},
              .to_evaluator = {.ciphertexts = answered,
                               .bytes = selection_answer_bytes(cells, ring) + state + left_opened},
              .masked_values = cells + v.masked_values,
              .beside = {.transfers = 2 * static_cast<double>(cells)}};
          if (stay_opened(work.packings))
            out.waits = Payload{.bytes = state + selection_message_bytes(cells, ring)};
          return out;
        },
    .make = made<ObliviousSelection>,
};

}  // namespace smlp
