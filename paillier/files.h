// Whole files, written whole or not at all and read with a bound.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <span>

#include "paillier/integer.h"

namespace smlp {

/// Replaces the file at `path` by these bytes: a temporary file in the same directory, fsync, rename, fsync
/// of the directory. The temporary file is private until it is whole; the final mode is `mode` (umask not
/// applied). Throws Error on any failure, and then the old file stands as it was and nothing else is left.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes,
                           mode_t mode);

enum class Readers { anyone, owner_only };

/// The bytes of a regular file of at most `limit` bytes. With owner_only a file that group or others may
/// read, write or execute is refused. Throws Error naming the file.
Bytes read_file(const std::filesystem::path& path, std::size_t limit, Readers readers);

}  // namespace smlp
