// Reads through zlib, which takes what is not compressed as it is. Nothing seeks and nothing is opened twice:
// what follows a pipe's first bytes is lost to a second reader.
#include "mlp/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "paillier/error.h"

namespace smlp {

Input::Input(const std::filesystem::path& path) : name_(path.string()), buffer_(buffer_bytes, '\0') {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw Error("cannot open " + name_ + ": " + std::strerror(errno));
  file_.reset(gzdopen(descriptor, "rb"));  // owns the descriptor from here on
  if (!file_) {
    ::close(descriptor);
    throw Error("cannot open " + name_ + ": no memory is left");
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw Error("cannot open " + name_ + ": " + std::strerror(errno));
  if (S_ISDIR(status.st_mode)) throw Error(name_ + " is a directory, not a table");
  if (S_ISREG(status.st_mode)) size_ = static_cast<std::uint64_t>(status.st_size);
}

bool Input::fill() {
  if (at_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
  }
  const int got = gzread(file_.get(), buffer_.data() + end_, static_cast<unsigned>(buffer_.size() - end_));
  int state = Z_OK;
  if (got <= 0) gzerror(file_.get(), &state);
  if (got < 0 || state != Z_OK) fail();
  end_ += static_cast<std::size_t>(got);
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

void Input::fail() {
  int state = Z_OK;
  const int reason = errno;
  const char* text = gzerror(file_.get(), &state);
  if (state == Z_ERRNO) throw Error("cannot read " + name_ + ": " + std::strerror(reason));
  throw Error(name_ +
              " is truncated or damaged: " + (text != nullptr && *text != '\0' ? text : "its sum is wrong"));
}

}  // namespace smlp
