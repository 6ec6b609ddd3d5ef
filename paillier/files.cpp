// File access by descriptors, so that what is checked is what is read and what is synced is what is renamed.
#include "paillier/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <mutex>
#include <string>
#include <system_error>

#include "paillier/error.h"

namespace smlp {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  bool close() {
    const int value = value_;
    value_ = -1;
    return ::close(value) == 0;
  }

 private:
  int value_;
};

// The temporary files of the process: when a signal ends it, nobody else can know them. A list without
// storage of its own needs no destructor, so the thread that waits for signals may use it to the last.
std::mutex temporary_files_mutex;
TemporaryFile* first_temporary_file = nullptr;

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
  const int code = errno;
  throw Error(what + " " + path.string() + ": " + std::generic_category().message(code));
}

bool write_all(int descriptor, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

TemporaryFile::TemporaryFile(const std::function<std::filesystem::path()>& create) {
  const std::lock_guard lock(temporary_files_mutex);  // no signal is served between creation and listing
  name_ = create();
  next_ = first_temporary_file;
  first_temporary_file = this;
}

TemporaryFile::~TemporaryFile() {
  const std::lock_guard lock(temporary_files_mutex);
  TemporaryFile** link = &first_temporary_file;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
  if (!name_.empty()) ::unlink(name_.c_str());
}

bool TemporaryFile::rename(const std::filesystem::path& path) {
  const std::lock_guard lock(temporary_files_mutex);
  if (std::rename(name_.c_str(), path.c_str()) != 0) return false;
  name_.clear();
  return true;
}

void remove_temporary_files() {
  temporary_files_mutex.lock();  // for good
  for (const TemporaryFile* file = first_temporary_file; file != nullptr; file = file->next_)
    if (!file->name_.empty()) ::unlink(file->name_.c_str());
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes,
                           mode_t mode) {
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  int descriptor = -1;
  TemporaryFile temporary([&] {
    std::string name = (directory / ("." + path.filename().string() + ".XXXXXX")).string();
    descriptor = ::mkostemp(name.data(), O_CLOEXEC);  // created with mode 0600
    if (descriptor < 0)
      fail("cannot write in the directory " + directory.string() + " the file", path.filename());
    return name;
  });
  Descriptor file(descriptor);
  if (!write_all(file.get(), bytes) || ::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0 ||
      !file.close())
    fail("cannot write the file", path);
  if (!temporary.rename(path)) fail("cannot replace the file", path);
  // The file is whole and in place; where the directory cannot be synced, a power cut may undo the rename.
  const Descriptor parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() >= 0) static_cast<void>(::fsync(parent.get()));
}

Bytes read_file(const std::filesystem::path& path, std::size_t limit, Readers readers) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) fail("cannot read the file", path);
  if (!S_ISREG(status.st_mode)) throw Error("cannot read " + path.string() + ": it is not a regular file");
  if (readers == Readers::owner_only && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error("the file " + path.string() +
                " holds a secret but is open to group or others; run chmod 600 on it");
  Bytes bytes;
  while (bytes.size() <= limit) {
    const std::size_t start = bytes.size();
    bytes.resize(std::min(limit + 1, 2 * start + 65536));
    const ssize_t count = ::read(file.get(), bytes.data() + start, bytes.size() - start);
    if (count < 0 && errno != EINTR) fail("cannot read the file", path);
    bytes.resize(start + static_cast<std::size_t>(count < 0 ? 0 : count));
    if (count == 0) return bytes;
  }
  throw Error("the file " + path.string() + " is longer than the allowed " + std::to_string(limit) +
              " bytes");
}

}  // namespace smlp
