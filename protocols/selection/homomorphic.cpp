// Selection by a shared bit on Paillier ciphertexts: [beta v] for beta = s xor t. The default.
//
// This project, after the secure multiplication of Bellafqira et al. 2018, with the bit as XOR shares.
// With d = v + r at K:   beta v = t d + s (1 - 2t) d - r (s + (1 - 2s) t).
// Negative powers of [t] are not needed: with 0 <= r < 3 2^B, B = L + sigma, and o = 12 2^B, t d - (1 - 2s) r
// t is t (d - o) + (o - (1 - 2s) r) t, and the length of the exponents tells nothing of s and r: all are
// between 9 2^B and 15 2^B, of B + 4 bits. So they are for any |r| < 2^(B + 2): v may be opened already.
//   E -> K  d sealed, of v = d - r that is opened already, or [v + r]; and K's share t, sealed
//   K -> E  in each packing that is asked for: for each ciphertext of the result [t (d - o) | ..]; for each
//           cell [(1 - 2t) d] and [t], moved to their slots
//   E       multiplies in [(1 - 2t) d] where s = 1, [t] to the power o - (1 - 2s) r, and adds -r s
// Where the evaluator gathers evidence of ranges, K adds to its answer about the v that was compared, with
// d = v + 2^(L-1) + r here, the bits t and k = t xor d_{L-1}:
//   K -> E  for each ciphertext of `column_packed` [floor(d / 2^(L-1)) - k - t | ..]; for each cell [k],
//   moved to its
//           slot
//   E       with e = s xor r_{L-1}: adds 2 (e k + s t) - floor(r / 2^(L-1)) - e - s, which gives
//           [2 floor((v + 2^(L-1)) / 2^L) | ..], 0 exactly where v is in range; a sum of these with random
//           factors of sigma bits is the evidence
// Proof    w = v + 2^(L-1) = d - r.  e xor k = [d mod 2^(L-1) < r mod 2^(L-1)] borrows from bit L-1, and
//          s xor t is bit L-1 of w, so floor(w / 2^(L-1)) = floor(d / 2^(L-1)) - floor(r / 2^(L-1)) -
//          (e xor k), and that less (s xor t) is twice floor(w / 2^L).
// Ranges   B = L + sigma for a v that is opened now; what is opened already has its own B, and
//          BitBudget::check_opened says that B + 6 bits fit a slot. |d| < 2^(B + 2), so d - o is below
//          2^(B + 4) in size; exponents of B + 4 bits. With |r| < 2^(B + 2) what stands in a slot of the
//          evidence is below 2^(B + 3) in size, less than half of a slot, however far v is out of range.
// Views    K: v + r, its own share.  E: ciphertexts.
// Parameters  word of the comparison that sealed the shares (comparison/sign_state.h), which packings are
//             asked for, then how v comes
#include <algorithm>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "paillier/parallel.h"
#include "protocols/masked_values.h"
#include "protocols/opened_values.h"
#include "protocols/selection/shares.h"
#include "protocols/slots.h"

namespace smlp {

namespace {

constexpr auto wire_name = "selection/homomorphic";
enum Stage : std::uint8_t { stage_selected, stage_checked };

/// By which the exponents of [t] are longer than the mask.
constexpr std::size_t exponent_bits = 4;

/// o: what K takes from d, and E adds to the exponents of [t].
Integer exponent_offset(std::size_t mask_bits) {
  return 12 * power_of_two(mask_bits);
}

std::size_t most_slots(const std::vector<SlotCells>& packing) {
  std::size_t slots = 0;
  for (const SlotCells& slot_cells : packing) slots = std::max(slots, slot_cells.size());
  return slots;
}

/// Evaluator: one packing of the result from the key holder's answer, whose [t] are `shares`.
std::vector<Ciphertext> combine(const Evaluator& evaluator, const std::vector<SlotCells>& packing,
                                const std::vector<Ciphertext>& base, const std::vector<Ciphertext>& values,
                                const std::vector<Ciphertext>& shares, const Matrix<std::uint8_t>& s,
                                const Brought& r) {
  const PaillierPublicKey& key = evaluator.paillier();
  const std::size_t slot_bits = evaluator.budget.slot_bits();
  const Integer offset = exponent_offset(r.mask_bits);
  const std::size_t slots = most_slots(packing);
  // The same steps and products whatever s is. Each sum has a term that is always chosen, of -1, and each
  // constant n + 1 for it: where s is 0 everywhere, neither is short.
  const std::size_t terms = slots + 2;
  const Ciphertext zero = key.trivial(0), always = key.trivial(-1);
  const Integer undone = key.n() + 1;
  const std::size_t limbs = masked_value_limbs(r.mask_bits);
  const FixedIntegers masked(r.mask.cells(), limbs), fixed_offset({&offset, 1}, limbs);
  std::vector<Ciphertext> factors(packing.size() * slots, zero), summands(packing.size() * terms, zero);
  FixedIntegers exponents(factors.size(), limbs), chosen(summands.size(), 1);
  FixedIntegers sum(packing.size(), limbs_for(key.bits() + 1)), term(1, limbs);
  for (std::size_t c = 0; c < packing.size(); ++c) {
    summands[c * terms + slots] = base[c];
    summands[c * terms + slots + 1] = always;
    chosen[c * terms + slots][0] = chosen[c * terms + slots + 1][0] = 1;
    std::ranges::copy(limbs_of(undone), sum[c].begin());
    for (std::size_t slot = 0; slot < packing[c].size(); ++slot) {
      const std::size_t cell = packing[c][slot];
      const unsigned bit = s.cells()[cell];
      factors[c * slots + slot] = shares[cell];
      std::ranges::copy(masked[cell], term[0].begin());
      negate_where(term[0], mask_of(1));
      add_shifted(sum[c], term[0], slot * slot_bits, mask_of(bit));
      negate_where(term[0], mask_of(bit));  // - (1 - 2 s) r
      const std::span<Limb> exponent = exponents[c * slots + slot];
      std::ranges::copy(fixed_offset[0], exponent.begin());
      add_shifted(exponent, term[0], 0, mask_of(1));
      summands[c * terms + slot] = values[cell];
      chosen[c * terms + slot][0] = bit;
    }
  }
  const auto masks = key.dot_products(factors, exponents, slots, r.mask_bits + exponent_bits);
  const auto sums = key.dot_products(summands, chosen, terms, 1);
  return parallel_map(packing.size(), [&](std::size_t c) {
    return key.add_plain(key.add(sums[c], masks[c]), sum.integer(c));
  });
}

/// Bits below bit L-1 of w.
std::size_t low_bits(const BitBudget& budget) {
  return budget.guarded_bits() - 1;
}

/// out = floor(value / 2^bits), of as many limbs.
void floor_shift(std::span<Limb> out, std::span<const Limb> value, std::size_t bits) {
  const Limb minus_one = mask_of(1);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = word_at(value, bits + i * limb_bits);
  add_shifted(out, {&minus_one, 1}, value.size() * limb_bits - bits,
              mask_of(static_cast<unsigned>(value.back() >> (limb_bits - 1))));
}

/// Evaluator: what the key holder sent about ranges, in one ciphertext: of 0 where every compared value is in
/// range, else not of 0 but for a probability of 2^-sigma (of the factors of a ciphertext that is not of 0,
/// given the others, one makes the sum 0). In the same steps whatever s and r are.
Ciphertext range_evidence(const Evaluator& evaluator, const OperationId& operation,
                          const std::vector<SlotCells>& packing, const std::vector<Ciphertext>& tops,
                          const std::vector<Ciphertext>& borrows, const std::vector<Ciphertext>& shares,
                          const Matrix<std::uint8_t>& s, const Brought& r) {
  const PaillierPublicKey& key = evaluator.paillier();
  const std::size_t slot_bits = evaluator.budget.slot_bits(), bits = low_bits(evaluator.budget);
  const std::size_t terms = 2 * most_slots(packing) + 1;
  const Limb minus_one = mask_of(1);
  const FixedIntegers masks(r.mask.cells(), masked_value_limbs(r.mask_bits));
  FixedIntegers sum(packing.size(), limbs_for(key.bits() + 1)), top(1, masks.limbs());
  std::vector<Ciphertext> summands(packing.size() * terms, key.trivial(0));
  FixedIntegers chosen(summands.size(), 1);
  // A term that is always chosen, as in combine; doubled with the others.
  const Ciphertext always = key.trivial(-1);
  const Integer undone = key.n() + 2;
  for (std::size_t c = 0; c < packing.size(); ++c) {
    summands[(c + 1) * terms - 1] = always;
    chosen[(c + 1) * terms - 1][0] = 1;
    std::ranges::copy(limbs_of(undone), sum[c].begin());
    for (std::size_t slot = 0; slot < packing[c].size(); ++slot) {
      const std::size_t cell = packing[c][slot], shift = slot * slot_bits, at = c * terms + 2 * slot;
      const unsigned share = s.cells()[cell];
      const unsigned coin = share ^ static_cast<unsigned>(word_at(masks[cell], bits) & 1);
      summands[at] = borrows[cell];
      chosen[at][0] = coin;
      summands[at + 1] = shares[cell];
      chosen[at + 1][0] = share;
      floor_shift(top[0], masks[cell], bits);
      negate_where(top[0], mask_of(1));
      add_shifted(sum[c], top[0], shift, mask_of(1));
      add_shifted(sum[c], {&minus_one, 1}, shift, mask_of(coin));
      add_shifted(sum[c], {&minus_one, 1}, shift, mask_of(share));
    }
  }
  const auto halves = key.dot_products(summands, chosen, terms, 1);
  const auto excesses = parallel_map(packing.size(), [&](std::size_t c) {
    return key.add_plain(key.add(tops[c], key.add(halves[c], halves[c])), sum.integer(c));
  });
  const Draws draws = evaluator.draws(operation, RandomnessKind::range_weight);
  const auto factors = parallel_map(
      excesses.size(), [&](std::size_t c) { return draws.stream(c).bits(evaluator.budget.numbers().sigma); });
  return key.dot_products(excesses, factors, excesses.size()).front();
}

class HomomorphicSelection : public Selection {
 public:
  EncryptedMatrix select(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& v,
                         const SignShares& bits, Packings packings) const override {
    return run(evaluator, stage_selected, operation, v, bits, packings);
  }

  EncryptedMatrix select_compared(const Evaluator& evaluator, const OperationId& operation,
                                  const EncryptedMatrix& z, const SignShares& bits,
                                  Packings packings) const override {
    check_compared_packings(packings);
    if (bits.compared.rows() == 0) return select(evaluator, operation, z, bits, packings);
    return run(evaluator, evaluator.evidence ? stage_checked : stage_selected, operation, bits.compared, bits,
               packings);
  }

 private:
  static EncryptedMatrix run(const Evaluator& evaluator, Stage stage, const OperationId& operation,
                             const EncryptedMatrix& v, const SignShares& bits, Packings packings) {
    const Layout& layout = v.layout();
    check_shares(layout, bits);
    if (stay_opened(packings)) throw Error("selection/homomorphic gives ciphertexts; ask it for a packing");
    RequestBody body(evaluator);
    std::vector<std::int64_t> parameters{comparison_word(bits.protocol), static_cast<std::int64_t>(packings)};
    const Brought r = bring(evaluator, operation, v, RandomnessKind::mask_selection, body, parameters);
    body.add(bits.key_holder);
    AnswerBody answer(evaluator, evaluator.header(wire_name, stage, operation, layout, std::move(parameters)),
                      body);
    const std::size_t cells = layout.rows() * layout.cols();
    std::vector<Ciphertext> column_packed_shares;
    const auto read = [&](const std::vector<SlotCells>& packing, std::vector<Ciphertext>& shares) {
      const auto base = answer.ciphertexts(packing.size(), "[t (d - o)]");
      const auto values = answer.ciphertexts(cells, "[(1 - 2t) d]");
      shares = answer.ciphertexts(cells, "[t]");
      return combine(evaluator, packing, base, values, shares, bits.evaluator, r);
    };
    const std::vector<SlotCells> packing = column_packed_cells(layout);
    std::vector<Ciphertext> column_packed, row_packed, row_packed_shares;
    if (makes_column_packed(layout, packings)) column_packed = read(packing, column_packed_shares);
    if (makes_row_packed(layout, packings)) row_packed = read(row_packed_cells(layout), row_packed_shares);
    if (stage == stage_checked) {
      const auto tops = answer.ciphertexts(packing.size(), "the tops of d");
      const auto borrows = answer.ciphertexts(cells, "[k]");
      evaluator.evidence->sums.push_back(range_evidence(evaluator, operation, packing, tops, borrows,
                                                        column_packed_shares, bits.evaluator, r));
    }
    answer.finish();
    return EncryptedMatrix::partial(layout, std::move(column_packed), std::move(row_packed));
  }
};

/// Key holder: one packing of the answer, in the same steps whatever t and d are.
void put_packing(Responder& responder, const std::vector<SlotCells>& packing, const Matrix<std::uint8_t>& t,
                 const Received& v, RandomnessKind base_draw, RandomnessKind values_draw,
                 RandomnessKind shares_draw) {
  const FixedIntegers& d = v.values;
  const std::size_t slot_bits = responder.budget().slot_bits();
  const std::size_t limbs = responder.keys().paillier().plaintext_limbs();
  const Limb one = 1;
  const Integer offset = -exponent_offset(v.mask_bits);
  const FixedIntegers minus_offset({&offset, 1}, d.limbs());
  FixedIntegers base(packing.size(), limbs), values(d.size(), limbs), shares(d.size(), limbs);
  FixedIntegers term(1, d.limbs());
  for (std::size_t c = 0; c < packing.size(); ++c)
    for (std::size_t slot = 0; slot < packing[c].size(); ++slot) {
      const std::size_t cell = packing[c][slot], shift = slot * slot_bits;
      const Limb bit = mask_of(t.cells()[cell]);
      add_shifted(base[c], d[cell], shift, bit);
      add_shifted(base[c], minus_offset[0], shift, bit);
      std::ranges::copy(d[cell], term[0].begin());
      negate_where(term[0], bit);
      add_shifted(values[cell], term[0], shift, mask_of(1));
      add_shifted(shares[cell], {&one, 1}, shift, bit);
    }
  responder.put(base, base_draw);
  responder.put(values, values_draw);
  responder.put(shares, shares_draw);
}

/// Key holder: what the evaluator needs to check the ranges of what was compared, from z + r, in the same
/// steps whatever it is.
void put_evidence(Responder& responder, const std::vector<SlotCells>& packing, const Matrix<std::uint8_t>& t,
                  const FixedIntegers& opened) {
  const std::size_t slot_bits = responder.budget().slot_bits(), bits = low_bits(responder.budget());
  const std::size_t limbs = responder.keys().paillier().plaintext_limbs();
  const Limb one = 1, minus_one = mask_of(1);
  FixedIntegers tops(packing.size(), limbs), borrows(opened.size(), limbs);
  FixedIntegers d(1, opened.limbs()), top(1, opened.limbs());
  for (std::size_t c = 0; c < packing.size(); ++c)
    for (std::size_t slot = 0; slot < packing[c].size(); ++slot) {
      const std::size_t cell = packing[c][slot], shift = slot * slot_bits;
      std::ranges::copy(opened[cell], d[0].begin());
      add_shifted(d[0], {&one, 1}, bits, mask_of(1));
      const unsigned share = t.cells()[cell];
      const unsigned borrow = share ^ static_cast<unsigned>(word_at(d[0], bits) & 1);
      floor_shift(top[0], d[0], bits);
      add_shifted(tops[c], top[0], shift, mask_of(1));
      add_shifted(tops[c], {&minus_one, 1}, shift, mask_of(borrow));
      add_shifted(tops[c], {&minus_one, 1}, shift, mask_of(share));
      add_shifted(borrows[cell], {&one, 1}, shift, mask_of(borrow));
    }
  responder.put(tops, RandomnessKind::answer_range_tops);
  responder.put(borrows, RandomnessKind::answer_range_borrows);
}

void answer_selection(Responder& responder, Stage stage) {
  const Layout& layout = responder.header().layout;
  const Packings packings = checked_packings(responder.parameter(1));
  std::size_t next = 2;
  const Received d =
      stage == stage_checked ? receive_opened(responder, next) : receive(responder, next, "v + r");
  const SignState state = open_shares(responder, responder.parameter(0));
  if (makes_column_packed(layout, packings))
    put_packing(responder, column_packed_cells(layout), state.bits, d, RandomnessKind::answer_column_packed,
                RandomnessKind::answer_values_column_packed, RandomnessKind::answer_shares_column_packed);
  if (makes_row_packed(layout, packings))
    put_packing(responder, row_packed_cells(layout), state.bits, d, RandomnessKind::answer_row_packed,
                RandomnessKind::answer_values_row_packed, RandomnessKind::answer_shares_row_packed);
  if (stage == stage_checked) put_evidence(responder, column_packed_cells(layout), state.bits, d.values);
}

void answer_selected(Responder& responder) {
  answer_selection(responder, stage_selected);
}
void answer_checked(Responder& responder) {
  answer_selection(responder, stage_checked);
}

}  // namespace

extern constexpr Descriptor homomorphic_selection_descriptor{
    .family = Family::selection,
    .name = "homomorphic",
    .paper = "this project, after Bellafqira et al. 2018, secure multiplication",
    .flow =
        "E -> K v + r sealed, or [v + r], and its shares, sealed;  K -> E [t (d - o)], and for each cell "
        "[(1 - 2t) d], [t], in each packing that is read",
    .brings_evidence = true,
    .handlers = {answer_selected, answer_checked},
    .declared =
        [](const Work& work, const Sizes& sizes) {
          const Bringing v = bringing(work, sizes);
          const std::size_t cells = cell_count(work.left), bits = v.mask_bits;
          const auto products = [&](std::size_t ciphertexts) {
            const std::size_t slots = (cells + ciphertexts - 1) / ciphertexts;
            return powers_products(ciphertexts, slots, 1, bits + exponent_bits) +
                   powers_products(ciphertexts, slots + 2, 1, 1);
          };
          const bool column_packed = makes_column_packed(work.left, work.packings),
                     row_packed = makes_row_packed(work.left, work.packings);
          const std::size_t packed = column_packed_count(work.left);
          const std::size_t answered = (column_packed ? packed + 2 * cells : 0) +
                                       (row_packed ? row_packed_count(work.left) + 2 * cells : 0);
          const std::size_t evidence = work.checked ? packed + cells : 0;
          const double evidence_products =
              work.checked ? powers_products(packed, 2 * ((cells + packed - 1) / packed) + 1, 1, 1) +
                                 powers_products(1, packed, 1, sizes.budget.numbers().sigma)
                           : 0;
          return Declaration{
              .to_key_holder = {.ciphertexts = v.sent.ciphertexts,
                                .bytes = v.sent.bytes + sealed_overhead + SignState::encoded_size(cells)},
              .to_evaluator = {.ciphertexts = answered + evidence},
              .masked_values = v.masked_values,
              .beside = {.products = (column_packed ? products(packed) : 0) +
                                     (row_packed ? products(row_packed_count(work.left)) : 0) +
                                     evidence_products}};
        },
    .make = made<HomomorphicSelection>,
};

}  // namespace smlp
