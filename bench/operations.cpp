// Micro-benchmarks: each operation of a key beside GMP's and OpenSSL's way, sampled in turn, with the count
// of its modular products and the time that this count allows. Google Benchmark runs them; the tables come
// from the JSON (scripts/performance_tables.py).
#include <benchmark/benchmark.h>

#include <chrono>
#include <deque>
#include <iostream>
#include <numeric>
#include <optional>
#include <thread>

#include "bench/counts.h"
#include "bench/direct_channel.h"
#include "bench/reference.h"
#include "mlp/program/session.h"
#include "paillier/error.h"
#include "paillier/parallel.h"
#include "paillier/simultaneous_powers.h"

namespace smlp::bench {

namespace {

/// Somebody else's way of doing the same.
struct Way {
  std::string text;
  Task task;
};

struct Row {
  std::string name;
  std::string unit;
  Task ours;
  std::optional<Way> gmp, openssl;
  Count count;
  std::size_t rounds = 0;
};

/// The operations of one key pair. Stays where it is: its rows refer to it.
class KeyRows {
 public:
  KeyRows(std::size_t bits, std::size_t rounds)
      : rounds_(rounds),
        keys_(make_keys(Variant::subgroup, bits)),
        counts_(keys_),
        lanes_(lanes_of(keys_)),
        session_(keys_.public_keys(), direct_channel(keys_), BitBudget({}, 1024, bits), preset("homomorphic"),
                 random_, false) {
    add_products();
    add_paillier();
    add_matrix_powers();
    add_dgk();
    add_protocols();
  }
  KeyRows(const KeyRows&) = delete;
  KeyRows& operator=(const KeyRows&) = delete;

  const SecretKeys& keys() const { return keys_; }
  const std::vector<Row>& rows() const { return rows_; }
  std::size_t nominal_bits(std::size_t size) const {
    return keys_.public_keys().paillier().bits() / 2 << size;
  }
  const std::shared_ptr<const Lanes>& lanes(std::size_t size) const { return lanes_[size]; }

 private:
  /// Makes nothing ahead, or keeps `ready` of them ready, and is full.
  std::shared_ptr<RerandomiserPool> pool(const RerandomiserMaker& maker, std::size_t ready) {
    auto pool =
        std::make_shared<RerandomiserPool>(maker, random_.derive("pool " + std::to_string(++step_)), ready);
    pool->take(1);
    for (int wait = 0; wait < 6000 && pool->ready() + 64 < ready; ++wait)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return pool;
  }

  /// An evaluator of the session that has drawn nothing: a place serves one call.
  Evaluator fresh_evaluator() {
    const Evaluator& of_session = session_.arithmetic().evaluator();
    return {of_session.keys, of_session.budget, of_session.channel,
            random_.derive("call " + std::to_string(++step_)), of_session.session};
  }

  Draws next_draws() { return Draws(random_, Address{.step = ++step_}); }
  Integer below(const Integer& bound) { return next_draws().stream(0).below(bound); }

  void add_products() {
    for (const Instructions instructions : {best_instructions(), Instructions::scalar})
      for (std::size_t size = 0; size < sizes; ++size) {
        const Integer& m = lanes_[size]->modulus();
        const auto lanes = std::make_shared<const Lanes>(m, instructions);
        Row row{
            "product mod " + std::to_string(nominal_bits(size)) + " bits, " + std::string(name(instructions)),
            "product",
            product_task(lanes),
            {},
            {},
            {},
            2 * rounds_};
        constexpr std::size_t repeats = 64;
        const auto a = std::make_shared<Integer>(below(m));
        row.gmp =
            Way{"mul + mod", {repeats, [=, b = below(m), &m] { multiply_with_gmp(*a, b, m, repeats); }}};
        const auto openssl = std::make_shared<const Openssl>(m);
        const auto x = std::make_shared<Openssl::Number>(Openssl::number(below(m)));
        const auto y = std::make_shared<Openssl::Number>(Openssl::number(below(m)));
        row.openssl = Way{"BN_mod_mul_montgomery", {repeats, [=] { openssl->multiply(*x, *y, repeats); }}};
        rows_.push_back(std::move(row));
      }
  }

  /// base^exponent mod m by both, after a check that they agree.
  void compare_with_power(Row& row, const std::string& what, const Integer& base, const Integer& exponent,
                          const Integer& m, bool secret) {
    const auto openssl = std::make_shared<const Openssl>(m);
    const auto numbers = std::make_shared<std::array<Openssl::Number, 3>>(
        std::array{Openssl::number(base), Openssl::number(exponent), Openssl::number(0)});
    const auto power = [=] { openssl->power((*numbers)[2], (*numbers)[0], (*numbers)[1], secret); };
    power();
    if (Openssl::integer((*numbers)[2]) != power_with_gmp(base, exponent, m))
      throw Error("OpenSSL and GMP do not agree on " + what);
    row.gmp =
        Way{"mpz_powm: " + what, {1, [=] { benchmark::DoNotOptimize(power_with_gmp(base, exponent, m)); }}};
    row.openssl = Way{(secret ? "BN_mod_exp_mont_consttime: " : "BN_mod_exp_mont: ") + what, {1, power}};
  }

  void add_paillier() {
    constexpr std::size_t batch = 16;
    const PaillierPublicKey& key = keys_.public_keys().paillier();
    const PaillierSecretKey& secret = keys_.paillier();
    const std::vector<Integer> plain(batch, 12345);
    const auto ciphertexts = std::make_shared<std::vector<Ciphertext>>();
    for (const FreshCiphertext& c : key.encrypt(plain, next_draws())) ciphertexts->push_back(c.local());
    const Integer r = below(key.n());
    const auto add = [&](const char* name, const Count& count, std::function<void()> body) -> Row& {
      return rows_.emplace_back(Row{name, "ciphertext", {batch, std::move(body)}, {}, {}, count, rounds_});
    };
    Count ready;
    ready.products[twice] = 1;
    for (const auto& [name, count, body] :
         {std::tuple<const char*, Count, std::function<void()>>{
              "Paillier encryption, evaluator", counts_.rerandomisation,
              [this, plain, &key] { key.encrypt(plain, next_draws()); }},
          {"Paillier re-randomisation", counts_.rerandomisation,
           [pool = pool(key.rerandomisers(), 0), ciphertexts, &key] {
             key.rerandomise(*ciphertexts, pool->take(ciphertexts->size()));
           }},
          {"Paillier re-randomisation, from the pool", ready,
           [pool = pool(key.rerandomisers(), 1 << 14), ciphertexts, &key] {
             key.rerandomise(*ciphertexts, pool->take(ciphertexts->size()));
           }},
          {"Paillier encryption, key holder", counts_.encryption,
           [this, plain, &secret] { secret.encrypt(plain, next_draws()); }}})
      compare_with_power(add(name, count, body), "r^n mod n^2", r, key.n(), key.n_squared(), false);
    const Integer p = secret.p().value() - 1, q = secret.q().value() - 1;
    compare_with_power(add("Paillier decryption", counts_.decryption,
                           [ciphertexts, &secret] { secret.decrypt(*ciphertexts); }),
                       "c^lambda mod n^2", ciphertexts->front().residue(), lcm(p, q), key.n_squared(), true);
  }

  void add_matrix_powers() {
    constexpr PowersShape shape{.rows = 1, .inner = 784, .outputs = 128, .bits = 60};
    constexpr std::size_t terms = shape.inner * shape.outputs;
    const auto& lanes = lanes_[twice];
    const Integer& m = lanes->modulus();
    const auto bases = std::make_shared<std::vector<Integer>>();
    const auto exponents = std::make_shared<std::vector<Integer>>();
    const Draws draws = next_draws();
    for (std::size_t k = 0; k < shape.inner; ++k) bases->push_back(draws.stream(k).below(m));
    for (std::size_t i = 0; i < terms; ++i)
      exponents->push_back(draws.stream(shape.inner + i).bits(shape.bits));
    const auto body = [=] {
      benchmark::DoNotOptimize(simultaneous_powers(*lanes, *bases, *exponents, shape));
    };
    Row row{"matrix powers, 784 bases, 128 outputs, 60 bits",
            "term",
            {terms, body},
            {},
            {},
            count_of(*lanes, twice, terms, body),
            std::max<std::size_t>(1, rounds_ / 3)};
    compare_with_power(row, "c^k mod n^2, k of 60 bits", bases->front(), exponents->front(), m, false);
    rows_.push_back(std::move(row));
  }

  void add_dgk() {
    constexpr std::size_t batch = 64;
    const DgkPublicKey& key = keys_.public_keys().dgk();
    const DgkSecretKey& secret = keys_.dgk();
    const std::vector<unsigned> ones(batch, 1);
    const auto add = [&](const char* name, const Count& count, std::function<void()> body) -> Row& {
      return rows_.emplace_back(Row{name, "ciphertext", {batch, std::move(body)}, {}, {}, count, rounds_});
    };
    const std::size_t exponent_bits =
        2 * key.subgroup_bits() + DgkPublicKey::rerandomisation_sigma + DgkPublicKey::exponent_margin;
    const Integer r = next_draws().stream(0).bits(exponent_bits);
    compare_with_power(add("DGK encryption, evaluator", counts_.bit_rerandomisation,
                           [pool = pool(key.rerandomisers(), 0), &key] {
                             Rerandomisers ready = pool->take(batch);
                             const std::vector<unsigned> bits(key.lanes(), 1);
                             std::vector<std::size_t> which(key.lanes());
                             for (std::size_t first = 0; first < batch; first += key.lanes()) {
                               std::iota(which.begin(), which.end(), first);
                               key.rerandomise(key.trivial(bits), ready, which);
                             }
                           }),
                       "h^r mod n, r of 2t + sigma + 24 bits", key.h(), r, key.n(), false);
    compare_with_power(add("DGK encryption, key holder", counts_.bit_encryption,
                           [this, ones, &secret] { secret.encrypt(ones, next_draws(), 2); }),
                       "h^r mod n, r of 2t + sigma + 24 bits", key.h(), r, key.n(), false);
    const auto bits = std::make_shared<std::vector<DgkCiphertext>>();
    for (const FreshDgkCiphertext& c : secret.encrypt(ones, next_draws())) bits->push_back(c.local());
    compare_with_power(add("DGK zero test", counts_.zero_test, [bits, &secret] { secret.are_zero(*bits); }),
                       "c^v mod p", bits->front().residue() % secret.p().value(), secret.v_p().value(),
                       secret.p().value(), true);
  }

  /// Both parties together, through the registry and the channel.
  void add_protocols() {
    const Evaluator& evaluator = session_.arithmetic().evaluator();
    const BitBudget& budget = evaluator.budget;
    const ProtocolNames names = preset("homomorphic");
    protocols_ = make_protocols(names, budget);
    const std::size_t rows = budget.slots(), cols = 8, cells = rows * cols;
    IntegerMatrix values(rows, cols);
    const Draws draws = next_draws();
    for (std::size_t i = 0; i < cells; ++i)
      values.cells()[i] =
          draws.stream(i).bits(budget.numbers().value_bits) - power_of_two(budget.numbers().value_bits - 1);
    const Layout layout = balanced_layout(rows, cols, budget.slots());
    const auto z = std::make_shared<const EncryptedMatrix>(
        encrypt_matrix(evaluator.paillier(), values, layout, budget.slot_bits(), next_draws(), next_draws())
            .local());
    const Sizes wire{budget, evaluator.paillier().ciphertext_bytes(),
                     evaluator.keys.dgk().ciphertext_bytes()};
    const OperationId forward{1, 0, Direction::activation}, backward{1, 0, Direction::activation_backward};
    const auto add = [&](const std::string& name, Family family, const std::string& protocol, bool compared,
                         std::function<void()> body) {
      Work work{layout, {}};
      work.opened_bits = compared ? budget.guarded_mask_bits() : 0;
      const Operations operations = find_protocol(family, protocol).operations(work, wire);
      rows_.push_back({name,
                       "value",
                       {cells, std::move(body)},
                       {},
                       {},
                       1.0 / static_cast<double>(cells) * counts_.of(operations),
                       std::max<std::size_t>(1, rounds_ / 2)});
    };
    add("comparison " + names.comparison + ", both parties", Family::comparison, names.comparison, false,
        [this, z, forward] {
          const Evaluator evaluator = fresh_evaluator();
          protocols_.comparison->sign(evaluator, forward, *z);
          evaluator.calls->send();
        });
    const auto shares =
        std::make_shared<const SignShares>(protocols_.comparison->sign(fresh_evaluator(), forward, *z));
    shares->key_holder.bytes();  // what waits is no part of a selection
    add("selection of what was compared, both parties", Family::selection, names.selection, true,
        [=, this] { protocols_.selection->select_compared(fresh_evaluator(), forward, *z, *shares); });
    add("selection of other values, both parties", Family::selection, names.selection, false,
        [=, this] { protocols_.selection->select(fresh_evaluator(), backward, *z, *shares); });
  }

  std::size_t rounds_;
  SecretKeys keys_;
  OperationCounts counts_;
  std::array<std::shared_ptr<const Lanes>, sizes> lanes_;
  RandomSource random_ = RandomSource::from_system();
  std::uint32_t step_ = 0;
  Session session_;
  ProtocolSet protocols_;
  std::vector<Row> rows_;
};

/// Runs one row and adds it to `results`.
void measure(benchmark::State& state, const KeyRows& key, const Row& row, Json& results) {
  Turns turns;
  turns.add(row.ours);
  for (const auto& way : {row.gmp, row.openssl})
    if (way) turns.add(way->task);
  for (std::size_t size = 0; size < sizes; ++size) {
    if (row.count.products[size] > 0) turns.add(product_task(key.lanes(size)));
    if (row.count.squares[size] > 0) turns.add(product_task(key.lanes(size), true));
  }
  for (auto _ : state) {
    turns.round();
    state.SetIterationTime(turns.samples(0).seconds.back());
  }

  std::size_t next = 0;
  const Samples& ours = turns.samples(next++);
  Json out{{"operation", row.name}, {"unit", row.unit}, {"ours", ours.to_json()}};
  for (const auto& [name, way] : {std::pair{"gmp", &row.gmp}, std::pair{"openssl", &row.openssl}}) {
    if (!*way) continue;
    const Samples& theirs = turns.samples(next++);
    out[name] = theirs.to_json();
    out[name]["way"] = (*way)->text;
    state.counters[std::string(name) + "_over_ours"] = theirs.min() / ours.min();
  }
  Json counts = Json::array();
  double floor = 0, median_floor = 0;
  for (std::size_t size = 0; size < sizes; ++size)
    for (const auto& [what, count] :
         {std::pair{"products", row.count.products[size]}, std::pair{"squares", row.count.squares[size]}}) {
      if (count <= 0) continue;
      const Samples& unit = turns.samples(next++);
      floor += count * unit.min();
      median_floor += count * unit.median();
      counts.push_back({{"bits", key.nominal_bits(size)}, {what, count}, {"each", unit.to_json()}});
    }
  if (!counts.empty()) {
    out["counts"] = std::move(counts);
    out["count"] = row.count.all();
    out["floor"] = {{"min", floor}, {"median", median_floor}};
  }
  results.push_back(std::move(out));
}

void run_operations(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const Options options(argc, argv,
                        "Micro-benchmarks on one thread; --benchmark_filter=REGEX chooses some.\n"
                        "--bits LIST    sizes of n (2048,3072)\n"
                        "--rounds N     samples of each operation (31)\n"
                        "--json FILE    results\n");
  set_thread_count(1);
  const std::vector<std::size_t> sizes_of_keys = options.numbers("bits", "2048,3072");
  const std::size_t rounds = options.number("rounds", 31);
  std::deque<KeyRows> keys;
  Json results{{"keys", Json::array()}};
  std::vector<Json> rows(sizes_of_keys.size(), Json::array());
  for (std::size_t i = 0; i < sizes_of_keys.size(); ++i) {
    const KeyRows& key = keys.emplace_back(sizes_of_keys[i], rounds);
    for (const Row& row : key.rows())
      benchmark::RegisterBenchmark(
          (std::to_string(sizes_of_keys[i]) + "/" + row.name).c_str(),
          [&key, &row, &rows, i](benchmark::State& state) { measure(state, key, row, rows[i]); })
          ->UseManualTime()
          ->Iterations(static_cast<benchmark::IterationCount>(row.rounds))
          ->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  for (std::size_t i = 0; i < sizes_of_keys.size(); ++i)
    results["keys"].push_back({{"bits", sizes_of_keys[i]},
                               {"subgroup_bits", keys[i].keys().public_keys().paillier().subgroup_bits()},
                               {"rows", std::move(rows[i])}});
  write_results(options.text("json", ""), "operations", results);
}

}  // namespace

}  // namespace smlp::bench

int main(int argc, char** argv) {
  return smlp::bench::run_benchmark(argc, argv, smlp::bench::run_operations);
}
