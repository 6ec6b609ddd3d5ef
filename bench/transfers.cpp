// Oblivious transfers and garbled comparisons: processor seconds of both parties on one thread, and bytes,
// without the channel.
#include <iostream>

#include "bench/samples.h"
#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/oblivious_transfer/base_transfers.h"
#include "protocols/oblivious_transfer/half_gates.h"

namespace smlp::bench {

namespace {

/// Comparisons of one piece: their transfers fill whole squares of the transpose.
constexpr std::size_t piece = 128;

struct Parties {
  explicit Parties(std::size_t bits, AesUnit unit) : bits(bits), unit(unit) {
    const Digest secret = sha256(Bytes{1});
    RandomStream random = RandomSource::from_system().stream({});
    const BaseRequest request(key_holder_point(secret), random);
    const Digest ticket = sha256(request.bytes());
    BaseAnswer answer = answer_base_request(request.bytes(), ticket, secret);
    evaluator = request.finish(answer.bytes, ticket);
    key_holder = std::move(answer.transfers);
  }

  /// Compares `comparisons` numbers, piece by piece. Returns the bytes between the parties.
  std::size_t compare(std::size_t comparisons) {
    RandomStream random = RandomSource::from_system().stream({});
    Digest content;
    random.fill(content);
    const Label label = transfer_label("digits", content);
    const Block hash_key = to_block(content), seed{random.word(), random.word()};
    TransferChooser chooser(key_holder.leaves, key_holder_depth, label, unit);
    OffsetHolder holder(evaluator.offset[0], evaluator.known, key_holder_depth, label, unit);
    ComparisonGarbler garbler(evaluator.offset[0], hash_key, seed, bits, unit);
    ComparisonEvaluator evaluating(hash_key, seed, bits, unit);
    std::vector<std::uint64_t> d(piece), r(piece);
    Bytes choices(piece * bits), corrections, s(piece), t(piece);
    SecretBlocks labels(piece * bits), zeros(piece * bits);
    std::vector<Block> tables(piece * table_blocks(bits));
    std::size_t bytes = sizeof(Block), wrong = 0;
    for (std::size_t first = 0; first < comparisons; first += piece) {
      for (std::size_t j = 0; j < piece; ++j) {
        d[j] = random.word();
        r[j] = random.word();
        for (std::size_t i = 0; i < bits; ++i) choices[j * bits + i] = d[j] >> i & 1;
      }
      corrections.clear();
      chooser.extend(choices, corrections, labels);
      holder.extend(corrections, zeros);
      garbler.garble(zeros, r, tables, s);
      evaluating.evaluate(labels, tables, t);
      for (std::size_t j = 0; j < piece; ++j) wrong += ((d[j] - r[j]) >> (bits - 1) & 1) != (s[j] ^ t[j]);
      bytes += corrections.size() + tables.size() * sizeof(Block);
    }
    if (wrong > 0) throw Error(std::to_string(wrong) + " comparisons are wrong");
    return bytes;
  }

  std::size_t bits;
  AesUnit unit;
  BaseTransfers evaluator, key_holder;
};

void run_transfers(int argc, char** argv) {
  const Options options(argc, argv,
                        "Garbled comparisons in processor seconds of both parties on one thread.\n"
                        "--bits N         of a comparison, with its guard bits (24)\n"
                        "--comparisons N  of a sample (65536)\n"
                        "--rounds N       samples of each unit, in turn (9)\n"
                        "--json FILE      results\n");
  set_thread_count(1);
  const std::size_t bits = options.number("bits", 24), rounds = options.number("rounds", 9);
  const std::size_t comparisons = (options.number("comparisons", 65536) + piece - 1) / piece * piece;
  Turns turns;
  std::vector<Parties> parties;
  for (const AesUnit unit : {AesUnit::openssl, AesUnit::aes_ni, AesUnit::vaes256, AesUnit::vaes512})
    if (is_available(unit)) parties.emplace_back(bits, unit);
  std::vector<std::size_t> bytes(parties.size());
  for (std::size_t i = 0; i < parties.size(); ++i)
    turns.add({comparisons, [&, i] { bytes[i] = parties[i].compare(comparisons); }});
  turns.add({1, [&] { Parties(bits, best_aes_unit()); }});
  for (std::size_t round = 0; round < rounds; ++round) turns.round();
  Json rows = Json::array();
  for (std::size_t i = 0; i < parties.size(); ++i) {
    const Samples& samples = turns.samples(i);
    const double each = static_cast<double>(bytes[i]) / static_cast<double>(comparisons);
    std::cout << name(parties[i].unit) << ": " << 1 / samples.median() << " comparisons a second, " << each
              << " bytes\n";
    rows.push_back({{"unit", name(parties[i].unit)}, {"comparison", samples.to_json()}, {"bytes", each}});
  }
  const Samples& base = turns.samples(parties.size());
  std::cout << "base transfers: " << base.median() << " s\n";
  write_results(options.text("json", ""), "transfers",
                {{"bits", bits}, {"rows", std::move(rows)}, {"base_transfers", base.to_json()}});
}

}  // namespace

}  // namespace smlp::bench

int main(int argc, char** argv) {
  return smlp::bench::run_benchmark(argc, argv, smlp::bench::run_transfers);
}
