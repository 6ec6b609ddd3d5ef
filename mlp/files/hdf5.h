// A small layer over the HDF5 C library: attributes and checksummed three-axis arrays of bytes, in files that
// are written whole or not at all. Every failure is an Error that names the file and the object.
//
// Files use the newest format, whose structures carry checksums; arrays are chunked with a Fletcher-32 sum a
// chunk. So a flipped bit is found where it is read. Only what this layer writes is read: hard links,
// numbers, texts of fixed length, arrays with that one filter; sizes are bounded and compared with the size
// of the file before memory is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "paillier/files.h"
#include "paillier/integer.h"

namespace smlp::hdf5 {

/// Owns one identifier of the library.
class Handle {
 public:
  using Close = int (*)(std::int64_t);
  Handle() = default;
  Handle(std::int64_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  std::int64_t id() const { return id_; }
  /// Closes now; false when the library reports a failure.
  bool reset() noexcept;

 private:
  std::int64_t id_ = -1;
  Close close_ = nullptr;
};

/// rows x cols cells of `width` bytes.
struct Shape {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t width = 0;
  bool operator==(const Shape&) const = default;
};

/// An array of cells, read and written by whole rows.
class Dataset {
 public:
  const Shape& shape() const { return shape_; }
  /// Writes cells.size() / (cols * width) rows from `first` on.
  void write(std::size_t first, std::span<const std::uint8_t> cells);
  /// Throws Error also when a checksum does not match.
  Bytes read(std::size_t first, std::size_t rows) const;

 private:
  friend class Group;
  Dataset(Handle handle, Shape shape, std::string name)
      : handle_(std::move(handle)), shape_(shape), name_(std::move(name)) {}
  Handle select(std::size_t first, std::size_t rows) const;
  Handle handle_;
  Shape shape_;
  std::string name_;
};

/// A group of a file; its root is one.
class Group {
 public:
  /// The file and the group, for messages.
  const std::string& name() const { return name_; }
  /// Bytes of the whole file, where it was opened for reading.
  std::uintmax_t file_size() const { return file_size_; }

  Group create_group(const std::string& name);
  Group open_group(const std::string& name) const;
  Dataset create_dataset(const std::string& name, const Shape& shape);
  /// Throws Error unless it has the shape `wanted`, of at least one cell.
  Dataset open_dataset(const std::string& name, const Shape& wanted) const;
  /// Whether an object of this name exists.
  bool contains(const std::string& name) const;

  void set_number(const std::string& name, std::uint64_t value);
  void set_numbers(const std::string& name, const std::vector<std::size_t>& values);
  void set_bytes(const std::string& name, std::span<const std::uint8_t> bytes);
  void set_text(const std::string& name, std::string_view text);

  /// Throws Error when there is none, it is of another type, or outside [low, high].
  std::uint64_t number(const std::string& name, std::uint64_t low, std::uint64_t high) const;
  /// At least 1 and at most `most` numbers.
  std::vector<std::size_t> numbers(const std::string& name, std::size_t most) const;
  void bytes(const std::string& name, std::span<std::uint8_t> out) const;  ///< exactly out.size() bytes
  std::string text(const std::string& name, std::size_t longest) const;

 private:
  friend class Reader;
  friend class Writer;
  Group(Handle handle, std::string name, std::uintmax_t file_size)
      : handle_(std::move(handle)), name_(std::move(name)), file_size_(file_size) {}
  void write_attribute(const std::string& name, std::int64_t type, std::size_t count, const void* data);
  Handle open_attribute(const std::string& name) const;
  Handle handle_;
  std::string name_;
  std::uintmax_t file_size_ = 0;
};

/// A file open for reading.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path);
  const Group& root() const { return root_; }

 private:
  Handle file_;
  Group root_;
};

/// A file being written, under a name of its own until commit() renames it; removed when this goes
/// uncommitted.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& path);

  Group& root() { return root_; }
  /// Flushes to the disk and puts the file in its place. Groups and datasets of it must be gone.
  void commit();

 private:
  std::filesystem::path path_;
  NewFile partial_;  // outlives the handles
  Handle file_;
  Group root_;
};

/// Whether the file starts with HDF5's signature. False also when it cannot be read.
bool is_hdf5(const std::filesystem::path& path);

}  // namespace smlp::hdf5
