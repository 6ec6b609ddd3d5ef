// Matrix product with rescaling and addend by correlated oblivious transfers: no ciphertext but of what is
// opened for the first time.
//
// Gilboa 1999; Mohassel, Zhang 2017 (SecureML, section IV.B). Here the key holder chooses with the bits of
// the masked operands that it knows, and where one is smaller the evaluator with those of its mask
// (cross_terms.h).
//   E -> K  ticket; [A + R_A], [B + R_B], or their terms, or both sealed (operand.h); where both choose
//           (CrossTerms::by) what K has of E's pairs, sealed, and corrections for bits of e_A or e_B
//   K -> E  where both choose messages, the sums of whose pads are in what is sealed;
//           A' = A + R_A + 2^(l-1) and B', tile by tile, and A' B', sealed; corrections for the bits of the
//           first tile
// and for each tile
//   E -> K  its part of A' and B', that of the next, the sum so far, all sealed; messages; with the last one
//           V = e_A e_B + rho + sum of pads, less what E received, e_A = R_A + 2^(l-1), and with an addend
//           [C + R_C], or its terms
//   K -> E  the sum, sealed, and corrections for the next tile; with the last one
//           [floor((scale M + C + R_C) / 2^shift)], M = A'B' - A' e_B - e_A B' + e_A e_B + rho = A B + rho
//   E       as in `packed`: the same integers
// Ranges   A' and B' have w = l + sigma + 2 bits. M has 2l + log k + sigma + 2 and a sign, W in all; modulo
//          2^W everything else may wrap. A product that outgrows its range by less than sigma bits is
//          exact; beyond, it is wrong by multiples of 2^W, which a check of ranges finds.
// Views    K: A', B', C' as in `packed`; messages, of which one pad is unknown to it; V, and so M under rho.
//          E: corrections, bits of A' and B' under the streams of seeds that it does not have; messages, of
//          which one pad is unknown to it.
// Once     The bits of K are labelled by the first request, which they follow from, and their tile; those of
//          E by a secret of E, all that stands beside them and themselves. Pads of K hang on that request,
//          those of E on it, the answer that the corrections came in and all that they hide.
// Parameters  first: inner, scale, shift, addend bits (0: none), how each operand comes, form of the result,
//             version.  tiles: inner, scale, shift, addend bits, form, version, number from 1 on
#include <algorithm>

#include "paillier/error.h"
#include "protocols/integer_product.h"
#include "protocols/matmul/cross_terms.h"
#include "protocols/matmul/later.h"
#include "protocols/matmul/operand.h"
#include "protocols/truncation/division.h"

namespace smlp {

namespace {

constexpr auto wire_name = "matmul/oblivious-transfer";
enum Stage : std::uint8_t { stage_operands, stage_tile };

/// What the key holder seals for a tile: its elements, and the sums before it.
enum class Kind : std::uint8_t { elements, sums };

/// Where a request about the last tile says how the addend comes.
constexpr std::size_t first_addend_form = 7;

struct Place {
  Digest ticket, request;  ///< the first one
  std::size_t inner = 0, tile = 0;
};
constexpr std::size_t place_bytes = 1 + 2 * sizeof(Digest) + 4 + 4;

Bytes label(Kind kind, const Place& place) {
  Bytes out{static_cast<std::uint8_t>(kind)};
  out.insert(out.end(), place.ticket.begin(), place.ticket.end());
  out.insert(out.end(), place.request.begin(), place.request.end());
  append_number(place.inner, 4, out);
  append_number(place.tile, 4, out);
  return out;
}

std::size_t content_bytes(const CrossTerms& terms, Kind kind, std::size_t tile) {
  return kind == Kind::elements ? terms.tile(tile).count * terms.choice_bytes()
                                : terms.cells() * terms.ring_bytes();
}

std::size_t state_bytes(const CrossTerms& terms, Kind kind, std::size_t tile) {
  return place_bytes + content_bytes(terms, kind, tile);
}

std::size_t tile_correction_bytes(const CrossTerms& terms, std::size_t tile) {
  return key_holder_corrections(terms.tile(tile).count * terms.choice_bits);
}

/// What is made of the first answer: it is in memory with those of the requests that it goes with.
std::size_t first_answer_bytes(const CrossTerms& terms) {
  const std::size_t tiles = terms.tiles();
  return tiles * (sealed_overhead + place_bytes) + terms.elements() * terms.choice_bytes() + sealed_overhead +
         state_bytes(terms, Kind::sums, 0) + tile_correction_bytes(terms, 0) +
         (terms.both_choose() ? cross_term_bytes(terms, 0) : 0);
}

/// Without the addend.
std::size_t last_request_bytes(const CrossTerms& terms) {
  const std::size_t last = terms.tiles() - 1;
  return 2 * sealed_overhead + state_bytes(terms, Kind::elements, last) +
         state_bytes(terms, Kind::sums, last) + cross_term_bytes(terms, last) + cross_sum_bytes(terms);
}

/// Whether the first request may wait for others where its product is read later.
bool may_begin_later(const CrossTerms& terms, Form form) {
  return form == Form::opened && terms.tiles() == 1 && first_answer_bytes(terms) <= most_read_later_bytes;
}

/// One product, from its first request to its last answer.
class TransferredProduct {
 public:
  static constexpr auto wire_name = smlp::wire_name;

  TransferredProduct(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& a,
                     const EncryptedMatrix& b, const Rescale& factor, const std::optional<Addend>& addend,
                     Form form)
      : evaluator_(evaluator),
        operation_(operation),
        result_{a.layout().row_groups, b.layout().col_groups},
        rescaling_{factor, evaluator.budget.product_mask_bits(), addend ? addend->bits : 0, form},
        terms_(cross_terms(evaluator.budget, a.rows(), a.cols(), b.cols())),
        transfers_(evaluator.transfers(operation)),
        left_(evaluator, operation, a, Side::left),
        right_(evaluator, operation, b, Side::right),
        rho_(Mask::drawn(evaluator.rounding_draws(operation, RandomnessKind::mask_product, terms_.cols),
                         terms_.rows, terms_.cols, rescaling_.mask_bits)),
        masked_addend_(evaluator),
        mask_c_(add_masked_addend(evaluator, operation, addend, result_, masked_addend_, &addend_form_)),
        own_(terms_, transfers_, offset_operand(evaluator.budget, left_.mask()),
             offset_operand(evaluator.budget, right_.mask()), rho_) {
    RequestBody body(evaluator);
    body.add(transfers_);
    if (terms_.both_choose()) body.add(transfers_.sealed());
    left_.add_to(body);
    right_.add_to(body);
    std::vector<std::int64_t> parameters = numbers();
    left_.append_to(parameters);
    right_.append_to(parameters);
    parameters.insert(parameters.end(), {static_cast<std::int64_t>(form), version_word()});
    const Header header =
        evaluator.header(wire_name, stage_operands, operation, result_, std::move(parameters));
    if (terms_.both_choose()) body.add(own_.choices(encode_request(header, body.bytes())));
    answer_.emplace(evaluator, header, body);
  }
  static bool may_wait(const Evaluator& evaluator, const EncryptedMatrix& a, const EncryptedMatrix& b,
                       Form form) {
    return may_begin_later(cross_terms(evaluator.budget, a.rows(), a.cols(), b.cols()), form);
  }
  bool may_be_read_later() {
    if (!answer_->may_be_read_later()) return false;
    room_ = evaluator_.calls->room_to_follow(last_request_bytes(terms_) + masked_addend_.bytes().size());
    return room_ != nullptr;
  }
  /// Once.
  EncryptedMatrix read() {
    const std::size_t tiles = terms_.tiles();
    std::vector<SealedState> elements;
    if (terms_.both_choose())
      own_.receive(answer_->raw(cross_term_bytes(terms_, 0), "messages of transfers"));
    for (std::size_t tile = 0; tile < tiles; ++tile)
      elements.push_back(answer_->sealed(state_bytes(terms_, Kind::elements, tile)));
    Received next = received(0, *answer_);
    read_operands(*answer_, left_, right_);

    const Digest& request = answer_->call().request_digest();
    Digest answered = transfers_.answer_tag(answer_->call().answer());
    for (std::size_t tile = 0;; ++tile) {
      const bool more = tile + 1 < tiles;
      std::vector<std::int64_t> parameters = numbers();
      parameters.insert(parameters.end(), {static_cast<std::int64_t>(rescaling_.form), version_word(),
                                           static_cast<std::int64_t>(tile + 1)});
      if (!more) parameters.insert(parameters.end(), addend_form_.begin(), addend_form_.end());
      RequestBody about(evaluator_,
                        evaluator_.header(wire_name, stage_tile, operation_, result_, std::move(parameters)));
      if (!more) about.add(masked_addend_);
      about.add(elements[tile]).add(next.sums);
      if (more) about.add(elements[tile + 1]);
      about.add(own_.send(request, answered, next.corrections));
      AnswerBody told(evaluator_, std::move(about));
      if (!more) {
        EncryptedMatrix out = read_rescaled(evaluator_, operation_, told, result_, rho_.values(), mask_c_,
                                            rescaling_, "the rescaled product");
        told.finish();
        return out;
      }
      next = received(tile + 1, told);
      told.finish();
      answered = transfers_.answer_tag(told.call().answer());
    }
  }

 private:
  /// What an answer has for a tile.
  struct Received {
    SealedState sums;
    Bytes corrections;
  };
  Received received(std::size_t tile, AnswerBody& answer) const {
    SealedState sums = answer.sealed(state_bytes(terms_, Kind::sums, tile));
    const auto corrections = answer.raw(tile_correction_bytes(terms_, tile), "corrections of transfers");
    return {std::move(sums), Bytes(corrections.begin(), corrections.end())};
  }
  /// With which all parameters begin.
  std::vector<std::int64_t> numbers() const {
    return {static_cast<std::int64_t>(terms_.inner), rescaling_.factor.scale,
            static_cast<std::int64_t>(rescaling_.factor.shift),
            static_cast<std::int64_t>(rescaling_.addend_bits)};
  }

  const Evaluator& evaluator_;
  OperationId operation_;
  Layout result_;
  Rescaling rescaling_;
  CrossTerms terms_;
  const EvaluatorTransfers& transfers_;
  Operand left_, right_;
  Mask rho_;
  RequestBody masked_addend_;
  std::vector<std::int64_t> addend_form_;
  IntegerMatrix mask_c_;
  EvaluatorCrossTerms own_;
  std::optional<AnswerBody> answer_;
  std::shared_ptr<void> room_;  ///< for the last request, where the first is read later
};

/// Whichever request: its sizes and factor.
CrossTerms read_terms(Responder& responder) {
  const BitBudget& budget = responder.budget();
  const std::size_t inner = checked_size(responder.parameter(0), budget.max_inner(), "inner dimension");
  budget.check_product(wire_name, inner, checked_factor(responder, 1));
  const Layout& result = responder.header().layout;
  return cross_terms(budget, result.rows(), inner, result.cols());
}

/// States are of a product, not of one of its messages.
Header context_of(const Responder& responder) {
  Header context = responder.header();
  context.stage = stage_operands;
  return context;
}

void put_state(Responder& responder, Kind kind, const Place& place, const FixedIntegers& numbers,
               const Elements& range, std::size_t width) {
  Bytes state = label(kind, place);
  state.reserve(state.size() + range.count * width);  // no copy of a part stays behind
  append_numbers(numbers, range, width, state);
  responder.put_sealed(state, context_of(responder));
  wipe_memory(state.data(), state.size());
}

void put_sums(Responder& responder, const CrossTerms& terms, const Place& place, const FixedIntegers& sums) {
  put_state(responder, Kind::sums, place, sums, {0, terms.cells()}, terms.ring_bytes());
}

/// The key holder's leaves, from which choosers of all tiles are made.
SecretBlocks leaves_of(const Responder& responder, const Place& place) {
  return key_holder_leaves(place.ticket, responder.keys().sealing_secret());
}

TransferChooser chooser_of(const SecretBlocks& leaves, const Place& place) {
  return {leaves, key_holder_depth, tile_label(place.request, place.tile)};
}

void answer_operands(Responder& responder) {
  const CrossTerms terms = read_terms(responder);
  const BitBudget& budget = responder.budget();
  const Digest ticket = read_ticket(responder);
  std::optional<TransferSender> own;
  if (terms.both_choose()) own = read_sender(responder, ticket);
  if (terms.inner > responder.unread_bytes())  // before anything of that size is made
    throw Error("a product of inner dimension " + std::to_string(terms.inner) + " came with " +
                std::to_string(responder.unread_bytes()) + " bytes");
  const Layout& result = responder.header().layout;
  const std::vector<std::size_t> ungrouped(terms.inner, 1);
  const Layout left_layout{result.row_groups, ungrouped}, right_layout{ungrouped, result.col_groups};
  std::size_t next = first_form;
  OpenedOperand left(responder, left_layout, Side::left, next);
  OpenedOperand right(responder, right_layout, Side::right, next);
  require_same_version(responder.parameter(next + 1));
  const IntegerMatrix a = offset_operand(budget, left.open("A + R_A")),
                      b = offset_operand(budget, right.open("B + R_B"));
  const FixedIntegers elements = elements_of(terms, a, b);
  FixedIntegers sums;
  if (own) {
    const auto choices = responder.read_bytes(element_choice_bytes(terms), "choices of the evaluator");
    responder.observe("choices of the evaluator", choices);
    Label label;
    std::ranges::copy(choices.first(label.size()), label.begin());
    CrossTermSender sender(terms, evaluator_depth, a, b, integer_product(a, b));
    sender.append(
        own->offset(), [&] { return own->offset_holder(label); }, choices.subspan(label.size()),
        hash_key("key holder's pads", responder.request_digest()),
        responder.room_for(cross_term_bytes(terms, 0)));
    sums = std::move(sender.sums());
  } else {
    sums = ring_numbers(terms, integer_product(a, b));
  }
  const Place place{ticket, responder.request_digest(), terms.inner, 0};
  for (Place each = place; each.tile < terms.tiles(); ++each.tile)
    put_state(responder, Kind::elements, each, elements, terms.tile(each.tile), terms.choice_bytes());
  put_sums(responder, terms, place, sums);
  responder.put_bytes(
      choose_elements(terms, chooser_of(leaves_of(responder, place), place), elements, terms.tile(0)));
  left.seal();
  right.seal();
}

/// Reads a state of this product. `place`: of which ticket and request are taken from the first one read.
FixedIntegers open_state(Responder& responder, const CrossTerms& terms, Kind kind, Place& place, bool first) {
  const OpenedState opened = responder.open_sealed(state_bytes(terms, kind, place.tile),
                                                   context_of(responder), wire_name, stage_operands);
  ByteReader reader(opened.state);
  const auto found = reader.take(place_bytes, "a place");
  if (first) {
    std::ranges::copy(found.subspan(1, sizeof(Digest)), place.ticket.begin());
    std::ranges::copy(found.subspan(1 + sizeof(Digest), sizeof(Digest)), place.request.begin());
  }
  if (opened.origin != responder.header().operation || !std::ranges::equal(found, label(kind, place)))
    throw Error("a sealed state does not belong to this request");
  const std::size_t count = kind == Kind::elements ? terms.tile(place.tile).count : terms.cells();
  const bool elements = kind == Kind::elements;
  return read_numbers(reader.take(reader.remaining(), "numbers"), count,
                      elements ? terms.choice_bytes() : terms.ring_bytes(),
                      elements ? terms.choice_limbs() : terms.limbs());
}

void answer_tile(Responder& responder) {
  const CrossTerms terms = read_terms(responder);
  const BitBudget& budget = responder.budget();
  require_same_version(responder.parameter(5));
  const std::size_t tile = checked_size(responder.parameter(6), terms.tiles(), "number of a tile") - 1;
  const bool more = tile + 1 < terms.tiles();
  const IntegerMatrix c = more ? IntegerMatrix() : open_addend(responder, 3, first_addend_form);
  Place place{{}, {}, terms.inner, tile};
  const FixedIntegers elements = open_state(responder, terms, Kind::elements, place, true);
  FixedIntegers sums = open_state(responder, terms, Kind::sums, place, false);
  Place after = place;
  ++after.tile;
  FixedIntegers following;
  if (more) following = open_state(responder, terms, Kind::elements, after, false);
  const auto messages = responder.read_bytes(cross_term_bytes(terms, tile), "messages of transfers");
  responder.observe("messages of transfers", messages);
  const SecretBlocks leaves = leaves_of(responder, place);
  receive_cross_terms(
      terms, tile, [&] { return chooser_of(leaves, place); }, elements, messages, sums);
  if (more) {
    put_sums(responder, terms, after, sums);
    responder.put_bytes(choose_elements(terms, chooser_of(leaves, after), following, {0, following.size()}));
    return;
  }
  add_cross_sum(terms, responder.read_bytes(cross_sum_bytes(terms), "V"), sums);
  const IntegerMatrix product = ring_integers(terms, sums);
  responder.observe("A B + rho", product.cells());
  put_rescaled(responder, product, c,
               {checked_factor(responder, 1), budget.product_mask_bits(),
                static_cast<std::size_t>(responder.parameter(3)), checked_form(responder, 4)});
}

Declaration declared(const Work& work, const Sizes& sizes) {
  const BitBudget& budget = sizes.budget;
  const Layout result{work.left.row_groups, work.right.col_groups};
  const CrossTerms terms = cross_terms(budget, result.rows(), work.left.cols(), result.cols());
  const std::size_t addends = work.addend ? 1 : 0, tiles = terms.tiles();
  const bool opened_addend = work.addend && work.addend_bytes;
  const auto state = [&](Kind kind) { return sealed_overhead + state_bytes(terms, kind, 0); };
  const std::size_t elements =
      tiles * (sealed_overhead + place_bytes) + terms.elements() * terms.choice_bytes();
  const std::size_t corrections = key_holder_corrections(terms.transfers()),
                    others = (tiles - 1) * state(Kind::sums);
  const std::size_t again = elements - state(Kind::elements);  // all but the first are sent twice
  const std::size_t parties = terms.both_choose() ? 2 : 1;
  Declaration out{
      .rounds = 1 + tiles,
      .to_key_holder = {.ciphertexts = opened_addend ? 0 : addends * column_packed_count(result),
                        .bytes = (opened_addend ? *work.addend_bytes : 0) + sizeof(Digest) + elements +
                                 again + tiles * state(Kind::sums) + tiles * sizeof(Block) +
                                 terms.message_bytes({0, terms.elements()}) + cross_sum_bytes(terms)},
      .to_evaluator = {.bytes = elements + tiles * state(Kind::sums) + corrections},
      .masked_values = (1 + addends) * terms.cells(),
      .in_other_answers = others + corrections - std::min(corrections, terms.most_corrections()),
      .beside = {.transfers = static_cast<double>(parties * terms.transfers()),
                 .transfer_blocks = static_cast<double>(parties * terms.pad_blocks())}};
  if (terms.both_choose()) {
    out.to_key_holder.bytes += sender_bytes + element_choice_bytes(terms);
    out.to_evaluator.bytes += cross_term_bytes(terms, 0);
  }
  declare_rescaled(result, work, out);
  if (work.result_bits != 0)
    out.waits = Payload{.ciphertexts = out.to_key_holder.ciphertexts,
                        .bytes = (opened_addend ? *work.addend_bytes : 0) + last_request_bytes(terms)};
  declare_operand(work.left_states, work.left, column_packed_count(work.left), budget, out);
  declare_operand(work.right_states, work.right, row_packed_count(work.right), budget, out);
  out.begins_later = work.later && work.result_bits != 0 && may_begin_later(terms, Form::opened) &&
                     out.traffic(sizes).to_key_holder <= most_read_later_bytes + bytes_of(*out.waits, sizes);
  return out;
}

}  // namespace

extern constexpr Descriptor oblivious_transfer_matmul_descriptor{
    .family = Family::matmul,
    .name = "oblivious-transfer",
    .paper =
        "Gilboa 1999; Mohassel, Zhang 2017, section IV.B; Asharov, Lindell, Schneider, Zohner 2013; Roy 2022",
    .flow =
        "E -> K [A + R_A], [B + R_B], or their terms, or both sealed (, corrections for bits of R_A or R_B); "
        " "
        "K -> E (messages,) corrections for labels of their bits;  for each tile E -> K messages "
        "(, [C + R_C]);  K -> E its sum, sealed, corrections; at last "
        "[floor(scale (A B + rho) / 2^shift)], or it sealed",
    .fused = true,
    .on_opened = true,
    .transfers = true,
    .handlers = {answer_operands, answer_tile},
    .declared = declared,
    .make = made<RequestedProduct<TransferredProduct>>,
};

}  // namespace smlp
