// Paillier's public operations. g = 1 + n, so g^m = 1 + m n costs no exponentiation.
#include "paillier/paillier.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "paillier/error.h"
#include "paillier/kernels.h"
#include "paillier/parallel.h"
#include "paillier/primes.h"
#include "paillier/residues.h"
#include "paillier/simultaneous_powers.h"

namespace smlp {
namespace {

constexpr std::string_view variant_names[] = {"standard", "subgroup"};

std::vector<Integer> residues_of(std::span<const Ciphertext> cs) {
  std::vector<Integer> residues;
  residues.reserve(cs.size());
  for (const Ciphertext& c : cs) residues.push_back(c.residue());
  return residues;
}

}  // namespace

std::string_view name(Variant variant) {
  return variant_names[static_cast<std::size_t>(variant)];
}

Variant variant_from_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(variant_names); ++i)
    if (variant_names[i] == name) return static_cast<Variant>(i);
  if (name == "djn")
    throw Error(
        "the Paillier variant 'djn' (Damgard, Jurik and Nielsen 2010) is refused: its key holder could read "
        "low "
        "bits of the data; make new keys with smlp keygen and encrypt anew");
  throw Error("the Paillier variant '" + std::string(name) + "' is unknown; it is one of standard, subgroup");
}

std::size_t default_subgroup_bits(std::size_t modulus_bits) {
  if (modulus_bits < 1024) return modulus_bits / 8;  // toy keys
  if (modulus_bits < 2048) return 160;
  if (modulus_bits < 3072) return 224;
  if (modulus_bits < 4096) return 256;
  return 304;
}

struct PaillierPublicKey::State {
  Variant variant;
  Integer n, n_squared, hs;
  std::size_t subgroup_bits = 0;
  std::size_t sigma = rerandomisation_sigma;
  std::shared_ptr<const ModularContext> modulo_n_squared;
  std::once_flag once, prepared;
  std::unique_ptr<const FixedBase> powers_of_hs;

  std::size_t exponent_bits() const { return 2 * subgroup_bits + sigma + exponent_margin; }
  const FixedBase& table() {
    std::call_once(
        once, [this] { powers_of_hs = std::make_unique<FixedBase>(modulo_n_squared, hs, exponent_bits()); });
    return *powers_of_hs;
  }

  std::jthread builder;  // last: it is joined before what it builds goes
};

PaillierPublicKey::PaillierPublicKey(Variant variant, Integer n, Integer hs, std::size_t subgroup_bits)
    : state_(std::make_shared<State>()) {
  require_public_modulus(n, "Paillier");
  const std::size_t bits = bit_length(n);
  State& s = *state_;
  s.variant = variant;
  s.n_squared = n * n;
  if (variant != Variant::standard) {
    if (hs <= 1 || hs >= s.n_squared || gcd(hs, n) != 1)
      throw Error("the Paillier generator hs is not a unit between 1 and n^2");
    s.hs = std::move(hs);
  }
  if (variant == Variant::subgroup) {
    if (subgroup_bits < 16 || 2 * (subgroup_bits + 16) > bits)
      throw Error("the Paillier subgroup bits t = " + std::to_string(subgroup_bits) +
                  " are outside 16 to bits / 2 - 16 for n of " + std::to_string(bits) + " bits");
    s.subgroup_bits = subgroup_bits;
  }
  s.n = std::move(n);
  s.modulo_n_squared = std::make_shared<const ModularContext>(s.n_squared);
}

PaillierPublicKey PaillierPublicKey::with_sigma(std::size_t sigma) const {
  if (sigma == this->sigma()) return *this;
  PaillierPublicKey key(variant(), n(), hs(), subgroup_bits());
  key.state_->sigma = sigma;
  return key;
}

std::size_t PaillierPublicKey::sigma() const {
  return state_->sigma;
}

void PaillierPublicKey::prepare() const {
  if (variant() == Variant::standard) return;
  State* const state = state_.get();
  std::call_once(state->prepared, [state] {
    state->builder = std::jthread([state, threads = thread_count()] {
      try {
        set_thread_count(threads);  // is of each thread
        state->table();
      } catch (const std::exception&) {
        // The first use tries again and reports it.
      }
    });
  });
}

Variant PaillierPublicKey::variant() const {
  return state_->variant;
}
std::size_t PaillierPublicKey::bits() const {
  return bit_length(state_->n);
}
std::size_t PaillierPublicKey::subgroup_bits() const {
  return state_->subgroup_bits;
}
const Integer& PaillierPublicKey::n() const {
  return state_->n;
}
const Integer& PaillierPublicKey::n_squared() const {
  return state_->n_squared;
}
const Integer& PaillierPublicKey::hs() const {
  return state_->hs;
}
std::size_t PaillierPublicKey::ciphertext_bytes() const {
  return 2 * ((bits() + 7) / 8);
}

std::size_t PaillierPublicKey::plaintext_limbs() const {
  return limbs_for(bits());
}

bool PaillierPublicKey::operator==(const PaillierPublicKey& other) const {
  const State &a = *state_, &b = *other.state_;
  return a.variant == b.variant && a.n == b.n && a.hs == b.hs && a.subgroup_bits == b.subgroup_bits;
}

void PaillierPublicKey::require_plaintext(const Integer& m) const {
  if (2 * abs(m) >= n())
    throw Error("a plaintext of " + std::to_string(bit_length(m)) + " bits is outside (-n/2, n/2] for n of " +
                std::to_string(bits()) + " bits");
}

// 1 + m n mod n^2.
Integer PaillierPublicKey::plain_factor(const Integer& m) const {
  Integer reduced;
  mpz_mod(reduced.get_mpz_t(), m.get_mpz_t(), n().get_mpz_t());
  return 1 + reduced * n();
}

// Uniform in Z_n*.
Integer PaillierPublicKey::random_unit(RandomStream& random) const {
  Integer unit = random.below(n());
  while (gcd(unit, n()) != 1) unit = random.below(n());
  return unit;
}

// Each residue times a random n-th residue, in place.
void PaillierPublicKey::blind(std::span<Integer> residues, std::span<RandomStream> random) const {
  std::vector<SecretInteger> exponents;
  exponents.reserve(residues.size());
  if (variant() != Variant::standard) {
    for (RandomStream& stream : random) exponents.emplace_back(stream.bits(state_->exponent_bits()));
    state_->table().multiply_powers(residues, exponents);
    return;
  }
  SecretIntegers bases;
  for (RandomStream& stream : random) bases.values.push_back(random_unit(stream));
  const ModularContext& modulo = *state_->modulo_n_squared;
  const SecretIntegers powers(modulo.power_secret(bases.values, SecretInteger(n())));
  for (std::size_t i = 0; i < residues.size(); ++i)
    residues[i] = modulo.multiply(residues[i], powers.values[i]);
}

std::vector<FreshCiphertext> PaillierPublicKey::blind(std::vector<Integer> residues,
                                                      const Draws& draws) const {
  const std::size_t lanes = state_->modulo_n_squared->lanes().lanes();
  if (variant() != Variant::standard) state_->table();  // built by all threads, not inside the loop by one
  parallel_blocks(residues.size(), lanes, [&](std::size_t first, std::size_t count) {
    std::vector<RandomStream> random;
    random.reserve(count);
    for (std::size_t i = 0; i < count; ++i) random.push_back(draws.stream(first + i));
    blind(std::span(residues).subspan(first, count), random);
  });
  std::vector<FreshCiphertext> out;
  out.reserve(residues.size());
  for (Integer& residue : residues) out.push_back(Paillier::fresh(std::move(residue)));
  return out;
}

FreshCiphertext PaillierPublicKey::encrypt(const Integer& m, RandomStream& random) const {
  require_plaintext(m);
  Integer residue = plain_factor(m);
  blind({&residue, 1}, {&random, 1});
  return Paillier::fresh(std::move(residue));
}

FreshCiphertext PaillierPublicKey::rerandomise(const Ciphertext& c, RandomStream& random) const {
  Integer residue = c.residue();
  blind({&residue, 1}, {&random, 1});
  return Paillier::fresh(std::move(residue));
}

std::vector<FreshCiphertext> PaillierPublicKey::encrypt(std::span<const Integer> ms,
                                                        const Draws& draws) const {
  std::vector<Integer> residues;
  residues.reserve(ms.size());
  for (const Integer& m : ms) {
    require_plaintext(m);
    residues.push_back(plain_factor(m));
  }
  return blind(std::move(residues), draws);
}

std::vector<FreshCiphertext> PaillierPublicKey::rerandomise(std::span<const Ciphertext> cs,
                                                            const Draws& draws) const {
  return blind(residues_of(cs), draws);
}

RerandomiserMaker PaillierPublicKey::rerandomisers() const {
  const Lanes& lanes = state_->modulo_n_squared->lanes();
  const auto draw = [key = *this](RandomStream& random) {
    if (key.variant() != Variant::standard) return SecretInteger(random.bits(key.state_->exponent_bits()));
    return SecretInteger(key.random_unit(random));
  };
  const auto make = [key = *this, &lanes](std::span<const SecretInteger> secrets, Word* out) {
    if (key.variant() != Variant::standard) return key.state_->table().write_powers(secrets, out);
    SecretIntegers bases;
    for (const SecretInteger& base : secrets) bases.values.push_back(base.value());
    const SecretIntegers powers(
        key.state_->modulo_n_squared->power_secret(bases.values, SecretInteger(key.n())));
    WordBuffer block(lanes.block_words());
    for (std::size_t first = 0; first < secrets.size(); first += lanes.lanes()) {
      const std::size_t count = std::min(lanes.lanes(), secrets.size() - first);
      lanes.enter(block.data(), std::span(powers.values).subspan(first, count));
      lanes.scatter(out + first * lanes.words(), count, block.data());
    }
  };
  return {lanes.words(), draw, make};
}

std::vector<FreshCiphertext> PaillierPublicKey::rerandomise(std::span<const Ciphertext> cs,
                                                            Rerandomisers ready) const {
  if (ready.size() != cs.size())
    throw Error(std::to_string(ready.size()) + " re-randomisers do not fit " + std::to_string(cs.size()) +
                " ciphertexts");
  const Lanes& lanes = state_->modulo_n_squared->lanes();
  std::vector<Integer> residues = residues_of(cs);
  parallel_blocks(residues.size(), lanes.lanes(), [&](std::size_t first, std::size_t count) {
    WordBuffer block(lanes.block_words()), factors(lanes.block_words());
    std::vector<const Word*> from;
    for (std::size_t i = first; i < first + count; ++i) from.push_back(ready.use(i));
    lanes.gather(factors.data(), from);
    const auto some = std::span(residues).subspan(first, count);
    lanes.load(block.data(), some);
    lanes.multiply(block.data(), block.data(), factors.data());
    lanes.store(some, block.data());
  });
  std::vector<FreshCiphertext> out;
  out.reserve(residues.size());
  for (Integer& residue : residues) out.push_back(Paillier::fresh(std::move(residue)));
  return out;
}

Ciphertext PaillierPublicKey::trivial(const Integer& m) const {
  return Paillier::local(plain_factor(m));
}

Ciphertext PaillierPublicKey::add(const Ciphertext& a, const Ciphertext& b) const {
  return Paillier::local(state_->modulo_n_squared->multiply(a.residue(), b.residue()));
}

Ciphertext PaillierPublicKey::subtract(const Ciphertext& a, const Ciphertext& b) const {
  return Paillier::local(state_->modulo_n_squared->multiply(a.residue(), inverse(b.residue(), n_squared())));
}

// c (1 + m n) = c + n (c m mod n) mod n^2: two short divisions and no long one.
Ciphertext PaillierPublicKey::add_plain(const Ciphertext& c, const Integer& m) const {
  Integer k = c.residue() % n() * m;
  mpz_mod(k.get_mpz_t(), k.get_mpz_t(), n().get_mpz_t());
  k *= n();
  // c + k, less n^2 where it is not below that: by a mask, since a branch would tell something of m.
  const std::size_t limbs = mpz_size(n_squared().get_mpz_t());
  const auto size = static_cast<mp_size_t>(limbs);
  WordBuffer sum(limbs), addend(limbs);
  std::ranges::copy(limbs_of(c.residue()), sum.data());
  std::ranges::copy(limbs_of(k), addend.data());
  const Limb* const modulus = limbs_of(n_squared()).data();
  const Limb carry = mpn_add_n(sum.data(), sum.data(), addend.data(), size);
  Integer residue;
  Limb* const out = mpz_limbs_write(residue.get_mpz_t(), size);
  const Limb below = mpn_sub_n(out, sum.data(), modulus, size);
  mpn_cnd_add_n(below & (carry ^ 1), out, out, modulus, size);
  mpz_limbs_finish(residue.get_mpz_t(), size);
  return Paillier::local(std::move(residue));
}

Ciphertext PaillierPublicKey::scale(const Ciphertext& c, const Integer& k) const {
  const ModularContext& modulo = *state_->modulo_n_squared;
  if (sgn(k) >= 0) return Paillier::local(modulo.power_var(c.residue(), k));
  return Paillier::local(modulo.power_var(inverse(c.residue(), n_squared()), Integer(-k)));
}

namespace {

PowersShape dot_product_shape(std::size_t terms, std::size_t inner, std::size_t bits) {
  if (inner == 0 || terms % inner != 0)
    throw Error("dot products of " + std::to_string(inner) + " terms got " + std::to_string(terms) +
                " ciphertexts");
  return {.rows = terms / inner, .inner = inner, .outputs = 1, .bits = bits, .own_exponents = true};
}

}  // namespace

std::vector<Ciphertext> PaillierPublicKey::dot_products(std::span<const Ciphertext> cs,
                                                        std::span<const Integer> ks,
                                                        std::size_t inner) const {
  const PowersShape shape = dot_product_shape(cs.size(), inner, 0);
  return wrap(simultaneous_powers(state_->modulo_n_squared->lanes(), residues_of(cs), ks, shape));
}

std::vector<Ciphertext> PaillierPublicKey::dot_products(std::span<const Ciphertext> cs,
                                                        const FixedIntegers& ks, std::size_t inner,
                                                        std::size_t bits) const {
  const PowersShape shape = dot_product_shape(cs.size(), inner, bits);
  return wrap(simultaneous_powers(state_->modulo_n_squared->lanes(), residues_of(cs), ks, shape));
}

std::vector<Ciphertext> PaillierPublicKey::matrix_product(std::span<const Ciphertext> cs,
                                                          std::span<const Integer> ks, std::size_t rows,
                                                          std::size_t inner, std::size_t outputs) const {
  return wrap(simultaneous_powers(state_->modulo_n_squared->lanes(), residues_of(cs), ks,
                                  {.rows = rows, .inner = inner, .outputs = outputs}));
}

std::vector<Ciphertext> PaillierPublicKey::wrap(std::vector<Integer> residues) {
  std::vector<Ciphertext> out;
  out.reserve(residues.size());
  for (Integer& residue : residues) out.push_back(Paillier::local(std::move(residue)));
  return out;
}

std::vector<Ciphertext> PaillierPublicKey::negate(std::span<const Ciphertext> cs) const {
  return wrap(state_->modulo_n_squared->inverses(residues_of(cs), "negated ciphertexts"));
}

std::vector<Ciphertext> PaillierPublicKey::join_pairs(std::span<const Ciphertext> cs,
                                                      std::size_t shift) const {
  const Lanes& lanes = state_->modulo_n_squared->lanes();
  const std::size_t pairs = cs.size() / 2;
  std::vector<Integer> out((cs.size() + 1) / 2);
  if (cs.size() % 2 == 1) out.back() = cs.back().residue();
  parallel_blocks(pairs, lanes.lanes(), [&](std::size_t first, std::size_t count) {
    std::vector<Integer> low, high;
    for (std::size_t i = first; i < first + count; ++i) {
      low.push_back(cs[2 * i].residue());
      high.push_back(cs[2 * i + 1].residue());
    }
    WordBuffer block(lanes.block_words()), factor(lanes.block_words());
    lanes.enter(block.data(), high);
    for (std::size_t s = 0; s < shift; ++s) lanes.square(block.data(), block.data());
    lanes.load(factor.data(), low);
    lanes.multiply(block.data(), block.data(), factor.data());
    lanes.store(std::span(out).subspan(first, count), block.data());
  });
  return wrap(std::move(out));
}

void PaillierPublicKey::encode(std::span<const FreshCiphertext> cs, Bytes& out) const {
  out.reserve(out.size() + cs.size() * ciphertext_bytes());
  for (const FreshCiphertext& c : cs) append_little_endian(c.local().residue(), ciphertext_bytes(), out);
}

void PaillierPublicKey::encode_at_rest(std::span<const Ciphertext> cs, Bytes& out) const {
  for (const Ciphertext& c : cs) append_little_endian(c.residue(), ciphertext_bytes(), out);
}

std::vector<Ciphertext> PaillierPublicKey::decode(std::span<const std::uint8_t> bytes, std::size_t count,
                                                  std::string_view what) const {
  std::vector<Ciphertext> out;
  out.reserve(std::min(count, bytes.size() / ciphertext_bytes()));
  for (Integer& residue :
       decode_units(bytes, count, ciphertext_bytes(), state_->modulo_n_squared->lanes(), n(), what))
    out.push_back(Paillier::local(std::move(residue)));
  return out;
}

}  // namespace smlp
