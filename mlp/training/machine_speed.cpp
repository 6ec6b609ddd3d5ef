// Short samples of each operation, on every thread.
#include "mlp/training/machine_speed.h"

#include <time.h>

#include <algorithm>
#include <functional>
#include <future>
#include <vector>

#include "paillier/parallel.h"
#include "protocols/evaluator.h"
#include "protocols/key_holder.h"
#include "protocols/masked_values.h"
#include "protocols/matmul/cross_terms.h"
#include "protocols/oblivious_transfer/garbled_comparisons.h"
#include "protocols/oblivious_transfer/session.h"
#include "protocols/sealed_state.h"
#include "protocols/transport/hosted.h"

namespace smlp {

double MachineSpeed::evaluator_seconds(const Cost& cost, int threads) const {
  const Operations& o = cost.operations;
  const double work = o.products * product + o.rerandomisations * rerandomisation +
                      o.encryptions * reception + o.bit_products * bit_product +
                      o.bit_rerandomisations * bit_rerandomisation + o.bit_encryptions * bit_reception;
  return work / std::max(threads, 1) + half_of_both(cost, threads);
}

double MachineSpeed::key_holder_seconds(const Cost& cost, int threads) const {
  const Operations& o = cost.operations;
  const double work = o.decryptions * decryption + o.encryptions * encryption +
                      o.bit_encryptions * bit_encryption + o.zero_tests * zero_test;
  return work / std::max(threads, 1) + half_of_both(cost, threads);
}

double MachineSpeed::half_of_both(const Cost& cost, int threads) const {
  const Operations& o = cost.operations;
  const double work = o.gates * gate + o.transfers * transfer + o.transfer_blocks * transfer_block;
  const auto bytes = static_cast<double>(cost.traffic.to_key_holder + cost.traffic.to_evaluator);
  const double alone =
      bytes * byte + o.masked_values * value + static_cast<double>(cost.traffic.rounds) * request;
  return (work / std::max(threads, 1) + alone) / 2;
}

namespace {

/// Processor time of the calling thread, or of the process. Unlike wall-clock time it does not grow while
/// other processes have the processor.
double seconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}
double thread_seconds() {
  return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double median(std::vector<double>& samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::ranges::nth_element(samples, middle);
  return *middle;
}

/// Seconds of one operation, sampled.
struct Samples {
  double MachineSpeed::*operation;
  std::vector<double> seconds;
};

/// Times calls on one thread, in turn so that a slow moment of the machine touches all alike.
class Sampler {
 public:
  /// `call` does `elements` of the operation. It is timed in each round, a long one in the first `rounds`.
  void add(double MachineSpeed::*operation, double elements, std::function<void()> call,
           int rounds = all_rounds) {
    calls_.push_back({elements, std::move(call), rounds});
    samples_.push_back({operation, {}});
  }
  std::vector<Samples> run() {
    for (int round = 0; round < all_rounds; ++round)
      for (std::size_t i = 0; i < calls_.size(); ++i) {
        if (round >= calls_[i].rounds) continue;
        if (calls_[i].rounds == all_rounds)
          calls_[i].body();  // its tables are in the caches, as among thousands
        const double start = thread_seconds();
        calls_[i].body();
        samples_[i].seconds.push_back((thread_seconds() - start) / calls_[i].elements);
      }
    return std::move(samples_);
  }

 private:
  static constexpr int all_rounds = 11;
  struct Call {
    double elements;
    std::function<void()> body;
    int rounds;
  };
  std::vector<Call> calls_;
  std::vector<Samples> samples_;
};

/// Garbled comparisons of both parties.
class GateSample {
 public:
  static constexpr std::size_t bits = 24, comparisons = comparisons_in_piece;
  static constexpr std::size_t gates = comparisons * (bits - 1);

  explicit GateSample(RandomStream random) : leaves_(leaf_count(key_holder_depth)), r_(comparisons) {
    for (Block& seed : leaves_) seed = {random.word(), random.word()};
    for (std::uint64_t& word : r_) word = random.word();
  }
  void run() const {
    const Block offset{1, 0};
    const SecretBlocks known = known_leaves(offset, leaves_, key_holder_depth);
    const Label label{};
    TransferChooser chooser(leaves_, key_holder_depth, label);
    OffsetHolder holder(offset, known, key_holder_depth, label);
    const Bytes corrections = choose_bits(std::move(chooser), bits, r_);
    SecretBlocks labels(comparisons * bits);
    holder.extend(corrections, labels);
    std::vector<Block> tables(comparisons * table_blocks(bits));
    std::vector<std::uint8_t> shares(comparisons);
    ComparisonGarbler(offset, {}, {}, bits).garble(labels, r_, tables, shares);
    ComparisonEvaluator({}, {}, bits).evaluate(labels, tables, shares);
  }

 private:
  SecretBlocks leaves_;
  std::vector<std::uint64_t> r_;
};

/// Cross terms of a product of cells x 1 and 1 x cells numbers of both parties.
class TransferSample {
 public:
  TransferSample(std::size_t inner, std::size_t cells, const RandomSource& random)
      : terms_(cross_terms(BitBudget({}, 1024, 2048), cells, inner, cells)),
        rho_(Mask::drawn(Draws(random, {}), cells, cells, terms_.ring_bits)),
        leaves_(leaf_count(key_holder_depth)) {
    RandomStream words = random.stream({});
    for (Block& seed : leaves_) seed = {words.word(), words.word()};
    elements_ = FixedIntegers(terms_.elements(), terms_.choice_limbs());
    for (std::size_t i = 0; i < elements_.size(); ++i) elements_[i][0] = words.word();
  }
  double transfers() const { return static_cast<double>(terms_.transfers()); }
  double blocks() const { return static_cast<double>(terms_.pad_blocks()); }
  void run() const {
    const Block offset{1, 0};
    const SecretBlocks known = known_leaves(offset, leaves_, key_holder_depth);
    const auto chooser = [&] { return TransferChooser(leaves_, key_holder_depth, {}); };
    const Bytes corrections = choose_elements(terms_, chooser(), elements_, {0, elements_.size()});
    const IntegerMatrix e_a(terms_.rows, terms_.inner), e_b(terms_.inner, terms_.cols);
    const Bytes messages =
        CrossTermSender(terms_, key_holder_depth, e_a, e_b, rho_.values())
            .send(offset, [&] { return OffsetHolder(offset, known, key_holder_depth, {}); }, corrections, {});
    FixedIntegers sums(terms_.cells(), terms_.limbs());
    receive_cross_terms(terms_, 0, chooser, elements_, messages, sums);
  }

 private:
  CrossTerms terms_;
  Mask rho_;
  SecretBlocks leaves_;
  FixedIntegers elements_;
};

/// What both parties do with values under masks, beside ciphertexts and transfers.
class ValueSample {
 public:
  static constexpr std::size_t values = 1024;

  ValueSample(const BitBudget& budget, RandomSource random) : budget_(budget), random_(std::move(random)) {}
  void run() const {
    const std::size_t bits = budget_.value_mask_bits(), limbs = masked_value_limbs(bits);
    // The evaluator's: the mask of an operand, and what it takes from products.
    const Mask mask = Mask::drawn(Draws(random_, {}), values, 1, bits);
    const FixedIntegers hidden(offset_operand(budget_, mask.values()).cells(), limbs);
    // The key holder's: what it sees, sealed, and opened for the next product.
    SecretBytes state;
    append_masked(hidden, bits, state);
    Header header;
    header.layout = {{1}, {1}};
    RandomStream salt = random_.stream({});
    const Bytes sealed = seal(state, header, {}, {}, salt);
    const FixedIntegers shown = read_masked(unseal(sealed, header, "", 0, {}).state, values, bits);
    const FixedIntegers elements(offset_operand(budget_, integer_matrix(shown, values, 1)).cells(), limbs);
  }

 private:
  BitBudget budget_;
  RandomSource random_;
};

/// All operations on the calling thread alone.
std::vector<Samples> sample_operations(const SecretKeys& keys, const RandomSource& random) {
  set_thread_count(1);
  const PaillierPublicKey& paillier = keys.public_keys().paillier();
  const DgkPublicKey& dgk = keys.public_keys().dgk();
  constexpr std::size_t batch = 16;  // full lanes, as the protocols fill them
  const OperationId operation{0, 0, Direction::output};
  std::uint64_t drawn = 0;
  const auto next = [&] {
    return Draws(random, [&] {
      Address address = operation.address(RandomnessKind::mask_conversion);
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

  // A product inside a matrix product: powers of some rows of ciphertexts, whose tables leave the caches as
  // those of larger ones do, by masks of numbers of 20 bits at sigma 56.
  constexpr std::size_t rows = 4, inner = 64, cols = 64, mask_bits = 78;
  std::vector<Ciphertext> many_ciphertexts;
  for (std::size_t i = 0; i < rows * inner; ++i) many_ciphertexts.push_back(ciphertexts[i % batch]);
  std::vector<Integer> exponents;
  const Draws draws = next();
  for (std::size_t i = 0; i < inner * cols; ++i)
    exponents.push_back(power_of_two(mask_bits - 1) + draws.stream(i).bits(mask_bits - 1));
  Sampler sampler;
  sampler.add(
      &MachineSpeed::product, powers_products(rows, inner, cols, mask_bits),
      [&] { paillier.matrix_product(many_ciphertexts, exponents, rows, inner, cols); }, 3);
  // What a pool makes ahead costs as much, on processors that have the time.
  constexpr std::size_t taken = 4 * batch;
  RerandomiserPool ahead(paillier.rerandomisers(), random.derive("speed of Paillier"), 0);
  RerandomiserPool bits_ahead(dgk.rerandomisers(), random.derive("speed of DGK"), 0);
  sampler.add(&MachineSpeed::rerandomisation, taken, [&] {
    Bytes sent;
    paillier.encode(paillier.rerandomise(std::span(many_ciphertexts).first(taken), ahead.take(taken)), sent);
  });
  Bytes received, bits_received;
  const std::vector<Integer> many(taken, 12345);
  paillier.encode(keys.paillier().encrypt(many, next()), received);
  const std::span<const std::uint8_t> first_received =
      std::span(received).first(batch * paillier.ciphertext_bytes());
  sampler.add(&MachineSpeed::decryption, batch,
              [&, first_received] { keys.paillier().decrypt(paillier.decode(first_received, batch, "")); });
  sampler.add(&MachineSpeed::encryption, taken, [&] {
    Bytes sent;
    paillier.encode(keys.paillier().encrypt(many, next()), sent);
  });
  sampler.add(&MachineSpeed::reception, taken, [&] { paillier.decode(received, taken, ""); });
  std::vector<DgkBlock> blocks;
  for (std::size_t first = 0; first < batch; first += dgk.lanes())
    blocks.push_back(dgk.block(std::span(bits).subspan(first, std::min(dgk.lanes(), batch - first))));
  constexpr std::size_t products = 32;
  sampler.add(&MachineSpeed::bit_product, products * batch, [&] {
    for (DgkBlock& block : blocks)
      for (std::size_t i = 0; i < products; ++i) dgk.add(block, blocks[0]);
  });
  sampler.add(&MachineSpeed::bit_rerandomisation, taken, [&] {
    Rerandomisers ready = bits_ahead.take(taken);
    Bytes sent;
    for (std::size_t done = 0; done < taken;) {
      std::vector<std::size_t> which;
      for (; which.size() < std::min(dgk.lanes(), batch) && done < taken; ++done) which.push_back(done);
      dgk.encode(dgk.rerandomise(blocks[0], ready, which), sent);
    }
  });
  const std::vector<unsigned> many_bits(taken, 1);
  sampler.add(&MachineSpeed::bit_encryption, taken, [&] {
    Bytes sent;
    dgk.encode(keys.dgk().encrypt(many_bits, next()), sent);
  });
  dgk.encode(keys.dgk().encrypt(many_bits, next()), bits_received);
  sampler.add(&MachineSpeed::bit_reception, taken, [&] { dgk.decode(bits_received, taken, ""); });
  sampler.add(&MachineSpeed::zero_test, taken,
              [&] { keys.dgk().are_zero(dgk.decode(bits_received, taken, "")); });
  const GateSample garbled(random.derive("speed of gates").stream({}));
  sampler.add(&MachineSpeed::gate, GateSample::gates, [&] { garbled.run(); });
  const TransferSample short_vectors(64, 1, random.derive("speed of transfers")),
      long_vectors(1, 64, random.derive("speed of messages"));
  sampler.add(&MachineSpeed::transfer, short_vectors.transfers(), [&] { short_vectors.run(); });
  sampler.add(&MachineSpeed::transfer_block, long_vectors.blocks(), [&] { long_vectors.run(); });
  const ValueSample values(BitBudget({}, 1024, paillier.bits()), random.derive("speed of values"));
  sampler.add(&MachineSpeed::value, ValueSample::values, [&] { values.run(); });
  return sampler.run();
}

/// Requests over the transport of one process. Seconds of all of the process, whose other threads have
/// nothing to do meanwhile; medians of several.
class RequestSample {
 public:
  explicit RequestSample(const SecretKeys& keys)
      : hosted_(std::make_shared<KeyHolder>(keys, KeyHolderPolicy{}, AnswerRandomness::from_system())) {
    header_.key = keys.public_keys().fingerprint();
    const BitBudget budget({}, 1024, keys.paillier().public_key().bits());
    header_.numbers = budget.numbers();
    header_.max_inner = static_cast<std::uint32_t>(budget.max_inner());
    header_.slots = static_cast<std::uint32_t>(budget.slots());
    header_.layout = {{1}, {1}};
  }
  /// Of a short one: for the point of base transfers.
  double request() {
    header_.protocol = "conversion/base-transfers";
    header_.parameters = {version_word()};
    const Bytes frame = encode_request(header_, {});
    if (!refusal_in(hosted_.exchange(frame)).empty()) throw Error("a request to be timed was refused");
    return seconds([&] { hosted_.exchange(frame); });
  }
  /// Of each byte of two long ones that go together: for nothing, so to be refused.
  double byte() {
    constexpr std::size_t body_bytes = std::size_t{1} << 20;
    header_.protocol = "speed/none";
    std::vector<ChainedRequest> requests(2, {encode_request(header_, Bytes(body_bytes, 1)), {}});
    return seconds([&] {
             hosted_.exchange_chain(requests);
             for (const ChainedRequest& request : requests) frame_tag(request.frame, {});
           }) /
           (2 * body_bytes);
  }

 private:
  template <typename Call>
  static double seconds(Call&& call) {
    constexpr int rounds = 15;
    std::vector<double> samples;
    for (int round = 0; round < rounds; ++round) {
      const double start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
      call();
      samples.push_back(seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start);
    }
    return median(samples);
  }

  HostedKeyHolder hosted_;
  Header header_;
};

}  // namespace

MachineSpeed measure_speed(const SecretKeys& keys, const RandomSource& random) {
  // On every thread at once, since threads slow each other down; each alone in its loops, so that none waits.
  std::vector<std::future<std::vector<Samples>>> threads;
  for (int i = 0; i < thread_count(); ++i)
    threads.push_back(std::async(
        std::launch::async,
        [&keys, own = random.derive("speed " + std::to_string(i))] { return sample_operations(keys, own); }));
  std::vector<Samples> all = threads.front().get();
  for (std::size_t i = 1; i < threads.size(); ++i) {
    const std::vector<Samples> more = threads[i].get();
    for (std::size_t k = 0; k < all.size(); ++k)
      all[k].seconds.insert(all[k].seconds.end(), more[k].seconds.begin(), more[k].seconds.end());
  }
  MachineSpeed speed;
  for (Samples& samples : all) speed.*samples.operation = median(samples.seconds);
  RequestSample requests(keys);
  speed.request = requests.request();
  speed.byte = requests.byte();
  return speed;
}

MachineSpeed measure_speed(const PublicKeys& like, const RandomSource& random) {
  const PaillierPublicKey& key = like.paillier();
  const SecretKeys keys = SecretKeys::generate(key.variant(), key.bits(), default_subgroup_bits(key.bits()),
                                               random.derive("keys to measure"));
  return measure_speed(keys, random);
}

}  // namespace smlp
