// AES-256 in counter mode through OpenSSL: the address is the initial counter block's first 104 bits.
#include "paillier/random.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <bit>
#include <map>
#include <mutex>
#include <string>

#include "paillier/error.h"

namespace smlp {
namespace {

constexpr std::size_t block_bytes = 16;
constexpr std::uint64_t blocks_per_address = std::uint64_t{1} << 24;

struct CipherDeleter {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

std::unique_ptr<EVP_CIPHER, CipherDeleter> fetched(const char* name) {
  std::unique_ptr<EVP_CIPHER, CipherDeleter> cipher(EVP_CIPHER_fetch(nullptr, name, nullptr));
  if (!cipher) throw Error(std::string("OpenSSL offers no ") + name);
  return cipher;
}

const EVP_CIPHER* aes_256_ctr() {
  static const auto cipher = fetched("AES-256-CTR");
  return cipher.get();
}
/// Its blocks one by one.
const EVP_CIPHER* aes_256_ecb() {
  static const auto cipher = fetched("AES-256-ECB");
  return cipher.get();
}

void check_element(std::uint64_t element) {
  if (element >> 32)
    throw Error("the random address element " + std::to_string(element) + " is not below 2^32");
}

// Step 32, layer 8, direction 8, kind 8, tile 8, element 32 bits, the upper 8 of the tile's 16, then a block
// counter of 24 bits; all big-endian.
std::array<std::uint8_t, block_bytes> initial_counter(const Address& address) {
  check_element(address.element);
  std::array<std::uint8_t, block_bytes> block{};
  for (std::size_t i = 0; i < 4; ++i) block[i] = static_cast<std::uint8_t>(address.step >> (24 - 8 * i));
  block[4] = address.layer;
  block[5] = address.direction;
  block[6] = address.kind;
  block[7] = static_cast<std::uint8_t>(address.tile);
  for (std::size_t i = 0; i < 4; ++i)
    block[8 + i] = static_cast<std::uint8_t>(address.element >> (24 - 8 * i));
  block[12] = static_cast<std::uint8_t>(address.tile >> 8);
  return block;
}

}  // namespace

struct RandomStream::State {
  std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter> context;
  std::array<std::uint8_t, 512> buffer{};
  std::size_t next = 0, end = 0;  // the bytes of the buffer that are not handed out
  std::uint64_t blocks_left = blocks_per_address;
  std::stop_token stop;

  ~State() { wipe_memory(buffer.data(), buffer.size()); }

  void refill() {
    if (stop.stop_requested()) throw Error("the computation was stopped");
    const std::size_t size =
        blocks_left == blocks_per_address ? 128 : buffer.size();  // most streams are short
    next = end = 0;
    if (blocks_left < size / block_bytes) throw Error("a random address is exhausted after 2^24 blocks");
    blocks_left -= size / block_bytes;
    buffer.fill(0);
    int written = 0;
    if (EVP_EncryptUpdate(context.get(), buffer.data(), &written, buffer.data(), static_cast<int>(size)) !=
            1 ||
        written != static_cast<int>(size))
      throw Error("OpenSSL failed to produce random bytes by AES-256-CTR");
    end = size;
  }
};

RandomStream::RandomStream(const std::array<std::uint8_t, 32>& key, const Address& address,
                           std::stop_token stop)
    : state_(std::make_unique<State>()) {
  state_->stop = std::move(stop);
  const auto counter = initial_counter(address);
  state_->context.reset(EVP_CIPHER_CTX_new());
  if (!state_->context ||
      EVP_EncryptInit_ex2(state_->context.get(), aes_256_ctr(), key.data(), counter.data(), nullptr) != 1)
    throw Error("OpenSSL failed to start AES-256-CTR");
}

RandomStream::RandomStream(RandomStream&&) noexcept = default;
RandomStream::~RandomStream() = default;

void RandomStream::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    if (state_->next == state_->end) state_->refill();
    const std::size_t count = std::min(out.size(), state_->end - state_->next);
    std::copy_n(state_->buffer.begin() + static_cast<std::ptrdiff_t>(state_->next), count, out.begin());
    state_->next += count;
    out = out.subspan(count);
  }
}

std::uint64_t RandomStream::word() {
  std::array<std::uint8_t, 8> bytes{};
  fill(bytes);
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < 8; ++i) result |= std::uint64_t{bytes[i]} << (8 * i);
  return result;
}

Integer RandomStream::bits(std::size_t count) {
  if (count == 0) return 0;
  const std::size_t size = (count + 7) / 8;
  Bytes bytes((size + 7) / 8 * 8);  // whole words, which GMP reads at once
  fill(std::span(bytes).first(size));
  bytes[size - 1] = static_cast<std::uint8_t>(bytes[size - 1] & (0xff >> (8 * size - count)));
  Integer result = from_little_endian(bytes);
  wipe_memory(bytes.data(), bytes.size());
  return result;
}

Integer RandomStream::below(const Integer& bound) {
  if (bound < 1)
    throw Error("a random number below " + bound.get_str() + " was asked for; the bound must be positive");
  const bool single_bit = mpz_scan1(bound.get_mpz_t(), 0) + 1 == bit_length(bound);
  const std::size_t width = bit_length(bound) - (single_bit ? 1 : 0);
  for (;;) {
    Integer candidate = bits(width);
    if (candidate < bound) return candidate;
  }
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  if (bound == 0) throw Error("a random number below 0 was asked for; the bound must be positive");
  const auto mask = bound == 1 ? 0 : ~std::uint64_t{0} >> std::countl_zero(bound - 1);
  for (;;) {
    const std::uint64_t candidate = word() & mask;
    if (candidate < bound) return candidate;
  }
}

struct AddressLog::State {
  mutable std::mutex mutex;
  std::map<std::pair<std::array<std::uint8_t, 32>, Address>, std::size_t> opened;
};

AddressLog::AddressLog() : state_(std::make_unique<State>()) {}
AddressLog::~AddressLog() = default;

std::size_t AddressLog::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->opened.size();
}

std::size_t AddressLog::repeated() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<std::size_t>(std::count_if(state_->opened.begin(), state_->opened.end(),
                                                [](const auto& entry) { return entry.second > 1; }));
}

void AddressLog::record(const std::array<std::uint8_t, 32>& key, const Address& address) {
  const std::lock_guard lock(state_->mutex);
  ++state_->opened[{key, address}];
}

RandomSource RandomSource::from_system() {
  RandomSource source{std::array<std::uint8_t, 32>{}};
  if (RAND_priv_bytes(source.key_.data(), static_cast<int>(source.key_.size())) != 1)
    throw Error("the operating system gave no entropy for a random key");
  return source;
}

RandomSource RandomSource::from_key(std::span<const std::uint8_t, 32> key) {
  RandomSource source{std::array<std::uint8_t, 32>{}};
  std::ranges::copy(key, source.key_.begin());
  return source;
}

RandomSource RandomSource::from_seed(std::uint64_t seed) {
  std::string text = "smlp seed 1:";
  for (unsigned i = 0; i < 8; ++i) text.push_back(static_cast<char>(seed >> (8 * i) & 0xff));
  RandomSource source{std::array<std::uint8_t, 32>{}};
  if (EVP_Digest(text.data(), text.size(), source.key_.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw Error("OpenSSL failed to compute SHA-256");
  return source;
}

RandomSource RandomSource::derive(std::string_view label) const {
  const Bytes bytes(label.begin(), label.end());
  return derive(std::span<const std::uint8_t>(bytes));
}

RandomSource RandomSource::derive(std::span<const std::uint8_t> label) const {
  RandomSource derived{std::array<std::uint8_t, 32>{}};
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), label.data(), label.size(),
            derived.key_.data(), &size) ||
      size != derived.key_.size())
    throw Error("OpenSSL failed to compute HMAC-SHA256");
  derived.log_ = log_;
  derived.stop_ = stop_;
  return derived;
}

RandomSource RandomSource::recording(std::shared_ptr<AddressLog> log) const {
  RandomSource source = *this;
  source.log_ = std::move(log);
  return source;
}

RandomSource RandomSource::until(std::stop_token stop) const {
  RandomSource source = *this;
  source.stop_ = std::move(stop);
  return source;
}

RandomStream RandomSource::stream(const Address& address) const {
  if (log_) log_->record(key_, address);
  return RandomStream(key_, address, stop_);
}

void RandomSource::fill_heads(const Address& first, std::size_t size, std::span<std::uint8_t> out) const {
  struct Blocks {
    std::array<std::uint8_t, 4096> bytes{};
    ~Blocks() { wipe_memory(bytes.data(), bytes.size()); }
  } blocks;
  constexpr std::size_t longest = 512;
  if (size < 1 || size > longest)
    throw Error("a head of " + std::to_string(size) + " random bytes was asked for, allowed are 1 to " +
                std::to_string(longest));
  const std::size_t count = out.size() / size, stride = (size + block_bytes - 1) / block_bytes * block_bytes;
  if (count == 0) return;
  const std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter> context(EVP_CIPHER_CTX_new());
  if (!context || EVP_EncryptInit_ex2(context.get(), aes_256_ecb(), key_.data(), nullptr, nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1)
    throw Error("OpenSSL failed to start AES-256-ECB");
  const std::size_t together = blocks.bytes.size() / stride;
  Address address = first;
  for (std::size_t done = 0; done < count; done += together) {
    const std::size_t elements = std::min(together, count - done);
    for (std::size_t i = 0; i < elements; ++i, ++address.element) {
      if (log_) log_->record(key_, address);
      auto counter = initial_counter(address);
      for (std::size_t at = 0; at < stride; at += block_bytes, ++counter.back())  // below 2^8 blocks
        std::ranges::copy(counter, blocks.bytes.begin() + static_cast<std::ptrdiff_t>(i * stride + at));
    }
    const int bytes = static_cast<int>(elements * stride);
    int written = 0;
    if (EVP_EncryptUpdate(context.get(), blocks.bytes.data(), &written, blocks.bytes.data(), bytes) != 1 ||
        written != bytes)
      throw Error("OpenSSL failed to produce random bytes by AES-256-ECB");
    for (std::size_t i = 0; i < elements; ++i)
      std::copy_n(blocks.bytes.begin() + static_cast<std::ptrdiff_t>(i * stride), size,
                  out.begin() + static_cast<std::ptrdiff_t>((done + i) * size));
  }
}

void Draws::fill_heads(std::uint64_t element, std::size_t size, std::span<std::uint8_t> out) const {
  check_element(element);
  Address address = base_;
  address.element += element;
  source_.fill_heads(address, size, out);
}

RandomStream Draws::stream(std::uint64_t element) const {
  check_element(element);
  Address address = base_;
  address.element += element;
  return source_.stream(address);
}

RandomSource::~RandomSource() {
  wipe_memory(key_.data(), key_.size());
}

}  // namespace smlp
