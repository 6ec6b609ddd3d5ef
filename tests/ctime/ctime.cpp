// Does what the key holder does depend on its secrets? Run by ctime_test.sh under valgrind; after the ctime
// tests of libsecp256k1.
//   ctime key FILE       writes the larger toy key (natively: key generation is slow under valgrind)
//   ctime undefined FILE under memcheck: secrets are marked undefined, so every branch and every address that
//                        depends on one is an error; what is left is listed in reasons.supp
//   ctime counts FILE    under callgrind: instructions of the same answer for other secrets, to files. It
//   also
//                        sees what memcheck loses: a carry that GMP's loops take past a `dec`
// Either has to find what leaks on purpose.
// Toy keys: of 768 bits, whose primes go through the vector kernels (AVX2 under valgrind), and of 256 bits,
// whose primes go through GMP's limbs. They protect nothing.
#include <valgrind/memcheck.h>

#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "paillier/kernels.h"
#include "paillier/keys.h"
#include "paillier/parallel.h"
#include "protocols/comparison/sign_state.h"
#include "protocols/conversion/range_check.h"
#include "protocols/conversion/unpack.h"
#include "protocols/evaluator.h"
#include "protocols/key_holder.h"
#include "protocols/masked_values.h"
#include "protocols/opened_values.h"
#include "protocols/registry.h"
#include "tests/ctime/measures.h"
#include "tests/ctime/transfers.h"

using namespace smlp;
using namespace smlp::ctime;

namespace {

constexpr Numbers toy_numbers{20, 10, 56};  // masks of two limbs, the value in the lower one
constexpr std::size_t toy_inner = 4, rows = 2, cols = 3;
const std::string comparison = "comparison/dgk-veugen", selection = "selection/homomorphic";

// ---- undefined ----

volatile unsigned work = 0;

/// Leaks: its steps tell the secret.
[[gnu::noinline]] void leak_steps(const Limb& secret) {
  for (Limb i = 0; i < secret; ++i) work = work + 1;
}
/// Leaks: an address tells the secret.
[[gnu::noinline]] void leak_address(const Limb& secret) {
  static volatile unsigned table[64] = {};
  work = table[secret % 64];
}

void check_leaks(Errors& errors) {
  const Limb secret[] = {3, 5};
  hide(secret);
  leak_steps(secret[0]);
  errors.expect("a branch on a secret, made on purpose,");
  leak_address(secret[1]);
  errors.expect("an address by a secret, made on purpose,");
}

/// The kernels, on both kinds of arithmetic that valgrind knows.
void check_kernels(Errors& errors) {
  RandomStream random = RandomSource::from_seed(1).stream({});
  const Integer m = 2 * random.bits(766) + 1 + power_of_two(767);
  for (const Instructions instructions : {Instructions::scalar, Instructions::avx2}) {
    const std::string on = " on " + std::string(name(instructions));
    const auto context = std::make_shared<const ModularContext>(m, instructions);
    const std::size_t count = 2 * context->lanes().lanes(), limbs = context->lanes().limbs();
    FixedIntegers values(count, limbs);
    for (std::size_t i = 0; i < count; ++i) std::ranges::copy(limbs_of(random.below(m)), values[i].begin());
    FixedIntegers bases(count, limbs);
    for (std::size_t i = 0; i < count; ++i) std::ranges::copy(values[i], bases[i].begin());
    const SecretInteger exponent(random.bits(127) + power_of_two(127));
    hide(bases);
    hide(limbs_of(exponent.value()).first(1));  // the highest one tells its length, which is public
    context->power_secret(bases[0].data(), count, exponent);
    errors.check("a power with a secret exponent" + on);

    const FixedBase base(context, random.below(m), 40);
    std::vector<SecretInteger> exponents;  // random, and their digits are addresses: SECURITY.md says so
    for (std::size_t i = 0; i < count; ++i) exponents.emplace_back(random.bits(40));
    hide(values);
    base.multiply_powers(values[0].data(), exponents);
    errors.check("secrets times powers of a fixed base" + on);
  }
}

void check_fixed_width(Errors& errors) {
  RandomStream random = RandomSource::from_seed(2).stream({});
  const Integer p = 2 * random.bits(382) + 1 + power_of_two(383), q = p + 2, p_q = p * q;
  const SecretModulus secret_p(p), secret_q(q);
  std::vector<Integer> numbers;
  for (int i = 0; i < 3; ++i) numbers.push_back(random.below(p));
  FixedIntegers x(numbers, 7), wide(std::vector<Integer>{random.below(p_q)}, 13), out(4, 13);
  hide(x);
  hide(wide);
  Scratch scratch;
  secret_p.reduce(out[0].data(), wide[0].data(), 12, scratch);
  secret_p.divide(out[1].data(), out[2].data(), wide[0].data(), 12, scratch);
  secret_p.multiply(out[0].data(), x[0].data(), x[1].data(), scratch);
  join_remainders(out[0].first(12), x[0].data(), secret_p, x[1].data(), secret_q, p_q, scratch);
  add_shifted(out[3], x[2], 127, mask_of(1));
  negate_where(x[2], x[2][0]);
  errors.check("fixed-width arithmetic");
  hide({secret_p.data(), secret_p.limbs()});
  secret_p.reduce(out[0].data(), wide[0].data(), 12, scratch);
  errors.check("a reduction by a secret modulus");
}

void check_keys(const SecretKeys& keys, const std::string& on, Errors& errors) {
  const Draws draws(RandomSource::from_seed(3), {});
  FixedIntegers plaintexts(5, keys.paillier().plaintext_limbs());
  hide(plaintexts);
  keys.paillier().encrypt(plaintexts, draws);
  errors.check("Paillier encryption" + on);
  std::vector<unsigned> bits(9, 1);
  hide_bytes(bits.data(), bits.size() * sizeof(unsigned));
  keys.dgk().encrypt(bits, draws, 2);
  errors.check("DGK encryption of bits" + on);

  std::vector<Ciphertext> cs;
  for (const FreshCiphertext& c : keys.paillier().encrypt(std::vector<Integer>{0, 1, -5}, draws))
    hide(cs.emplace_back(c.local()).residue());
  keys.paillier().decrypt_fixed(cs);
  errors.check("Paillier decryption" + on);
  std::vector<DgkCiphertext> zeros;
  for (const FreshDgkCiphertext& c : keys.dgk().encrypt(std::vector<unsigned>{0, 1, 0, 7}, draws))
    hide(zeros.emplace_back(c.local()).residue());
  keys.dgk().are_zero(zeros);
  errors.check("DGK zero tests" + on);
}

KeyHolderPolicy all_protocols() {
  KeyHolderPolicy policy;
  for (const Descriptor& protocol : registry()) policy.protocols.insert(protocol.wire_name());
  return policy;
}

/// Has every request answered twice: the second time with what is sealed in it, and what is opened, hidden.
class HidingChannel : public Channel {
 public:
  /// A sealed state of which the last `secret` bytes are hidden, of `all`.
  struct Hidden {
    std::size_t secret, all;
  };
  /// `shares` of a comparison, and `opened` values by row group, the last first.
  HidingChannel(const SecretKeys& keys, const Hidden& shares, std::vector<Hidden> opened, std::string on,
                Errors& errors)
      : key_holder_(keys, all_protocols(), AnswerRandomness::from_system()),
        hiding_(keys, all_protocols(), AnswerRandomness::from_system(),
                [](const Header& header, std::string_view, const FixedIntegers& values) {
                  // The paper's products of masked values are GMP's: SECURITY.md says so.
                  if (header.protocol != "activation/max" || header.stage == 0) hide(values);
                }),
        shares_(shares),
        opened_(std::move(opened)),
        on_(std::move(on)),
        errors_(errors) {}

 private:
  Bytes exchange(std::span<const std::uint8_t> frame) override {
    const Header header = read_request_header(frame);
    Bytes hidden(frame.begin(), frame.end());
    constexpr std::size_t tag_bytes = 16;
    std::size_t end = hidden.size();
    const auto hide_state = [&](const Hidden& state) {
      hide_bytes(hidden.data() + end - tag_bytes - state.secret, state.secret);
      end -= state.all;
    };
    if (header.protocol == selection) hide_state(shares_);
    // The first parameter, after the comparison's word and the packings, is 0 where values come masked.
    const std::size_t form = header.protocol == selection ? 2 : 0;
    if ((header.protocol == selection || header.protocol == comparison) && header.parameters[form] != 0)
      for (const Hidden& state : opened_) hide_state(state);
    hiding_.answer(hidden);
    errors_.check("the answer of " + header.protocol + ", stage " + std::to_string(header.stage) + on_);
    return key_holder_.answer(frame);
  }

  KeyHolder key_holder_, hiding_;
  Hidden shares_;
  std::vector<Hidden> opened_;
  std::string on_;
  Errors& errors_;
};

Evaluator with_evidence(Evaluator evaluator) {
  evaluator.evidence = std::make_shared<RangeEvidence>();
  return evaluator;
}

EncryptedMatrix trivial_values(const PaillierPublicKey& key, const BitBudget& budget) {
  IntegerMatrix values(rows, cols);
  for (std::size_t i = 0; i < values.size(); ++i) values.cells()[i] = static_cast<long>(i * 100) - 250;
  return trivial_matrix(key, values, balanced_layout(rows, cols, budget.slots()), budget.slot_bits());
}

void check_answers(const SecretKeys& keys, const std::string& on, Errors& errors) {
  const BitBudget budget(toy_numbers, toy_inner, keys.public_keys().paillier().bits());
  const Layout cells = balanced_layout(rows, cols, budget.slots());
  const std::size_t mask_bits = budget.guarded_mask_bits(),
                    shares_bytes = SignState::encoded_size(rows * cols);
  std::vector<HidingChannel::Hidden> states;
  for (std::size_t g = cells.row_groups.size(); g-- > 0;)
    states.push_back({cells.row_groups[g] * cols * masked_value_bytes(mask_bits),
                      opened_bytes({{cells.row_groups[g]}, cells.col_groups}, mask_bits)});
  HidingChannel channel(keys, {shares_bytes, sealed_overhead + shares_bytes}, states, on, errors);
  RandomSource random = RandomSource::from_seed(4);
  const Evaluator evaluator(keys.public_keys(), budget, channel, random, draw_session(random));
  const Evaluator checking = with_evidence(evaluator);
  const PaillierPublicKey& key = evaluator.paillier();
  const ProtocolSet protocols = make_protocols(preset("homomorphic"), budget);
  const EncryptedMatrix z = trivial_values(key, budget);
  const OperationId operation{.step = 1};
  const SignShares shares = protocols.comparison->sign(evaluator, operation, z);
  protocols.selection->select_compared(evaluator, operation, z, shares);
  protocols.selection->select_compared(checking, operation, z, shares);
  protocols.selection->select(evaluator, operation, z, shares, Packings::row_packed);
  check_ranges(checking, operation);
  unpack_matrix(evaluator, {.step = 2}, z);

  const BitBudget single(toy_numbers, toy_inner, key.bits(), 1);
  const Evaluator paper(keys.public_keys(), single, channel, random, draw_session(random));
  const ProtocolSet of_paper = make_protocols(preset("paper"), single);
  const EncryptedMatrix one_each = trivial_values(key, single);
  of_paper.comparison->sign(paper, {.step = 3}, one_each);
  of_paper.activation->forward(paper, {.step = 4}, one_each);
}

void with_transfers(const SecretKeys& keys, const std::function<void(const EvaluatorTransfers&)>& measure) {
  const KeyHolder key_holder(keys, all_protocols(), AnswerRandomness::from_system());
  InProcessChannel channel(key_holder);
  const RandomSource random = RandomSource::from_seed(9);
  const BitBudget budget(toy_numbers, toy_inner, keys.public_keys().paillier().bits());
  const Evaluator evaluator(keys.public_keys(), budget, channel, random, draw_session(random));
  measure(evaluator.transfers({.step = 1}));
}

// ---- counts ----

/// The key holder's answers to the default comparison, the selection and the unpacking, about cells that all
/// hold one opened value and one share.
class CountedAnswers {
 public:
  CountedAnswers(const SecretKeys& keys, std::string on)
      : keys_(keys),
        on_(std::move(on)),
        budget_(toy_numbers, toy_inner, keys.public_keys().paillier().bits()),
        key_holder_(keys, all_protocols(), AnswerRandomness::from_system()) {
    header_ = {.protocol = {},
               .stage = 0,
               .key = keys.public_keys().fingerprint(),
               .operation = {.step = 1},
               .numbers = budget_.numbers(),
               .max_inner = static_cast<std::uint32_t>(budget_.max_inner()),
               .slots = static_cast<std::uint32_t>(budget_.slots()),
               .layout = balanced_layout(rows, cols, budget_.slots()),
               .parameters = {}};
    random_.fill(header_.session);
  }

  void count() {
    const std::size_t bits = budget_.guarded_mask_bits(), low_bits = budget_.guarded_bits() - 1;
    // d = z + r with 0 <= r < 3 2^bits: never below -2^low_bits.
    const std::pair<const char*, Integer> opened[] = {{"small", 5},
                                                      {"large", 3 * (power_of_two(bits) - 1)},
                                                      {"ones", power_of_two(low_bits) - 1},
                                                      {"negative", -power_of_two(low_bits)}};
    for (const auto& [size, d] : opened)
      for (const unsigned t : {0U, 1U}) {
        const std::string secrets = "shares " + std::to_string(t) + ", opened values " + size;
        const Bytes shares = sealed_shares(t), values = sealed_values(d);
        const std::vector<std::int64_t> form{static_cast<std::int64_t>(bits), 1,
                                             static_cast<std::int64_t>(RandomnessKind::mask_comparison), 0,
                                             static_cast<std::int64_t>(header_.layout.row_groups.size())};
        const std::int64_t word = comparison_word(comparison);
        std::vector<std::int64_t> opened_form{word, 0};
        opened_form.insert(opened_form.end(), form.begin(), form.end());
        const auto joined = [](Bytes first, const Bytes& second) {
          first.insert(first.end(), second.begin(), second.end());
          return first;
        };
        count_answer(selection, 0, opened_form, joined(values, shares), secrets);
        count_answer(selection, 1, opened_form, joined(values, shares), secrets);
        count_answer(selection, 0, {word, 0, 0}, joined(masked(d), shares), secrets, ", masked");
        count_answer(comparison, 1, form, joined(blinded(t), values), secrets);
        if (t != 0) continue;
        count_answer(comparison, 0, form, values, secrets);
        count_answer(comparison, 0, {0}, masked(d), secrets, ", masked");
        count_answer("conversion/unpack", 0, {}, masked(d), secrets);
      }
  }

 private:
  void count_answer(const std::string& protocol, std::uint8_t stage, std::vector<std::int64_t> parameters,
                    const Bytes& body, const std::string& secrets, const std::string& form = "") {
    header_.protocol = protocol;
    header_.stage = stage;
    header_.parameters = std::move(parameters);
    const Bytes frame = encode_request(header_, body);
    if (const std::string refusal = refusal_in(key_holder_.answer(frame)); !refusal.empty())
      throw Error(refusal);
    counted(protocol + ", stage " + std::to_string(stage) + form + on_ + ": " + secrets,
            [&] { key_holder_.answer(frame); });
  }

  Bytes sealed_shares(unsigned t) {
    header_.protocol = comparison;
    header_.stage = 1;
    header_.parameters = {};
    const SignState shares{Matrix<std::uint8_t>(rows, cols, static_cast<std::uint8_t>(t))};
    return seal(shares.encode(), header_, sha256(Bytes{1}), keys_.sealing_secret(), random_);
  }

  Bytes sealed_values(const Integer& d) {
    const std::size_t bits = budget_.guarded_mask_bits();
    Bytes out;
    std::size_t first = 0;
    for (const std::size_t width : header_.layout.row_groups) {
      const FixedIntegers cells(std::vector<Integer>(width * cols, d), masked_value_limbs(bits));
      const Bytes sealed =
          seal(opened_state(cells, {RandomnessKind::mask_comparison, bits, first, width, cols}),
               opened_context(header_, header_.operation, width, cols), sha256(Bytes{1}),
               keys_.sealing_secret(), random_);
      out.insert(out.end(), sealed.begin(), sealed.end());
      first += width;
    }
    return out;
  }

  Bytes masked(const Integer& d) const {
    const std::vector<Integer> packed =
        pack_columns(IntegerMatrix(rows, cols, d), header_.layout, budget_.slot_bits());
    Bytes out;
    keys_.public_keys().paillier().encode(keys_.paillier().encrypt(packed, draws_), out);
    return out;
  }

  /// Of each comparison one term is 0, or none.
  Bytes blinded(unsigned zeros) const {
    const std::size_t terms = budget_.guarded_bits() / 2 + 1;
    std::vector<unsigned> plain(rows * cols * terms, 7);
    for (std::size_t cell = 0; cell < rows * cols; ++cell) plain[cell * terms + cell] = zeros == 0 ? 7 : 0;
    Bytes out;
    keys_.public_keys().dgk().encode(keys_.dgk().encrypt(plain, draws_), out);
    return out;
  }

  const SecretKeys& keys_;
  std::string on_;
  BitBudget budget_;
  KeyHolder key_holder_;
  RandomStream random_ = RandomSource::from_seed(5).stream({});
  RandomSource encryption_ = RandomSource::from_seed(7);
  Draws draws_{encryption_, {}};
  Header header_;
};

/// Answers what it has been answered once.
class ReplayChannel : public Channel {
 public:
  explicit ReplayChannel(const KeyHolder& key_holder) : key_holder_(key_holder) {}
  void replay() { replay_ = true; }

 private:
  Bytes exchange(std::span<const std::uint8_t> frame) override {
    if (!replay_) answer_ = key_holder_.answer(frame);
    return answer_;
  }
  const KeyHolder& key_holder_;
  Bytes answer_;
  bool replay_ = false;
};

/// The evaluator's half of a selection with evidence, whose shares are secrets from the key holder.
void count_evaluator(const SecretKeys& keys, const std::string& on) {
  const BitBudget budget(toy_numbers, toy_inner, keys.public_keys().paillier().bits());
  const KeyHolder key_holder(keys, all_protocols(), AnswerRandomness::from_system());
  ReplayChannel channel(key_holder);
  const RandomSource random = RandomSource::from_seed(8);
  const ProtocolSet protocols = make_protocols(preset("homomorphic"), budget);
  const EncryptedMatrix z = trivial_values(keys.public_keys().paillier(), budget);
  const OperationId operation{.step = 1};
  const auto evaluator = [&] {
    return with_evidence(Evaluator(keys.public_keys(), budget, channel, random, draw_session(random)));
  };
  SignShares shares = protocols.comparison->sign(evaluator(), operation, z);
  protocols.selection->select_compared(evaluator(), operation, z, shares);
  channel.replay();
  // What the allocator keeps settles.
  for (int i = 0; i < 2; ++i) protocols.selection->select_compared(evaluator(), operation, z, shares);
  for (const auto& [name, period] : {std::pair("zeros", 0U), std::pair("ones", 1U), std::pair("mixed", 2U)}) {
    for (std::size_t cell = 0; cell < rows * cols; ++cell)
      shares.evaluator.cells()[cell] = period != 0 && cell % period == 0 ? 1 : 0;
    counted("the evaluator's selection" + on + ": shares " + name,
            [&] { protocols.selection->select_compared(evaluator(), operation, z, shares); });
  }
}

void count_leaks() {
  for (const Limb steps : {20000U, 20001U})
    counted("on purpose: " + std::to_string(steps), [&] { leak_steps(steps); });
}

void count_all(const SecretKeys& keys, const std::string& on) {
  CountedAnswers(keys, on).count();
  count_evaluator(keys, on);
  const Draws draws(RandomSource::from_seed(6), {});
  for (const auto& [name, bit] : {std::pair("zeros", 0U), std::pair("ones", 1U)}) {
    const std::vector<unsigned> plain(8, bit);
    counted("bits" + on + ": " + name, [&] { keys.dgk().encrypt(plain, draws, 2); });
    std::vector<DgkCiphertext> cs;
    for (const FreshDgkCiphertext& c : keys.dgk().encrypt(plain, draws)) cs.push_back(c.local());
    counted("zero tests" + on + ": " + name, [&] { keys.dgk().are_zero(cs); });
    FixedIntegers plaintexts(8, keys.paillier().plaintext_limbs());
    for (std::size_t i = 0; i < 8; ++i) plaintexts[i][0] = bit;
    counted("plaintexts" + on + ": " + name, [&] { keys.paillier().encrypt(plaintexts, draws); });
    std::vector<Ciphertext> encrypted;
    for (const FreshCiphertext& c : keys.paillier().encrypt(plaintexts, draws))
      encrypted.push_back(c.local());
    counted("decryptions" + on + ": " + name, [&] { keys.paillier().decrypt_fixed(encrypted); });
  }
}

SecretKeys toy_key(std::size_t bits, std::size_t subgroup_bits) {
  return SecretKeys::generate(Variant::subgroup, bits, subgroup_bits, RandomSource::from_seed(bits));
}

int run(const std::string& mode, const std::string& file) {
  set_thread_count(1);
  if (mode == "key") {
    save(toy_key(768, 16), file);
    return 0;
  }
  const SecretKeys vector = load_secret_keys(file), scalar = toy_key(256, 16);
  if (mode == "counts") {
    count_leaks();
    with_transfers(scalar, count_transfers);
    count_all(vector, ", vector");
    count_all(scalar, ", scalar");
    return 0;
  }
  if (RUNNING_ON_VALGRIND == 0) throw Error("secrets are undefined to memcheck alone");
  Errors errors;
  check_leaks(errors);
  check_kernels(errors);
  check_fixed_width(errors);
  with_transfers(scalar, [&](const EvaluatorTransfers& transfers) { check_transfers(transfers, errors); });
  for (const auto& [keys, on] : {std::pair(&vector, ", vector"), std::pair(&scalar, ", scalar")}) {
    check_keys(*keys, on, errors);
    check_answers(*keys, on, errors);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 3) return run(argv[1], argv[2]);
    std::fputs("usage: ctime key|undefined|counts FILE\n", stderr);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
