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
  [[noreturn]] void fail();

  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::string name_;
  std::optional<std::uint64_t> size_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::string buffer_;
  std::size_t at_ = 0, end_ = 0;
};

}  // namespace smlp
