// Vectors of numbers in plain integers, and the choice of kernels.
#include "protocols/matmul/ring_vectors.h"

#include <array>
#include <cstring>

#include "paillier/error.h"

namespace smlp {

namespace {

__extension__ typedef unsigned __int128 Wide;

template <std::size_t words>
std::array<Limb, words> load(const std::uint8_t* from) {
  std::array<Limb, words> number;
  std::memcpy(number.data(), from, sizeof number);
  return number;
}

template <std::size_t words>
void send(const SendStep& step, std::size_t cells, std::size_t width) {
  const std::size_t row = ring_row(cells);
  for (std::size_t c = 0; c < cells; ++c) {
    const auto zero = load<words>(step.zero + c * width), one = load<words>(step.one + c * width);
    std::array<Limb, words> message;
    Wide carry = 1, sum_carry = 0;  // - one = ~one + 1
    for (std::size_t i = 0; i < words; ++i) {
      carry += Wide{zero[i]} + static_cast<Limb>(~one[i]) + step.v[i * row + c];
      message[i] = static_cast<Limb>(carry);
      carry >>= limb_bits;
      Limb& sum = step.sum[i * row + c];
      sum_carry += Wide{sum} + sum + zero[i];
      sum = static_cast<Limb>(sum_carry);
      sum_carry >>= limb_bits;
    }
    std::memcpy(step.message + c * width, message.data(), sizeof message);
  }
}

template <std::size_t words>
void receive(const ReceiveStep& step, std::size_t cells, std::size_t width) {
  const std::size_t row = ring_row(cells);
  for (std::size_t c = 0; c < cells; ++c) {
    const auto pad = load<words>(step.pad + c * width), message = load<words>(step.message + c * width);
    Wide carry = 0;
    for (std::size_t i = 0; i < words; ++i) {
      Limb& sum = step.sum[i * row + c];
      carry += Wide{sum} + sum + pad[i];
      carry += message[i] & step.choice;
      sum = static_cast<Limb>(carry);
      carry >>= limb_bits;
    }
  }
}

std::size_t words_of(std::size_t width) {
  const std::size_t words = (width + sizeof(Limb) - 1) / sizeof(Limb);
  if (words == 0 || words > most_ring_words)
    throw Error("a cell of a message has " + std::to_string(width) + " bytes, allowed are 1 to " +
                std::to_string(most_ring_words * sizeof(Limb)));
  return words;
}

void send_any(const SendStep& step, std::size_t cells, std::size_t width) {
  constexpr decltype(&send<1>) all[] = {send<1>, send<2>, send<3>, send<4>, send<5>};
  all[words_of(width) - 1](step, cells, width);
}
void receive_any(const ReceiveStep& step, std::size_t cells, std::size_t width) {
  constexpr decltype(&receive<1>) all[] = {receive<1>, receive<2>, receive<3>, receive<4>, receive<5>};
  all[words_of(width) - 1](step, cells, width);
}

constexpr RingKernels portable{send_any, receive_any};

}  // namespace

const RingKernels& portable_ring_kernels() {
  return portable;
}

const RingKernels& ring_kernels(std::size_t width) {
  static const RingKernels* const best = avx512_ring_kernels() ? avx512_ring_kernels() : avx2_ring_kernels();
  return best != nullptr && width <= 16 ? *best : portable;
}

}  // namespace smlp
