// DGK's public operations: [m] = g^m h^r.
#include "paillier/dgk.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <string>
#include <thread>

#include "paillier/error.h"
#include "paillier/kernels.h"
#include "paillier/parallel.h"
#include "paillier/primes.h"
#include "paillier/residues.h"

namespace smlp {

struct DgkPublicKey::State {
  Integer n, g, h;
  unsigned u = 0;
  std::size_t subgroup_bits = 0;
  std::size_t sigma = rerandomisation_sigma;
  std::shared_ptr<const ModularContext> modulo_n;
  std::vector<Integer> powers_of_g;  // g^m for m < u
  WordBuffer forms_of_g;             // the same residues in Montgomery form
  std::once_flag once, prepared;
  std::unique_ptr<const FixedBase> powers_of_h;

  std::size_t exponent_bits() const { return 2 * subgroup_bits + sigma + exponent_margin; }
  const FixedBase& table() {
    std::call_once(once, [this] { powers_of_h = std::make_unique<FixedBase>(modulo_n, h, exponent_bits()); });
    return *powers_of_h;
  }

  std::jthread builder;  // last: it is joined before what it builds goes
};

DgkPublicKey::DgkPublicKey(Integer n, Integer g, Integer h, unsigned u, std::size_t subgroup_bits)
    : state_(std::make_shared<State>()) {
  require_public_modulus(n, "DGK");
  if (u < 3 || u >= 1u << 16 || !is_prime(u) || (n - 1) % u != 0)
    throw Error("the DGK plaintext modulus u = " + std::to_string(u) +
                " is not an odd prime below 2^16 that divides n - 1");
  if (subgroup_bits < 16 || 2 * (subgroup_bits + 32) > bit_length(n))
    throw Error("the DGK subgroup bits t = " + std::to_string(subgroup_bits) +
                " are outside 16 to bits / 2 - 32 for n of " + std::to_string(bit_length(n)) + " bits");
  for (const auto& [element, name] : {std::pair(&g, "g"), std::pair(&h, "h")})
    if (*element <= 1 || *element >= n || gcd(*element, n) != 1)
      throw Error(std::string("the DGK generator ") + name + " is not a unit between 1 and n");
  State& s = *state_;
  s.modulo_n = std::make_shared<const ModularContext>(n);
  if (s.modulo_n->power_var(g, u) != h) throw Error("the DGK generators do not satisfy g^u = h");
  // With v | n - 1, as a common v = v_p = v_q gives, anybody strips the randomness by c^((n-1)/u).
  if (gcd(Integer(s.modulo_n->power_var(h, Integer((n - 1) / u)) - 1), n) != 1)
    throw Error("the DGK key falls to the keyless attack: h^((n-1)/u) is 1 modulo a factor of n");
  s.powers_of_g.resize(u);
  s.powers_of_g[0] = 1;
  for (unsigned m = 1; m < u; ++m) s.powers_of_g[m] = s.modulo_n->multiply(s.powers_of_g[m - 1], g);
  const Lanes& lanes = s.modulo_n->lanes();
  s.forms_of_g = WordBuffer(u * lanes.words());
  for (unsigned first = 0; first < u; first += static_cast<unsigned>(lanes.lanes())) {
    const std::size_t count = std::min<std::size_t>(lanes.lanes(), u - first);
    WordBuffer block(lanes.block_words());
    lanes.enter(block.data(), std::span(s.powers_of_g).subspan(first, count));
    lanes.scatter(s.forms_of_g.data() + first * lanes.words(), count, block.data());
  }
  s.n = std::move(n);
  s.g = std::move(g);
  s.h = std::move(h);
  s.u = u;
  s.subgroup_bits = subgroup_bits;
}

DgkPublicKey DgkPublicKey::with_sigma(std::size_t sigma) const {
  if (sigma == state_->sigma) return *this;
  DgkPublicKey key(n(), g(), h(), u(), subgroup_bits());
  key.state_->sigma = sigma;
  return key;
}

void DgkPublicKey::prepare() const {
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

std::size_t DgkPublicKey::bits() const {
  return bit_length(state_->n);
}
std::size_t DgkPublicKey::subgroup_bits() const {
  return state_->subgroup_bits;
}
unsigned DgkPublicKey::u() const {
  return state_->u;
}
const Integer& DgkPublicKey::n() const {
  return state_->n;
}
const Integer& DgkPublicKey::g() const {
  return state_->g;
}
const Integer& DgkPublicKey::h() const {
  return state_->h;
}
std::size_t DgkPublicKey::ciphertext_bytes() const {
  return (bits() + 7) / 8;
}

bool DgkPublicKey::operator==(const DgkPublicKey& other) const {
  const State &a = *state_, &b = *other.state_;
  return a.n == b.n && a.g == b.g && a.h == b.h && a.u == b.u && a.subgroup_bits == b.subgroup_bits;
}

const Integer& DgkPublicKey::power_of_g(unsigned m) const {
  if (m >= u())
    throw Error("the DGK plaintext " + std::to_string(m) + " is not below u = " + std::to_string(u()));
  return state_->powers_of_g[m];
}

FreshDgkCiphertext DgkPublicKey::encrypt(unsigned m, RandomStream& random) const {
  return rerandomise(trivial(m), random);
}

FreshDgkCiphertext DgkPublicKey::rerandomise(const DgkCiphertext& c, RandomStream& random) const {
  const FixedBase& table = state_->table();
  const SecretInteger exponent(random.bits(table.exponent_bits()));
  Integer residue = c.residue();
  table.multiply_powers({&residue, 1}, {&exponent, 1});
  return Dgk::fresh(std::move(residue));
}

DgkCiphertext DgkPublicKey::trivial(unsigned m) const {
  return Dgk::local(power_of_g(m));
}

DgkCiphertext DgkPublicKey::add(const DgkCiphertext& a, const DgkCiphertext& b) const {
  return Dgk::local(state_->modulo_n->multiply(a.residue(), b.residue()));
}

DgkCiphertext DgkPublicKey::scale(const DgkCiphertext& c, unsigned k) const {
  return Dgk::local(state_->modulo_n->power_var(c.residue(), k));
}

std::vector<DgkCiphertext> DgkPublicKey::negate(std::span<const DgkCiphertext> cs) const {
  std::vector<Integer> residues;
  residues.reserve(cs.size());
  for (const DgkCiphertext& c : cs) residues.push_back(c.residue());
  std::vector<DgkCiphertext> out;
  out.reserve(cs.size());
  for (Integer& residue : state_->modulo_n->inverses(residues, "negated DGK ciphertexts"))
    out.push_back(Dgk::local(std::move(residue)));
  return out;
}

std::size_t DgkPublicKey::lanes() const {
  return state_->modulo_n->lanes().lanes();
}

void DgkPublicKey::require_lanes(std::size_t count) const {
  if (count > lanes())
    throw Error("a block of " + std::to_string(lanes()) + " DGK ciphertexts got " + std::to_string(count));
}

DgkBlock DgkPublicKey::block(std::span<const DgkCiphertext> cs) const {
  const Lanes& lanes = state_->modulo_n->lanes();
  require_lanes(cs.size());
  std::vector<Integer> residues(lanes.lanes(), 1);
  for (std::size_t k = 0; k < cs.size(); ++k) residues[k] = cs[k].residue();
  DgkBlock out(lanes.block_words());
  lanes.enter(out.words_.data(), residues);
  return out;
}

DgkBlock DgkPublicKey::trivial(std::span<const unsigned> ms) const {
  const Lanes& lanes = state_->modulo_n->lanes();
  std::vector<const Word*> from;
  from.reserve(ms.size());
  for (const unsigned m : ms) {
    power_of_g(m);  // refuses m >= u
    from.push_back(state_->forms_of_g.data() + m * lanes.words());
  }
  DgkBlock out(lanes.block_words());
  lanes.gather(out.words_.data(), from);
  return out;
}

DgkBlock DgkPublicKey::add(const DgkBlock& a, const DgkBlock& b) const {
  const Lanes& lanes = state_->modulo_n->lanes();
  DgkBlock out(lanes.block_words());
  lanes.multiply(out.words_.data(), a.words_.data(), b.words_.data());
  return out;
}

DgkBlock DgkPublicKey::twice(const DgkBlock& c) const {
  const Lanes& lanes = state_->modulo_n->lanes();
  DgkBlock out(lanes.block_words());
  lanes.square(out.words_.data(), c.words_.data());
  return out;
}

DgkBlock DgkPublicKey::choose(const DgkBlock& zero, const DgkBlock& one,
                              std::span<const unsigned> bits) const {
  const Lanes& lanes = state_->modulo_n->lanes();
  require_lanes(bits.size());
  std::vector<Word> masks(lanes.lanes(), 0);
  for (std::size_t k = 0; k < bits.size(); ++k) masks[k] = 0 - static_cast<Word>(bits[k]);
  DgkBlock out(lanes.block_words());
  const Word *a = zero.words_.data(), *b = one.words_.data();
  Word* to = out.words_.data();
  const std::size_t width = masks.size();
  for (std::size_t i = 0; i < out.words_.size(); i += width)
    for (std::size_t k = 0; k < width; ++k) to[i + k] = a[i + k] ^ ((a[i + k] ^ b[i + k]) & masks[k]);
  return out;
}

DgkBlock DgkPublicKey::scale(const DgkBlock& c, std::span<const unsigned> ks) const {
  const Lanes& lanes = state_->modulo_n->lanes();
  const std::vector<unsigned> zeros(lanes.lanes(), 0);
  const DgkBlock unity = trivial(zeros), squared = twice(c), cubed = add(squared, c);
  const auto window = [&](std::size_t lowest) {  // c^(2 bits of k) in each lane, whatever they are
    std::vector<unsigned> low(ks.size()), high(ks.size());
    for (std::size_t k = 0; k < ks.size(); ++k) {
      low[k] = ks[k] >> lowest & 1;
      high[k] = ks[k] >> (lowest + 1) & 1;
    }
    return choose(choose(unity, c, low), choose(squared, cubed, low), high);
  };
  std::size_t lowest = (static_cast<std::size_t>(std::bit_width(u() - 1)) - 1) / 2 * 2;
  for (const unsigned k : ks)
    if (k >> lowest > 3) throw Error("the DGK factor " + std::to_string(k) + " is longer than u - 1");
  DgkBlock out = window(lowest);
  while (lowest > 0) {
    lowest -= 2;
    out = add(twice(twice(out)), window(lowest));
  }
  return out;
}

std::vector<DgkBlock> DgkPublicKey::negate(std::span<const DgkBlock> blocks) const {
  const std::size_t size = state_->modulo_n->lanes().block_words();
  std::vector<DgkBlock> out;
  std::vector<WordBuffer*> words;
  out.reserve(blocks.size());
  for (const DgkBlock& block : blocks) {
    out.push_back(DgkBlock(size));
    std::copy_n(block.words_.data(), size, out.back().words_.data());
    words.push_back(&out.back().words_);
  }
  if (!state_->modulo_n->invert(words))
    throw Error("negated DGK ciphertexts share a factor with the modulus");
  return out;
}

RerandomiserMaker DgkPublicKey::rerandomisers() const {
  const auto draw = [key = *this](RandomStream& random) {
    return SecretInteger(random.bits(key.state_->exponent_bits()));
  };
  const auto make = [key = *this](std::span<const SecretInteger> secrets, Word* out) {
    key.state_->table().write_powers(secrets, out);
  };
  return {state_->modulo_n->lanes().words(), draw, make};
}

std::vector<FreshDgkCiphertext> DgkPublicKey::rerandomise(const DgkBlock& c, Rerandomisers& ready,
                                                          std::span<const std::size_t> which) const {
  const Lanes& lanes = state_->modulo_n->lanes();
  std::vector<const Word*> from;
  for (const std::size_t i : which) from.push_back(ready.use(i));
  WordBuffer block(lanes.block_words());
  lanes.gather(block.data(), from);
  lanes.multiply(block.data(), block.data(), c.words_.data());
  std::vector<Integer> residues(which.size());
  lanes.leave(residues, block.data());
  std::vector<FreshDgkCiphertext> out;
  out.reserve(residues.size());
  for (Integer& residue : residues) out.push_back(Dgk::fresh(std::move(residue)));
  return out;
}

void DgkPublicKey::encode(std::span<const FreshDgkCiphertext> cs, Bytes& out) const {
  out.reserve(out.size() + cs.size() * ciphertext_bytes());
  for (const FreshDgkCiphertext& c : cs) append_little_endian(c.local().residue(), ciphertext_bytes(), out);
}

std::vector<DgkCiphertext> DgkPublicKey::decode(std::span<const std::uint8_t> bytes, std::size_t count,
                                                std::string_view what) const {
  std::vector<DgkCiphertext> out;
  out.reserve(std::min(count, bytes.size() / ciphertext_bytes()));
  for (Integer& residue :
       decode_units(bytes, count, ciphertext_bytes(), state_->modulo_n->lanes(), n(), what))
    out.push_back(Dgk::local(std::move(residue)));
  return out;
}

}  // namespace smlp
