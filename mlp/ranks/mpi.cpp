// Ranks by MPI: compiled with make MPI=1 alone, in place of alone.cpp.
#define OMPI_SKIP_MPICXX 1  // C++ bindings, which were removed from MPI
#include <mpi.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <thread>
#include <utility>

#include "mlp/ranks/ranks.h"
#include "paillier/error.h"

namespace smlp {

namespace {

using Clock = std::chrono::steady_clock;

/// Of MPI's count of bytes, which is an int: what is gathered is counted in these.
constexpr std::size_t block_bytes = 4096;
constexpr int length_tag = 1, content_tag = 2;

void check(int status, const char* what) {
  if (status == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(status, text.data(), &length);
  throw Error(std::string("MPI failed to ") + what + ": " +
              std::string(text.data(), static_cast<std::size_t>(length)));
}

/// What MPI counts of itself.
std::size_t number(int (*of)(MPI_Comm, int*)) {
  int value = 0;
  check(of(MPI_COMM_WORLD, &value), "count ranks");
  return static_cast<std::size_t>(value);
}

/// MPI from here to its end.
class Environment {
 public:
  Environment() {
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "start");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  }
  /// Not after an error: the others would be waited for. The launcher ends them.
  ~Environment() {
    if (std::uncaught_exceptions() == 0) MPI_Finalize();
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
};

/// MPI's own type of a block of bytes.
class Blocks {
 public:
  Blocks() {
    check(MPI_Type_contiguous(block_bytes, MPI_BYTE, &type_), "name a type");
    check(MPI_Type_commit(&type_), "name a type");
  }
  ~Blocks() { MPI_Type_free(&type_); }
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;
  MPI_Datatype type() const { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

class MpiRanks : public Ranks {
 public:
  MpiRanks(std::unique_ptr<Environment> environment, std::chrono::seconds patience)
      : Ranks(number(MPI_Comm_rank), number(MPI_Comm_size)),
        environment_(std::move(environment)),
        patience_(patience),
        met_(Clock::now()) {}

 private:
  std::vector<Bytes> gather_all(const Bytes& mine) override {
    begun_ = Clock::now();
    const Clock::time_point latest = begun_ + patience_ + 4 * (begun_ - met_);
    // Each to each, so that the one that is missing has a name.
    exchange_lengths(mine.size(), latest);
    exchange(mine, latest);
    met_ = Clock::now();
    return std::exchange(contents_, {});
  }

  void exchange_lengths(std::uint64_t mine, Clock::time_point latest) {
    lengths_.assign(size(), mine);
    mine_ = mine;
    receives_.assign(size(), MPI_REQUEST_NULL), sends_.assign(size(), MPI_REQUEST_NULL);
    for (std::size_t other = 0; other < size(); ++other) {
      if (other == rank()) continue;
      const int peer = static_cast<int>(other);
      check(MPI_Irecv(&lengths_[other], 1, MPI_UINT64_T, peer, length_tag, MPI_COMM_WORLD, &receives_[other]),
            "receive");
      check(MPI_Isend(&mine_, 1, MPI_UINT64_T, peer, length_tag, MPI_COMM_WORLD, &sends_[other]), "send");
    }
    wait(receives_, latest);
    wait(sends_, latest);
  }

  void exchange(const Bytes& mine, Clock::time_point latest) {
    contents_.clear();
    for (const std::uint64_t length : lengths_) contents_.emplace_back(blocks_of(length) * block_bytes);
    std::ranges::copy(mine, contents_[rank()].begin());
    for (std::size_t other = 0; other < size(); ++other) {
      if (other == rank()) continue;
      const int peer = static_cast<int>(other);
      check(MPI_Irecv(contents_[other].data(), count_of(lengths_[other]), blocks_type_.type(), peer,
                      content_tag, MPI_COMM_WORLD, &receives_[other]),
            "receive");
      check(MPI_Isend(contents_[rank()].data(), count_of(mine.size()), blocks_type_.type(), peer, content_tag,
                      MPI_COMM_WORLD, &sends_[other]),
            "send");
    }
    wait(receives_, latest);
    wait(sends_, latest);
    for (std::size_t other = 0; other < size(); ++other) contents_[other].resize(lengths_[other]);
  }

  static std::size_t blocks_of(std::uint64_t length) { return (length + block_bytes - 1) / block_bytes; }
  static int count_of(std::uint64_t length) {
    if (blocks_of(length) > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      throw Error("a rank brings " + std::to_string(length) + " bytes at once, allowed are " +
                  std::to_string(std::numeric_limits<int>::max()) + " blocks of " +
                  std::to_string(block_bytes));
    return static_cast<int>(blocks_of(length));
  }

  /// For a request of each rank. Sleeps in between: a key holder may need the processor.
  void wait(std::vector<MPI_Request>& requests, Clock::time_point latest) const {
    auto pause = std::chrono::microseconds(20);
    for (;;) {
      bool done = true;
      std::size_t missing = 0;
      for (std::size_t other = 0; other < requests.size(); ++other) {
        int one = 0;
        check(MPI_Test(&requests[other], &one, MPI_STATUS_IGNORE), "wait");
        if (one != 0) continue;
        done = false;
        missing = other;
      }
      if (done) return;
      if (Clock::now() > latest)
        throw Error("rank " + std::to_string(missing) + " of " + std::to_string(size()) +
                    " has not come in " + std::to_string(patience_.count()) +
                    " s: see whether it is alive and its key holder answers, or raise --timeout");
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, std::chrono::microseconds(1000));
    }
  }

  std::unique_ptr<Environment> environment_;
  Blocks blocks_type_;
  std::chrono::seconds patience_;
  Clock::time_point met_;  ///< when all have met last
  Clock::time_point begun_ = met_;
  // What MPI reads and writes: as long as this, since a wait may end before it does.
  std::uint64_t mine_ = 0;
  std::vector<std::uint64_t> lengths_;
  std::vector<Bytes> contents_;
  std::vector<MPI_Request> receives_, sends_;
};

}  // namespace

std::unique_ptr<Ranks> join_ranks(std::chrono::seconds patience) {
  if (launched_ranks() == 1) return nullptr;
  auto ranks = std::make_unique<MpiRanks>(std::make_unique<Environment>(), patience);
  if (ranks->size() != launched_ranks())
    throw Error("the launcher started " + std::to_string(launched_ranks()) + " processes, MPI knows of " +
                std::to_string(ranks->size()) + ": start them by mpirun of Open MPI, or by srun --mpi=pmix");
  return ranks;
}

}  // namespace smlp
