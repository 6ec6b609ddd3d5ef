// Counting, and the journal: lines that are appended under a lock of the file, and read without.
#include "protocols/transport/lockout.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <string_view>

#include "paillier/keys.h"
#include "protocols/transport/party.h"
#include "protocols/transport/utc.h"

namespace smlp {

namespace {

constexpr std::size_t largest_journal = std::size_t{1} << 20;

std::string digits_of(const SessionId& session) {
  Fingerprint padded{};
  std::ranges::copy(session, padded.begin());
  return to_hex(padded).substr(0, 2 * session.size());
}

/// While it lives, nobody else appends; on a file system without locks anybody may.
class AppendLock {
 public:
  explicit AppendLock(int file) : file_(file) {
    while (::flock(file_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  AppendLock(const AppendLock&) = delete;
  AppendLock& operator=(const AppendLock&) = delete;
  ~AppendLock() { ::flock(file_, LOCK_UN); }

 private:
  int file_;
};

/// Whether these are the first words of a line, the last of them perhaps not whole.
bool begins_a_line(const std::string& time, std::string_view what, const std::string& session) {
  return time.find_first_not_of("0123456789-:TZ") == std::string::npos && session.empty() &&
         (std::string_view("out-of-range").starts_with(what) ||
          std::string_view("forgiven").starts_with(what));
}

}  // namespace

Lockout::Lockout(const std::filesystem::path& journal) : journal_(journal) {
  const int why = open_journal(0);
  if (why == ENOENT) {  // it is made when there is something to write
    const std::filesystem::path folder = journal.has_parent_path() ? journal.parent_path() : ".";
    if (::access(folder.c_str(), W_OK | X_OK) != 0) unwritable_ = std::strerror(errno);
    return;
  }
  if (why != 0) unwritable_ = std::strerror(why);
  read_on();
}

/// Returns why it cannot be written, 0 where it can. Throws JournalError where it is there and cannot be
/// read.
int Lockout::open_journal(int flags) {
  flags |= O_CLOEXEC | O_NONBLOCK;
  file_.reset(::open(journal_.c_str(), O_RDWR | O_APPEND | flags, 0600));
  if (file_.get() >= 0) return 0;
  const int why = errno;
  if (why == ENOENT) return why;
  file_.reset(::open(journal_.c_str(), O_RDONLY | flags, 0600));
  if (file_.get() < 0) fail("read", errno);
  return why;
}

void Lockout::fail(const std::string& verb, int why) const {
  throw JournalError("cannot " + verb + " " + journal_.string() +
                     ", which says who is locked out: " + std::strerror(why));
}

void Lockout::read_on() {
  if (journal_.empty()) return;
  struct stat ours {
  }, there{};
  const bool gone = ::stat(journal_.c_str(), &there) != 0 && errno == ENOENT;
  if (file_.get() >= 0) {
    if (::fstat(file_.get(), &ours) != 0) fail("read", errno);
    if (gone || ours.st_dev != there.st_dev || ours.st_ino != there.st_ino ||
        static_cast<std::size_t>(ours.st_size) < read_) {
      file_.reset(-1);
      sessions_.clear();
      read_ = 0;
    }
  }
  if (file_.get() < 0) open_journal(0);  // another process may have made it
  if (file_.get() < 0) return;
  if (::fstat(file_.get(), &ours) != 0) fail("read", errno);
  if (!S_ISREG(ours.st_mode))
    throw JournalError("cannot read " + journal_.string() +
                       ", which says who is locked out: it is not a regular file");
  const auto size = static_cast<std::size_t>(ours.st_size);
  if (size <= read_) return;
  if (size > largest_journal)
    throw JournalError("the file " + journal_.string() + " is longer than the allowed " +
                       std::to_string(largest_journal) + " bytes; take its oldest lines out");
  std::string text(size - read_, '\0');
  const ssize_t count = ::pread(file_.get(), text.data(), text.size(), static_cast<off_t>(read_));
  if (count < 0) fail("read", errno);
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
    sessions_[name].insert(session);
  else if (!begins_a_line(time, what, session))
    throw JournalError(journal_.string() + " has a line that does not say who is locked out: '" +
                       line.substr(0, 100) + "'; take it out");
}

void Lockout::append(const std::string& name, const std::string& what) {
  const std::string line = utc_text() + " " + name + " " + what;
  apply(line);  // and once more when it is read: that changes nothing
  if (!journal_.empty() && unwritable_.empty()) write(line);
}

void Lockout::write(const std::string& line) {
  read_on();
  if (file_.get() < 0) open_journal(O_CREAT);
  if (file_.get() < 0) fail("write", ENOENT);
  const AppendLock lock(file_.get());
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail("write", errno);
  const off_t size = status.st_size;
  char last = '\n';
  if (size > 0 && ::pread(file_.get(), &last, 1, size - 1) < 0) fail("write", errno);
  const std::string whole = (last == '\n' ? "" : "\n") + line + "\n";
  if (!write_all(file_.get(), {reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size()})) {
    const int why = errno;
    static_cast<void>(::ftruncate(file_.get(), size));  // a beginning that stays is passed over
    fail("write", why);
  }
  if (::fsync(file_.get()) != 0) fail("write", errno);
}

void Lockout::record(const std::string& name, const SessionId& session) {
  const std::lock_guard lock(mutex_);
  append(name, "out-of-range " + digits_of(session));
}

std::size_t Lockout::forgive(const std::string& name) {
  check_party_name(name);
  const std::lock_guard lock(mutex_);
  read_on();
  const auto found = sessions_.find(name);
  const std::size_t count = found == sessions_.end() ? 0 : found->second.size();
  if (count > 0) append(name, "forgiven");
  return count;
}

void Lockout::check(const std::string& name) {
  const std::lock_guard lock(mutex_);
  read_on();
  const auto found = sessions_.find(name);
  if (found == sessions_.end() || found->second.size() < most_sessions) return;
  throw LockedOut(name + " is locked out: " + std::to_string(found->second.size()) +
                  " of its sessions ended by a masked value out of range; the key holder's operator can let "
                  "it in again (smlp serve --forgive " +
                  name + ")");
}

bool Lockout::has_ended(const std::string& name, const SessionId& session) {
  const std::lock_guard lock(mutex_);
  read_on();
  const auto found = sessions_.find(name);
  return found != sessions_.end() && found->second.contains(digits_of(session));
}

}  // namespace smlp
