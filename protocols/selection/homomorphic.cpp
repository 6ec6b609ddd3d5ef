// Selection by a shared bit on Paillier ciphertexts: [beta v] for beta = s xor t. The default.
//
// This project, after the secure multiplication of Bellafqira et al. 2018, with the bit as XOR shares.
// With d = v + r at K:   beta v = t d + s (1 - 2t) d - r (s + (1 - 2s) t).
//   E -> K  [v + r] and K's share t, sealed; or, for the v that was compared, the sealed shares alone (they
//   hold v + r) K -> E  for each ciphertext of the result [t d | ..]; for each cell [(1 - 2t) d] and [t],
//   moved to their slots; in each packing E       multiplies in [(1 - 2t) d] where s = 1, [t] to the power
//   -(1 - 2s) r, and adds -r s
// Ranges   v: L = l + guard bits under r of L + sigma; exponents of L + sigma bits.
// Views    K: v + r, its own share.  E: ciphertexts.
// Parameters  number of the comparison that sealed the shares, 1 if it kept z + r
#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/comparison/sign_state.h"

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

/// Evaluator: one packing of the result from the key holder's answer.
std::vector<Ciphertext> combine(const Evaluator& evaluator, AnswerBody& answer,
                                const std::vector<SlotCells>& packing, std::size_t cells,
                                const Matrix<std::uint8_t>& s, const IntegerMatrix& r) {
  const PaillierPublicKey& key = evaluator.paillier();
  const std::size_t slot_bits = evaluator.budget.slot_bits();
  const auto base = answer.ciphertexts(packing.size(), "[t d]");
  const auto values = answer.ciphertexts(cells, "[(1 - 2t) d]");
  const auto shares = answer.ciphertexts(cells, "[t]");
  const auto minus_shares = key.negate(shares);
  const Ciphertext zero = key.trivial(0);
  std::size_t slots = 0;
  for (const SlotCells& slot_cells : packing) slots = std::max(slots, slot_cells.size());
  // The same products whatever s is.
  std::vector<Ciphertext> factors(packing.size() * slots, zero);
  std::vector<Integer> exponents(factors.size());
  for (std::size_t c = 0; c < packing.size(); ++c)
    for (std::size_t slot = 0; slot < packing[c].size(); ++slot) {
      const std::size_t cell = packing[c][slot];
      factors[c * slots + slot] = s.cells()[cell] == 1 ? shares[cell] : minus_shares[cell];
      exponents[c * slots + slot] = r.cells()[cell];
    }
  const auto masks = key.dot_products(factors, exponents, slots);
  return parallel_map(packing.size(), [&](std::size_t c) {
    Ciphertext sum = key.add(base[c], masks[c]);
    Integer constant = 0;
    for (std::size_t slot = 0; slot < packing[c].size(); ++slot) {
      const std::size_t cell = packing[c][slot];
      const int bit = s.cells()[cell];
      sum = key.add(sum, bit == 1 ? values[cell] : zero);
      constant += (bit * r.cells()[cell]) << (slot * slot_bits);
    }
    return key.add_plain(sum, -constant);
  });
}

class HomomorphicSelection : public Selection {
 public:
  EncryptedMatrix select(const Evaluator& evaluator, const Place& place, const EncryptedMatrix& v,
                         const SignShares& bits) const override {
    const BitBudget& budget = evaluator.budget;
    const Mask r = Mask::uniform(evaluator.draws(place, Draw::mask_selection), v.rows(), v.cols(),
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
    const bool has_opened = bits.mask.size() != 0;
    AnswerBody answer(evaluator,
                      evaluator.header(wire_name, stage, place, layout,
                                       {comparison_number(bits.protocol), has_opened ? 1 : 0}),
                      body);
    const std::size_t cells = layout.rows() * layout.cols();
    auto down = combine(evaluator, answer, cells_down(layout), cells, bits.evaluator, r);
    std::vector<Ciphertext> across;
    if (!layout.single()) across = combine(evaluator, answer, cells_across(layout), cells, bits.evaluator, r);
    answer.finish();
    return EncryptedMatrix(layout, std::move(down), std::move(across));
  }
};

/// Key holder: one packing of the answer.
void put_packing(Answering& answering, const std::vector<SlotCells>& packing, const Matrix<std::uint8_t>& t,
                 const IntegerMatrix& d, Draw base_draw, Draw values_draw, Draw shares_draw) {
  const std::size_t slot_bits = answering.budget().slot_bits();
  std::vector<Integer> base(packing.size());
  std::vector<Integer> values(d.size());
  std::vector<Integer> shares(d.size());
  for (std::size_t c = 0; c < packing.size(); ++c)
    for (std::size_t slot = 0; slot < packing[c].size(); ++slot) {
      const std::size_t cell = packing[c][slot];
      const int bit = t.cells()[cell];
      base[c] += (bit * d.cells()[cell]) << (slot * slot_bits);
      values[cell] = ((1 - 2 * bit) * d.cells()[cell]) << (slot * slot_bits);
      shares[cell] = Integer(bit) << (slot * slot_bits);
    }
  answering.put(base, base_draw);
  answering.put(values, values_draw);
  answering.put(shares, shares_draw);
}

/// A comparison seals its shares in its last answer.
std::uint8_t last_stage(const Descriptor& comparison) {
  return static_cast<std::uint8_t>(comparison.handlers.size() - 1);
}

void answer_selection(Answering& answering, bool compared) {
  const BitBudget& budget = answering.budget();
  const Layout& layout = answering.header().layout;
  const Descriptor& comparison = comparison_by_number(answering.parameter(0));
  const bool has_opened = answering.parameter(1) == 1;
  IntegerMatrix d;
  if (!compared) d = answering.open_down(layout, budget.guarded_mask_bits(), "v + r");
  const OpenedState opened =
      answering.open_sealed(SignState::encoded_size(layout.rows() * layout.cols(), has_opened, budget),
                            comparison.wire_name(), last_stage(comparison));
  const SignState state = SignState::decode(opened.state, layout.rows(), layout.cols(), has_opened, budget);
  if (compared) {
    if (!state.opened)
      throw Error("the comparison " + comparison.name + " keeps no opened values to select from");
    d = *state.opened;
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

Traffic traffic(const Work& work, const Sizes& sizes) {
  const std::size_t cells = work.left.rows() * work.left.cols();
  const std::size_t sealed = sealed_overhead + SignState::encoded_size(cells, !work.unopened, sizes.budget);
  const std::size_t up = work.compared ? 0 : down_count(work.left);
  return {up * sizes.ciphertext_bytes + sealed, answered(work.left) * sizes.ciphertext_bytes, 1};
}

Operations operations(const Work& work, const Sizes& sizes) {
  const std::size_t cells = work.left.rows() * work.left.cols();
  const std::size_t bits = sizes.budget.guarded_mask_bits();
  Operations out;
  const auto per_packing = [&](std::size_t ciphertexts) {
    return powers_products(ciphertexts, (cells + ciphertexts - 1) / ciphertexts, 1, bits) +
           static_cast<double>(6 * cells);  // five to invert a share, one to add a value
  };
  out.products =
      per_packing(down_count(work.left)) + (work.left.single() ? 0 : per_packing(across_count(work.left)));
  out.rerandomisations = work.compared ? 0 : static_cast<double>(down_count(work.left));
  out.decryptions = out.rerandomisations;
  out.encryptions = static_cast<double>(answered(work.left));
  out.masked_values = work.compared ? 0 : static_cast<double>(cells);
  return out;
}

}  // namespace

Descriptor homomorphic_selection_descriptor() {
  Descriptor d;
  d.family = Family::selection;
  d.name = "homomorphic";
  d.paper = "this project, after Bellafqira et al. 2018, secure multiplication";
  d.flow =
      "E -> K ([v + r],) sealed shares;  K -> E [t d], and for each cell [(1 - 2t) d], [t], in both packings";
  d.leakage = "nothing";
  d.handlers = {answer_masked, answer_compared};
  d.traffic = traffic;
  d.operations = operations;
  d.make = [](const ProtocolSet&) -> std::shared_ptr<const Protocol> {
    return std::make_shared<HomomorphicSelection>();
  };
  return d;
}

}  // namespace smlp
