// Modular products, powers by a secret exponent and batch inversion over lanes.
#include "paillier/kernels.h"

#include <algorithm>
#include <string>

#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp {
ModularContext::ModularContext(const Integer& modulus, Instructions instructions)
    : lanes_(modulus, instructions) {}

// A single product is cheapest by GMP's division: Montgomery form would cost a second product to enter.
Integer ModularContext::multiply(const Integer& a, const Integer& b) const {
  Integer result;
  mpz_mul(result.get_mpz_t(), a.get_mpz_t(), b.get_mpz_t());
  mpz_mod(result.get_mpz_t(), result.get_mpz_t(), modulus().get_mpz_t());
  return result;
}

Integer ModularContext::power_var(const Integer& base, const Integer& exponent) const {
  if (sgn(exponent) < 0) throw Error("a modular power needs an exponent of at least 0");
  Integer result;
  mpz_powm(result.get_mpz_t(), base.get_mpz_t(), exponent.get_mpz_t(), modulus().get_mpz_t());
  return result;
}

std::vector<Integer> ModularContext::power_secret(std::span<const Integer> bases,
                                                  const SecretInteger& exponent) const {
  const std::size_t size = lanes_.limbs();
  WordBuffer residues(bases.size() * size);
  for (std::size_t i = 0; i < bases.size(); ++i) {
    if (sgn(bases[i]) < 0 || bases[i] >= modulus())
      throw Error("a residue outside [0, modulus) reached modular arithmetic");
    std::ranges::copy(limbs_of(bases[i]), residues.data() + i * size);
  }
  power_secret(residues.data(), bases.size(), exponent);
  std::vector<Integer> out(bases.size());
  for (std::size_t i = 0; i < bases.size(); ++i) {
    std::copy_n(residues.data() + i * size, size,
                mpz_limbs_write(out[i].get_mpz_t(), static_cast<mp_size_t>(size)));
    mpz_limbs_finish(out[i].get_mpz_t(), static_cast<mp_size_t>(size));
  }
  return out;
}

void ModularContext::power_secret(Limb* residues, std::size_t count, const SecretInteger& exponent) const {
  const Integer& e = exponent.value();
  if (sgn(e) <= 0) throw Error("a secret modular power needs an exponent of at least 1");
  const std::size_t bits = bit_length(e);
  const std::size_t window = bits < 64 ? 2 : bits < 512 ? 4 : 5;
  const std::size_t entries = std::size_t{1} << window, size = lanes_.block_words(), width = lanes_.lanes(),
                    limbs = lanes_.limbs();
  if (width == 1) {
    const auto n = static_cast<mp_size_t>(limbs);
    const Limb* const m = limbs_of(modulus()).data();
    WordBuffer power(limbs), scratch(static_cast<std::size_t>(mpn_sec_powm_itch(n, bits, n)));
    for (std::size_t i = 0; i < count; ++i) {
      mpn_sec_powm(power.data(), residues + i * limbs, n, limbs_of(e).data(), bits, m, n, scratch.data());
      std::copy_n(power.data(), limbs, residues + i * limbs);
    }
    return;
  }
  WordBuffer table(entries * size), power(size), factor(size);
  lanes_.broadcast(table.data(), lanes_.one());
  for (std::size_t first = 0; first < count; first += width) {
    const std::size_t some = std::min(width, count - first);
    lanes_.enter(table.data() + size, residues + first * limbs, some);
    for (std::size_t d = 2; d < entries; ++d) {
      if (d % 2 == 0)
        lanes_.square(table.data() + d * size, table.data() + d / 2 * size);
      else
        lanes_.multiply(table.data() + d * size, table.data() + (d - 1) * size, table.data() + size);
    }
    const std::size_t windows = (bits + window - 1) / window;
    for (std::size_t w = windows; w-- > 0;) {
      const std::size_t digit = word_at(limbs_of(e), w * window) & (entries - 1);
      if (w + 1 == windows) {
        lanes_.select(power.data(), table.data(), entries, digit);
        continue;
      }
      for (std::size_t b = 0; b < window; ++b) lanes_.square(power.data(), power.data());
      lanes_.select(factor.data(), table.data(), entries, digit);
      lanes_.multiply(power.data(), power.data(), factor.data());
    }
    lanes_.leave(residues + first * limbs, some, power.data());
  }
}

// Montgomery's trick, twice: along the blocks in each lane, then across the lanes.
bool ModularContext::invert(std::span<WordBuffer* const> blocks) const {
  const std::size_t width = lanes_.lanes(), size = lanes_.block_words();
  if (blocks.empty()) return true;
  std::vector<WordBuffer> prefixes;  // prefixes[b] = blocks[0] .. blocks[b]
  prefixes.reserve(blocks.size());
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    prefixes.emplace_back(size);
    if (b == 0)
      std::copy_n(blocks[0]->data(), size, prefixes[0].data());
    else
      lanes_.multiply(prefixes[b].data(), prefixes[b - 1].data(), blocks[b]->data());
  }
  std::vector<Integer> products(width), partial(width);
  lanes_.leave(products, prefixes.back().data());
  partial[0] = products[0];
  for (std::size_t k = 1; k < width; ++k) partial[k] = multiply(partial[k - 1], products[k]);
  Integer inverse;
  if (mpz_invert(inverse.get_mpz_t(), partial[width - 1].get_mpz_t(), modulus().get_mpz_t()) == 0)
    return false;
  for (std::size_t k = width; k-- > 1;) {
    const Integer lane = multiply(inverse, partial[k - 1]);
    inverse = multiply(inverse, products[k]);
    products[k] = lane;
  }
  products[0] = inverse;
  WordBuffer unwinding(size);
  lanes_.enter(unwinding.data(), products);
  for (std::size_t b = blocks.size(); b-- > 1;) {
    lanes_.multiply(prefixes[b].data(), unwinding.data(), prefixes[b - 1].data());
    lanes_.multiply(unwinding.data(), unwinding.data(), blocks[b]->data());
    std::copy_n(prefixes[b].data(), size, blocks[b]->data());
  }
  std::copy_n(unwinding.data(), size, blocks[0]->data());
  return true;
}

std::vector<Integer> ModularContext::inverses(std::span<const Integer> values, const char* what) const {
  const std::size_t width = lanes_.lanes();
  const auto threads = static_cast<std::size_t>(std::max(1, thread_count()));
  const std::size_t share = (lanes_.blocks(values.size()) + threads - 1) / threads;
  std::vector<Integer> out(values.size());
  parallel_blocks(values.size(), std::clamp<std::size_t>(share, 1, 64) * width,
                  [&](std::size_t first, std::size_t count) {
                    std::vector<WordBuffer> blocks;
                    std::vector<WordBuffer*> pointers;
                    blocks.reserve(lanes_.blocks(count));
                    for (std::size_t i = first; i < first + count; i += width) {
                      std::vector<Integer> padded(width, 1);
                      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i),
                                  std::min(width, first + count - i), padded.begin());
                      lanes_.enter(blocks.emplace_back(lanes_.block_words()).data(), padded);
                      pointers.push_back(&blocks.back());
                    }
                    if (!invert(pointers)) {
                      std::size_t bad = first;
                      while (gcd(values[bad], modulus()) == 1) ++bad;
                      throw Error(std::string(what) + ": element " + std::to_string(bad) +
                                  " shares a factor with the modulus");
                    }
                    for (std::size_t b = 0; b < blocks.size(); ++b)
                      lanes_.leave(
                          std::span(out).subspan(first + b * width, std::min(width, count - b * width)),
                          blocks[b].data());
                  });
  return out;
}

}  // namespace smlp
