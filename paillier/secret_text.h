// Text and bytes that are wiped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "paillier/integer.h"

namespace smlp {

/// Overwrites what it allocated before it is released.
template <typename T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <typename Other>
  WipingAllocator(const WipingAllocator<Other>&) {}
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) noexcept {
    wipe_memory(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};

/// A string that is wiped where it leaves memory: when it goes, and when it grows. (Of fewer than 16
/// characters the last copy stays, as no key is.)
using SecretText = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;
/// Bytes that are wiped where they leave memory.
using SecretBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

}  // namespace smlp
