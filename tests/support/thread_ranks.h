// Ranks that are threads of one process.
#pragma once

#include <barrier>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "mlp/ranks/ranks.h"

namespace smlp::testing {

/// Calls work(ranks) for each rank of `size` on a thread of its own. Rethrows an error of the last that has
/// one; a rank that fails before the others are done is one that nobody waits for any more.
template <typename Work>
void on_threads(std::size_t size, Work&& work) {
  struct Meeting {
    explicit Meeting(std::size_t size) : brought(size), all_here(static_cast<std::ptrdiff_t>(size)) {}
    std::vector<Bytes> brought;
    std::barrier<> all_here;
  };
  class ThreadRanks : public Ranks {
   public:
    ThreadRanks(std::size_t rank, std::size_t size, Meeting& meeting)
        : Ranks(rank, size), meeting_(meeting) {}

   private:
    std::vector<Bytes> gather_all(const Bytes& mine) override {
      meeting_.brought[rank()] = mine;
      meeting_.all_here.arrive_and_wait();
      std::vector<Bytes> all = meeting_.brought;
      meeting_.all_here.arrive_and_wait();  // before anybody brings more
      return all;
    }
    Meeting& meeting_;
  };
  Meeting meeting(size);
  std::exception_ptr failed;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      ThreadRanks ranks(rank, size, meeting);
      try {
        work(static_cast<Ranks&>(ranks));
      } catch (...) {
        const std::lock_guard lock(mutex);
        failed = std::current_exception();
      }
      meeting.all_here.arrive_and_drop();
    });
  for (std::thread& thread : threads) thread.join();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace smlp::testing
