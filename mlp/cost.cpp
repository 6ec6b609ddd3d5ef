// The cost model.
#include "mlp/cost.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "mlp/batches.h"
#include "mlp/initial_weights.h"
#include "mlp/training.h"
#include "paillier/parallel.h"
#include "protocols/activation/tiles.h"

namespace smlp {

namespace {

/// Sums what the protocols of a run declare.
class Declared {
 public:
  Declared(const ProtocolNames& protocols, const Sizes& sizes) : protocols_(protocols), sizes_(sizes) {}
  const Cost& cost() const { return cost_; }

  void product(const Layout& left, const Layout& right, bool addend, const OperandStates& left_states = {},
               const OperandStates& right_states = {}) {
    const Descriptor& matmul = find_protocol(Family::matmul, protocols_.matmul);
    Work work{left, right};
    work.left_states = left_states;
    work.right_states = right_states;
    work.addend = matmul.fused && addend;
    count(matmul, work);
    if (matmul.fused) return;
    Work division{{left.row_groups, right.col_groups}, {}};
    division.addend = addend;
    count(find_protocol(Family::truncation, protocols_.truncation), division);
  }

  void activation(const Layout& layout, bool forward) {
    const std::uint64_t rounds_before = cost_.traffic.rounds;
    std::uint64_t rounds_after = 0;
    for (const Layout& tile : activation_tiles(layout)) {
      cost_.traffic.rounds = rounds_before;  // tiles go together
      activation_tile(tile, forward);
      rounds_after = std::max(rounds_after, cost_.traffic.rounds);
    }
    cost_.traffic.rounds = rounds_after;
  }

  void unpack(const Layout& layout) {
    if (sizes_.budget.slots() == 1 && !layout.single())
      count(find_protocol(Family::conversion, "unpack"), {layout, {}});
  }

 private:
  void activation_tile(const Layout& layout, bool forward) {
    const Descriptor& activation = find_protocol(Family::activation, protocols_.activation);
    Work work{layout, {}};
    if (activation.fused) {
      work.compared = !forward;
      return count(activation, work);
    }
    const Descriptor& comparison = find_protocol(Family::comparison, protocols_.comparison);
    if (forward) count(comparison, work);
    work.unopened = comparison.leaks();  // the affine comparison opens a multiple of z, not z + r
    work.compared = forward && !work.unopened;
    count(find_protocol(Family::selection, protocols_.selection), work);
  }

  void count(const Descriptor& descriptor, const Work& work) {
    cost_.traffic += descriptor.traffic(work, sizes_);
    cost_.operations += descriptor.operations(work, sizes_);
  }

  ProtocolNames protocols_;
  Sizes sizes_;
  Cost cost_;
};

Layout with_bias(Layout layout) {
  layout.col_groups.push_back(1);
  return layout;
}

/// Layout of the values of layer `layer` for a batch.
Layout activation_layout(const Network& network, std::size_t layer, const std::vector<std::size_t>& rows,
                         std::size_t slots) {
  return {rows, balanced_groups(network.sizes[layer], slots)};
}

/// Rows of a batch as the protocols see them.
std::vector<std::size_t> batch_groups(const std::vector<std::size_t>& widths, std::size_t slots) {
  if (slots != 1) return widths;
  std::size_t rows = 0;
  for (const std::size_t width : widths) rows += width;
  return std::vector<std::size_t>(rows, 1);
}

/// `inputs` and `weights`: how the operands of layer `layer` come.
template <typename States>
void forward_pass(Declared& declared, const Network& network, const std::vector<std::size_t>& rows,
                  std::size_t slots, States&& inputs, States&& weights) {
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    declared.product(with_bias(activation_layout(network, layer, rows, slots)),
                     weight_layout(network, layer, slots), false, inputs(layer), weights(layer));
    if (layer + 1 < network.layers())
      declared.activation(activation_layout(network, layer + 1, rows, slots), true);
  }
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  operations += other.operations;
  traffic += other.traffic;
  return *this;
}

namespace {

constexpr OperandStates kept{OperandUse::kept}, reused{OperandUse::reused};

/// A step on a batch of groups of these widths; `table`: how its features come.
Cost training_step_cost(const Network& network, const ProtocolNames& protocols,
                        const TrainingOptions& options, const std::vector<std::size_t>& group_widths,
                        const Sizes& sizes, const OperandStates& table) {
  const std::size_t slots = sizes.budget.slots();
  const bool addend = options.momentum != 0 || options.weight_decay != 0;
  Declared declared(protocols, sizes);
  for (const std::size_t cols : {network.inputs(), network.outputs()})
    declared.unpack({group_widths, balanced_groups(cols, sizes.budget.fitting_slots())});
  const std::vector<std::size_t> rows = batch_groups(group_widths, slots);
  using States = std::function<OperandStates(std::size_t)>;
  forward_pass(declared, network, rows, slots,
               States([&](std::size_t layer) { return layer == 0 ? table : kept; }),
               States([](std::size_t layer) { return layer == 0 ? OperandStates{} : kept; }));
  for (std::size_t layer = network.layers(); layer-- > 0;) {
    const Layout delta = activation_layout(network, layer + 1, rows, slots);
    OperandStates inputs = layer == 0 ? table : reused;
    inputs.use = OperandUse::reused;
    declared.product(with_bias(activation_layout(network, layer, rows, slots)).transposed(), delta, addend,
                     inputs, layer == 0 ? OperandStates{} : kept);
    if (layer == 0) continue;
    Layout weights = weight_layout(network, layer, slots);
    weights.row_groups.pop_back();
    OperandStates with_bias_row = reused;
    with_bias_row.unused_cells = weights.cols();
    declared.product(delta, weights.transposed(), false, reused, with_bias_row);
    declared.activation(activation_layout(network, layer, rows, slots), false);
  }
  return declared.cost();
}

}  // namespace

Cost epoch_cost(const Network& network, const ProtocolNames& protocols, const TrainingOptions& options,
                const TableGroups& groups, const Sizes& sizes, bool first) {
  const bool keeps = keeps_table(groups, network.inputs() + 1, sizes.budget);
  Cost cost;
  for (const auto& batch : groups.batches) {
    std::vector<std::size_t> widths;
    for (const std::size_t group : batch) widths.push_back(groups.widths[group]);
    OperandStates table = kept;
    if (keeps) table = {first ? OperandUse::kept : OperandUse::reused, batch.size(), 0};
    cost += training_step_cost(network, protocols, options, widths, sizes, table);
  }
  return cost;
}

Cost classification_cost(const Network& network, const ProtocolNames& protocols, const TableGroups& groups,
                         const Sizes& sizes) {
  Cost cost;
  const std::size_t slots = sizes.budget.slots();
  for (const auto& batch : groups.batches) {
    std::vector<std::size_t> widths;
    for (const std::size_t group : batch) widths.push_back(groups.widths[group]);
    Declared declared(protocols, sizes);
    declared.unpack({widths, balanced_groups(network.inputs(), sizes.budget.fitting_slots())});
    declared.unpack({widths, {1}});  // row numbers
    const OperandStates weights = &batch == &groups.batches.front() ? kept : reused;
    using States = std::function<OperandStates(std::size_t)>;
    forward_pass(declared, network, batch_groups(widths, slots), slots,
                 States([](std::size_t) { return OperandStates{}; }),
                 States([&](std::size_t) { return weights; }));
    cost += declared.cost();
  }
  return cost;
}

double MachineSpeed::seconds(const Operations& o, int threads) const {
  const double work = o.products * product + o.rerandomisations * rerandomisation +
                      o.decryptions * decryption + o.encryptions * encryption + o.bit_products * bit_product +
                      o.bit_rerandomisations * bit_rerandomisation + o.bit_encryptions * bit_encryption +
                      o.zero_tests * zero_test;
  return work / std::max(threads, 1);
}

namespace {

/// Medians of several calls, sampled in turn so that a slow moment of the machine touches all alike.
class Sampler {
 public:
  explicit Sampler(int threads) : threads_(threads) {}
  /// `seconds` becomes those for one of `elements` on one of the busy threads.
  void add(double& seconds, double elements, std::function<void()> call) {
    measured_.push_back({&seconds, threads_ / elements, std::move(call), {}});
  }
  void run() {
    constexpr int rounds = 41;
    for (Measured& m : measured_) m.call();
    for (int round = 0; round < rounds; ++round)
      for (Measured& m : measured_) {
        const auto start = std::chrono::steady_clock::now();
        m.call();
        m.samples.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      }
    for (Measured& m : measured_) {
      std::ranges::nth_element(m.samples, m.samples.begin() + rounds / 2);
      *m.seconds = m.samples[rounds / 2] * m.factor;
    }
  }

 private:
  struct Measured {
    double* seconds;
    double factor;
    std::function<void()> call;
    std::vector<double> samples;
  };
  int threads_;
  std::vector<Measured> measured_;
};

}  // namespace

MachineSpeed measure_speed(const SecretKeys& keys, const RandomSource& random) {
  const PaillierPublicKey& paillier = keys.public_keys().paillier();
  const DgkPublicKey& dgk = keys.public_keys().dgk();
  const int threads = thread_count();
  // Batches as the protocols make them: full lanes on all threads.
  const std::size_t batch = 8 * static_cast<std::size_t>(threads);
  const Place place{0, 0, Direction::output};
  std::uint64_t drawn = 0;
  const auto next = [&] {
    return Draws(random.derive("speed"), [&] {
      Address address = place.address(Draw::mask_conversion);
      address.element = drawn += 1 << 20;
      return address;
    }());
  };
  const std::vector<Integer> plain(batch, 12345);
  std::vector<Ciphertext> ciphertexts;
  for (const FreshCiphertext& c : paillier.encrypt(plain, next())) ciphertexts.push_back(c.local());
  const std::vector<unsigned> ones(batch, 1);
  std::vector<DgkCiphertext> bits;
  for (const FreshDgkCiphertext& c : keys.dgk().encrypt(ones, next())) bits.push_back(c.local());

  MachineSpeed speed;
  // A product inside a matrix product: 64-bit powers of one row of ciphertexts.
  std::vector<Integer> exponents;
  const std::size_t outputs = batch;
  const Draws draws = next();
  for (std::size_t i = 0; i < batch * outputs; ++i)
    exponents.push_back(power_of_two(63) + draws.stream(i).bits(63));
  Sampler sampler(threads);
  const auto count = static_cast<double>(batch);
  sampler.add(speed.product, powers_products(1, batch, outputs, 64),
              [&] { paillier.matrix_product(ciphertexts, exponents, 1, batch, outputs); });
  // What a pool makes ahead costs as much, on processors that have the time; whole chunks for all threads.
  const std::size_t taken = 4 * batch;
  RerandomiserPool ahead(paillier.rerandomisers(), random.derive("speed of Paillier"), 0);
  RerandomiserPool bits_ahead(dgk.rerandomisers(), random.derive("speed of DGK"), 0);
  sampler.add(speed.rerandomisation, static_cast<double>(taken), [&] { ahead.take(taken); });
  sampler.add(speed.decryption, count, [&] { keys.paillier().decrypt(ciphertexts); });
  sampler.add(speed.encryption, count, [&] { keys.paillier().encrypt(plain, next()); });
  const auto for_blocks = [&](const std::function<void(std::size_t)>& body) {
    parallel_blocks(batch, dgk.lanes(), [&](std::size_t first, std::size_t) { body(first); });
  };
  std::vector<DgkBlock> blocks;
  for (std::size_t first = 0; first < batch; first += dgk.lanes())
    blocks.push_back(dgk.block(std::span(bits).subspan(first, std::min(dgk.lanes(), batch - first))));
  constexpr std::size_t products = 32;
  sampler.add(speed.bit_product, products * count, [&] {
    for_blocks([&](std::size_t first) {
      for (std::size_t i = 0; i < products; ++i) dgk.add(blocks[first / dgk.lanes()], blocks[0]);
    });
  });
  sampler.add(speed.bit_rerandomisation, static_cast<double>(taken), [&] { bits_ahead.take(taken); });
  sampler.add(speed.bit_encryption, count, [&] { keys.dgk().encrypt(ones, next()); });
  sampler.add(speed.zero_test, count, [&] { keys.dgk().are_zero(bits); });
  sampler.run();
  return speed;
}

double statistical_bits(const Operations& operations, std::size_t sigma) {
  const double draws =
      operations.masked_values + operations.rerandomisations + operations.bit_rerandomisations;
  return std::log2(std::max(draws, 1.0)) - static_cast<double>(sigma);
}

}  // namespace smlp
