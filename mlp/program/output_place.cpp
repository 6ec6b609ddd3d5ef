// Checks of a place, its lock, and text.
#include "mlp/program/output_place.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "paillier/error.h"

namespace smlp {

namespace {

/// A pipe, a device, or a name of a descriptor of this process, such as /dev/stdout.
bool leads_to_stream(const std::filesystem::path& path) {
  std::error_code status;
  const auto kind = std::filesystem::status(path, status).type();
  using std::filesystem::file_type;
  if (kind == file_type::fifo || kind == file_type::character || kind == file_type::socket) return true;
  for (const char* name : {"/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/self/fd/"})
    if (path.string().starts_with(name)) return true;
  return false;
}

}  // namespace

bool is_there(const std::filesystem::path& path) {
  std::error_code status;
  return std::filesystem::exists(std::filesystem::symlink_status(path, status));
}

void refuse_existing(const std::string& option, const std::filesystem::path& path,
                     const std::string& remedy) {
  if (is_there(path)) throw Error(option + " " + path.string() + " is there already: " + remedy);
}

void refuse_one_of(const std::string& option, const std::filesystem::path& path,
                   const std::vector<std::filesystem::path>& others) {
  std::error_code status;
  // Pipes have no canonical path: no two of them are one by it.
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, status);
  for (const std::filesystem::path& other : others)
    if (std::filesystem::equivalent(path, other, status) ||
        (!canonical.empty() && canonical == std::filesystem::weakly_canonical(other, status)))
      throw Error(option + " " + path.string() + " would overwrite " + other.string() +
                  ", which this command uses too");
}

OutputPlace::OutputPlace(const std::string& option, std::filesystem::path path, Content content,
                         const std::vector<std::filesystem::path>& read)
    : path_(std::move(path)), stream_(leads_to_stream(path_)) {
  const std::string what = option + " " + path_.string();
  std::error_code status;
  if (path_.filename().empty() || std::filesystem::is_directory(path_, status))
    throw Error(what + " is a directory; a file is needed");
  refuse_one_of(option, path_, read);
  if (stream_ && content != Content::text)
    throw Error(what + " is a pipe or a device; a regular file is needed");
  if (!stream_) lock_.emplace(path_, what);  // its file shows that others can be made
}

void OutputPlace::write(std::string_view text, mode_t mode) const {
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  if (!stream_) return write_file_atomically(path_, bytes, mode);
  const FileDescriptor stream(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (stream.get() < 0 || !write_all(stream.get(), bytes))
    throw Error("cannot write " + path_.string() + ": " + std::strerror(errno));
}

}  // namespace smlp
