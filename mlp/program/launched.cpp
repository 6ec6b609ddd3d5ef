// What ranks tell each other of a command.
#include "mlp/program/launched.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <span>
#include <thread>

#include "paillier/error.h"
#include "protocols/version.h"

namespace smlp {

Seeds shared_seeds(const std::optional<std::uint64_t>& seed, Ranks* ranks) {
  if (ranks == nullptr || seed) return Seeds(seed);
  std::array<std::uint8_t, 32> key{};
  Bytes mine;
  if (ranks->rank() == 0) {
    RandomSource::from_system().stream({}).fill(key);
    mine.assign(key.begin(), key.end());
  }
  std::vector<Bytes> all = ranks->gather(mine);
  const Bytes& first = all.front();
  if (first.size() != key.size())
    throw Error("rank 0 drew no seed: all ranks need the same program and options");
  std::ranges::copy(first, key.begin());
  Seeds seeds{false, RandomSource::from_key(key)};
  wipe_memory(mine.data(), mine.size());
  wipe_memory(all.front().data(), all.front().size());
  wipe_memory(key.data(), key.size());
  return seeds;
}

RandomSource of_rank(const Seeds& seeds, const RandomSource& random, const Ranks* ranks,
                     std::size_t columns) {
  if (ranks == nullptr) return random;
  if (!seeds.seeded()) return RandomSource::from_system();
  const RankOf of{ranks->rank(), ranks->size(), columns};
  return random.derive("rank " + std::to_string(of.rank) + " of " + std::to_string(of.ranks) + " in " +
                       std::to_string(of.row_parts()) + " x " + std::to_string(of.columns));
}

std::string from_first(Ranks& ranks, const std::string& mine) {
  const Bytes first = ranks.gather(ranks.rank() == 0 ? Bytes(mine.begin(), mine.end()) : Bytes()).front();
  return {first.begin(), first.end()};
}

void require_same(Ranks& ranks, const Seeds& seeds, const Json& options,
                  const std::vector<EncryptedMatrix>& weights, const PaillierPublicKey& key) {
  const std::uint64_t seed = seeds.batch_order().derive("same seeds").stream({}).word();
  const std::string text = std::string(version) + "\n" + std::to_string(seed) + "\n" + options.dump() + "\n";
  Bytes read(text.begin(), text.end());
  for (const EncryptedMatrix& m : weights) key.encode_at_rest(m.column_packed(), read);
  const Digest digest = sha256(read);
  const std::vector<Bytes> all = ranks.gather(Bytes(digest.begin(), digest.end()));
  for (std::size_t rank = 1; rank < all.size(); ++rank)
    if (all[rank] != all.front())
      throw Error("rank " + std::to_string(rank) +
                  " has not read what rank 0 has: all ranks need the same program, the same options and the "
                  "same files, --out among them");
}

RankTotals RankTotals::operator-(const RankTotals& earlier) const {
  RankTotals out = *this;
  for (std::size_t i = 0; i < earlier.ranks.size(); ++i) {
    One& one = out.ranks[i];
    const One& before = earlier.ranks[i];
    one.key_holder = {one.key_holder.to_key_holder - before.key_holder.to_key_holder,
                      one.key_holder.to_evaluator - before.key_holder.to_evaluator,
                      one.key_holder.rounds - before.key_holder.rounds};
    one.sent -= before.sent;
    one.received -= before.received;
  }
  return out;
}

Json RankTotals::to_json() const {
  Json all = Json::array();
  for (const One& one : ranks)
    all.push_back({{"bytes", smlp::to_json(one.key_holder)},
                   {"rounds", one.key_holder.rounds},
                   {"sent", one.sent},
                   {"received", one.received}});
  return all;
}

RankTotals rank_totals(Ranks& ranks, const Traffic& key_holder) {
  Bytes mine;
  for (const std::uint64_t number :
       {key_holder.to_key_holder, key_holder.to_evaluator, key_holder.rounds, ranks.sent(), ranks.received()})
    append_little_endian(Integer(static_cast<unsigned long>(number)), 8, mine);
  RankTotals out;
  for (const Bytes& bytes : ranks.gather(mine)) {
    if (bytes.size() != mine.size())
      throw Error("a rank sent " + std::to_string(bytes.size()) +
                  " bytes of its totals: all ranks need the same program");
    const auto number = [&](std::size_t i) {
      return from_little_endian(std::span(bytes).subspan(8 * i, 8)).get_ui();
    };
    out.ranks.push_back({{number(0), number(1), number(2)}, number(3), number(4)});
  }
  return out;
}

void on_rank(const Ranks* ranks, const std::function<void()>& work) {
  if (ranks == nullptr) return work();
  try {
    work();
  } catch (const std::exception& error) {
    if (ranks->rank() > 0) std::this_thread::sleep_for(std::chrono::seconds(3));
    throw Error("rank " + std::to_string(ranks->rank()) + " of " + std::to_string(ranks->size()) + ": " +
                error.what());
  }
}

namespace {

template <typename To, typename From, typename Convert>
Weights<To> converted(Weights<From> weights, Convert&& convert) {
  Weights<To> out;
  for (From& m : weights.weights) out.weights.push_back(convert(std::move(m)));
  for (From& m : weights.velocities) out.velocities.push_back(convert(std::move(m)));
  return out;
}

}  // namespace

Weights<SharedMatrix> on_every_rank(Weights<EncryptedMatrix> weights) {
  return converted<SharedMatrix>(std::move(weights),
                                 [](EncryptedMatrix&& m) { return SharedMatrix{std::move(m)}; });
}

Weights<EncryptedMatrix> on_every_rank(Weights<SharedMatrix> weights) {
  return converted<EncryptedMatrix>(std::move(weights), [](SharedMatrix&& m) { return std::move(m.part); });
}

}  // namespace smlp
