// Selection by a shared bit on Paillier ciphertexts: [beta v] for beta = s xor t. The default.
//
// This project, after the secure multiplication of Bellafqira et al. 2018, with the bit as XOR shares.
// With d = v + r at K:   beta v = t d + s (1 - 2t) d - r (s + (1 - 2s) t).
// Negative powers of [t] are not needed: with 0 <= r < 3 2^B, B = L + sigma, and o = 12 2^B, t d - (1 - 2s) r
// t is t (d - o) + (o - (1 - 2s) r) t, and the length of the exponents tells nothing of s and r: all are
// between 9 2^B and 15 2^B, of B + 4 bits.
//   E -> K  [v + r] and K's share t, sealed; or, for the v that was compared, the sealed shares alone (they
//           hold v + r)
//   K -> E  in each packing: for each ciphertext of the result [t (d - o) | ..]; for each cell
//           [(1 - 2t) d] and [t], moved to their slots
//   E       multiplies in [(1 - 2t) d] where s = 1, [t] to the power o - (1 - 2s) r, and adds -r s
// Ranges   v: L = l + guard bits under r of B bits; d - o below 2^(B + 4) in size; exponents of B + 4 bits.
// Views    K: v + r, its own share.  E: ciphertexts.
// Parameters  word of the comparison that sealed the shares (comparison/sign_state.h)
#include <algorithm>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "paillier/parallel.h"
#include "protocols/comparison/sign_state.h"
#include "protocols/masked_values.h"

namespace smlp {

namespace {

constexpr auto wire_name = "selection/homomorphic";
enum Stage : std::uint8_t { stage_masked, stage_compared };

/// One ciphertext of a packing: the cells in its slots, first slot first.
using SlotCells = std::vector<std::size_t>;

/// The cells of every ciphertext of the `down` packing, in order.
std::vector<SlotCells> cells_down(const Layout& layout) {
  const std::size_t cols = layout.cols();
  std::vector<SlotCells> out;
  std::size_t first = 0;
  for (const std::size_t width : layout.row_groups) {
    for (std::size_t j = 0; j < cols; ++j) {
      SlotCells cells(width);
      for (std::size_t i = 0; i < width; ++i) cells[i] = (first + i) * cols + j;
      out.push_back(std::move(cells));
    }
    first += width;
  }
  return out;
}

std::vector<SlotCells> cells_across(const Layout& layout) {
  const std::size_t cols = layout.cols();
  std::vector<SlotCells> out;
  for (std::size_t i = 0; i < layout.rows(); ++i) {
    std::size_t first = i * cols;
    for (const std::size_t width : layout.col_groups) {
      SlotCells cells(width);
      for (std::size_t j = 0; j < width; ++j) cells[j] = first + j;
      out.push_back(std::move(cells));
      first += width;
    }
  }
  return out;
}

/// o: what K takes from d, and E adds to the exponents of [t].
Integer exponent_offset(const BitBudget& budget) {
  return 12 * power_of_two(budget.guarded_mask_bits());
}

/// Evaluator: one packing of the result from the key holder's answer.
std::vector<Ciphertext> combine(const Evaluator& evaluator, AnswerBody& answer,
                                const std::vector<SlotCells>& packing, std::size_t cells,
                                const Matrix<std::uint8_t>& s, const IntegerMatrix& r) {
  const PaillierPublicKey& key = evaluator.paillier();
  const std::size_t slot_bits = evaluator.budget.slot_bits();
  const auto base = answer.ciphertexts(packing.size(), "[t (d - o)]");
  const auto values = answer.ciphertexts(cells, "[(1 - 2t) d]");
  const auto shares = answer.ciphertexts(cells, "[t]");
  const Integer offset = exponent_offset(evaluator.budget);
  std::size_t slots = 0;
  for (const SlotCells& slot_cells : packing) slots = std::max(slots, slot_cells.size());
  // The same steps and products whatever s is; constants plus n, which all have the length of n.
  const Ciphertext zero = key.trivial(0);
  const std::size_t limbs = masked_value_limbs(evaluator.budget.guarded_mask_bits());
  const FixedIntegers masked(r.cells(), limbs), fixed_offset({&offset, 1}, limbs);
  std::vector<Ciphertext> factors(packing.size() * slots, zero), summands(packing.size() * (slots + 1), zero);
  std::vector<Integer> exponents(factors.size()), chosen(summands.size()), constants(packing.size());
  FixedIntegers sum(packing.size(), limbs_for(key.bits() + 1)), term(1, limbs), exponent(1, limbs);
  for (std::size_t c = 0; c < packing.size(); ++c) {
    summands[c * (slots + 1) + slots] = base[c];
    chosen[c * (slots + 1) + slots] = 1;
    std::ranges::copy(limbs_of(key.n()), sum[c].begin());
    for (std::size_t slot = 0; slot < packing[c].size(); ++slot) {
      const std::size_t cell = packing[c][slot];
      const unsigned bit = s.cells()[cell];
      factors[c * slots + slot] = shares[cell];
      std::ranges::copy(masked[cell], term[0].begin());
      negate_where(term[0], mask_of(1));
      add_shifted(sum[c], term[0], slot * slot_bits, mask_of(bit));
      negate_where(term[0], mask_of(bit));  // - (1 - 2 s) r
      std::ranges::copy(fixed_offset[0], exponent[0].begin());
      add_shifted(exponent[0], term[0], 0, mask_of(1));
      exponents[c * slots + slot] = exponent.integer(0);
      summands[c * (slots + 1) + slot] = values[cell];
      chosen[c * (slots + 1) + slot] = bit;
    }
    constants[c] = sum.integer(c);
  }
  const auto masks = key.dot_products(factors, exponents, slots);
  const auto sums = key.dot_products(summands, chosen, slots + 1);
  return parallel_map(packing.size(),
                      [&](std::size_t c) { return key.add_plain(key.add(sums[c], masks[c]), constants[c]); });
}

class HomomorphicSelection : public Selection {
 public:
  EncryptedMatrix select(const Evaluator& evaluator, const Place& place, const EncryptedMatrix& v,
                         const SignShares& bits) const override {
    const BitBudget& budget = evaluator.budget;
    const Mask r = Mask::drawn(evaluator.draws(place, Draw::mask_selection), v.rows(), v.cols(),
                               budget.guarded_mask_bits());
    RequestBody body(evaluator);
    body.add(mask_down(evaluator, v.down(), v.layout(), r, budget.guarded_bits(), place));
    return run(evaluator, stage_masked, place, v.layout(), body, bits, r.values());
  }

  EncryptedMatrix select_compared(const Evaluator& evaluator, const Place& place, const EncryptedMatrix& z,
                                  const SignShares& bits) const override {
    if (bits.mask.size() == 0) return select(evaluator, place, z, bits);
    RequestBody body(evaluator);
    return run(evaluator, stage_compared, place, z.layout(), body, bits, bits.mask);
  }

 private:
  static EncryptedMatrix run(const Evaluator& evaluator, Stage stage, const Place& place,
                             const Layout& layout, RequestBody& body, const SignShares& bits,
                             const IntegerMatrix& r) {
    if (layout.rows() != bits.evaluator.rows() || layout.cols() != bits.evaluator.cols())
      throw Error("a selection of " + std::to_string(layout.rows()) + " x " + std::to_string(layout.cols()) +
                  " cells got shares of " + std::to_string(bits.evaluator.rows()) + " x " +
                  std::to_string(bits.evaluator.cols()) + " bits");
    body.add(bits.key_holder);
    AnswerBody answer(
        evaluator, evaluator.header(wire_name, stage, place, layout, {comparison_word(bits.protocol)}), body);
    const std::size_t cells = layout.rows() * layout.cols();
    auto down = combine(evaluator, answer, cells_down(layout), cells, bits.evaluator, r);
    std::vector<Ciphertext> across;
    if (!layout.single()) across = combine(evaluator, answer, cells_across(layout), cells, bits.evaluator, r);
    answer.finish();
    return EncryptedMatrix(layout, std::move(down), std::move(across));
  }
};

/// Key holder: one packing of the answer, in the same steps whatever t and d are.
void put_packing(Answering& answering, const std::vector<SlotCells>& packing, const Matrix<std::uint8_t>& t,
                 const FixedIntegers& d, Draw base_draw, Draw values_draw, Draw shares_draw) {
  const std::size_t slot_bits = answering.budget().slot_bits();
  const std::size_t limbs = answering.keys().paillier().plaintext_limbs();
  const Limb one = 1;
  const Integer offset = -exponent_offset(answering.budget());
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
  answering.put(base, base_draw);
  answering.put(values, values_draw);
  answering.put(shares, shares_draw);
}

/// A comparison seals its shares in its last answer.
std::uint8_t last_stage(const Descriptor& comparison) {
  return static_cast<std::uint8_t>(comparison.stages() - 1);
}

void answer_selection(Answering& answering, bool compared) {
  const BitBudget& budget = answering.budget();
  const Layout& layout = answering.header().layout;
  const Descriptor& comparison = comparison_by_word(answering.parameter(0));
  const bool has_opened = comparison.keeps_opened;
  FixedIntegers d;
  if (!compared)
    d = FixedIntegers(answering.open_down(layout, budget.guarded_mask_bits(), "v + r").cells(),
                      masked_value_limbs(budget.guarded_mask_bits()));
  const OpenedState opened =
      answering.open_sealed(SignState::encoded_size(layout.rows() * layout.cols(), has_opened, budget),
                            comparison.wire_name(), last_stage(comparison));
  SignState state = SignState::decode(opened.state, layout.rows(), layout.cols(), has_opened, budget);
  if (compared) {
    if (!state.opened)
      throw Error("the comparison " + std::string(comparison.name) +
                  " keeps no opened values to select from");
    d = std::move(*state.opened);
  }
  put_packing(answering, cells_down(layout), state.bits, d, Draw::answer_down, Draw::answer_values_down,
              Draw::answer_shares_down);
  if (!layout.single())
    put_packing(answering, cells_across(layout), state.bits, d, Draw::answer_across,
                Draw::answer_values_across, Draw::answer_shares_across);
}

void answer_masked(Answering& answering) {
  answer_selection(answering, false);
}
void answer_compared(Answering& answering) {
  answer_selection(answering, true);
}

std::size_t answered(const Layout& layout) {
  const std::size_t cells = layout.rows() * layout.cols();
  return both_count(layout) + 2 * cells * (layout.single() ? 1 : 2);
}

}  // namespace

extern constexpr Descriptor homomorphic_selection_descriptor{
    .family = Family::selection,
    .name = "homomorphic",
    .paper = "this project, after Bellafqira et al. 2018, secure multiplication",
    .flow =
        "E -> K ([v + r],) sealed shares;  K -> E [t (d - o)], and for each cell [(1 - 2t) d], [t], in both "
        "packings",
    .handlers = {answer_masked, answer_compared},
    .declared =
        [](const Work& work, const Sizes& sizes) {
          const std::size_t cells = cell_count(work.left), bits = sizes.budget.guarded_mask_bits();
          const auto products = [&](std::size_t ciphertexts) {
            const std::size_t slots = (cells + ciphertexts - 1) / ciphertexts;
            return powers_products(ciphertexts, slots, 1, bits + 4) +
                   powers_products(ciphertexts, slots + 1, 1, 1);
          };
          return Declaration{
              .to_key_holder = {.ciphertexts = work.compared ? 0 : down_count(work.left),
                                .bytes = sealed_overhead +
                                         SignState::encoded_size(cells, !work.unopened, sizes.budget)},
              .to_evaluator = {.ciphertexts = answered(work.left)},
              .masked_values = work.compared ? 0 : cells,
              .beside = {.products = products(down_count(work.left)) +
                                     (work.left.single() ? 0 : products(across_count(work.left)))}};
        },
    .make = made<HomomorphicSelection>,
};

}  // namespace smlp
