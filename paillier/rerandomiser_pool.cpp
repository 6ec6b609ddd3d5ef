// Chunks of re-randomisers: drawn by their user, made by whoever comes first.
#include "paillier/rerandomiser_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <system_error>
#include <utility>

#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp {

namespace {

constexpr std::size_t chunk_size = most_lanes;

/// This thread runs when nothing else does, where the system knows that.
void yield_to_others() {
#ifdef SCHED_IDLE
  const sched_param parameters{};
  pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameters);
#endif
}

}  // namespace

const Word* Rerandomisers::use(std::size_t i) {
  if (i >= used_.size())
    throw Error("re-randomiser " + std::to_string(i) + " of " + std::to_string(used_.size()) +
                " was asked for");
  if (used_[i] != 0) throw Error("re-randomiser " + std::to_string(i) + " was asked for twice");
  used_[i] = 1;
  return residues_.data() + i * words_;
}

/// Drawn when it is constructed, so that there is none to be made from nothing.
class RerandomiserPool::Chunk {
 public:
  Chunk(const RerandomiserMaker& maker, const RandomSource& random, std::uint64_t first) {
    secrets_.reserve(chunk_size);
    for (std::size_t i = 0; i < chunk_size; ++i) {
      // Numbers go on beyond the elements of a step.
      const std::uint64_t number = first + i;
      RandomStream stream =
          random.stream({.step = static_cast<std::uint32_t>(number >> 32), .element = number & UINT32_MAX});
      secrets_.push_back(maker.draw(stream));
    }
  }

  bool ready() const { return ready_; }
  /// Two that make it at the same time make the same, and the first to end is heard.
  void make(const RerandomiserMaker& maker) {
    if (ready_) return;
    WordBuffer made(secrets_.size() * maker.words);
    maker.make(secrets_, made.data());
    const std::lock_guard lock(mutex_);
    if (ready_) return;
    residues_ = std::move(made);
    ready_ = true;
  }
  const Word* residue(std::size_t i, std::size_t words) const { return residues_.data() + i * words; }

 private:
  std::vector<SecretInteger> secrets_;
  std::mutex mutex_;
  std::atomic<bool> ready_ = false;
  WordBuffer residues_;
};

RerandomiserPool::RerandomiserPool(RerandomiserMaker maker, RandomSource random, std::size_t capacity)
    : maker_(std::move(maker)), random_(std::move(random)), capacity_(capacity) {}

RerandomiserPool::~RerandomiserPool() = default;

std::vector<std::shared_ptr<RerandomiserPool::Chunk>> RerandomiserPool::draw_for(std::size_t count) {
  std::size_t unused = 0;
  {
    const std::lock_guard lock(mutex_);
    unused = chunks_.size() * chunk_size - used_of_first_;
  }
  // As many as are asked for, and whole chunks up to the capacity beyond them.
  const std::size_t taken = (std::max(count, unused) - unused + chunk_size - 1) / chunk_size;
  const std::size_t left = (unused + taken * chunk_size - count + chunk_size - 1) / chunk_size;
  std::vector<std::shared_ptr<Chunk>> drawn(taken + std::max(capacity_ / chunk_size, left) - left);
  // Before they are drawn from: elements of a draw that fails are lost, never drawn from again.
  const std::uint64_t first = std::exchange(next_element_, next_element_ + drawn.size() * chunk_size);
  parallel_for(drawn.size(), [&](std::size_t i) {
    drawn[i] = std::make_shared<Chunk>(maker_, random_, first + i * chunk_size);
  });
  return drawn;
}

Rerandomisers RerandomiserPool::take(std::size_t count) {
  struct Part {
    std::shared_ptr<Chunk> chunk;
    std::size_t first, count, to;
  };
  const std::vector<std::shared_ptr<Chunk>> drawn = draw_for(count);
  std::vector<Part> parts;
  {
    const std::lock_guard lock(mutex_);
    chunks_.insert(chunks_.end(), drawn.begin(), drawn.end());
    for (std::size_t to = 0; to < count; to += parts.back().count) {
      parts.push_back(
          {chunks_.front(), used_of_first_, std::min(chunk_size - used_of_first_, count - to), to});
      used_of_first_ += parts.back().count;
      if (used_of_first_ < chunk_size) continue;
      chunks_.pop_front();
      used_of_first_ = 0;
    }
  }

  Rerandomisers out(count, maker_.words);
  // The first one alone: it may build a table, which all threads then work on.
  if (!parts.empty()) parts.front().chunk->make(maker_);
  parallel_for(parts.size(), [&](std::size_t i) {
    const Part& part = parts[i];
    part.chunk->make(maker_);
    std::copy_n(part.chunk->residue(part.first, maker_.words), part.count * maker_.words,
                out.residues_.data() + part.to * maker_.words);
  });
  if (capacity_ > 0 && count > 0) {  // not before: no table is left to an idle thread
    const std::lock_guard lock(mutex_);
    // Without a filler, or with one that gets no processor, they would pile up: made ones, and lost ones.
    std::erase_if(to_make_, [](const auto& chunk) { return chunk->ready() || chunk.use_count() == 1; });
    to_make_.insert(to_make_.end(), drawn.begin(), drawn.end());
    start_filler();
  }
  drawn_.notify_one();
  return out;
}

void RerandomiserPool::start_filler() {
  if (filler_.joinable()) return;
  try {
    filler_ = std::jthread([this](const std::stop_token& stop) { fill(stop); });
  } catch (const std::system_error&) {
    // No thread is to be had: what is taken is made when it is taken.
  }
}

std::size_t RerandomiserPool::ready() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& chunk : chunks_) count += chunk->ready() ? chunk_size : 0;
  return count - (chunks_.empty() || !chunks_.front()->ready() ? 0 : used_of_first_);
}

void RerandomiserPool::fill(const std::stop_token& stop) {
  yield_to_others();
  while (true) {
    std::shared_ptr<Chunk> chunk;
    {
      std::unique_lock lock(mutex_);
      if (!drawn_.wait(lock, stop, [&] { return !to_make_.empty(); }) || stop.stop_requested()) return;
      chunk = std::move(to_make_.front());
      to_make_.pop_front();
    }
    try {
      chunk->make(maker_);
    } catch (const std::exception&) {  // the user makes it, or reports why it cannot be made
    }
  }
}

}  // namespace smlp
