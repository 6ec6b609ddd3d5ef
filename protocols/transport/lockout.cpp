// Counting, and the journal: lines that are appended whole, so that processes can share it without a lock.
#include "protocols/transport/lockout.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "protocols/transport/party.h"
#include "protocols/transport/utc.h"

namespace smlp {

namespace {

constexpr std::size_t largest_journal = std::size_t{1} << 20;

}  // namespace

Lockout::Lockout(const std::filesystem::path& journal) : journal_(journal) {
  open_journal(0);
  if (file_ < 0 && errno == ENOENT) {  // it is made when there is something to write
    const std::filesystem::path folder = journal.has_parent_path() ? journal.parent_path() : ".";
    if (::access(folder.c_str(), W_OK | X_OK) != 0) unwritable_ = std::strerror(errno);
    return;
  }
  if (file_ < 0) {
    unwritable_ = std::strerror(errno);
    file_ = ::open(journal.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  }
  struct stat status {};
  std::string why;
  if (file_ < 0 || ::fstat(file_, &status) != 0)
    why = std::strerror(errno);
  else if (!S_ISREG(status.st_mode))
    why = "it is not a regular file";
  try {
    if (!why.empty())
      throw Error("cannot read " + journal.string() + ", which says who is locked out: " + why);
    read_on();
  } catch (const Error&) {
    if (file_ >= 0) ::close(file_);
    throw;
  }
}

Lockout::~Lockout() {
  if (file_ >= 0) ::close(file_);
}

void Lockout::open_journal(int flags) {
  if (file_ >= 0 || journal_.empty()) return;
  file_ = ::open(journal_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | flags, 0600);
}

void Lockout::read_on() {
  open_journal(0);  // another process may have made it
  struct stat status {};
  if (file_ < 0 || ::fstat(file_, &status) != 0) return;
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size <= read_) return;
  if (size > largest_journal)
    throw Error("the file " + journal_.string() + " is longer than the allowed " +
                std::to_string(largest_journal) + " bytes; take its oldest lines out");
  std::string text(size - read_, '\0');
  const ssize_t count = ::pread(file_, text.data(), text.size(), static_cast<off_t>(read_));
  if (count < 0) throw Error("cannot read " + journal_.string() + ": " + std::strerror(errno));
  text.resize(static_cast<std::size_t>(count));
  for (std::size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
    apply(text.substr(start, end - start));
    read_ += end + 1 - start;
  }
}

void Lockout::apply(const std::string& line) {
  std::istringstream words(line);
  std::string time, name, what, session;
  words >> time >> name >> what >> session;
  if (what == "forgiven" && session.empty())
    sessions_.erase(name);
  else if (what == "out-of-range" && !session.empty())
    ++sessions_[name];
  else
    throw Error(journal_.string() + " has a line that does not say who is locked out: '" +
                line.substr(0, 100) + "'; take it out");
}

void Lockout::append(const std::string& name, const std::string& what) {
  const std::string line = utc_text() + " " + name + " " + what;
  if (journal_.empty() || !unwritable_.empty()) return apply(line);
  open_journal(O_CREAT);
  const std::string whole = line + "\n";
  const ssize_t count = file_ < 0 ? -1 : ::write(file_, whole.data(), whole.size());
  int why = count < 0 ? errno : ENOSPC;
  if (count == static_cast<ssize_t>(whole.size())) {
    if (::fsync(file_) == 0) return read_on();
    why = errno;
  } else if (count > 0) {
    const off_t end = ::lseek(file_, 0, SEEK_END);
    if (::ftruncate(file_, end - count) != 0) why = errno;  // no half a line for others to stumble over
  }
  apply(line);
  throw Error("cannot write " + journal_.string() + ", which says who is locked out: " + std::strerror(why));
}

void Lockout::record(const std::string& name, const SessionId& session) {
  const std::lock_guard lock(mutex_);
  append(name, "out-of-range " + short_text(session));
}

std::size_t Lockout::forgive(const std::string& name) {
  check_party_name(name);
  const std::lock_guard lock(mutex_);
  read_on();
  const auto found = sessions_.find(name);
  const std::size_t count = found == sessions_.end() ? 0 : found->second;
  if (count > 0) append(name, "forgiven");
  return count;
}

void Lockout::check(const std::string& name) {
  const std::lock_guard lock(mutex_);
  read_on();
  const auto found = sessions_.find(name);
  if (found == sessions_.end() || found->second < most_sessions) return;
  throw LockedOut(name + " is locked out: " + std::to_string(found->second) +
                  " of its sessions ended by a masked value out of range; the key holder's operator can let "
                  "it in again (smlp serve --forgive " +
                  name + ")");
}

}  // namespace smlp
