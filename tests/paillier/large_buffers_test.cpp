// Buffers that are to be filled keep what they hold, whatever their size.
#include "paillier/large_buffers.h"

#include <doctest/doctest.h>

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
