// The kernels over a vector of blocks: one template for every width. A file that includes it is compiled for
// its processor, so all of this is in an unnamed namespace: no other file may link it.
#pragma once

#include <cstddef>
#include <utility>

#include "protocols/oblivious_transfer/block_kernels.h"

namespace smlp {
namespace {

/// In place of the bits of `a` whose position has the bit s, those of `b` whose position has not; and the
/// reverse.
template <typename V>
inline void exchange_bits(typename V::Blocks& a, typename V::Blocks& b, int s, typename V::Blocks without) {
  const auto t = V::both(V::exclusive(V::shift_right(a, s), b), without);
  b = V::exclusive(b, t);
  a = V::exclusive(a, V::shift_left(t, s));
}

/// V::width squares of 128 x 128 bits together: row i of each is in rows[i].
template <typename V>
inline void transpose_squares(typename V::Blocks* rows) {
  for (int i = 0; i < 64; ++i) {
    const auto low = V::low_halves(rows[i], rows[i + 64]), high = V::high_halves(rows[i], rows[i + 64]);
    rows[i] = low;
    rows[i + 64] = high;
  }
  std::uint64_t mask = 0x00000000ffffffff;
  for (int s = 32; s > 0; s /= 2, mask ^= mask << s) {
    const auto without = V::broadcast(mask);
    for (int first = 0; first < 128; first += 2 * s)
      for (int i = first; i < first + s; ++i) exchange_bits<V>(rows[i], rows[i + s], s, without);
  }
}

template <typename V>
void transpose_columns(const Block* columns, std::size_t stride, std::size_t squares, Block* out) {
  typename V::Blocks rows[128];
  for (std::size_t first = 0; first < squares; first += V::width) {
    const std::size_t count = squares - first < V::width ? squares - first : V::width;
    for (std::size_t i = 0; i < 128; ++i) rows[i] = V::load(columns + i * stride + first, count);
    transpose_squares<V>(rows);
    Block blocks[V::width];
    for (std::size_t i = 0; i < 128; ++i) {
      V::store(blocks, rows[i], V::width);
      for (std::size_t k = 0; k < count; ++k) out[(first + k) * 128 + i] = blocks[k];
    }
  }
}

/// pi of n vectors in flight.
template <typename V, std::size_t... n>
inline void permute(const typename V::Blocks* keys, typename V::Blocks* x, std::index_sequence<n...>) {
  ((x[n] = V::exclusive(x[n], keys[0])), ...);
  for (std::size_t round = 1; round + 1 < aes_round_keys; ++round)
    ((x[n] = V::round(x[n], keys[round])), ...);
  ((x[n] = V::last_round(x[n], keys[aes_round_keys - 1])), ...);
}

constexpr std::size_t in_flight = 8;

/// step(n, first, count): on n vectors that begin at block `first`, and the last of `count` blocks.
template <typename V, typename Step>
inline void in_vectors(std::size_t count, const Step& step) {
  std::size_t first = 0;
  for (; first + in_flight * V::width <= count; first += in_flight * V::width)
    step(std::make_index_sequence<in_flight>{}, first, V::width);
  for (; first < count; first += V::width)
    step(std::make_index_sequence<1>{}, first, count - first < V::width ? count - first : V::width);
}

template <typename V>
inline void broadcast_keys(const Block* round_keys, typename V::Blocks* keys) {
  for (std::size_t i = 0; i < aes_round_keys; ++i) keys[i] = V::broadcast(round_keys[i]);
}

template <typename V>
void encrypt_blocks(const Block* round_keys, Block* blocks, std::size_t count) {
  typename V::Blocks keys[aes_round_keys];
  broadcast_keys<V>(round_keys, keys);
  in_vectors<V>(count,
                [&]<std::size_t... n>(std::index_sequence<n...> all, std::size_t first, std::size_t last) {
                  typename V::Blocks x[sizeof...(n)] = {V::load(blocks + first + n * V::width, last)...};
                  permute<V>(keys, x, all);
                  (V::store(blocks + first + n * V::width, x[n], last), ...);
                });
}

template <typename V>
void encrypt_counter(const Block* round_keys, std::uint64_t start, Block* out, std::size_t count) {
  typename V::Blocks keys[aes_round_keys];
  broadcast_keys<V>(round_keys, keys);
  in_vectors<V>(count,
                [&]<std::size_t... n>(std::index_sequence<n...> all, std::size_t first, std::size_t last) {
                  typename V::Blocks x[sizeof...(n)] = {V::numbers(start + first + n * V::width)...};
                  permute<V>(keys, x, all);
                  (V::store(out + first + n * V::width, x[n], last), ...);
                });
}

template <typename V>
void hash_blocks(const Block* round_keys, Block* blocks, const Block* tweaks, std::size_t count) {
  typename V::Blocks keys[aes_round_keys];
  broadcast_keys<V>(round_keys, keys);
  in_vectors<V>(count,
                [&]<std::size_t... n>(std::index_sequence<n...> all, std::size_t first, std::size_t last) {
                  typename V::Blocks x[sizeof...(n)] = {V::load(blocks + first + n * V::width, last)...};
                  permute<V>(keys, x, all);
                  typename V::Blocks y[sizeof...(n)] = {
                      V::exclusive(x[n], V::load(tweaks + first + n * V::width, last))...};
                  permute<V>(keys, y, all);
                  (V::store(blocks + first + n * V::width, V::exclusive(x[n], y[n]), last), ...);
                });
}

template <typename V>
void pad_blocks(const Block* round_keys, const Block& input, const Block& mask, Block* out,
                std::size_t count) {
  typename V::Blocks keys[aes_round_keys];
  broadcast_keys<V>(round_keys, keys);
  keys[0] = V::exclusive(keys[0], V::broadcast(input));
  keys[aes_round_keys - 1] = V::exclusive(keys[aes_round_keys - 1], V::broadcast(mask));
  in_vectors<V>(count,
                [&]<std::size_t... n>(std::index_sequence<n...> all, std::size_t first, std::size_t last) {
                  typename V::Blocks x[sizeof...(n)] = {V::numbers(first + n * V::width)...};
                  permute<V>(keys, x, all);
                  (V::store(out + first + n * V::width, x[n], last), ...);
                });
}

template <typename V>
constexpr BlockKernels kernels_of{V::expand,      encrypt_blocks<V>, encrypt_counter<V>,
                                  hash_blocks<V>, pad_blocks<V>,     transpose_columns<V>};

}  // namespace
}  // namespace smlp
