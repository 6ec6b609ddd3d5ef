// Whole files, written whole or not at all and read with a bound.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>

#include "paillier/integer.h"

namespace smlp {

/// A file on its way to its place: removed when this goes, or by remove_temporary_files().
class TemporaryFile {
 public:
  /// `create` makes the file and returns its name, or throws; it makes no other TemporaryFile.
  explicit TemporaryFile(const std::function<std::filesystem::path()>& create);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();
  const std::filesystem::path& name() const { return name_; }
  /// rename(2), after which nothing is left to remove. False, with errno, where that fails.
  bool rename(const std::filesystem::path& path);

 private:
  friend void remove_temporary_files();
  std::filesystem::path name_;  ///< empty: nothing to remove
  TemporaryFile* next_ = nullptr;
};

/// Removes every temporary file of the process; from then on none is made or renamed away. For a process that
/// ends right after.
void remove_temporary_files();

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
