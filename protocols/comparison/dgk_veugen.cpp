// Sign bits as XOR shares, by a comparison of private inputs on DGK ciphertexts. The default.
//
// Damgard, Geisler, Kroigaard 2007 with the 2009 correction; Veugen 2012 (comparison with private inputs).
// Here the inputs are compared by digits of two bits, each sent as [digit >= 1], [digit >= 2], [digit >= 3]:
// as many ciphertexts as one for each bit and one back for each bit would be, but half as many to blind and
// test.
//   E -> K  k sealed, of z = k - r that is opened already; or [z + r] (Paillier, packed), k = z + r
//   K -> E  thresholds [y_i >= v] (DGK) of the digits of y = d mod 2^(L-1), d = k + 2^(L-1) = w + r with
//           w = z + 2^(L-1) in [0, 2^L); k sealed where it was opened now (opened_values.h)
//   E -> K  for x = r mod 2^(L-1), a coin e and H_i = sum_{j>i} [x_j != y_j] over the higher digits:
//           [c_i] = 1 - [y_i > x_i] + H_i where e = 0, 1 - [y_i < x_i] + H_i where e = 1, and [e + H] over
//           all digits; each times its own unit of Z_u, re-randomised, shuffled; and k sealed
//   K -> E  t = d_{L-1} ^ [some plaintext is 0], sealed
//   E       s_share = r_{L-1} ^ e ^ 1, since beta = d_{L-1} ^ r_{L-1} ^ [y < x] is bit L-1 of w = d - r
// Ranges   L = l + guard bits; r drawn for it is a mask of L + sigma bits; k and r of any length and sign
//          serve, since the formulas hold for the bits of two's complement.  0 <= c_i <= digits + 1 < u.
// Views    K: k, once; for each comparison digits + 1 blinded DGK plaintexts, at most one of
//          them 0, with probability 1/2 whatever the inputs (e is a coin).
//          E: ciphertexts, its own coin.
#include <algorithm>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "paillier/parallel.h"
#include "protocols/comparison/sign_state.h"
#include "protocols/opened_values.h"

namespace smlp {

namespace {

constexpr auto wire_name = "comparison/dgk-veugen";
enum Stage : std::uint8_t { stage_digits, stage_shares };

/// Bits that are compared: those below the sign.
std::size_t compared_bits(const BitBudget& budget) {
  return budget.guarded_bits() - 1;
}

/// Digits of two bits; the highest has one where the number of bits is odd.
std::size_t digit_count(std::size_t bits) {
  return (bits + 1) / 2;
}

/// Thresholds of all digits: three of two bits, one of a single bit.
std::size_t threshold_count(std::size_t bits) {
  return bits / 2 * 3 + bits % 2;
}

/// +-[y_i >= x_i] and +-[y_i > x_i] in each lane, for the lanes' own x_i.
struct AtOwnDigit {
  DgkBlock reached, passed;
};

/// From the thresholds of one digit, or from their negatives with `one` = -1 mod u.
AtOwnDigit at_own_digit(const DgkPublicKey& key, std::span<const DgkBlock> thresholds, unsigned one,
                        const std::vector<const Integer*>& x, std::size_t lowest_bit) {
  const std::size_t lanes = x.size();
  const DgkBlock always = key.trivial(std::vector<unsigned>(lanes, one));
  const DgkBlock never = key.trivial(std::vector<unsigned>(lanes, 0));
  std::vector<unsigned> low(lanes), high(lanes);
  for (std::size_t k = 0; k < lanes; ++k) {
    low[k] = static_cast<unsigned>(mpz_tstbit(x[k]->get_mpz_t(), lowest_bit));
    high[k] = static_cast<unsigned>(mpz_tstbit(x[k]->get_mpz_t(), lowest_bit + 1));
  }
  if (thresholds.size() == 1)
    return {key.choose(always, thresholds[0], low), key.choose(thresholds[0], never, low)};
  return {
      key.choose(key.choose(always, thresholds[0], low), key.choose(thresholds[1], thresholds[2], low), high),
      key.choose(key.choose(thresholds[0], thresholds[1], low), key.choose(thresholds[2], never, low), high)};
}

/// The evaluator's step for as many comparisons as there are lanes: the terms of the digits, highest first,
/// and the equality term, from the key holder's thresholds (lowest digit first), the own x of `bits` bits and
/// the coin e of each.
std::vector<DgkBlock> comparison_terms(const DgkPublicKey& key, std::span<const DgkBlock> thresholds,
                                       std::size_t bits, const std::vector<const Integer*>& x,
                                       const std::vector<unsigned>& e) {
  const std::size_t digits = digit_count(bits);
  // Before x chooses among them: an inversion takes time that depends on what it inverts.
  const std::vector<DgkBlock> minus_thresholds = key.negate(thresholds);

  // The ones of H_i = sum_{j>i} 1 - [y_j >= x_j] + [y_j > x_j] are counted in the clear.
  std::vector<DgkBlock> terms;
  terms.reserve(digits + 1);
  DgkBlock higher = key.trivial(std::vector<unsigned>(x.size(), 0));
  // Of public plaintexts: g^m is read by m, and the coin chooses between two.
  const auto constant = [&](unsigned m) { return key.trivial(std::vector<unsigned>(x.size(), m)); };
  for (std::size_t i = digits; i-- > 0;) {
    const std::size_t count = std::min<std::size_t>(3, thresholds.size() - 3 * i);
    const AtOwnDigit plus = at_own_digit(key, thresholds.subspan(3 * i, count), 1, x, 2 * i);
    const AtOwnDigit minus =
        at_own_digit(key, std::span(minus_thresholds).subspan(3 * i, count), key.u() - 1, x, 2 * i);
    // 1 - [y_i > x_i] where e = 0; 1 - [y_i < x_i] = [y_i >= x_i] where e = 1
    const DgkBlock behind = key.choose(minus.passed, plus.reached, e);
    const auto ones = static_cast<unsigned>(digits - 1 - i);
    terms.push_back(key.add(key.add(key.choose(constant(ones + 1), constant(ones), e), behind), higher));
    higher = key.add(key.add(higher, minus.reached), plus.passed);
  }
  const auto all = static_cast<unsigned>(digits);
  terms.push_back(
      key.add(key.choose(constant(all), constant(all + 1), e), higher));  // 0 where e = 0 and x = y
  return terms;
}

class DgkVeugen : public Comparison {
 public:
  SignShares sign(const Evaluator& evaluator, const OperationId& operation,
                  const EncryptedMatrix& z) const override {
    const BitBudget& budget = evaluator.budget;
    const DgkPublicKey& key = evaluator.keys.dgk();
    const std::size_t bits = compared_bits(budget);
    const std::size_t cells = z.rows() * z.cols();
    const std::size_t digits = digit_count(bits), thresholds = threshold_count(bits);
    if (digits + 1 >= key.u())
      throw Error("a comparison of " + std::to_string(bits) + " bits needs u > " +
                  std::to_string(digits + 1) + ", the DGK key has u = " + std::to_string(key.u()) +
                  "; encrypt with fewer --value-bits");

    std::vector<std::int64_t> form, form_again;
    RequestBody request(evaluator);
    const Brought brought = bring(evaluator, operation, z, RandomnessKind::mask_comparison, request, form);
    AnswerBody digits_of_d(evaluator,
                           evaluator.header(wire_name, stage_digits, operation, z.layout(), std::move(form)),
                           request);
    const std::vector<DgkCiphertext> y = digits_of_d.bits(cells * thresholds, "the digits of d");
    EncryptedMatrix opened = brought.now
                                 ? read_opened(digits_of_d, operation, RandomnessKind::mask_comparison,
                                               z.layout(), brought.mask, brought.mask_bits)
                                 : z;
    digits_of_d.finish();

    const Draws flips = evaluator.draws(operation, RandomnessKind::comparison_flip);
    Matrix<std::uint8_t> shares(z.rows(), z.cols());
    const auto terms_of = [&](std::size_t first, std::size_t count) {
      std::vector<unsigned> coins;
      std::vector<const Integer*> masks;
      for (std::size_t cell = first; cell < first + count; ++cell) {
        RandomStream flip = flips.stream(cell);
        coins.push_back(static_cast<unsigned>(flip.below(std::uint64_t{2})));
        masks.push_back(&brought.mask.cells()[cell]);
        shares.cells()[cell] = static_cast<std::uint8_t>(
            static_cast<unsigned>(mpz_tstbit(masks.back()->get_mpz_t(), bits)) ^ coins.back() ^ 1U);
      }
      std::vector<DgkBlock> y_of_cells;
      y_of_cells.reserve(thresholds);
      for (std::size_t i = 0; i < thresholds; ++i) {
        std::vector<DgkCiphertext> of_cells;
        of_cells.reserve(count);
        for (std::size_t cell = first; cell < first + count; ++cell)
          of_cells.push_back(y[cell * thresholds + i]);
        y_of_cells.push_back(key.block(of_cells));
      }
      return comparison_terms(key, y_of_cells, bits, masks, coins);
    };

    RequestBody blinded(evaluator);
    blinded.add(blind_and_shuffle(evaluator, operation, cells, digits + 1, terms_of));
    bring(evaluator, operation, opened, RandomnessKind::mask_comparison, blinded, form_again);
    AnswerBody answer(evaluator,
                      evaluator.header(wire_name, stage_shares, operation, z.layout(), std::move(form_again)),
                      blinded);
    SealedState sealed_shares = answer.sealed(SignState::encoded_size(cells));
    answer.finish();
    return {std::move(shares), std::move(sealed_shares), wire_name, std::move(opened)};
  }
};

void answer_digits(Responder& responder) {
  const std::size_t bits = compared_bits(responder.budget());
  std::size_t next = 0;
  const Received k = receive(responder, next, "z + r");
  std::vector<unsigned> plain;
  plain.reserve(k.values.size() * threshold_count(bits));
  for (std::size_t cell = 0; cell < k.values.size(); ++cell)
    for (std::size_t bit = 0; bit < bits; bit += 2) {  // d and k agree below bit L-1
      const auto digit = static_cast<unsigned>(word_at(k.values[cell], bit) & 3), low = digit & 1,
                 high = digit >> 1;
      if (bit + 1 == bits)
        plain.push_back(low);
      else
        plain.insert(plain.end(), {low | high, high, low & high});
    }
  responder.put(responder.keys().dgk().encrypt(plain, responder.draws(RandomnessKind::answer_bits), 2));
  if (k.now) put_opened(responder, k.values, RandomnessKind::mask_comparison, k.mask_bits);
}

void answer_shares(Responder& responder) {
  const Layout& layout = responder.header().layout;
  const std::size_t bits = compared_bits(responder.budget());
  const std::size_t cells = layout.rows() * layout.cols();
  const std::size_t per_cell = digit_count(bits) + 1;
  const auto terms = responder.read_bits(cells * per_cell, "the blinded digits");
  std::size_t next = 0;
  const Received k = receive_opened(responder, next);
  SignState state{Matrix<std::uint8_t>(layout.rows(), layout.cols())};
  const std::vector<std::uint8_t> zero = responder.keys().dgk().are_zero(terms);
  for (std::size_t cell = 0; cell < cells; ++cell) {
    unsigned zeros = 0;  // every term counts: no early exit
    for (std::size_t i = cell * per_cell; i < (cell + 1) * per_cell; ++i) zeros |= zero[i];
    state.bits.cells()[cell] = static_cast<std::uint8_t>((word_at(k.values[cell], bits) & 1) ^ 1 ^ zeros);
  }
  responder.observe("t", state.bits.cells());
  responder.put_sealed(state.encode());
}

}  // namespace

extern constexpr Descriptor dgk_veugen_descriptor{
    .family = Family::comparison,
    .name = "dgk-veugen",
    .paper = "Damgard, Geisler, Kroigaard 2007 and 2009; Veugen 2012",
    .flow =
        "E -> K k = z + r sealed, or [z + r];  K -> E digits [d_i >= v];  E -> K blinded, shuffled [c_i];  "
        "K -> E its shares, sealed",
    .on_opened = true,
    .handlers = {answer_digits, answer_shares},
    .declared =
        [](const Work& work, const Sizes& sizes) {
          const std::size_t cells = cell_count(work.left), bits = compared_bits(sizes.budget);
          const bool opened = work.opened_bits != 0;
          const Bringing z = bringing(work, sizes);
          const std::size_t state = opened_bytes(work.left, z.mask_bits);
          const std::size_t terms = cells * (digit_count(bits) + 1);
          const std::size_t thresholds = cells * threshold_count(bits);
          // A threshold takes one product to enter and three to negate, a digit four to add, a term eleven to
          // be blinded by a unit.
          const std::size_t products = 4 * thresholds + 4 * cells * digit_count(bits) + 11 * terms;
          return Declaration{.rounds = 2,
                             .waits = Payload{.bits = terms, .bytes = state},
                             .to_key_holder = {.ciphertexts = z.sent.ciphertexts,
                                               .bits = terms,
                                               .bytes = z.sent.bytes + state},
                             .to_evaluator = {.bits = thresholds,
                                              .bytes = (opened ? 0 : state) + sealed_overhead +
                                                       SignState::encoded_size(cells)},
                             .masked_values = z.masked_values,
                             .beside = {.bit_products = static_cast<double>(products)}};
        },
    .make = made<DgkVeugen>,
};

}  // namespace smlp
