// Dispatch to the kernels, and conversion between GMP's integers and balanced digits of 49 bits in doubles.
#include "paillier/lanes.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cfenv>
#include <string>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "paillier/parallel.h"

namespace smlp {
namespace {

constexpr unsigned digit_bits = 49;
constexpr std::int64_t half_digit = std::int64_t{1} << (digit_bits - 1);
constexpr std::uint64_t digit_mask = (std::uint64_t{1} << digit_bits) - 1;
// Below this the products of single limbs are faster than the smallest kernel.
constexpr std::size_t smallest_vector_modulus = 384;

Word word(std::int64_t digit) {
  return std::bit_cast<Word>(static_cast<double>(digit));
}
std::int64_t digit(Word word) {
  return static_cast<std::int64_t>(std::bit_cast<double>(word));
}

double* doubles(Word* words) {
  return reinterpret_cast<double*>(words);
}
const double* doubles(const Word* words) {
  return reinterpret_cast<const double*>(words);
}

// Balanced digits of a number modulo 2^(49 digits), every `stride` words. Returns the carry out of the last
// one: zero where it is below 2^(49 digits - 1).
std::int64_t write_digits(std::span<const Limb> x, std::size_t digits, Word* out, std::size_t stride) {
  std::int64_t carry = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const Limb slice = word_at(x, i * digit_bits);
    const std::int64_t value = static_cast<std::int64_t>(slice & digit_mask) + carry;
    carry = (value + half_digit) >> digit_bits;  // 1 from half a digit on
    out[i * stride] = word(value - (carry << digit_bits));
  }
  return carry;
}

void require_rounding_to_nearest() {
  const volatile double one = 1.0, half_place = 0x1p-53;
  const bool ties_to_even =
      one + half_place == 1.0 && (one + 0x1p-52) + half_place == 1.0 + 0x1p-51 && -one - half_place == -1.0;
  if (std::fegetround() != FE_TONEAREST || !ties_to_even)
    throw Error("the processor does not round to nearest, which exact arithmetic on doubles needs");
}

}  // namespace

namespace {

constexpr std::size_t large_page = std::size_t{2} << 20;

std::align_val_t alignment(std::size_t bytes) {
  return std::align_val_t{bytes >= large_page ? large_page : 64};
}

}  // namespace

void* allocate_words(std::size_t bytes) {
  void* const memory = ::operator new(bytes, alignment(bytes));
#ifdef MADV_HUGEPAGE
  if (bytes >= large_page) ::madvise(memory, bytes / large_page * large_page, MADV_HUGEPAGE);  // a hint
#endif
  return memory;
}

void free_words(void* memory, std::size_t bytes) noexcept {
  ::operator delete(memory, alignment(bytes));
}

std::string_view name(Instructions instructions) {
  constexpr std::string_view names[] = {"scalar", "AVX2", "AVX-512"};
  return names[static_cast<std::size_t>(instructions)];
}

Instructions best_instructions() {
  if (avx512_kernel(0)) return Instructions::avx512;
  if (avx2_kernel(0)) return Instructions::avx2;
  return Instructions::scalar;
}

Lanes::Lanes(const Integer& modulus, Instructions instructions) : scalar_(modulus) {
  require_rounding_to_nearest();
  const std::size_t bits = bit_length(modulus);
  if (bits >= smallest_vector_modulus) {
    if (instructions == Instructions::avx512) kernel_ = avx512_kernel(bits);
    if (instructions == Instructions::avx2) kernel_ = avx2_kernel(bits);
  }
  one_ = WordBuffer(words());
  r_squared_ = WordBuffer(block_words());
  unity_ = WordBuffer(block_words());
  if (!kernel_) {
    std::copy_n(scalar_.one(), words(), one_.data());
    std::copy_n(scalar_.r_squared(), words(), r_squared_.data());
  } else {
    kernel_modulus_ = WordBuffer((words() + kernel_->block) * lanes());
    // m may be a secret, and so is all that is congruent to something public modulo it.
    const Integer block = power_of_two(digit_bits * kernel_->block);
    const SecretInteger low_digits(modulus % block), low_inverse(inverse(low_digits.value(), block));
    const SecretInteger negative_inverse(block - low_inverse.value());
    const Integer r = power_of_two(digit_bits * words());
    const SecretInteger one(r % modulus), r_squared(r * r % modulus);
    for (std::size_t lane = 0; lane < lanes(); ++lane) {
      write_digits(limbs_of(modulus), words(), kernel_modulus_.data() + lane, lanes());
      write_digits(limbs_of(negative_inverse.value()), kernel_->block,
                   kernel_modulus_.data() + block_words() + lane, lanes());
      write_digits(limbs_of(r_squared.value()), words(), r_squared_.data() + lane, lanes());
    }
    write_digits(limbs_of(one.value()), words(), one_.data(), 1);
  }
  const std::vector<Integer> ones(lanes(), 1);
  load(unity_.data(), ones);
}

void Lanes::add_to_count(Counted what, std::size_t residues) const {
  counters_[thread_index() % counters_.size()].of[what].fetch_add(residues, std::memory_order_relaxed);
}

OperationCount Lanes::count() const {
  OperationCount sum;
  for (const Counters& counters : counters_) {
    sum.products += counters.of[products];
    sum.squares += counters.of[squares];
    sum.conversions += counters.of[conversions];
  }
  return sum;
}

void Lanes::multiply(Word* out, const Word* a, const Word* b) const {
  add_to_count(products, lanes());
  if (kernel_)
    return kernel_->multiply(doubles(out), doubles(a), doubles(b), doubles(kernel_modulus_.data()));
  scalar_.multiply(out, a, b);
}

void Lanes::square(Word* out, const Word* a) const {
  add_to_count(squares, lanes());
  if (kernel_) return kernel_->square(doubles(out), doubles(a), doubles(kernel_modulus_.data()));
  scalar_.square(out, a);
}

void Lanes::store_digits(Limb* limbs, const Word* block, std::size_t lane) const {
  const std::size_t size = this->limbs();
  // The number modulo 2^(64 size), in two's complement; below |m| in size, so its sign is that of the last
  // digit.
  std::fill_n(limbs, size, 0);
  std::int64_t carry = 0;
  for (std::size_t i = 0; i < words(); ++i) {
    const std::int64_t value = digit(block[i * lanes() + lane]) + carry;
    carry = value >> digit_bits;
    const auto slice = static_cast<std::uint64_t>(value) & digit_mask;
    const std::size_t at = i * digit_bits / limb_bits, offset = i * digit_bits % limb_bits;
    if (at < size) limbs[at] |= slice << offset;
    if (offset > limb_bits - digit_bits && at + 1 < size) limbs[at + 1] |= slice >> (limb_bits - offset);
  }
  const auto sign = static_cast<Limb>(carry);  // all zeros or all ones, above the last digit
  const std::size_t end = words() * digit_bits;
  if (end < size * limb_bits) limbs[end / limb_bits] |= sign << end % limb_bits;
  for (std::size_t i = end / limb_bits + 1; i < size; ++i) limbs[i] = sign;
  mpn_cnd_add_n(sign, limbs, limbs, mpz_limbs_read(modulus().get_mpz_t()), static_cast<mp_size_t>(size));
}

void Lanes::require_lanes(std::size_t residues) const {
  if (residues == 0 || residues > lanes())
    throw Error(std::to_string(residues) + " residues reached arithmetic on " + std::to_string(lanes()) +
                " lanes");
}

void Lanes::load(Word* block, std::span<const Integer> xs) const {
  require_lanes(xs.size());
  add_to_count(conversions, xs.size());
  if (!kernel_) return scalar_.load(block, xs[0]);
  for (std::size_t lane = 0; lane < xs.size(); ++lane) {
    if (sgn(xs[lane]) < 0 || xs[lane] >= modulus())
      throw Error("a residue outside [0, modulus) reached modular arithmetic");
    write_digits(limbs_of(xs[lane]), words(), block + lane, lanes());
  }
  clear_lanes(block, xs.size());
}

void Lanes::clear_lanes(Word* block, std::size_t first) const {
  for (std::size_t lane = first; lane < lanes(); ++lane)
    for (std::size_t i = 0; i < words(); ++i) block[i * lanes() + lane] = word(0);
}

void Lanes::load(Word* block, const Limb* residues, std::size_t count) const {
  require_lanes(count);
  add_to_count(conversions, count);
  if (!kernel_) {
    std::copy_n(residues, limbs(), block);
    return;
  }
  for (std::size_t lane = 0; lane < count; ++lane)
    write_digits({residues + lane * limbs(), limbs()}, words(), block + lane, lanes());
  clear_lanes(block, count);
}

void Lanes::store(Limb* residues, std::size_t count, const Word* block) const {
  require_lanes(count);
  add_to_count(conversions, count);
  if (!kernel_) return scalar_.store(residues, block);
  for (std::size_t lane = 0; lane < count; ++lane) store_digits(residues + lane * limbs(), block, lane);
}

void Lanes::store(std::span<Integer> xs, const Word* block) const {
  require_lanes(xs.size());
  add_to_count(conversions, xs.size());
  const auto size = static_cast<mp_size_t>(limbs());
  for (std::size_t lane = 0; lane < xs.size(); ++lane) {
    Limb* const out = mpz_limbs_write(xs[lane].get_mpz_t(), size);
    if (kernel_)
      store_digits(out, block, lane);
    else
      scalar_.store(out, block);
    mpz_limbs_finish(xs[lane].get_mpz_t(), size);
  }
}

void Lanes::enter(Word* block, std::span<const Integer> xs) const {
  load(block, xs);
  multiply(block, block, r_squared_.data());
}

void Lanes::leave(std::span<Integer> xs, Word* block) const {
  multiply(block, block, unity_.data());
  store(xs, block);
}

void Lanes::enter(Word* block, const Limb* residues, std::size_t count) const {
  load(block, residues, count);
  multiply(block, block, r_squared_.data());
}

void Lanes::leave(Limb* residues, std::size_t count, Word* block) const {
  multiply(block, block, unity_.data());
  store(residues, count, block);
}

void Lanes::gather(Word* block, std::span<const Word* const> residues) const {
  if (!residues.empty()) require_lanes(residues.size());
  if (!kernel_) {
    std::copy_n(residues.empty() ? one() : residues[0], words(), block);
    return;
  }
  std::array<const double*, most_lanes> from;
  from.fill(doubles(one()));
  for (std::size_t lane = 0; lane < residues.size(); ++lane) from[lane] = doubles(residues[lane]);
  kernel_->gather(doubles(block), from.data());
}

void Lanes::select(Word* out, const Word* table, std::size_t entries, std::size_t index) const {
  if (kernel_) return kernel_->select(doubles(out), doubles(table), entries, index);
  std::fill_n(out, words(), Word{0});
  for (std::size_t e = 0; e < entries; ++e) {
    const Word difference = static_cast<Word>(e ^ index);
    const Word mask = ((difference | (0 - difference)) >> 63) - 1;  // all ones where e = index
    for (std::size_t i = 0; i < words(); ++i) out[i] |= table[e * words() + i] & mask;
  }
}

void Lanes::prefetch(std::span<const Word* const> residues) const {
  constexpr std::size_t line = 64 / sizeof(Word);
  for (const Word* residue : residues) {
    for (std::size_t i = 0; i < words(); i += line) __builtin_prefetch(residue + i);
    __builtin_prefetch(residue + words() - 1);  // a residue may start inside a line
  }
}

void Lanes::scatter(std::span<Word* const> residues, const Word* block) const {
  require_lanes(residues.size());
  if (!kernel_) {
    std::copy_n(block, words(), residues[0]);
    return;
  }
  std::array<double*, most_lanes> to{};
  for (std::size_t lane = 0; lane < residues.size(); ++lane) to[lane] = doubles(residues[lane]);
  kernel_->scatter(to.data(), residues.size(), doubles(block));
}

void Lanes::scatter(Word* residues, std::size_t count, const Word* block) const {
  require_lanes(count);
  std::array<Word*, most_lanes> to{};
  for (std::size_t lane = 0; lane < count; ++lane) to[lane] = residues + lane * words();
  scatter(std::span(to).first(count), block);
}

void Lanes::broadcast(Word* block, const Word* residue) const {
  const std::size_t width = lanes();
  for (std::size_t i = 0; i < words(); ++i) std::fill_n(block + i * width, width, residue[i]);
}

}  // namespace smlp
