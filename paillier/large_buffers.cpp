// Large pages for buffers.
#include "paillier/large_buffers.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif
#include <sys/mman.h>
#include <unistd.h>

namespace smlp {

namespace {

constexpr std::size_t large_page = std::size_t{2} << 20;

}  // namespace

std::size_t keep_freed_memory() {
#ifdef M_MMAP_THRESHOLD
  // malloc says 0 where it refuses: older ones take no more than 32 MiB.
  for (const int most : {40 << 20, 32 << 20})
    if (::mallopt(M_MMAP_THRESHOLD, most) != 0 && ::mallopt(M_TRIM_THRESHOLD, 128 << 20) != 0)
      return static_cast<std::size_t>(most);
#endif
  return 0;
}

void return_freed_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

void reserve_to_fill(Bytes& bytes, std::size_t size) {
  if (size <= bytes.capacity()) return;
  if (size < large_page) return bytes.reserve(size);
  // What malloc maps for it, a few bytes more, is then whole large pages, where the system aligns those.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  bytes.reserve((size + page + large_page - 1) / large_page * large_page - page);
#ifdef MADV_HUGEPAGE
  const std::size_t before = reinterpret_cast<std::uintptr_t>(bytes.data()) % page;
  ::madvise(bytes.data() - before, before + bytes.capacity(), MADV_HUGEPAGE);  // a hint
#endif
}

void append_bytes(std::string_view text, Bytes& out) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  out.insert(out.end(), bytes, bytes + text.size());
}

}  // namespace smlp
