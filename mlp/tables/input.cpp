// Compressed files go through zlib. Nothing seeks and nothing is opened twice:
// what follows a pipe's first bytes is lost to a second reader.
#include "mlp/tables/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "paillier/error.h"

namespace smlp {

Input::Input(const std::filesystem::path& path) : name_(path.string()), buffer_(buffer_bytes, '\0') {
  file_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file_.get() < 0) throw Error("cannot open " + name_ + ": " + std::strerror(errno));
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) throw Error("cannot open " + name_ + ": " + std::strerror(errno));
  if (S_ISDIR(status.st_mode)) throw Error(name_ + " is a directory, not a table");
  if (S_ISREG(status.st_mode)) size_ = static_cast<std::uint64_t>(status.st_size);
  if (peek(2) == "\x1F\x8B") start_inflating();
}

/// What was looked at for the magic number goes through zlib.
void Input::start_inflating() {
  auto stream = std::make_unique<z_stream>();
  constexpr int gzip_alone = 16 + MAX_WBITS;
  if (inflateInit2(stream.get(), gzip_alone) != Z_OK)
    throw Error("cannot open " + name_ + ": no memory is left");
  stream_.reset(stream.release());
  compressed_ = std::exchange(buffer_, std::string(buffer_bytes, '\0'));
  stream_->next_in = reinterpret_cast<Bytef*>(compressed_.data());
  stream_->avail_in = static_cast<uInt>(end_);
  at_ = end_ = 0;
}

std::size_t Input::read_raw(std::span<char> out) {
  ssize_t got = 0;
  do got = ::read(file_.get(), out.data(), out.size());
  while (got < 0 && errno == EINTR);
  if (got < 0) throw Error("cannot read " + name_ + ": " + std::strerror(errno));
  return static_cast<std::size_t>(got);
}

std::size_t Input::inflate_into(std::span<char> out) {
  stream_->next_out = reinterpret_cast<Bytef*>(out.data());
  stream_->avail_out = static_cast<uInt>(out.size());
  while (stream_->avail_out == out.size()) {
    if (stream_->avail_in == 0) {
      stream_->next_in = reinterpret_cast<Bytef*>(compressed_.data());
      stream_->avail_in = static_cast<uInt>(read_raw(compressed_));
      if (stream_->avail_in == 0 && in_member_)
        throw Error(name_ + " is truncated or damaged: it ends early");
      if (stream_->avail_in == 0) return 0;
    }
    // What follows a member is another one, or an error: nothing is passed over.
    const bool first = stream_->total_in == 0;
    if (!std::exchange(in_member_, true) && !first) inflateReset(stream_.get());
    const int state = inflate(stream_.get(), Z_NO_FLUSH);
    if (state == Z_STREAM_END)
      in_member_ = false;
    else if (state == Z_MEM_ERROR)
      throw Error("cannot read " + name_ + ": no memory is left");
    else if (state != Z_OK && state != Z_BUF_ERROR)
      throw Error(name_ + " is truncated or damaged: " +
                  (stream_->msg != nullptr ? stream_->msg : "its compressed data make no sense"));
  }
  return out.size() - stream_->avail_out;
}

bool Input::fill() {
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
  }
  const std::span<char> room = std::span(buffer_).subspan(end_);
  const std::size_t got = stream_ ? inflate_into(room) : read_raw(room);
  end_ += got;
  return got > 0;
}

std::string_view Input::peek(std::size_t count) {
  while (end_ - at_ < std::min(count, buffer_bytes) && fill()) {
  }
  return std::string_view(buffer_).substr(at_, std::min(count, end_ - at_));
}

std::size_t Input::read(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size() && (at_ < end_ || fill())) {
    const std::size_t part = std::min(out.size() - done, end_ - at_);
    std::memcpy(out.data() + done, buffer_.data() + at_, part);
    done += part;
    at_ += part;
  }
  return done;
}

}  // namespace smlp
