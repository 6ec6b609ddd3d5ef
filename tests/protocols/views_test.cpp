// What the key holder sees depends on the inputs by the declared leakage alone: inputs of equal leakage look
// alike, for every protocol; and the same tests tell apart what a protocol says that it leaks.
//
// Each protocol runs many times under fresh randomness on fixed inputs. Every named view, its low byte, and
// the difference of any two views of one step are compared between two inputs by two-sample tests. All tests
// together err (reject although the distributions are equal) with probability 1e-6 at most, by Bonferroni;
// seeds are fixed, so the outcome is too.
#include <doctest/doctest.h>

#include <map>

#include "protocols/conversion/change_form.h"
#include "protocols/conversion/switch_key.h"
#include "protocols/conversion/unpack.h"
#include "protocols/oblivious_transfer/garbled_comparisons.h"
#include "protocols/oblivious_transfer/session.h"
#include "protocols/registry.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/statistics.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

constexpr double total_error = 1e-6;
constexpr Numbers small_numbers{8, 4, 40};

struct Sample {
  std::vector<double> values;
  std::vector<std::size_t> low_bytes = std::vector<std::size_t>(256);
  void add(const Integer& value) {
    values.push_back(value.get_d());
    ++low_bytes[mpz_fdiv_ui(value.get_mpz_t(), 256)];
  }
};
using Views = std::map<std::string, Sample>;

/// Gathers the views of one protocol, or of all, and the differences of views of one step.
class Collector {
 public:
  /// Empty: of all.
  explicit Collector(std::string protocol) : protocol_(std::move(protocol)) {}
  void see(const Header& header, std::string_view what, const std::vector<Integer>& values) {
    if (!protocol_.empty() && header.protocol != protocol_) return;
    if (header.operation.step != step_) seen_.clear();
    step_ = header.operation.step;
    const std::string name = header.protocol + " " +
                             std::to_string(static_cast<int>(header.operation.direction)) + " " +
                             std::to_string(header.stage) + " " + std::string(what);
    for (const Integer& value : values) views_[name].add(value);
    for (const auto& [other, others] : seen_)
      if (others.size() == values.size())
        for (std::size_t i = 0; i < values.size(); ++i)
          views_[name + " - " + other].add(values[i] - others[i]);
    seen_.emplace_back(name, values);
  }
  const Views& views() const { return views_; }

 private:
  std::string protocol_;
  std::uint32_t step_ = 0;
  std::vector<std::pair<std::string, std::vector<Integer>>> seen_;
  Views views_;
};

/// Runs a protocol once on operands whose cells are all alike.
void run_on(TwoParties& parties, const Descriptor& descriptor, const ProtocolSet& set, long a, long b) {
  const Evaluator& evaluator = parties.evaluator();
  const EncryptedMatrix x = parties.encrypt(matrix_of(4, 4, {a}));
  const EncryptedMatrix y = parties.encrypt(matrix_of(4, 4, {b}));
  const OperationId operation = parties.next_operation();
  OperationId backward = operation;
  backward.direction = Direction::backward;
  switch (descriptor.family) {
    case Family::matmul: {
      const EncryptedMatrix kept = x.opened_once();  // the second product reads what the first has opened
      set.matmul->multiply(evaluator, operation, kept, y, {3, 4}, Addend{y, 8});
      set.matmul->multiply(evaluator, backward, kept.transposed(), y, {3, 4}, std::nullopt, Form::opened);
      if (!descriptor.on_opened) break;
      // Sums of what was opened, as operands and as an addend.
      OperationId clipping = operation;
      clipping.direction = Direction::clipping;
      const EncryptedMatrix opened = open_matrix(evaluator, clipping, y),
                            sum = add(evaluator.paillier(), opened, opened);
      OperationId gradient = operation;
      gradient.direction = Direction::gradient;
      set.matmul->multiply(evaluator, gradient, opened, y, {3, 4}, Addend{sum, 9}, Form::opened);
      break;
    }
    case Family::truncation:
      set.truncation->rescale(evaluator, operation, x, 8, {3, 4}, Addend{y, 8});
      set.truncation->rescale(evaluator, backward, x, 8, {3, 4}, std::nullopt, Form::opened);
      break;
    case Family::comparison:
      set.comparison->sign(evaluator, operation, x);
      if (descriptor.on_opened)
        set.comparison->sign(evaluator, backward, parties.open(matrix_of(4, 4, {a}), backward));
      break;
    case Family::selection: {
      const SignShares bits = set.comparison->sign(evaluator, operation, x);
      set.selection->select(evaluator, backward, y, bits);
      OperationId gradient = operation;
      gradient.direction = Direction::gradient;
      set.selection->select(evaluator, gradient, parties.open(matrix_of(4, 4, {b}), gradient), bits,
                            Packings::row_packed);
      if (!descriptor.on_opened) break;
      OperationId clipping = operation;
      clipping.direction = Direction::clipping;
      set.selection->select(evaluator, clipping, y, bits, Packings::none);
      clipping.direction = Direction::lookahead;
      set.selection->select(evaluator, clipping, y, bits, Packings::operand);
      break;
    }
    case Family::activation: {
      const Activated out = set.activation->forward(evaluator, operation, x);
      set.activation->backward(evaluator, backward, y, *out.state);
      break;
    }
    case Family::conversion:
      if (descriptor.name == "unpack")
        unpack_matrix(evaluator, operation, x);
      else if (descriptor.name == "range-check")
        compare_and_check(evaluator, operation, x);
      else if (descriptor.name == "change-form") {
        const EncryptedMatrix opened = open_matrix(evaluator, operation, x),
                              other = open_matrix(evaluator, backward, y);
        OperationId stored = operation;
        stored.direction = Direction::stored;
        close_matrix(evaluator, stored, add(evaluator.paillier(), opened, other));
      } else if (descriptor.name == "base-transfers")
        EvaluatorTransfers(evaluator, operation,
                           parties.evaluator_random().derive("transfers " + std::to_string(operation.step)));
      else
        switch_key(evaluator, operation, toy_user_key(), Purpose::answers, x.column_packed());
      break;
  }
  evaluator.calls->send();
}

/// The value of all cells of either operand.
struct Input {
  long a, b;
};

/// What the descriptor says that the key holder may learn of it. A selection takes the compared value second.
std::vector<Integer> leaked(const Descriptor& descriptor, const Input& input) {
  if (!descriptor.leaks()) return {};
  const IntegerMatrix a = matrix_of(4, 4, {input.a}), b = matrix_of(4, 4, {input.b});
  return descriptor.family == Family::selection ? descriptor.leakage.of(b, a) : descriptor.leakage.of(a, b);
}

Views views_of(const Descriptor& descriptor, const ProtocolNames& names, std::size_t slots,
               const Input& input, std::uint64_t seed, int runs) {
  Collector collector(descriptor.wire_name());
  TwoParties parties(
      {.slots = slots,
       .seed = seed,
       .observer = [&](const Header& header, std::string_view what,
                       const FixedIntegers& values) { collector.see(header, what, values.integers()); },
       .numbers = small_numbers});
  const ProtocolSet set = make_protocols(names, parties.budget());
  for (int run = 0; run < runs; ++run) run_on(parties, descriptor, set, input.a, input.b);
  return collector.views();
}

/// The least probability over all views that the two inputs look alike, times the number of tests made
/// (Bonferroni).
double alike(const Views& first, const Views& second) {
  REQUIRE(!first.empty());
  REQUIRE(first.size() == second.size());
  double least = 1;
  for (const auto& [name, a] : first) {
    const Sample& b = second.at(name);
    REQUIRE(a.values.size() == b.values.size());
    least = std::min(
        {least, kolmogorov_smirnov(a.values, b.values), chi_square_two_samples(a.low_bytes, b.low_bytes)});
  }
  return least * 2 * static_cast<double>(first.size());
}

// Both ends of the value range: every mask must hide a whole range.
constexpr Input lowest{-128, 0};
constexpr Input highest{127, 127};

}  // namespace

TEST_CASE("statistics: known tails, equal samples accepted, others rejected") {
  // Quantiles of the chi-square table: 5 % at 3.841 (1), 18.307 (10); 1 % at 135.807 (100).
  CHECK(chi_square_tail(3.841459, 1) == doctest::Approx(0.05).epsilon(1e-5));
  CHECK(chi_square_tail(18.307038, 10) == doctest::Approx(0.05).epsilon(1e-5));
  CHECK(chi_square_tail(135.806723, 100) == doctest::Approx(0.01).epsilon(1e-5));
  CHECK(chi_square_tail(5, 10) == doctest::Approx(0.891178).epsilon(1e-5));
  RandomStream random = RandomSource::from_seed(30).stream({});
  std::vector<double> a, b, shifted;
  for (int i = 0; i < 2000; ++i) {
    a.push_back(random.bits(50).get_d());
    b.push_back(random.bits(50).get_d());
    shifted.push_back(random.bits(50).get_d() + power_of_two(47).get_d());
  }
  CHECK(kolmogorov_smirnov(a, b) > 0.001);
  CHECK(kolmogorov_smirnov(a, a) == 1);
  CHECK(kolmogorov_smirnov(a, shifted) < 1e-9);
  CHECK(chi_square_uniform({100, 100, 100}) == 1);
  CHECK(chi_square_uniform({100, 200, 100}) < 1e-9);
  CHECK(chi_square_two_samples({50, 50, 0}, {50, 50, 0}) == 1);
  CHECK(chi_square_two_samples({90, 10}, {10, 90}) < 1e-9);
}

TEST_CASE("views: inputs look alike exactly where the declared leakage is the same [slow]") {
  struct Pair {
    std::string name;
    bool same_leakage;
    double probability;
  };
  std::vector<Pair> pairs;
  for (const Descriptor& descriptor : registry()) {
    if (!descriptor.sends()) continue;
    // Where something leaks, pairs that agree in the sign, the size or the parity of one operand or both.
    std::vector<Input> inputs{lowest, highest};
    if (descriptor.leaks()) inputs.insert(inputs.end(), {{2, 2}, {100, 2}, {2, 100}});
    // What leaks may do so by a multiplier of all slots of a ciphertext: samples would not be independent.
    const std::size_t slots = descriptor.single_value || descriptor.leaks() ? one_slot : many_slots;
    std::vector<Views> views;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      views.push_back(views_of(descriptor, compositions(descriptor).front(), slots, inputs[i], 31 + i,
                               descriptor.leaks() ? 24 : 64));
    for (std::size_t i = 0; i < inputs.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        pairs.push_back({descriptor.wire_name(),
                         leaked(descriptor, inputs[i]) == leaked(descriptor, inputs[j]),
                         alike(views[i], views[j])});
  }
  std::map<std::string, bool> told_apart;
  for (const Pair& pair : pairs) {
    INFO(pair.name);
    if (pair.same_leakage)
      CHECK(pair.probability * static_cast<double>(pairs.size()) > total_error);
    else
      told_apart[pair.name] |= pair.probability < total_error;
  }
  CHECK(told_apart.size() >= 2);
  for (const auto& told : told_apart) {
    INFO(told.first, " declares a leakage that these tests do not see");
    CHECK(told.second);
  }
}

TEST_CASE("views: a layer whose values stay opened shows as little, all its messages together [slow]") {
  const auto look = [&](const ProtocolNames& names, const Input& input, std::uint64_t seed) {
    Collector collector("");
    TwoParties parties(
        {.seed = seed,
         .observer = [&](const Header& header, std::string_view what,
                         const FixedIntegers& values) { collector.see(header, what, values.integers()); },
         .numbers = small_numbers});
    const ProtocolSet set = make_protocols(names, parties.budget());
    const int runs = names.comparison == "dgk-veugen" ? 64 : 12;  // messages of transfers are many bytes
    for (int run = 0; run < runs; ++run) {
      const Evaluator evaluator = gathering_evidence(parties.evaluator());
      const std::vector<std::size_t> groups = groups_with_bias(4, parties.budget().slots());
      const EncryptedMatrix x = parties.encrypt(matrix_of(4, 4, {input.a})).opened_once(),
                            w = parties.encrypt(matrix_of(4, 4, {input.b}), {groups, groups}).opened_once();
      OperationId operation = parties.next_operation();
      const auto at = [&](Direction direction) {
        operation.direction = direction;
        return operation;
      };
      const EncryptedMatrix z =
          set.matmul->multiply(evaluator, at(Direction::forward), x, w, {1, 9}, std::nullopt, Form::opened);
      const Activated out =
          set.activation->forward(evaluator, at(Direction::activation), z, Packings::column_packed);
      // Held in one packing, opened by a product, read transposed by the next.
      const EncryptedMatrix h = out.values.opened_once();
      const EncryptedMatrix delta = set.matmul->multiply(evaluator, at(Direction::backward), h,
                                                         w.transposed(), {1, 9}, std::nullopt, Form::opened);
      set.matmul->multiply(evaluator, at(Direction::gradient), h.transposed(), w, {1, 9}, std::nullopt);
      set.activation->backward(evaluator, at(Direction::activation_backward), delta, *out.state,
                               Packings::row_packed);
    }
    return collector.views();
  };
  ProtocolNames packed = preset("hybrid"), transfers = packed;
  packed.matmul = "packed";
  transfers.matmul = "oblivious-transfer";
  for (const ProtocolNames& names : {preset("homomorphic"), packed, transfers}) {
    CAPTURE(names.comparison);
    CAPTURE(names.matmul);
    // Of either sign.
    const Views first = look(names, {-128, 127}, 38), second = look(names, {127, 127}, 39);
    if (names.matmul == "packed") CHECK(first.contains("matmul/packed 0 0 A B + rho"));
    if (names.comparison == "dgk-veugen")
      CHECK(first.contains("comparison/dgk-veugen 1 1 t - matmul/packed 0 0 A B + rho"));
    CHECK(alike(first, second) > total_error);
  }
}

namespace {

/// One step of a training of two layers whose values stay opened, as the trainer takes it. All cells of a
/// matrix are alike: a those of the features, b those of the weights, the velocities and the labels.
void opened_step(TwoParties& owner, const Evaluator& evaluator, const ProtocolSet& set, std::uint32_t step,
                 const Input& input) {
  const PaillierPublicKey& key = evaluator.paillier();
  const std::vector<std::size_t> with_bias = groups_with_bias(4, evaluator.budget.slots()),
                                 hidden(with_bias.begin(), with_bias.end() - 1),
                                 rows = balanced_layout(4, 2, evaluator.budget.slots()).row_groups,
                                 outputs{2};
  const auto at = [&](std::uint8_t layer, Direction direction) {
    return OperationId{step, layer, direction};
  };
  const auto encrypted = [&](const std::vector<std::size_t>& of_rows, const std::vector<std::size_t>& of_cols,
                             long value) {
    const Layout layout{of_rows, of_cols};
    return owner.encrypt(matrix_of(layout.rows(), layout.cols(), {value}), layout);
  };
  const auto opened = [&](const OperationId& place, const std::vector<std::size_t>& of_rows,
                          const std::vector<std::size_t>& of_cols) {
    return open_matrix(evaluator, place, encrypted(of_rows, of_cols, input.b));
  };
  const auto multiply = [&](const OperationId& place, const EncryptedMatrix& left,
                            const EncryptedMatrix& right,
                            const std::optional<Addend>& addend = std::nullopt) {
    return set.matmul->multiply(evaluator, place, left, right, {1, 9}, addend, Form::opened);
  };
  const auto momentum = [&](const EncryptedMatrix& velocity) { return Addend{scale(key, velocity, 3), 10}; };
  const EncryptedMatrix x = encrypted(rows, with_bias, input.a).opened_once(),
                        w = opened(at(0, Direction::lookahead), with_bias, hidden).opened_once(),
                        u = opened(at(1, Direction::lookahead), with_bias, outputs).opened_once(),
                        v_of_w = opened(at(0, Direction::lookahead_velocity), with_bias, hidden),
                        v_of_u = opened(at(1, Direction::lookahead_velocity), with_bias, outputs),
                        labels = opened(at(1, Direction::input), rows, outputs);
  const EncryptedMatrix z = multiply(at(0, Direction::forward), x, w);
  const Activated relu =
      set.activation->forward(evaluator, at(0, Direction::activation), z, Packings::operand);
  const EncryptedMatrix h =
      append_constant_column(key, relu.values, 16, evaluator.budget.slot_bits()).opened_once();
  const EncryptedMatrix delta =
      subtract(key, multiply(at(1, Direction::forward), h, u), labels).opened_once();
  const EncryptedMatrix before =
      set.activation->backward(evaluator, at(0, Direction::activation_backward),
                               multiply(at(1, Direction::backward), delta, drop_last_row(u).transposed()),
                               *relu.state, Packings::operand);
  multiply(at(1, Direction::gradient), h.transposed(), delta, momentum(v_of_u));
  multiply(at(0, Direction::gradient), x.transposed(), before, momentum(v_of_w));
  evaluator.calls->send();
}

/// The views of transfers alone, and their differences.
Views of_transfers(const Views& views) {
  const auto is_one = [](std::string_view name) {
    return name.ends_with("messages of transfers") || name.ends_with("choices of the evaluator") ||
           name.ends_with("labels and tables") || name.ends_with("the message of a selection");
  };
  Views out;
  for (const auto& [name, sample] : views)
    if (is_one(name) && is_one(name.substr(0, name.find(" - ")))) out.emplace(name, sample);
  return out;
}

/// How two answers about one place differ, by exclusive or, without what a sealed state begins with: eight
/// bytes of its place, which are alike, salt and request.
Bytes difference_of_answers(const Bytes& a, const Bytes& b) {
  constexpr std::size_t place = 8, clear = place + 2 * sizeof(Digest);
  const Bytes both = difference(decode_answer(a), decode_answer(b)), alike(place);
  Bytes out;
  for (std::size_t i = 0; i < both.size(); ++i) {
    if (i + clear < both.size() && std::equal(alike.begin(), alike.end(), &both[i])) i += clear;
    out.push_back(both[i]);
  }
  return out;
}

}  // namespace

TEST_CASE("views: a step of a training whose values stay opened shows as little to either party [slow]") {
  ProtocolNames names = preset("hybrid");
  names.matmul = "oblivious-transfer";
  struct Seen {
    Views by_key_holder;
    std::map<std::string, Bytes> by_evaluator;  ///< how answers about two contents differ, by place
  };
  // `twice`: each step is taken again, about zeros, by an evaluator with the same masks and secrets.
  const auto look = [&](const Input& input, std::uint64_t seed, int runs, bool twice) {
    Collector collector("");
    TwoParties parties(
        {.seed = seed,
         .observer = [&](const Header& header, std::string_view what,
                         const FixedIntegers& values) { collector.see(header, what, values.integers()); },
         .numbers = small_numbers});
    const ProtocolSet set = make_protocols(names, parties.budget());
    const auto evaluator = [&] {
      return Evaluator(toy_keys().public_keys(), parties.budget(), parties.channel(),
                       parties.evaluator_random(), {}, false, RandomSource::from_seed(seed));
    };
    const Evaluator first = evaluator(), second = evaluator();
    const std::vector<Bytes>&requests = parties.channel().requests(), &answers = parties.channel().answers();
    Seen seen;
    for (int run = 1; run <= runs; ++run) {
      const std::size_t begin = answers.size();
      opened_step(parties, first, set, static_cast<std::uint32_t>(run), input);
      if (!twice) continue;
      const std::size_t sent = answers.size() - begin;
      opened_step(parties, second, set, static_cast<std::uint32_t>(run), {0, 0});
      REQUIRE(answers.size() == begin + 2 * sent);
      for (std::size_t i = begin; i < begin + sent; ++i) {
        const Header header = read_request_header(requests[i]);
        // Else there are sealed states alone, and base transfers, which are the same.
        if (header.stage != 0 || header.protocol.starts_with("conversion/")) continue;
        const Bytes both = difference_of_answers(answers[i], answers[i + sent]);
        Bytes& place = seen.by_evaluator[header.protocol + " " + std::to_string(header.operation.layer) +
                                         " " + std::to_string(static_cast<int>(header.operation.direction))];
        place.insert(place.end(), both.begin(), both.end());
      }
    }
    seen.by_key_holder = collector.views();
    return seen;
  };
  // Of either sign.
  const Views low = look({-128, 127}, 40, 8, false).by_key_holder,
              high = look({127, 127}, 41, 8, false).by_key_holder;
  for (const char* view :
       {"matmul/oblivious-transfer 0 0 A + R_A", "matmul/oblivious-transfer 2 1 C + R_C",
        "selection/oblivious-transfer 1 1 beta v + e", "selection/oblivious-transfer 4 1 beta v + e"})
    CHECK_MESSAGE(low.contains(view), view);
  // What selections gave is an operand as it is: of the left ones the features alone are masked.
  CHECK(low.at("matmul/oblivious-transfer 0 0 A + R_A").values.size() == 8 * 16);
  CHECK(!low.contains("matmul/oblivious-transfer 2 0 B + R_B"));
  CHECK(alike(low, high) > total_error);
  // Masks that serve two contents are seen; pads and labels do not, since they hang on contents.
  const Seen low_twice = look({-128, 127}, 42, 3, true), high_twice = look({127, 127}, 43, 3, true);
  CHECK(alike(low_twice.by_key_holder, high_twice.by_key_holder) < total_error);
  CHECK(alike(of_transfers(low_twice.by_key_holder), of_transfers(high_twice.by_key_holder)) > total_error);
  for (const Seen& seen : {low_twice, high_twice}) {
    REQUIRE(seen.by_evaluator.size() == 5 + 1 + 2);
    for (const auto& place : seen.by_evaluator)
      CHECK_MESSAGE(evenness(place.second) * 16 > total_error, place.first);
  }
  // The same finds corrections about two contents under one label.
  const auto corrections = [](std::uint64_t d) {
    const SecretBlocks leaves = key_holder_leaves({}, toy_keys().sealing_secret());
    return choose_bits({leaves, key_holder_depth, Label{}}, 24, std::vector<std::uint64_t>(12, d));
  };
  CHECK(evenness(difference(corrections(1), corrections(2))) * 16 < total_error);
}

TEST_CASE("views: the paper's comparison shows more than a sign [slow]") {
  for (const char* name : {"comparison/affine", "activation/max"}) {
    INFO(name);
    const Descriptor& descriptor = find_protocol(name);
    const auto look = [&](const Input& input, std::uint64_t seed) {
      return views_of(descriptor, compositions(descriptor).front(), one_slot, input, seed, 24);
    };
    CHECK(alike(look({2, 2}, 35), look({100, 2}, 36)) < total_error);
  }
}

TEST_CASE("views: a mask that is too narrow would be caught") {
  // The same procedure on values masked by 10 bits instead of 48.
  RandomStream random = RandomSource::from_seed(37).stream({});
  Views first, second;
  for (int i = 0; i < 1536; ++i) {
    first["x"].add(-128 + random.bits(10));
    second["x"].add(127 + random.bits(10));
  }
  CHECK(alike(first, second) < total_error);
}
