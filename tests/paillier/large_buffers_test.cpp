// Buffers that are to be filled keep what they hold, whatever their size.
#include "paillier/large_buffers.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

using namespace smlp;

TEST_CASE("large buffers: what is there stays, and there is room") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{5000}, std::size_t{9} << 20}) {
    Bytes bytes{1, 2, 3};
    reserve_to_fill(bytes, size);
    CHECK(bytes == Bytes{1, 2, 3});
    CHECK(bytes.capacity() >= size);
    const std::uint8_t* const before = bytes.data();
    append_bytes("ab", bytes);
    if (size > 5) CHECK(bytes.data() == before);
    CHECK(bytes == Bytes{1, 2, 3, 'a', 'b'});
  }
}

#ifdef __GLIBC__
TEST_CASE("large buffers: those of a frame stay with the program when they are freed, larger ones do not") {
  const pid_t child = ::fork();  // it is for a whole process
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::size_t mapped = ::mallinfo2().hblks;
    const auto maps = [mapped](std::size_t size) {
      void* volatile buffer = std::malloc(size);  // volatile: else the compiler leaves it out
      const bool out = ::mallinfo2().hblks > mapped;
      std::free(buffer);
      return out;
    };
    const bool of_library = maps(std::size_t{512} << 20);  // else a sanitizer's
    const std::size_t most = keep_freed_memory();
    const bool right = !of_library || (most >= std::size_t{32} << 20 && !maps(most - 4096) && maps(2 * most));
    const auto resident = [] {
      std::ifstream file("/proc/self/statm");
      std::size_t pages = 0, in_memory = 0;
      file >> pages >> in_memory;
      return in_memory * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    };
    constexpr std::size_t filled = std::size_t{16} << 20;
    void* volatile buffer = std::malloc(filled);
    std::memset(buffer, 1, filled);
    std::free(buffer);
    const std::size_t before = resident();
    return_freed_memory();
    const bool returned = !of_library || resident() + filled / 2 < before;
    ::_exit(right && returned ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
#endif
