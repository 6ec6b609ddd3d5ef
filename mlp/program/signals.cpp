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
struct Action {
  std::mutex mutex;
  std::function<void()> of_signal;
};

Action& action() {
  static Action instance;
  return instance;
}

/// Does what is to be done in place of ending, if anything.
bool act() {
  Action& current = action();
  const std::lock_guard lock(current.mutex);
  if (!current.of_signal) return false;
  std::exchange(current.of_signal, nullptr)();
  return true;
}

void wait_and_end(sigset_t signals) {
  int signal = 0;
  do {
    if (::sigwait(&signals, &signal) != 0) return;
  } while (act());
  remove_temporary_files();
  std::signal(signal, SIG_DFL);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::raise(signal);
  ::_exit(128 + signal);  // the first process of a container outlives its own signal
}

}  // namespace

void remove_temporary_files_on_signals() {
  std::signal(SIGXFSZ, SIG_IGN);
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
      ::sigaddset(&signals, signal);
  }
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  try {
    std::thread(wait_and_end, signals).detach();
  } catch (const std::system_error&) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);  // without a thread signals end the program as ever
  }
}

EndSignalAction::EndSignalAction(std::function<void()> of_signal) {
  const std::lock_guard lock(action().mutex);
  action().of_signal = std::move(of_signal);
}

EndSignalAction::~EndSignalAction() {
  const std::lock_guard lock(action().mutex);
  action().of_signal = nullptr;
}

}  // namespace smlp
