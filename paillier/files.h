// Whole files, written whole or not at all and read with a bound; and one writer of a file at a time.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "paillier/integer.h"

namespace smlp {

/// Owns a file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int value = -1) : value_(value) {}
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { reset(-1); }
  int get() const { return value_; }
  /// Takes another one; false, with errno, where closing the present one fails.
  bool reset(int value);

 private:
  int value_;
};

/// A file that goes with its object: removed when this goes, or by remove_temporary_files().
class TemporaryFile {
 public:
  /// `create` makes the file and returns its name, or "" for none, or throws; it makes no other
  /// TemporaryFile.
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

/// A file on its way to its place `path`, beside it under a name that no other writer has.
class NewFile {
 public:
  /// Makes it empty, with `mode` less the umask. `begin` may give it content by its name before any signal is
  /// served. Throws Error where it cannot be made.
  NewFile(std::filesystem::path path, mode_t mode,
          const std::function<void(const std::filesystem::path&)>& begin = {});
  const std::filesystem::path& name() const { return file_.name(); }
  int descriptor() const { return descriptor_.get(); }
  /// Replaces what is at `path`: fsync, rename, fsync of the directory. Throws Error on any failure, and then
  /// the old file stands as it was.
  void commit();

 private:
  std::filesystem::path path_;
  FileDescriptor descriptor_;
  TemporaryFile file_;
};

/// Holds the place `path` for one process: a lock on a file `.NAME.lock` beside it, which goes with this. On
/// a file system without locks it holds nothing.
class FileLock {
 public:
  /// Throws Error, one sentence that begins with `what`, where another process holds it or the directory
  /// cannot be written. What killed writers of `path` left half written is removed.
  FileLock(const std::filesystem::path& path, const std::string& what);

 private:
  FileDescriptor descriptor_;
  TemporaryFile file_;
};

/// write(2) until all is written; false, with errno, where that fails.
bool write_all(int descriptor, std::span<const std::uint8_t> bytes);

/// Replaces the file at `path` by these bytes, as NewFile does. It is private until it is whole; the final
/// mode is `mode` (umask not applied). Throws Error on any failure, and then the old file stands as it was
/// and nothing else is left.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes,
                           mode_t mode);

/// Replaces the regular file at `path` in the same way; owner, group and mode stay those of the old one.
/// Throws Error also where it is a link, or the owner cannot be kept.
void rewrite_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);

enum class Readers { anyone, owner_only };

/// The bytes of a regular file of at most `limit` bytes. With owner_only a file that group or others may
/// read, write or execute is refused. Throws Error naming the file.
Bytes read_file(const std::filesystem::path& path, std::size_t limit, Readers readers);

}  // namespace smlp
