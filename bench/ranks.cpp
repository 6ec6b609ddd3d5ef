// Ranks that share a training, simulated: what plan predicts for many ranks in closed form, played through
// event by event in virtual time, with the seconds of operations that this machine was measured to take.
//
// A rank computes, asks its key holders one request after another, and waits for all others wherever ranks
// gather something (mlp/training/shared_arithmetic.h). A key holder answers one request at a time, on all its
// threads; the next address is asked each time. Every step is one of a later epoch on the first batch; the
// check of the weights is left out. Nothing runs in parallel here, so any number of ranks fits a small
// machine.
#include <algorithm>
#include <iostream>
#include <queue>

#include "bench/report.h"
#include "mlp/text.h"
#include "mlp/training/scaling.h"
#include "paillier/parallel.h"

namespace smlp::bench {

namespace {

/// What a rank does in a phase: so many requests, each after some thought.
struct Work {
  std::size_t requests = 0;
  double thought = 0, service = 0, on_the_way = 0;  ///< seconds of each
  double last_thought = 0;                          ///< where there is no request at all
};

struct Request {
  double arrival = 0;
  std::size_t rank = 0, number = 0;
  bool operator>(const Request& other) const {
    return arrival != other.arrival ? arrival > other.arrival : rank > other.rank;
  }
};

Work work_of(const Phase& phase, const Phase& before, const MachineSpeed& speed, const Cluster& cluster) {
  const auto part = [&](const auto& seconds) { return seconds(phase.until) - seconds(before.until); };
  const double evaluator = part([&](const Cost& c) { return speed.evaluator_seconds(c, cluster.threads); });
  const double key_holder = part([&](const Cost& c) { return speed.key_holder_seconds(c, cluster.threads); });
  const double way = part([&](const Cost& c) { return cluster.link.seconds(c.traffic); });
  std::size_t requests = phase.until.traffic.rounds - before.until.traffic.rounds;
  if (requests == 0 && key_holder > 0) requests = 1;
  if (requests == 0) return {.last_thought = evaluator + way};
  const auto count = static_cast<double>(requests);
  return {requests, evaluator / count, key_holder / count, way / count};
}

/// Seconds of a step; `phases` by rank.
double simulated_step(const std::vector<std::vector<Phase>>& phases, const MachineSpeed& speed,
                      const Cluster& cluster) {
  double now = 0;
  std::vector<double> free(cluster.key_holders, 0.0);  // from when on
  std::vector<std::size_t> asked(phases.size());
  for (std::size_t p = 0; p < phases.front().size(); ++p) {
    std::priority_queue<Request, std::vector<Request>, std::greater<>> requests;
    std::vector<Work> works;
    std::uint64_t brought = 0;
    double end = now;
    for (std::size_t rank = 0; rank < phases.size(); ++rank) {
      const Phase& phase = phases[rank][p];
      const Work& work =
          works.emplace_back(work_of(phase, p == 0 ? Phase{} : phases[rank][p - 1], speed, cluster));
      brought += phase.brought;
      if (work.requests == 0)
        end = std::max(end, now + work.last_thought);
      else
        requests.push({now + work.thought, rank, 0});
    }
    while (!requests.empty()) {
      const Request request = requests.top();
      requests.pop();
      const Work& work = works[request.rank];
      double& key_holder = free[(request.rank + asked[request.rank]++) % free.size()];
      key_holder = std::max(key_holder, request.arrival) + work.service;
      const double answered = key_holder + work.on_the_way;
      if (request.number + 1 < work.requests)
        requests.push({answered + work.thought, request.rank, request.number + 1});
      else
        end = std::max(end, answered);
    }
    now = end;
    if (phases.size() > 1 && p + 1 < phases.front().size()) now += cluster.link.seconds({0, brought, 1});
  }
  return now;
}

void simulate(int argc, char** argv) {
  const Options options(argc, argv,
                        "An epoch that ranks share, simulated in virtual time beside what plan predicts.\n"
                        "--sizes N,N,N     of the network's layers (784,128,10)\n"
                        "--rows N          (60000)\n"
                        "--batch N         (128)\n"
                        "--bits N          size of n (2048)\n"
                        "--protocols NAME  preset (homomorphic)\n"
                        "--ranks N,N       (1,2,4,8,16,32,64)\n"
                        "--key-holders N,N (64,4)\n"
                        "--columns N,N     parts in which ranks share columns (as they choose)\n"
                        "--threads N       of a rank, and of a key holder (2)\n"
                        "--link LINK       of each rank (10Gbit/100us)\n"
                        "--json FILE       results\n");
  const std::size_t bits = options.number("bits", 2048);
  const int threads = static_cast<int>(options.number("threads", 2));
  const LinkSpeed link = LinkSpeed::parse(options.text("link", "10Gbit/100us"));
  const Network network{options.numbers("sizes", "784,128,10")};
  const TrainingOptions training{.batch = options.number("batch", 128), .momentum = 0.8};
  const SecretKeys keys = make_keys(Variant::subgroup, bits);
  const BitBudget budget(Numbers{}, 1024, bits);
  const Sizes sizes{budget, keys.public_keys().paillier().ciphertext_bytes(),
                    keys.public_keys().dgk().ciphertext_bytes()};
  const TableGroups groups = table_groups(options.number("rows", 60000), training.batch, budget.slots());
  const MachineSpeed speed = measure_speed(keys, RandomSource::from_system());
  const std::vector<std::size_t> columns_asked =
      options.text("columns", "").empty() ? std::vector<std::size_t>{0} : options.numbers("columns", "1");
  Json rows = Json::array();
  for (const std::size_t key_holders : options.numbers("key-holders", "64,4"))
    for (const std::size_t ranks : options.numbers("ranks", "1,2,4,8,16,32,64")) {
      for (const std::size_t asked : columns_asked) {
        const Cluster cluster{ranks, key_holders, threads, link, 0, std::min(asked, ranks)};
        ProtocolNames names = preset(options.text("protocols", "homomorphic"));
        if (names.chooses_products()) names.matmul = "packed";  // what ranks do not keep opened
        names.shared = true;                                    // of one rank too: the same phases
        const SharedEpoch predicted =
            shared_epoch(network, names, training, groups, sizes, false, true, speed, cluster);
        const std::size_t columns = predicted.columns;
        std::vector<std::vector<Phase>> phases;
        for (std::size_t rank = 0; rank < ranks; ++rank)
          phases.push_back(
              step_phases(network, names, training, groups, sizes, true, {rank, ranks, columns}));
        const double simulated =
            static_cast<double>(groups.batches.size()) * simulated_step(phases, speed, cluster);
        std::cout << ranks << " ranks (" << ranks / columns << " x " << columns << "), " << key_holders
                  << " key holders: " << simulated << " s simulated, " << predicted.seconds()
                  << " s predicted, limited by " << predicted.limit() << "\n";
        rows.push_back({{"ranks", ranks},
                        {"columns", columns},
                        {"key_holders", key_holders},
                        {"simulated", simulated},
                        {"predicted", predicted.seconds()},
                        {"limit", predicted.limit()}});
      }
    }
  write_results(options.text("json", ""), "ranks",
                {{"bits", bits}, {"threads", threads}, {"link", link.text()}, {"rows", std::move(rows)}});
}

}  // namespace

}  // namespace smlp::bench

int main(int argc, char** argv) {
  return smlp::bench::run_benchmark(argc, argv, smlp::bench::simulate);
}
