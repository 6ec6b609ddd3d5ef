// Buffers of many pages. A fresh page of the usual size costs more than copying what it will hold, under a
// hypervisor many times as much; large ones cost little.
#pragma once

#include <string_view>

#include "paillier/integer.h"

namespace smlp {

/// For programs, at their start: what is freed, buffers of some 40 MiB too, stays for what is allocated next.
/// Else each frame of a product by transfers would be cleared anew, which takes longer than to fill it.
/// Bytes from which on buffers go back to the system all the same; 0 where it is as malloc has it.
std::size_t keep_freed_memory();
/// What is freed goes back to the system now, where malloc can do that.
void return_freed_memory();
/// Reserves for bytes that are to come, in large pages where they fill some.
void reserve_to_fill(Bytes& bytes, std::size_t size);
/// Appends the characters of a text as bytes, all at once.
void append_bytes(std::string_view text, Bytes& out);

}  // namespace smlp
