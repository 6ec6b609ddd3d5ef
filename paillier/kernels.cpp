// Modular products, powers and simultaneous powers over Montgomery arithmetic.
#include "paillier/kernels.h"

#include <algorithm>
#include <string>

#include "paillier/error.h"
#include "paillier/montgomery.h"
#include "paillier/parallel.h"

namespace smlp {
namespace {

using Limb = Montgomery::Limb;

constexpr std::size_t largest_window = 8;
constexpr std::size_t table_bytes_per_group = std::size_t{256} << 20;

void require_size(std::size_t got, std::size_t wanted, const char* what) {
  if (got != wanted)
    throw Error(std::string(what) + " number " + std::to_string(got) + ", not " + std::to_string(wanted));
}

// One multiplication of a Straus evaluation: by bases[base]^(2 entry + 1), before `position` more squarings.
struct Step {
  std::uint32_t position;
  std::uint32_t base;
  std::uint32_t entry;
};

// The odd windows of one output's exponents, highest position first. Computed once and shared by all rows.
std::vector<Step> schedule(std::span<const Integer> exponents, std::size_t inner, std::size_t outputs,
                           std::size_t output, std::size_t window) {
  std::vector<Step> steps;
  for (std::size_t k = 0; k < inner; ++k) {
    const mpz_srcptr exponent = exponents[k * outputs + output].get_mpz_t();
    for (mp_bitcnt_t i = mpz_scan1(exponent, 0); i != ~mp_bitcnt_t{0}; i = mpz_scan1(exponent, i + window)) {
      std::uint32_t digit = 0;
      for (std::size_t b = window; b-- > 0;)
        digit = 2 * digit + static_cast<std::uint32_t>(mpz_tstbit(exponent, i + b));
      steps.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(k), digit / 2});
    }
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.position > b.position; });
  return steps;
}

// The window that makes tables (2^(w-1) products a base) and lookups (one every w + 1 bits) cheapest
// together.
std::size_t best_window(std::size_t total_bits, std::size_t inner, std::size_t limbs) {
  std::size_t best = 1;
  std::size_t best_cost = ~std::size_t{0};
  for (std::size_t w = 1; w <= largest_window; ++w) {
    const std::size_t entries = inner << (w - 1);
    if (w > 1 && entries * limbs * sizeof(Limb) > table_bytes_per_group) break;
    const std::size_t cost = entries + (w > 1 ? inner : 0) + total_bits / (w + 1);
    if (cost < best_cost) best = w, best_cost = cost;
  }
  return best;
}

// table[e] = base^(2 e + 1) for e < entries.
void fill_odd_powers(const Montgomery& m, const Integer& base, std::size_t entries, Limb* table) {
  const std::size_t n = m.limbs();
  std::vector<Limb> scratch(m.scratch_limbs());
  m.enter(table, base, scratch.data());
  if (entries == 1) return;
  std::vector<Limb> squared(n);
  m.square(squared.data(), table, scratch.data());
  for (std::size_t e = 1; e < entries; ++e)
    m.multiply(table + e * n, table + (e - 1) * n, squared.data(), scratch.data());
}

Integer evaluate(const Montgomery& m, std::span<const Step> steps, const Limb* tables, std::size_t entries) {
  if (steps.empty()) return 1;
  const std::size_t n = m.limbs();
  std::vector<Limb> scratch(m.scratch_limbs());
  const auto entry = [&](const Step& step) { return tables + (step.base * entries + step.entry) * n; };
  std::vector<Limb> power(entry(steps[0]), entry(steps[0]) + n);
  std::uint32_t position = steps[0].position;
  const auto square_down_to = [&](std::uint32_t target) {
    for (; position > target; --position) m.square(power.data(), power.data(), scratch.data());
  };
  for (const Step& step : steps.subspan(1)) {
    square_down_to(step.position);
    m.multiply(power.data(), power.data(), entry(step), scratch.data());
  }
  square_down_to(0);
  return m.leave(power.data(), scratch.data());
}

}  // namespace

struct ModularContext::State {
  explicit State(const Integer& modulus) : montgomery(modulus) {}
  Montgomery montgomery;
};

ModularContext::ModularContext(const Integer& modulus) : state_(std::make_unique<State>(modulus)) {}
ModularContext::~ModularContext() = default;

const Integer& ModularContext::modulus() const {
  return state_->montgomery.modulus();
}
const Montgomery& ModularContext::montgomery() const {
  return state_->montgomery;
}

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

Integer ModularContext::power_secret(const Integer& base, const SecretInteger& exponent) const {
  if (sgn(exponent.value()) <= 0) throw Error("a secret modular power needs an exponent of at least 1");
  Integer result;
  mpz_powm_sec(result.get_mpz_t(), base.get_mpz_t(), exponent.value().get_mpz_t(), modulus().get_mpz_t());
  return result;
}

Integer ModularContext::multi_power_var(std::span<const Integer> bases,
                                        std::span<const Integer> exponents) const {
  return matrix_power_var(bases, exponents, 1, bases.size(), 1)[0];
}

std::vector<Integer> ModularContext::matrix_power_var(std::span<const Integer> bases,
                                                      std::span<const Integer> exponents, std::size_t rows,
                                                      std::size_t inner, std::size_t outputs) const {
  require_size(bases.size(), rows * inner, "the bases of a matrix power");
  require_size(exponents.size(), inner * outputs, "the exponents of a matrix power");
  const Montgomery& m = state_->montgomery;
  std::size_t total_bits = 0;
  for (const Integer& exponent : exponents) {
    if (sgn(exponent) < 0) throw Error("a matrix power needs exponents of at least 0");
    total_bits += bit_length(exponent);
  }
  const std::size_t window = best_window(total_bits, inner, m.limbs());
  const std::size_t entries = std::size_t{1} << (window - 1);
  std::vector<std::vector<Step>> steps(outputs);
  parallel_for(outputs, [&](std::size_t j) { steps[j] = schedule(exponents, inner, outputs, j, window); });

  // Rows go in groups, so that few rows still occupy all threads and the tables of many do not fill the
  // memory.
  const std::size_t row_limbs = inner * entries * m.limbs();
  const std::size_t fitting = table_bytes_per_group / std::max<std::size_t>(1, row_limbs * sizeof(Limb));
  const std::size_t group =
      std::clamp<std::size_t>(fitting, 1, static_cast<std::size_t>(std::max(1, thread_count())));
  std::vector<Integer> out(rows * outputs);
  std::vector<Limb> tables(std::min(group, rows) * row_limbs);
  for (std::size_t first = 0; first < rows; first += group) {
    const std::size_t count = std::min(group, rows - first);
    parallel_for(count * inner, [&](std::size_t i) {
      fill_odd_powers(m, bases[first * inner + i], entries, tables.data() + i * entries * m.limbs());
    });
    parallel_for(count * outputs, [&](std::size_t i) {
      const Limb* row = tables.data() + i / outputs * row_limbs;
      out[first * outputs + i] = evaluate(m, steps[i % outputs], row, entries);
    });
  }
  return out;
}

// Montgomery's trick: the inverse of the product, unwound; chunks keep the threads busy and errors close.
std::vector<Integer> ModularContext::inverses(std::span<const Integer> values, const char* what) const {
  constexpr std::size_t chunk = 64;
  std::vector<Integer> out(values.size());
  parallel_for((values.size() + chunk - 1) / chunk, [&](std::size_t c) {
    const std::size_t first = c * chunk;
    const std::size_t last = std::min(first + chunk, values.size());
    out[first] = values[first];
    for (std::size_t i = first + 1; i < last; ++i) out[i] = multiply(out[i - 1], values[i]);
    Integer unwinding;
    if (mpz_invert(unwinding.get_mpz_t(), out[last - 1].get_mpz_t(), modulus().get_mpz_t()) == 0) {
      std::size_t bad = first;
      while (gcd(values[bad], modulus()) == 1) ++bad;
      throw Error(std::string(what) + ": element " + std::to_string(bad) +
                  " shares a factor with the modulus");
    }
    for (std::size_t i = last - 1; i > first; --i) {
      out[i] = multiply(unwinding, out[i - 1]);
      unwinding = multiply(unwinding, values[i]);
    }
    out[first] = unwinding;
  });
  return out;
}

}  // namespace smlp
