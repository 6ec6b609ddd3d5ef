// Counting, and the units that are counted.
#include "bench/counts.h"

#include "paillier/kernels.h"

namespace smlp::bench {

namespace {

constexpr std::size_t most_lanes = 8;

/// Powers of one base by a table, for full lanes.
Count fixed_base(const Integer& modulus, Size size, std::size_t exponent_bits) {
  const auto context = std::make_shared<const ModularContext>(modulus);
  const FixedBase base(context, 2, exponent_bits);
  std::vector<Integer> values(most_lanes, 3);
  const std::vector<SecretInteger> exponents(most_lanes, SecretInteger(power_of_two(exponent_bits) - 1));
  return count_of(context->lanes(), size, most_lanes, [&] { base.multiply_powers(values, exponents); });
}

/// Powers by one secret exponent.
Count secret_power(const Integer& modulus, Size size, const SecretInteger& exponent) {
  const ModularContext context(modulus);
  const std::vector<Integer> bases(most_lanes, 3);
  return count_of(context.lanes(), size, most_lanes, [&] { context.power_secret(bases, exponent); });
}

Integer squared(const SecretInteger& prime) {
  return prime.value() * prime.value();
}

}  // namespace

Count& Count::operator+=(const Count& other) {
  for (std::size_t i = 0; i < sizes; ++i) {
    products[i] += other.products[i];
    squares[i] += other.squares[i];
  }
  return *this;
}

Count operator*(double factor, Count count) {
  for (std::size_t i = 0; i < sizes; ++i) {
    count.products[i] *= factor;
    count.squares[i] *= factor;
  }
  return count;
}

double Count::all() const {
  double sum = 0;
  for (std::size_t i = 0; i < sizes; ++i) sum += products[i] + squares[i];
  return sum;
}

OperationCounts::OperationCounts(const SecretKeys& keys) {
  const PaillierSecretKey& paillier = keys.paillier();
  const PaillierPublicKey& paillier_key = paillier.public_key();
  const DgkSecretKey& dgk = keys.dgk();
  const DgkPublicKey& dgk_key = dgk.public_key();
  rerandomisation = fixed_base(paillier_key.n_squared(), twice,
                               2 * paillier_key.subgroup_bits() + PaillierPublicKey::rerandomisation_sigma +
                                   PaillierPublicKey::exponent_margin);
  bit_rerandomisation = fixed_base(
      dgk_key.n(), whole,
      2 * dgk_key.subgroup_bits() + DgkPublicKey::rerandomisation_sigma + DgkPublicKey::exponent_margin);
  bit_rerandomisation.products[whole] += 1;  // out of Montgomery form
  for (const SecretInteger* prime : {&paillier.p(), &paillier.q()})
    encryption += fixed_base(squared(*prime), whole, paillier_key.subgroup_bits());
  decryption += secret_power(squared(paillier.p()), whole, paillier.alpha_p());
  decryption += secret_power(squared(paillier.q()), whole, paillier.alpha_q());
  for (const SecretInteger* prime : {&dgk.p(), &dgk.q()})
    bit_encryption += fixed_base(prime->value(), half, dgk_key.subgroup_bits());
  zero_test = secret_power(dgk.p().value(), half, dgk.v_p());
}

Count OperationCounts::of(const Operations& operations) const {
  Count count;
  count.products[twice] = operations.products;
  count.products[whole] = operations.bit_products;
  count += operations.rerandomisations * rerandomisation;
  count += operations.encryptions * encryption;
  count += operations.decryptions * decryption;
  count += operations.bit_rerandomisations * bit_rerandomisation;
  count += operations.bit_encryptions * bit_encryption;
  count += operations.zero_tests * zero_test;
  return count;
}

std::array<std::shared_ptr<const Lanes>, sizes> lanes_of(const SecretKeys& keys) {
  return {std::make_shared<const Lanes>(keys.dgk().p().value()),
          std::make_shared<const Lanes>(keys.public_keys().dgk().n()),
          std::make_shared<const Lanes>(keys.public_keys().paillier().n_squared())};
}

Task product_task(std::shared_ptr<const Lanes> lanes, bool square) {
  struct Blocks {
    WordBuffer a, b;
  };
  const auto blocks =
      std::make_shared<Blocks>(Blocks{WordBuffer(lanes->block_words()), WordBuffer(lanes->block_words())});
  const std::vector<Integer> values(lanes->lanes(), lanes->modulus() / 3);
  lanes->enter(blocks->a.data(), values);
  lanes->enter(blocks->b.data(), values);
  constexpr std::size_t repeats = 64;
  return {repeats * lanes->lanes(), [=] {
            Word* a = blocks->a.data();
            for (std::size_t i = 0; i < repeats; ++i) {
              if (square)
                lanes->square(a, a);
              else
                lanes->multiply(a, a, blocks->b.data());
            }
          }};
}

}  // namespace smlp::bench
