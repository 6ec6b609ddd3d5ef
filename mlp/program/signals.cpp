// A thread that waits for signals. A handler could neither take the lock on the temporary files nor stop a
// long computation; a waiting thread may do anything.
#include "mlp/program/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "paillier/files.h"

namespace smlp {

namespace {

/// Signals belong to the process, and so does what is done on them.
struct Actions {
  std::mutex mutex;
  std::function<void(int)> of_end;
  std::function<void()> of_hangup;
  bool ignores_hangup = false;  ///< as nohup has it: then SIGHUP ends nothing
};

Actions& actions() {
  static Actions instance;
  return instance;
}

/// Does what is to be done in place of ending, if anything.
bool act(int signal) {
  Actions& current = actions();
  const std::lock_guard lock(current.mutex);
  if (signal == SIGHUP && current.of_hangup) {
    current.of_hangup();
    return true;
  }
  if (signal == SIGHUP && current.ignores_hangup) return true;
  if (!current.of_end) return false;
  std::exchange(current.of_end, nullptr)(signal);
  return true;
}

void wait_and_end(sigset_t signals) {
  int signal = 0;
  do {
    if (::sigwait(&signals, &signal) != 0) return;
  } while (act(signal));
  remove_temporary_files();
  std::signal(signal, SIG_DFL);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::raise(signal);
  ::_exit(128 + signal);  // the first process of a container outlives its own signal
}

}  // namespace

void remove_temporary_files_on_signals() {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto ignored = [](int signal) {
    struct sigaction action {};
    return ::sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN;
  };
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGHUP);
  for (const int signal : {SIGINT, SIGTERM})
    if (!ignored(signal)) ::sigaddset(&signals, signal);
  actions().ignores_hangup = ignored(SIGHUP);
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  // One that is ignored would not arrive, and a service reloads at it also under nohup.
  std::signal(SIGHUP, SIG_DFL);
  try {
    std::thread(wait_and_end, signals).detach();
  } catch (const std::system_error&) {  // without a thread signals do what they ever did
    if (actions().ignores_hangup) std::signal(SIGHUP, SIG_IGN);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
}

EndSignalAction::EndSignalAction(std::function<void(int)> of_signal) {
  const std::lock_guard lock(actions().mutex);
  actions().of_end = std::move(of_signal);
}

EndSignalAction::~EndSignalAction() {
  const std::lock_guard lock(actions().mutex);
  actions().of_end = nullptr;
}

HangupAction::HangupAction(std::function<void()> of_hangup) {
  const std::lock_guard lock(actions().mutex);
  actions().of_hangup = std::move(of_hangup);
}

HangupAction::~HangupAction() {
  const std::lock_guard lock(actions().mutex);
  actions().of_hangup = nullptr;
}

}  // namespace smlp
