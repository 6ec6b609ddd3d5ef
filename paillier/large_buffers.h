// Buffers of many pages. A fresh page of the usual size costs more than copying what it will hold, under a
// hypervisor many times as much; large ones cost little.
#pragma once

#include <string_view>

#include "paillier/integer.h"

namespace smlp {

/// Reserves for bytes that are to come, in large pages where they fill some.
void reserve_to_fill(Bytes& bytes, std::size_t size);
/// Appends the characters of a text as bytes, all at once.
void append_bytes(std::string_view text, Bytes& out);

}  // namespace smlp
