// Randomness: one AES-256 counter-mode generator whose output is addressed, not consumed in sequence.
//
// A draw is named by (step, layer, direction, kind, tile, element), and the key stands for the run. So the
// number of threads never changes a result, the plaintext twin replays exactly the masks it needs, and a test
// can show that no address is used twice.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>

#include "paillier/integer.h"

namespace smlp {

/// Names one draw of a run. Injective: two different addresses give independent streams.
struct Address {
  std::uint32_t step = 0;      ///< training step, or batch of a classification
  std::uint8_t layer = 0;      ///< layer of the network
  std::uint8_t direction = 0;  ///< which operation of the layer (forward product, gradient, ..)
  std::uint8_t kind = 0;       ///< what is drawn (mask, exponent, ..)
  std::uint16_t tile = 0;      ///< of an operation that is cut into tiles
  std::uint64_t element = 0;   ///< which element of the batch; below 2^32

  auto operator<=>(const Address&) const = default;
};

/// The bytes of one address. At most 2^24 AES blocks (256 MiB). Not shared between threads; wiped on
/// destruction.
class RandomStream {
 public:
  RandomStream(const std::array<std::uint8_t, 32>& key, const Address& address, std::stop_token stop = {});
  RandomStream(RandomStream&&) noexcept;
  RandomStream(const RandomStream&) = delete;
  RandomStream& operator=(const RandomStream&) = delete;
  RandomStream& operator=(RandomStream&&) = delete;
  ~RandomStream();

  void fill(std::span<std::uint8_t> out);
  std::uint64_t word();
  /// Uniform in [0, 2^count).
  Integer bits(std::size_t count);
  /// Uniform in [0, bound), by rejection. Throws Error when bound < 1.
  Integer below(const Integer& bound);
  std::uint64_t below(std::uint64_t bound);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Records every address that is drawn from; shared by a source and all that derive from it. For tests.
class AddressLog {
 public:
  AddressLog();
  ~AddressLog();
  std::size_t size() const;
  /// Number of addresses (key and address together) that were opened more than once.
  std::size_t repeated() const;

 private:
  friend class RandomSource;
  struct State;
  void record(const std::array<std::uint8_t, 32>& key, const Address& address);
  std::unique_ptr<State> state_;
};

/// A keyed generator. Copies share the key. Drawing is const and thread-safe.
class RandomSource {
 public:
  /// A fresh 256-bit key from the operating system (OpenSSL). Throws Error when there is no entropy; never
  /// falls back.
  static RandomSource from_system();
  /// A key from a public number: predictable, for reproducible experiments and tests only.
  static RandomSource from_seed(std::uint64_t seed);
  /// Of a key that was drawn elsewhere, by the same party: what its processes share.
  static RandomSource from_key(std::span<const std::uint8_t, 32> key);
  /// The generator for one purpose: key' = HMAC-SHA256(key, label). Labels separate runs, roles and requests.
  RandomSource derive(std::string_view label) const;
  RandomSource derive(std::span<const std::uint8_t> label) const;
  /// The same generator, recording into `log`.
  RandomSource recording(std::shared_ptr<AddressLog> log) const;
  /// The same generator until `stop` is requested. From then on its streams throw Error where they need new
  /// bytes, so a search for primes ends.
  RandomSource until(std::stop_token stop) const;

  RandomStream stream(const Address& address) const;
  /// The first `size` bytes of the streams of as many elements from `first` on as `out` has room for, one
  /// behind the other: much faster than a stream for each. Throws Error for an element of 2^32 or more, and
  /// unless `size` is 1 to 512.
  void fill_heads(const Address& first, std::size_t size, std::span<std::uint8_t> out) const;

  RandomSource(const RandomSource&) = default;
  RandomSource& operator=(const RandomSource&) = default;
  ~RandomSource();

 private:
  explicit RandomSource(const std::array<std::uint8_t, 32>& key) : key_(key) {}
  std::array<std::uint8_t, 32> key_{};
  std::shared_ptr<AddressLog> log_;
  std::stop_token stop_;
};

/// The randomness of one batch: element i of the batch draws from address base with element base.element + i.
class Draws {
 public:
  Draws(RandomSource source, Address base) : source_(std::move(source)), base_(base) {}
  /// Throws Error for an element of 2^32 or more.
  RandomStream stream(std::uint64_t element) const;
  /// RandomSource::fill_heads() from that element on.
  void fill_heads(std::uint64_t element, std::size_t size, std::span<std::uint8_t> out) const;
  /// The same addresses under a key that follows from `content` too: two contents share no randomness.
  Draws bound_to(std::span<const std::uint8_t> content) const { return {source_.derive(content), base_}; }

 private:
  RandomSource source_;
  Address base_;
};

}  // namespace smlp
