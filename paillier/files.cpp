// File access by descriptors, so that what is checked is what is read and what is synced is what is renamed.
#include "paillier/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <random>
#include <system_error>
#include <utility>

#include "paillier/error.h"

namespace smlp {
namespace {

// The temporary files of the process: when a signal ends it, nobody else can know them. A list without
// storage of its own needs no destructor, so the thread that waits for signals may use it to the last.
std::mutex temporary_files_mutex;
TemporaryFile* first_temporary_file = nullptr;

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
  const int code = errno;
  throw Error(what + " " + path.string() + ": " + std::generic_category().message(code));
}

}  // namespace

bool write_all(int descriptor, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

bool FileDescriptor::reset(int value) {
  const int old = std::exchange(value_, value);
  return old < 0 || ::close(old) == 0;
}

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

namespace {

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// What the name of a file on its way to `path` begins with; 16 hexadecimal digits follow.
std::string partial_prefix(const std::filesystem::path& path) {
  return "." + path.filename().string() + ".partial-";
}
constexpr std::size_t suffix_digits = 16;

std::string random_suffix() {
  std::random_device random;
  std::array<char, suffix_digits + 1> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x", random(), random());
  return text.data();
}

/// Of writers of `path` that were killed. Only who holds its lock knows that none of them lives.
void remove_partial_files(const std::filesystem::path& path) {
  const std::string prefix = partial_prefix(path);
  std::error_code status;
  for (std::filesystem::directory_iterator entry(directory_of(path), status), end; !status && entry != end;
       entry.increment(status)) {
    const std::string name = entry->path().filename().string();
    if (name.size() == prefix.size() + suffix_digits && name.starts_with(prefix))
      ::unlink(entry->path().c_str());
  }
}

/// The lock file `name`, locked; an unowned descriptor where the file system has no locks.
enum class Locked { yes, no_locks };
Locked lock_file(const std::string& name, const std::string& what, FileDescriptor& descriptor) {
  for (;;) {
    descriptor.reset(::open(name.c_str(), O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (descriptor.get() < 0) fail("cannot write", what);
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK)
        throw Error(what + " is being written by another smlp: let it end, or name another file");
      ::unlink(name.c_str());
      return Locked::no_locks;
    }
    // The process that held it may have removed the file between our opening and locking it.
    struct stat ours {
    }, there{};
    if (::fstat(descriptor.get(), &ours) == 0 && ::lstat(name.c_str(), &there) == 0 &&
        ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
      return Locked::yes;
  }
}

}  // namespace

NewFile::NewFile(std::filesystem::path path, mode_t mode,
                 const std::function<void(const std::filesystem::path&)>& begin)
    : path_(std::move(path)), file_([&] {
        const std::filesystem::path name = directory_of(path_) / (partial_prefix(path_) + random_suffix());
        descriptor_.reset(::open(name.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, mode));
        if (descriptor_.get() < 0) fail("cannot write", path_);
        try {
          if (begin) begin(name);
        } catch (...) {
          ::unlink(name.c_str());
          throw;
        }
        return name;
      }) {}

void NewFile::commit() {
  // By the descriptor: what is synchronised is what this made, whatever has the name by now.
  if (::fsync(descriptor_.get()) != 0 || !descriptor_.reset(-1)) fail("cannot write", path_);
  if (!file_.rename(path_)) fail("cannot replace", path_);
  // The file is whole and in place; where the directory cannot be synchronised, a power cut may undo the
  // rename.
  const FileDescriptor parent(::open(directory_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() >= 0) static_cast<void>(::fsync(parent.get()));
}

FileLock::FileLock(const std::filesystem::path& path, const std::string& what)
    : file_([&]() -> std::filesystem::path {
        const std::string name = (directory_of(path) / ("." + path.filename().string() + ".lock")).string();
        if (lock_file(name, what, descriptor_) == Locked::no_locks) return {};
        remove_partial_files(path);
        return name;
      }) {}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes,
                           mode_t mode) {
  NewFile file(path, 0600);
  if (!write_all(file.descriptor(), bytes) || ::fchmod(file.descriptor(), mode) != 0)
    fail("cannot write", path);
  file.commit();
}

void rewrite_file_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  struct stat old {
  }, made{};
  if (::lstat(path.c_str(), &old) != 0) fail("cannot replace", path);
  if (!S_ISREG(old.st_mode))
    throw Error(path.string() + " is a link or no regular file: name the file itself");
  NewFile file(path, 0600);
  if (!write_all(file.descriptor(), bytes) || ::fstat(file.descriptor(), &made) != 0)
    fail("cannot write", path);
  if ((made.st_uid != old.st_uid || made.st_gid != old.st_gid) &&
      ::fchown(file.descriptor(), old.st_uid, old.st_gid) != 0)
    fail("cannot keep the owner of", path);
  if (::fchmod(file.descriptor(), old.st_mode & 07777) != 0) fail("cannot write", path);
  file.commit();
}

Bytes read_file(const std::filesystem::path& path, std::size_t limit, Readers readers) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) fail("cannot read the file", path);
  if (!S_ISREG(status.st_mode)) throw Error("cannot read " + path.string() + ": it is not a regular file");
  if (readers == Readers::owner_only && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error("the file " + path.string() +
                " holds a secret but is open to group or others; run chmod 600 on it");
  Bytes bytes;
  if (readers == Readers::owner_only) bytes.reserve(limit + 1);  // one that grows leaves copies behind
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
