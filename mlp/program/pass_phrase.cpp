// Reading pass phrases.
#include "mlp/program/pass_phrase.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "mlp/program/signals.h"
#include "paillier/error.h"
#include "paillier/files.h"
#include "paillier/sealed_text.h"

namespace smlp {

namespace {

constexpr const char* credential = "smlp-pass-phrase";

/// The terminal with and without echo. A handler of signals reads them.
termios with_echo{}, without_echo{};

/// SIGTSTP and SIGQUIT do what they do without this (Ctrl-Z stops, Ctrl-\ ends), with the terminal as it was.
void end_or_stop(int signal) {
  const int error = errno;
  struct sigaction usual {
  }, ours{};
  usual.sa_handler = SIG_DFL;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &with_echo);
  ::sigaction(signal, &usual, &ours);
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signal);
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);  // stops here
  ::pthread_sigmask(SIG_BLOCK, &one, nullptr);
  ::sigaction(signal, &ours, nullptr);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &without_echo);
  errno = error;
}

/// While it lives, such a signal is served by end_or_stop(), unless it is ignored.
class SignalHandler {
 public:
  explicit SignalHandler(int signal) : signal_(signal) {
    ::sigaction(signal_, nullptr, &before_);
    struct sigaction action {};
    action.sa_handler = end_or_stop;
    action.sa_flags = SA_RESTART;
    if (before_.sa_handler != SIG_IGN) ::sigaction(signal_, &action, nullptr);
  }
  SignalHandler(const SignalHandler&) = delete;
  SignalHandler& operator=(const SignalHandler&) = delete;
  ~SignalHandler() { ::sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_ {};
};

/// What is typed at the terminal is not shown while this lives. A signal that ends or stops the program does
/// so, and the terminal shows again what is typed.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &with_echo) != 0) refuse();
    without_echo = with_echo;
    without_echo.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    on_end_.emplace([](int signal) {
      restore();
      ::kill(::getpid(), signal);  // the second signal ends the program
    });
    on_stop_.emplace(SIGTSTP);
    on_quit_.emplace(SIGQUIT);
    termios now{};
    // It says yes where it did a part.
    if (::tcsetattr(STDIN_FILENO, TCSAFLUSH, &without_echo) != 0 || ::tcgetattr(STDIN_FILENO, &now) != 0 ||
        (now.c_lflag & ECHO) != 0) {
      restore();
      refuse();
    }
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() { restore(); }

 private:
  static void restore() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &with_echo); }
  [[noreturn]] static void refuse() {
    throw Error("the terminal cannot hide a pass phrase: give it by --pass-phrase FILE");
  }
  std::optional<EndSignalAction> on_end_;
  std::optional<SignalHandler> on_stop_, on_quit_;
};

/// Up to the end of the line (`line`) or of the file, at most two bytes more than a pass phrase has.
SecretText read_up_to(int descriptor, bool line, const std::string& what) {
  SecretText text;
  text.reserve(longest_pass_phrase + 2);
  while (text.size() < longest_pass_phrase + 2) {
    char next = 0;
    const ssize_t count = ::read(descriptor, &next, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error("cannot read " + what + ": " + std::strerror(errno));
    if (count == 0 || (line && next == '\n')) break;
    text.push_back(next);
  }
  return text;
}

SecretText checked(SecretText text, const std::string& what) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  check_pass_phrase(text, what);
  return text;
}

SecretText ask(const std::string& question) {
  const auto say = [](const std::string& text) {
    static_cast<void>(
        write_all(STDERR_FILENO, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  };
  const NoEcho quiet;
  say(question + ": ");
  SecretText text = read_up_to(STDIN_FILENO, true, "the terminal");
  say("\n");
  return checked(std::move(text), "the pass phrase");
}

bool at_terminal() {
  return ::isatty(STDIN_FILENO) == 1;
}

/// `own`: of its owner alone, where it is a regular file.
SecretText read_from(const std::string& file, bool own) {
  const std::string what = "the pass phrase file " + file;
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (opened.get() < 0 || ::fstat(opened.get(), &status) != 0)
    throw Error("cannot read " + what + ": " + std::strerror(errno));
  if (own && S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error(what + " is open to group or others; run chmod 600 on it");
  return checked(read_up_to(opened.get(), false, what), what);
}

/// The credential's file, where systemd gave one.
std::optional<std::string> credential_file() {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) return std::nullopt;
  const std::string file = std::string(directory) + "/" + credential;
  if (::access(file.c_str(), F_OK) != 0) return std::nullopt;
  return file;
}

}  // namespace

SecretText read_pass_phrase(const std::string& file, const std::string& question) {
  if (file != "-") return read_from(file, true);
  if (at_terminal()) return ask(question);
  return checked(read_up_to(STDIN_FILENO, true, "standard input"), "the pass phrase on standard input");
}

SecretText read_new_pass_phrase(const std::string& file) {
  SecretText text = read_pass_phrase(file, "new pass phrase");
  if (file == "-" && at_terminal() && ask("the same again") != text)
    throw Error("the two pass phrases differ: nothing was written");
  return text;
}

void PassPhraseOption::add_to(CommandLine& line) {
  line.text(
      "pass-phrase", file,
      "file with the pass phrase of a sealed secret.json, - for standard input (asked for at a terminal)");
}

SecretKeys PassPhraseOption::load(const std::filesystem::path& path) const {
  const std::string question = "pass phrase of " + path.string();
  bool is_sealed = false;
  SecretKeys keys = load_secret_keys(path, [&] {
    is_sealed = true;
    if (file) return read_pass_phrase(*file, question);
    if (const auto given = credential_file()) return read_from(*given, false);
    if (at_terminal()) return ask(question);
    throw Error("it is sealed by a pass phrase: give --pass-phrase FILE, or - for standard input");
  });
  if (file && !is_sealed)
    throw Error(path.string() +
                " is not sealed: leave --pass-phrase out, or seal it by smlp keygen --reseal");
  return keys;
}

}  // namespace smlp
