// Bytes of a table as they come: a file, a pipe, a FIFO or a device, opened once and read once, from its
// start.
#pragma once

#include <zlib.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "paillier/files.h"

namespace smlp {

/// One opening of a file, whose gzip compression is undone on the way.
class Input {
 public:
  /// Throws Error naming the file: it cannot be opened, or is a directory.
  Input(const std::filesystem::path& path);

  const std::string& name() const { return name_; }
  /// Bytes of a regular file as it lies on disk; none for a pipe or a device.
  std::optional<std::uint64_t> size_on_disk() const { return size_; }

  /// The bytes that come next, not taken: at most buffer_bytes, fewer only where the input ends.
  std::string_view peek(std::size_t count);
  /// The next byte, or -1 at the end. Throws Error: it cannot be read, its compressed data are damaged.
  int next() {
    if (at_ == end_ && !fill()) return -1;
    return static_cast<unsigned char>(buffer_[at_++]);
  }
  /// Takes the next bytes. Returns how many; fewer than asked for only where the input ends.
  std::size_t read(std::span<std::uint8_t> out);

  static constexpr std::size_t buffer_bytes = std::size_t{1} << 16;

 private:
  /// Adds bytes to the buffer, behind those not taken yet. False at the end.
  bool fill();
  /// Undoes the compression of bytes that come next, as many as there are and fit.
  std::size_t inflate_into(std::span<char> out);
  /// As the file has them. 0 at its end.
  std::size_t read_raw(std::span<char> out);
  void start_inflating();

  struct End {
    void operator()(z_stream* stream) const {
      inflateEnd(stream);
      delete stream;
    }
  };
  std::string name_;
  std::optional<std::uint64_t> size_;
  FileDescriptor file_;
  std::unique_ptr<z_stream, End> stream_;  ///< none where the file is not compressed
  std::string compressed_;                 ///< what stream_ takes its bytes from
  bool in_member_ = false;                 ///< of the gzip members, which may follow one another
  std::string buffer_;
  std::size_t at_ = 0, end_ = 0;
};

}  // namespace smlp
