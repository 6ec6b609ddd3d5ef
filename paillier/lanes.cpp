// Dispatch to the kernels, and conversion between GMP's integers and their digits.
#include "paillier/lanes.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cfenv>
#include <chrono>
#include <limits>
#include <string>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "paillier/parallel.h"

namespace smlp {
namespace {

// Below this the products of single limbs are faster than the smallest kernel.
constexpr std::size_t smallest_vector_modulus = 384;

template <DigitForm form>
struct Digits {
  static constexpr unsigned bits = digit_bits(form);
  static constexpr std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  // From here on a slice of a number takes a carry from the next one.
  static constexpr std::int64_t half =
      form == DigitForm::balanced ? std::int64_t{1} << (bits - 1) : std::int64_t{0};

  static Word word(std::int64_t digit) {
    if constexpr (form == DigitForm::whole) return static_cast<Word>(digit);
    return std::bit_cast<Word>(static_cast<double>(digit));
  }
  static std::int64_t digit(Word word) {
    if constexpr (form == DigitForm::whole) return static_cast<std::int64_t>(word);
    return static_cast<std::int64_t>(std::bit_cast<double>(word));
  }

  static void write(std::span<const Limb> x, std::size_t digits, Word* out, std::size_t stride) {
    std::int64_t carry = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const Limb slice = word_at(x, i * bits);
      const std::int64_t value = static_cast<std::int64_t>(slice & mask) + carry;
      carry = (value + half) >> bits;
      out[i * stride] = word(value - (carry << bits));
    }
  }

  /// The limbs of x, or of x - m where digits are whole, in two's complement modulo 2^(64 limbs): at most |m|
  /// in size and below m. Returns the limb of its sign.
  static Limb read(std::span<Limb> limbs, std::size_t digits, const Word* x, const Word* m,
                   std::size_t stride) {
    const std::size_t size = limbs.size();
    std::ranges::fill(limbs, 0);
    std::int64_t carry = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      std::int64_t value = digit(x[i * stride]) + carry;
      if constexpr (form == DigitForm::whole) value -= digit(m[i * stride]);
      carry = value >> bits;
      const auto slice = static_cast<std::uint64_t>(value) & mask;
      const std::size_t at = i * bits / limb_bits, offset = i * bits % limb_bits;
      if (at < size) limbs[at] |= slice << offset;
      if (offset > limb_bits - bits && at + 1 < size) limbs[at + 1] |= slice >> (limb_bits - offset);
    }
    const auto sign = static_cast<Limb>(carry);  // all zeros or all ones, above the last digit
    const std::size_t end = digits * bits;
    if (end < size * limb_bits) limbs[end / limb_bits] |= sign << end % limb_bits;
    for (std::size_t i = end / limb_bits + 1; i < size; ++i) limbs[i] = sign;
    return sign;
  }
};

/// The lowest `digits` digits of a number, every `stride` words.
void write_digits(DigitForm form, std::span<const Limb> x, std::size_t digits, Word* out,
                  std::size_t stride) {
  if (form == DigitForm::whole) return Digits<DigitForm::whole>::write(x, digits, out, stride);
  Digits<DigitForm::balanced>::write(x, digits, out, stride);
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

void* from_system(std::size_t bytes) {
  void* const memory = ::operator new(bytes, alignment(bytes));
#ifdef MADV_HUGEPAGE
  if (bytes >= large_page) ::madvise(memory, bytes / large_page * large_page, MADV_HUGEPAGE);  // a hint
#endif
  return memory;
}

void to_system(void* memory, std::size_t bytes) noexcept {
  ::operator delete(memory, alignment(bytes));
}

#if defined(__SANITIZE_ADDRESS__)
#define SMLP_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SMLP_ADDRESS_SANITIZER
#endif
#endif

/// Buffers of some blocks that a thread no longer uses, for its next ones. malloc keeps none of this size at
/// hand, aligned ones least of all, and its locks took a tenth of a training: a product of eight residues
/// takes less time than to wait for one. Their content was wiped.
class KeptBuffers {
 public:
  static constexpr std::size_t unit = 512, sizes = 64, largest = unit * sizes, of_a_size = 16,
                               most_bytes = std::size_t{1} << 20;

  KeptBuffers() = default;
  KeptBuffers(const KeptBuffers&) = delete;
  KeptBuffers& operator=(const KeptBuffers&) = delete;
  ~KeptBuffers() {
    for (std::size_t bytes = unit; bytes <= largest; bytes += unit)
      while (void* const memory = take(bytes)) to_system(memory, bytes);
    ended = true;
  }

  // Of a multiple of `unit` bytes, up to `largest`.
  void* take(std::size_t bytes) {
    const std::size_t size = bytes / unit - 1;
    if (counts_[size] == 0) return nullptr;
    bytes_ -= bytes;
    return kept_[size][--counts_[size]];
  }
  bool keep(void* memory, std::size_t bytes) {
    const std::size_t size = bytes / unit - 1;
    if (counts_[size] == of_a_size || bytes_ + bytes > most_bytes) return false;
    bytes_ += bytes;
    kept_[size][counts_[size]++] = memory;
    return true;
  }

  static thread_local bool ended;  ///< what a thread frees later goes back at once

 private:
  std::array<std::array<void*, of_a_size>, sizes> kept_{};
  std::array<std::size_t, sizes> counts_{};
  std::size_t bytes_ = 0;
};
thread_local bool KeptBuffers::ended = false;
thread_local KeptBuffers kept_buffers;

/// What is allocated for so many bytes: the same wherever it is freed.
std::size_t allocated(std::size_t bytes) {
#ifdef SMLP_ADDRESS_SANITIZER
  return bytes;
#else
  if (bytes > KeptBuffers::largest) return bytes;
  return std::max<std::size_t>(1, (bytes + KeptBuffers::unit - 1) / KeptBuffers::unit) * KeptBuffers::unit;
#endif
}

bool is_kept(std::size_t allocated_bytes) {
#ifdef SMLP_ADDRESS_SANITIZER
  return static_cast<void>(allocated_bytes), false;  // each its own, so that a use after its end is found
#else
  return allocated_bytes <= KeptBuffers::largest && !KeptBuffers::ended;
#endif
}

}  // namespace

void* allocate_words(std::size_t bytes) {
  bytes = allocated(bytes);
  if (is_kept(bytes))
    if (void* const memory = kept_buffers.take(bytes)) return memory;
  return from_system(bytes);
}

void free_words(void* memory, std::size_t bytes) noexcept {
  bytes = allocated(bytes);
  if (!is_kept(bytes) || !kept_buffers.keep(memory, bytes)) to_system(memory, bytes);
}

std::string_view name(Instructions instructions) {
  constexpr std::string_view names[] = {"scalar", "AVX2", "AVX-512", "AVX-512 IFMA"};
  return names[static_cast<std::size_t>(instructions)];
}

Instructions best_instructions() {
  if (avx512_ifma_kernel(0)) return Instructions::avx512_ifma;
  if (avx512_kernel(0)) return Instructions::avx512;
  if (avx2_kernel(0)) return Instructions::avx2;
  return Instructions::scalar;
}

Instructions faster_avx512(const KernelTimes& ifma, const KernelTimes& other) {
  const bool faster = ifma.product <= 0.85 * other.product && ifma.square <= 0.75 * other.square;
  return faster ? Instructions::avx512_ifma : Instructions::avx512;
}

namespace {

/// One kernel, and the least times of its products and squares.
class TimedKernel {
 public:
  TimedKernel(const Integer& modulus, Instructions instructions, std::size_t repeats)
      : lanes_(modulus, instructions), repeats_(repeats), block_(lanes_.block_words()) {
    lanes_.enter(block_.data(), std::vector<Integer>(lanes_.lanes(), modulus / 3));
    turn();  // what comes first waits for caches and clock
    times_ = {std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
  }
  void turn() {
    const auto time = [&](double& least, auto&& operation) {
      const auto start = std::chrono::steady_clock::now();
      for (std::size_t i = 0; i < repeats_; ++i) operation();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      least = std::min(least, taken.count());
    };
    time(times_.product, [&] { lanes_.multiply(block_.data(), block_.data(), block_.data()); });
    time(times_.square, [&] { lanes_.square(block_.data(), block_.data()); });
  }
  const KernelTimes& times() const { return times_; }

 private:
  Lanes lanes_;
  std::size_t repeats_;
  WordBuffer block_;
  KernelTimes times_{};
};

Instructions timed_instructions(std::size_t bits) {
  const Integer modulus = power_of_two(bits - 1) + 1;
  const std::size_t repeats = (std::size_t{1} << 17) / bits;
  TimedKernel ifma(modulus, Instructions::avx512_ifma, repeats),
      other(modulus, Instructions::avx512, repeats);
  for (int round = 0; round < 5; ++round) ifma.turn(), other.turn();
  return faster_avx512(ifma.times(), other.times());
}

}  // namespace

Instructions best_instructions(std::size_t modulus_bits) {
  if (best_instructions() != Instructions::avx512_ifma) return best_instructions();
  struct Size {
    std::size_t most_bits;
    Instructions instructions;
  };
  static const std::array<Size, 4> sizes{{{1536, timed_instructions(1024)},
                                          {3072, timed_instructions(2048)},
                                          {6144, timed_instructions(4096)},
                                          {SIZE_MAX, timed_instructions(8192)}}};
  return std::ranges::find_if(sizes, [&](const Size& size) { return modulus_bits <= size.most_bits; })
      ->instructions;
}

Lanes::Lanes(const Integer& modulus, Instructions instructions) : scalar_(modulus) {
  require_rounding_to_nearest();
  const std::size_t bits = bit_length(modulus);
  if (bits >= smallest_vector_modulus) {
    if (instructions == Instructions::avx512_ifma) kernel_ = avx512_ifma_kernel(bits);
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
    const DigitForm form = kernel_->form;
    const Integer block = power_of_two(digit_bits(form) * kernel_->block);
    const SecretInteger low_digits(modulus % block), low_inverse(inverse(low_digits.value(), block));
    const SecretInteger negative_inverse(block - low_inverse.value());
    const Integer r = power_of_two(digit_bits(form) * words());
    const SecretInteger one(r % modulus), r_squared(r * r % modulus);
    for (std::size_t lane = 0; lane < lanes(); ++lane) {
      write_digits(form, limbs_of(modulus), words(), kernel_modulus_.data() + lane, lanes());
      write_digits(form, limbs_of(negative_inverse.value()), kernel_->block,
                   kernel_modulus_.data() + block_words() + lane, lanes());
      write_digits(form, limbs_of(r_squared.value()), words(), r_squared_.data() + lane, lanes());
    }
    write_digits(form, limbs_of(one.value()), words(), one_.data(), 1);
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
  if (kernel_) return kernel_->multiply(out, a, b, kernel_modulus_.data());
  scalar_.multiply(out, a, b);
}

void Lanes::square(Word* out, const Word* a) const {
  add_to_count(squares, lanes());
  if (kernel_) return kernel_->square(out, a, kernel_modulus_.data());
  scalar_.square(out, a);
}

void Lanes::store_digits(Limb* limbs, const Word* block, std::size_t lane) const {
  const auto read =
      kernel_->form == DigitForm::whole ? Digits<DigitForm::whole>::read : Digits<DigitForm::balanced>::read;
  const std::size_t size = this->limbs();
  const Limb sign = read({limbs, size}, words(), block + lane, kernel_modulus_.data() + lane, lanes());
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
    write_digits(kernel_->form, limbs_of(xs[lane]), words(), block + lane, lanes());
  }
  clear_lanes(block, xs.size());
}

void Lanes::clear_lanes(Word* block, std::size_t first) const {
  for (std::size_t lane = first; lane < lanes(); ++lane)
    for (std::size_t i = 0; i < words(); ++i) block[i * lanes() + lane] = 0;  // in both forms
}

void Lanes::load(Word* block, const Limb* residues, std::size_t count) const {
  require_lanes(count);
  add_to_count(conversions, count);
  if (!kernel_) {
    std::copy_n(residues, limbs(), block);
    return;
  }
  for (std::size_t lane = 0; lane < count; ++lane)
    write_digits(kernel_->form, {residues + lane * limbs(), limbs()}, words(), block + lane, lanes());
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
  std::array<const Word*, most_lanes> from;
  from.fill(one());
  std::ranges::copy(residues, from.begin());
  kernel_->gather(block, from.data());
}

void Lanes::select(Word* out, const Word* table, std::size_t entries, std::size_t index) const {
  if (kernel_) return kernel_->select(out, table, entries, index);
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
  kernel_->scatter(residues.data(), residues.size(), block);
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
