// Ranks by MPI: compiled with make MPI=1 alone, in place of alone.cpp.
#define OMPI_SKIP_MPICXX 1  // C++ bindings, which were removed from MPI
#include <mpi.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "mlp/ranks/liveness.h"
#include "mlp/ranks/ranks.h"
#include "paillier/error.h"

namespace smlp {

namespace {

/// Of MPI's count of bytes, which is an int: what is gathered is counted in these.
constexpr std::size_t block_bytes = 4096;
constexpr int length_tag = 1, content_tag = 2, beat_tag = 3;

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
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "start");
    if (provided < MPI_THREAD_SERIALIZED)
      throw Error(
          "this MPI is not for threads that call it in turn (MPI_THREAD_SERIALIZED): take another one");
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

/// What ranks show each other while they live, a byte each time, and once when they leave.
class Beats {
 public:
  Beats(std::size_t rank, std::size_t size)
      : rank_(rank),
        receives_(size, MPI_REQUEST_NULL),
        sends_(size, MPI_REQUEST_NULL),
        received_(size),
        sent_(size, lives),
        left_(size, false) {
    left_[rank] = true;
  }

  /// Receives what has come, and sends one where the last one is on its way.
  void exchange(std::vector<bool>& heard) {
    for (std::size_t other = 0; other < left_.size(); ++other) {
      if (other == rank_) continue;
      while (!left_[other] && is_done(receives_[other])) {
        if (received_[other] != nothing) heard[other] = true;
        left_[other] = received_[other] == leaves;
        received_[other] = nothing;
        if (!left_[other])
          check(MPI_Irecv(&received_[other], 1, MPI_BYTE, static_cast<int>(other), beat_tag, MPI_COMM_WORLD,
                          &receives_[other]),
                "receive");
      }
      if (left_[other]) heard[other] = true;  // it has all that it came for
      if (sent_[other] == leaves || !is_done(sends_[other])) continue;
      sent_[other] = leaving_ ? leaves : lives;
      check(MPI_Isend(&sent_[other], 1, MPI_BYTE, static_cast<int>(other), beat_tag, MPI_COMM_WORLD,
                      &sends_[other]),
            "send");
    }
  }

  /// From the next exchange on all are told that this rank leaves.
  void leave() { leaving_ = true; }
  /// Nothing is on its way any more.
  bool all_have_left() {
    for (std::size_t other = 0; other < left_.size(); ++other)
      if (!left_[other] || (other != rank_ && sent_[other] != leaves) || !is_done(sends_[other]))
        return false;
    return true;
  }

 private:
  static constexpr std::uint8_t nothing = 0, lives = 1, leaves = 2;
  static bool is_done(MPI_Request& request) {
    int done = 0;
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "wait");
    return done != 0;
  }

  std::size_t rank_;
  std::vector<MPI_Request> receives_, sends_;
  std::vector<std::uint8_t> received_, sent_;
  std::vector<bool> left_;
  bool leaving_ = false;
};

class MpiRanks : public Ranks {
 public:
  MpiRanks(std::unique_ptr<Environment> environment, std::chrono::seconds patience)
      : Ranks(number(MPI_Comm_rank), number(MPI_Comm_size)),
        environment_(std::move(environment)),
        messages_(std::make_unique<Messages>(rank(), size())),
        liveness_(std::make_unique<Liveness>(
            rank(), size(), patience,
            [beats = &messages_->beats](std::vector<bool>& heard) { beats->exchange(heard); })) {}
  ~MpiRanks() override {
    const bool left = std::uncaught_exceptions() == 0 && leave();
    liveness_.reset();
    if (left) return;
    // MPI may write to them as long as the process lives, and would wait for the others.
    static_cast<void>(messages_.release());
    static_cast<void>(environment_.release());
  }
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;

 private:
  /// What MPI reads and writes.
  struct Messages {
    Messages(std::size_t rank, std::size_t size) : beats(rank, size) {}
    Beats beats;
    std::uint64_t mine = 0;
    std::vector<std::uint64_t> lengths;
    std::vector<Bytes> contents;
    std::vector<MPI_Request> receives, sends;
  };

  std::vector<Bytes> gather_all(const Bytes& mine) override {
    liveness_->alone([] {});  // after a wait that has failed, messages are still MPI's
    exchange_lengths(mine.size());
    exchange(mine);
    return std::exchange(messages_->contents, {});
  }

  void exchange_lengths(std::uint64_t mine) {
    Messages& m = *messages_;
    m.lengths.assign(size(), mine);
    m.mine = mine;
    m.receives.assign(size(), MPI_REQUEST_NULL), m.sends.assign(size(), MPI_REQUEST_NULL);
    to_each_other([&](std::size_t other, int peer) {
      check(
          MPI_Irecv(&m.lengths[other], 1, MPI_UINT64_T, peer, length_tag, MPI_COMM_WORLD, &m.receives[other]),
          "receive");
      check(MPI_Isend(&m.mine, 1, MPI_UINT64_T, peer, length_tag, MPI_COMM_WORLD, &m.sends[other]), "send");
    });
  }

  void exchange(const Bytes& mine) {
    Messages& m = *messages_;
    m.contents.clear();
    for (const std::uint64_t length : m.lengths) m.contents.emplace_back(blocks_of(length) * block_bytes);
    std::ranges::copy(mine, m.contents[rank()].begin());
    to_each_other([&](std::size_t other, int peer) {
      check(MPI_Irecv(m.contents[other].data(), count_of(m.lengths[other]), blocks_type_.type(), peer,
                      content_tag, MPI_COMM_WORLD, &m.receives[other]),
            "receive");
      check(MPI_Isend(m.contents[rank()].data(), count_of(mine.size()), blocks_type_.type(), peer,
                      content_tag, MPI_COMM_WORLD, &m.sends[other]),
            "send");
    });
    for (std::size_t other = 0; other < size(); ++other) m.contents[other].resize(m.lengths[other]);
  }

  /// Begins what `message` does with each other rank, and waits for all.
  template <typename Message>
  void to_each_other(Message&& message) {
    liveness_->alone([&] {
      for (std::size_t other = 0; other < size(); ++other)
        if (other != rank()) message(other, static_cast<int>(other));
    });
    liveness_->wait([&] { return are_done(messages_->receives) && are_done(messages_->sends); });
  }

  static std::size_t blocks_of(std::uint64_t length) { return (length + block_bytes - 1) / block_bytes; }
  static int count_of(std::uint64_t length) {
    if (blocks_of(length) > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      throw Error("a rank brings " + std::to_string(length) + " bytes at once, allowed are " +
                  std::to_string(std::numeric_limits<int>::max()) + " blocks of " +
                  std::to_string(block_bytes));
    return static_cast<int>(blocks_of(length));
  }

  static bool are_done(std::vector<MPI_Request>& requests) {
    int done = 0;
    check(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE),
          "wait");
    return done != 0;
  }

  /// Until all others leave too: what they sent is received before MPI ends. False where one is missing.
  bool leave() {
    try {
      std::vector<bool> heard(size());
      liveness_->alone([&] { messages_->beats.leave(); });
      liveness_->wait([&] {
        messages_->beats.exchange(heard);
        return messages_->beats.all_have_left();
      });
      return true;
    } catch (...) {
      return false;
    }
  }

  std::unique_ptr<Environment> environment_;
  Blocks blocks_type_;
  std::unique_ptr<Messages> messages_;
  std::unique_ptr<Liveness> liveness_;
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
