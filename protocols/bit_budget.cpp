// Widths and their proof; slots.
#include "protocols/bit_budget.h"

#include <algorithm>
#include <bit>

#include "paillier/error.h"

namespace smlp {

namespace {

std::size_t ceil_log2(std::size_t count) {
  return static_cast<std::size_t>(std::bit_width(count - 1));
}

void check_range(const char* name, std::size_t value, std::size_t low, std::size_t high) {
  if (value < low || value > high)
    throw Error(std::string(name) + " is " + std::to_string(value) + ", allowed are " + std::to_string(low) +
                " to " + std::to_string(high));
}

}  // namespace

void Numbers::check() const {
  check_range("--value-bits", value_bits, 8, 60);
  check_range("--fraction-bits", fraction_bits, 1, value_bits - 2);
  check_range("--sigma", sigma, 40, 128);
}

BitBudget::BitBudget(const Numbers& numbers, std::size_t max_inner, std::size_t modulus_bits,
                     std::size_t slots)
    : numbers_(numbers), max_inner_(max_inner), modulus_bits_(modulus_bits) {
  numbers.check();
  check_range("--inner", max_inner, 1, std::size_t{1} << 24);
  check_range("the key's size in bits", modulus_bits, 256, 8192);
  log_inner_ = ceil_log2(max_inner);
  slot_bits_ = 2 * numbers.value_bits + 2 * numbers.sigma + log_inner_ + 6;
  const std::size_t fitting = fitting_slots();
  if (fitting == 0 || slots > fitting)
    throw Error("the bit budget does not fit: " + std::to_string(std::max<std::size_t>(slots, 1)) +
                " slots of " + std::to_string(slot_bits_) + " bits in a plaintext of " +
                std::to_string(modulus_bits - 2) +
                " bits; lower --value-bits, --sigma or --inner, or take a longer key");
  slots_ = slots == 0 ? fitting : slots;
}

void BitBudget::check_product(const std::string& where, std::size_t inner, const Rescale& rescale) const {
  if (inner == 0 || inner > max_inner_)
    throw Error("the bit budget does not fit: " + where + " sums " + std::to_string(inner) +
                " products, the table was laid out for at most " + std::to_string(max_inner_) +
                "; where it is encrypted, --inner " + std::to_string(inner) + " or more is needed");
  if (rescale.shift > product_bits())
    throw Error("the bit budget does not fit: " + where + " shifts by " + std::to_string(rescale.shift) +
                " bits, its product has " + std::to_string(product_bits()));
  const Integer magnitude = abs(Integer(static_cast<long>(rescale.scale)));
  if (magnitude > power_of_two(rescale.shift))
    throw Error("the bit budget does not fit: " + where + " multiplies by " + std::to_string(rescale.scale) +
                " / 2^" + std::to_string(rescale.shift) + ", allowed is at most 1; lower --learning-rate");
}

void BitBudget::check_addend(const std::string& where, std::size_t addend_bits) const {
  // |C + R_C| < 2^(S - 2) beside |A B + rho| < 2^(S - 2): their sum has its sign in the slot.
  if (addend_bits + numbers_.sigma + mask_sum_bits + 2 > slot_bits_)
    throw Error("the bit budget does not fit: " + where + " adds a value of " + std::to_string(addend_bits) +
                " bits under a mask of " + std::to_string(addend_bits + numbers_.sigma) +
                " bits in slots of " + std::to_string(slot_bits_) + "; lower --momentum or --weight-decay");
}

std::size_t BitBudget::rescaled_mask_bits(std::size_t mask_bits, const Rescale& rescale,
                                          std::size_t addend_mask_bits) const {
  const Integer magnitude = abs(Integer(static_cast<long>(rescale.scale)));
  const std::size_t scaled = mask_bits + (magnitude == 0 ? 0 : bit_length(Integer(magnitude - 1)));
  const std::size_t sum = addend_mask_bits == 0 ? scaled : std::max(scaled, addend_mask_bits) + 1;
  return std::max(sum, rescale.shift + 1) - rescale.shift;
}

void BitBudget::check_opened(const std::string& where, std::size_t mask_bits) const {
  if (mask_bits + mask_sum_bits + 4 > slot_bits_)
    throw Error("the bit budget does not fit: " + where + " works on values under masks of " +
                std::to_string(mask_bits) + " bits in slots of " + std::to_string(slot_bits_) +
                "; lower --momentum or --weight-decay");
}

std::vector<std::size_t> balanced_groups(std::size_t count, std::size_t slots) {
  if (slots == 0) throw Error("a group of 0 slots holds nothing; at least 1 is needed");
  const std::size_t groups = (count + slots - 1) / slots;
  std::vector<std::size_t> widths(groups);
  for (std::size_t g = 0; g < groups; ++g) widths[g] = count / groups + (g < count % groups ? 1 : 0);
  return widths;
}

Integer pack(const std::vector<Integer>& values, std::size_t slot_bits) {
  Integer packed = 0;
  for (auto value = values.rbegin(); value != values.rend(); ++value) {
    if (bit_length(*value) > slot_bits - 1)
      throw Error("a value of " + std::to_string(bit_length(*value)) + " bits outgrows its slot of " +
                  std::to_string(slot_bits) + " bits");
    packed = (packed << slot_bits) + *value;
  }
  return packed;
}

std::vector<Integer> unpack(const Integer& packed, std::size_t count, std::size_t slot_bits) {
  std::vector<Integer> values(count);
  Integer rest = packed;
  for (Integer& value : values) {
    mpz_fdiv_r_2exp(value.get_mpz_t(), rest.get_mpz_t(), slot_bits);
    if (mpz_tstbit(value.get_mpz_t(), slot_bits - 1)) value -= power_of_two(slot_bits);
    rest -= value;
    mpz_fdiv_q_2exp(rest.get_mpz_t(), rest.get_mpz_t(), slot_bits);
  }
  if (rest != 0) throw Error("a packed value holds more than its " + std::to_string(count) + " slots");
  return values;
}

}  // namespace smlp
