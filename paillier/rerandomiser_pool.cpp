// Chunks of re-randomisers: drawn by their user, in order; made by whoever comes first.
#include "paillier/rerandomiser_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <string>

#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp {

namespace {

constexpr std::size_t chunk_size = 4 * most_lanes;

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

class RerandomiserPool::Chunk {
 public:
  explicit Chunk(std::vector<SecretInteger> secrets) : secrets_(std::move(secrets)) {}

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
  const std::vector<SecretInteger> secrets_;
  std::mutex mutex_;
  std::atomic<bool> ready_ = false;
  WordBuffer residues_;
};

RerandomiserPool::RerandomiserPool(RerandomiserMaker maker, RandomSource random, std::size_t capacity)
    : maker_(std::move(maker)), random_(std::move(random)), capacity_(capacity) {}

RerandomiserPool::~RerandomiserPool() = default;

std::shared_ptr<RerandomiserPool::Chunk> RerandomiserPool::draw_chunk() {
  std::vector<SecretInteger> secrets;
  secrets.reserve(chunk_size);
  for (std::size_t i = 0; i < chunk_size; ++i) {
    RandomStream stream = random_.stream({.element = next_element_++});
    secrets.push_back(maker_.draw(stream));
  }
  return std::make_shared<Chunk>(std::move(secrets));
}

Rerandomisers RerandomiserPool::take(std::size_t count) {
  struct Part {
    std::shared_ptr<Chunk> chunk;
    std::size_t first, count, to;
  };
  std::vector<Part> parts;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t to = 0; to < count; to += parts.back().count) {
      if (chunks_.empty()) chunks_.push_back(draw_chunk());
      parts.push_back(
          {chunks_.front(), used_of_first_, std::min(chunk_size - used_of_first_, count - to), to});
      used_of_first_ += parts.back().count;
      if (used_of_first_ < chunk_size) continue;
      chunks_.pop_front();
      used_of_first_ = 0;
    }
    // The filler only makes what is drawn here, so that it never holds the lock for long.
    while ((chunks_.size() + 1) * chunk_size <= capacity_) chunks_.push_back(draw_chunk());
  }
  drawn_.notify_one();

  Rerandomisers out(count, maker_.words);
  parallel_for(parts.size(), [&](std::size_t i) {
    const Part& part = parts[i];
    part.chunk->make(maker_);
    std::copy_n(part.chunk->residue(part.first, maker_.words), part.count * maker_.words,
                out.residues_.data() + part.to * maker_.words);
  });
  // Not before: the first use may build a table, which must not be left to an idle thread.
  if (capacity_ > 0 && !filler_.joinable())
    filler_ = std::jthread([this](const std::stop_token& stop) { fill(stop); });
  return out;
}

std::size_t RerandomiserPool::ready() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& chunk : chunks_) count += chunk->ready() ? chunk_size : 0;
  return count - (chunks_.empty() || !chunks_.front()->ready() ? 0 : used_of_first_);
}

void RerandomiserPool::fill(const std::stop_token& stop) {
  yield_to_others();
  const auto next = [this] {
    return std::ranges::find_if(chunks_, [](const auto& c) { return !c->ready(); });
  };
  while (true) {
    std::shared_ptr<Chunk> chunk;
    {
      std::unique_lock lock(mutex_);
      if (!drawn_.wait(lock, stop, [&] { return next() != chunks_.end(); })) return;
      chunk = *next();
    }
    try {
      chunk->make(maker_);
    } catch (const std::exception&) {
      return;  // the user tries again and reports it
    }
  }
}

}  // namespace smlp
