// Sign bits as XOR shares, by a comparison of private inputs on DGK ciphertexts. The default.
//
// Damgard, Geisler, Kroigaard 2007 with the 2009 correction; Veugen 2012 (comparison with private inputs).
//   E -> K  [w + r] (Paillier, packed), w = z + 2^(L-1) in [0, 2^L)
//   K -> E  bits [y_i] of y = d mod 2^(L-1), d = w + r (DGK), and d sealed
//   E -> K  [c_i] = s + x_i - y_i + 3 sum_{j>i} (x_j ^ y_j) for x = r mod 2^(L-1), s = 1 - 2e, and [e + sum_j
//   x_j ^ y_j];
//           each times its own unit of Z_u, re-randomised, shuffled; and d sealed
//   K -> E  t = d_{L-1} ^ [some c_i = 0] and z + r, sealed
//   E       s_share = r_{L-1} ^ e ^ 1, since beta = d_{L-1} ^ r_{L-1} ^ [y < x] is bit L-1 of w = d - r
// Ranges   L = l + guard bits; r has L + sigma bits; |c_i| <= 3 (L - 1) + 2 < u.
// Views    K: d under its mask; for each comparison L blinded DGK plaintexts, at most one of them 0, with
// probability 1/2
//          whatever the inputs (e is a coin).  E: ciphertexts, its own coin.
#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/comparison/sign_state.h"

namespace smlp {

namespace {

constexpr auto wire_name = "comparison/dgk-veugen";
enum Stage : std::uint8_t { stage_bits, stage_shares };

/// Bits that are compared: those below the sign.
std::size_t compared_bits(const BitBudget& budget) {
  return budget.guarded_bits() - 1;
}

/// Between the two round trips the key holder remembers d alone.
std::size_t opened_state_bytes(std::size_t cells, const BitBudget& budget) {
  return SignState::encoded_size(cells, true, budget);
}

/// The evaluator's step for as many comparisons as there are lanes: [c_{L-2}], .., [c_0] and the equality
/// term, from the key holder's bits y (least significant first), the own x and the coin e of each.
std::vector<DgkBlock> comparison_terms(const DgkPublicKey& key, std::span<const DgkBlock> y,
                                       const std::vector<const Integer*>& x, const std::vector<unsigned>& e) {
  const unsigned u = key.u();
  const std::vector<DgkBlock> minus_y = key.negate(y);
  std::vector<DgkBlock> terms;
  terms.reserve(y.size() + 1);
  std::vector<unsigned> x_i(x.size()), s_plus_x_i(x.size());
  DgkBlock higher = key.trivial(std::vector<unsigned>(x.size(), 0));  // sum over the higher bits of x_j ^ y_j
  for (std::size_t i = y.size(); i-- > 0;) {
    for (std::size_t k = 0; k < x.size(); ++k) {
      x_i[k] = static_cast<unsigned>(mpz_tstbit(x[k]->get_mpz_t(), i));
      s_plus_x_i[k] = (1 + (u - 2) * e[k] + x_i[k]) % u;  // s = 1 - 2 e
    }
    const DgkBlock three_higher = key.add(key.twice(higher), higher);
    terms.push_back(key.add(key.add(key.trivial(s_plus_x_i), minus_y[i]), three_higher));
    higher = key.add(higher, key.add(key.trivial(x_i), key.choose(y[i], minus_y[i], x_i)));
  }
  terms.push_back(key.add(key.trivial(e), higher));  // 0 where e = 0 and x = y
  return terms;
}

class DgkVeugen : public Comparison {
 public:
  SignShares sign(const Evaluator& evaluator, const Place& place, const EncryptedMatrix& z) const override {
    const BitBudget& budget = evaluator.budget;
    const DgkPublicKey& key = evaluator.keys.dgk();
    const std::size_t bits = compared_bits(budget);
    const std::size_t cells = z.rows() * z.cols();
    if (3 * bits + 2 >= key.u())
      throw Error("a comparison of " + std::to_string(bits) + " bits needs u > " +
                  std::to_string(3 * bits + 2) + ", the DGK key has u = " + std::to_string(key.u()) +
                  "; lower --value-bits");
    const Integer half = power_of_two(bits);

    const Mask r = Mask::uniform(evaluator.draws(place, Draw::mask_comparison), z.rows(), z.cols(),
                                 budget.guarded_mask_bits());
    RequestBody masked(evaluator);
    masked.add(mask_down(evaluator, z.down(), z.layout(), r, budget.guarded_bits(),
                         evaluator.draws(place, Draw::exponent_comparison), half));
    AnswerBody bits_of_d(evaluator, evaluator.header(wire_name, stage_bits, place, z.layout()), masked);
    const std::vector<DgkCiphertext> y = bits_of_d.bits(cells * bits, "the bits of d");
    const SealedState sealed_d = bits_of_d.sealed(opened_state_bytes(cells, budget));
    bits_of_d.finish();

    const Draws flips = evaluator.draws(place, Draw::comparison_flip);
    Matrix<std::uint8_t> shares(z.rows(), z.cols());
    const auto terms_of = [&](std::size_t first, std::size_t count) {
      std::vector<unsigned> coins;
      std::vector<const Integer*> masks;
      for (std::size_t cell = first; cell < first + count; ++cell) {
        RandomStream flip = flips.stream(cell);
        coins.push_back(static_cast<unsigned>(flip.below(std::uint64_t{2})));
        masks.push_back(&r.values().cells()[cell]);
        shares.cells()[cell] = static_cast<std::uint8_t>(
            static_cast<unsigned>(mpz_tstbit(masks.back()->get_mpz_t(), bits)) ^ coins.back() ^ 1U);
      }
      std::vector<DgkBlock> y_of_bit;
      y_of_bit.reserve(bits);
      for (std::size_t i = 0; i < bits; ++i) {
        std::vector<DgkCiphertext> of_cells;
        of_cells.reserve(count);
        for (std::size_t cell = first; cell < first + count; ++cell) of_cells.push_back(y[cell * bits + i]);
        y_of_bit.push_back(key.block(of_cells));
      }
      return comparison_terms(key, y_of_bit, masks, coins);
    };

    RequestBody blinded(evaluator);
    blinded.add(blind_and_shuffle(evaluator, place, cells, bits + 1, terms_of)).add(sealed_d);
    AnswerBody answer(evaluator, evaluator.header(wire_name, stage_shares, place, z.layout()), blinded);
    SealedState sealed_shares = answer.sealed(SignState::encoded_size(cells, true, budget));
    answer.finish();
    return {std::move(shares), std::move(sealed_shares), wire_name, r.values()};
  }
};

void answer_bits(Answering& answering) {
  const BitBudget& budget = answering.budget();
  const Layout& layout = answering.header().layout;
  const std::size_t bits = compared_bits(budget);
  const IntegerMatrix d = answering.open_down(layout, budget.guarded_mask_bits(), "w + r");
  for (const Integer& value : d.cells())
    if (value < 0) refuse_out_of_range();
  std::vector<unsigned> plain(d.size() * bits);
  for (std::size_t i = 0; i < plain.size(); ++i)
    plain[i] = static_cast<unsigned>(mpz_tstbit(d.cells()[i / bits].get_mpz_t(), i % bits));
  answering.put(answering.keys().dgk().encrypt(plain, answering.draws(Draw::answer_bits)));
  answering.put_sealed(SignState{Matrix<std::uint8_t>(d.rows(), d.cols()), d}.encode(budget));
}

void answer_shares(Answering& answering) {
  const BitBudget& budget = answering.budget();
  const Layout& layout = answering.header().layout;
  const std::size_t bits = compared_bits(budget);
  const std::size_t cells = layout.rows() * layout.cols();
  const auto terms = answering.read_bits(cells * (bits + 1), "the blinded bits");
  const OpenedState opened = answering.open_sealed(opened_state_bytes(cells, budget), wire_name, stage_bits);
  if (opened.origin.direction != answering.header().place.direction)
    throw Error("a sealed state does not belong to this request");
  SignState state = SignState::decode(opened.state, layout.rows(), layout.cols(), true, budget);
  const Integer half = power_of_two(bits);
  const std::vector<std::uint8_t> zero = answering.keys().dgk().are_zero(terms);
  for (std::size_t cell = 0; cell < cells; ++cell) {
    unsigned zeros = 0;  // every term counts: no early exit
    for (std::size_t i = cell * (bits + 1); i < (cell + 1) * (bits + 1); ++i) zeros |= zero[i];
    Integer& d = state.opened->cells()[cell];
    state.bits.cells()[cell] =
        static_cast<std::uint8_t>(static_cast<unsigned>(mpz_tstbit(d.get_mpz_t(), bits)) ^ zeros);
    d -= half;  // z + r, for a selection of z
  }
  answering.observe("t", std::vector<Integer>(state.bits.cells().begin(), state.bits.cells().end()));
  answering.put_sealed(state.encode(budget));
}

Traffic traffic(const Work& work, const Sizes& sizes) {
  const std::size_t cells = work.left.rows() * work.left.cols();
  const std::size_t bits = compared_bits(sizes.budget);
  const std::size_t state = sealed_overhead + SignState::encoded_size(cells, true, sizes.budget);
  return {down_count(work.left) * sizes.ciphertext_bytes + cells * (bits + 1) * sizes.bit_bytes + state,
          cells * bits * sizes.bit_bytes + 2 * state, 2};
}

Operations operations(const Work& work, const Sizes& sizes) {
  const auto cells = static_cast<double>(work.left.rows() * work.left.cols());
  const auto bits = static_cast<double>(compared_bits(sizes.budget));
  Operations out;
  out.rerandomisations = static_cast<double>(down_count(work.left));
  out.decryptions = out.rerandomisations;
  out.bit_encryptions = cells * bits;
  // One product to enter, three to invert, six to add, eleven to blind by a unit.
  out.bit_products = cells * (bits + 1) * 21;
  out.bit_rerandomisations = cells * (bits + 1);
  out.zero_tests = cells * (bits + 1);
  out.masked_values = cells;
  return out;
}

}  // namespace

Descriptor dgk_veugen_descriptor() {
  Descriptor d;
  d.family = Family::comparison;
  d.name = "dgk-veugen";
  d.paper = "Damgard, Geisler, Kroigaard 2007 and 2009; Veugen 2012";
  d.flow = "E -> K [w + r];  K -> E bits [d_i];  E -> K blinded, shuffled [c_i];  K -> E its shares, sealed";
  d.leakage = "nothing";
  d.handlers = {answer_bits, answer_shares};
  d.traffic = traffic;
  d.operations = operations;
  d.make = [](const ProtocolSet&) -> std::shared_ptr<const Protocol> {
    return std::make_shared<DgkVeugen>();
  };
  return d;
}

}  // namespace smlp
