// Measures of oblivious transfers, garbled comparisons and products by transfers.
#include "tests/ctime/transfers.h"

#include <memory>
#include <vector>

#include "protocols/matmul/cross_terms.h"
#include "protocols/oblivious_transfer/garbled_comparisons.h"
#include "protocols/oblivious_transfer/selections.h"

namespace smlp::ctime {

namespace {

constexpr std::size_t bits = 24, cells = 130;  // more than a piece

SecretBlocks random_blocks(std::size_t count, const char* name) {
  RandomStream random = RandomSource::from_seed(11).derive(name).stream({});
  SecretBlocks blocks(count);
  for (Block& block : blocks) block = {random.word(), random.word()};
  return blocks;
}

void hide_all(SecretBlocks& blocks) {
  hide_bytes(blocks.data(), blocks.size() * sizeof(Block));
}

/// What both parties have of the transfers in which one chooses.
struct Base {
  Base(std::size_t depth, const char* name)
      : offset(random_blocks(1, "offset")), leaves(random_blocks(leaf_count(depth), name)) {
    offset[0].low |= 1;
    known = known_leaves(offset[0], leaves, depth);
  }
  SecretBlocks offset, leaves, known;
};

/// What the steps of both parties have that is secret.
struct Secrets {
  std::vector<std::uint64_t> d = std::vector<std::uint64_t>(cells), r = d;
  Matrix<std::uint8_t> s{cells, 1}, t{cells, 1};
  FixedIntegers k{cells, 2}, e{cells, 2}, elements{8, 2};
  IntegerMatrix m{2, 2};  // not for memcheck: GMP's lengths are not hidden

  /// All bits of each as the lowest one of `word`.
  explicit Secrets(std::uint64_t word) {
    const Limb all = mask_of(static_cast<unsigned>(word & 1));
    for (std::uint64_t& x : d) x = all;
    for (std::uint64_t& x : r) x = all;
    for (std::size_t i = 0; i < cells; ++i) {
      s.cells()[i] = t.cells()[i] = static_cast<std::uint8_t>(word & 1);
      k[i][0] = e[i][0] = all;
    }
    for (std::size_t i = 0; i < elements.size(); ++i) elements[i][0] = all;
    for (Integer& cell : m.cells()) cell = (word & 1) == 0 ? 0 : -1;
  }
  void hide_all() {
    hide_bytes(d.data(), d.size() * sizeof d[0]);
    hide_bytes(r.data(), r.size() * sizeof r[0]);
    hide_bytes(s.cells().data(), cells);
    hide_bytes(t.cells().data(), cells);
    for (const FixedIntegers* numbers : {&k, &e, &elements}) hide(*numbers);
  }
};

using Step = std::function<void(const std::string& name, const std::function<void()>& step)>;

/// All steps, the secrets of each hidden by `hiding`.
void take_steps(const EvaluatorTransfers& transfers, Secrets& secrets, bool hiding, const Step& step) {
  Base of_key_holder(key_holder_depth, "leaves of the key holder"),
      of_evaluator(evaluator_depth, "leaves of the evaluator");
  const Label label{};
  const RingBytes ring = RingBytes::for_signed(90);
  const Digest request{};
  SecretBlocks zeros = random_blocks(cells * bits, "labels"), active = zeros;
  std::vector<Block> tables(cells * table_blocks(bits));
  std::vector<std::uint8_t> shares(cells);
  const BitBudget budget({20, 10, 40}, 1024, 2048);
  const CrossTerms terms = cross_terms(budget, 2, 2, 2);
  std::vector<std::unique_ptr<CrossTermSender>> senders;  // one for each time that the step is taken
  for (int i = 0; i < 2; ++i)
    senders.push_back(
        std::make_unique<CrossTermSender>(terms, key_holder_depth, secrets.m, secrets.m, secrets.m));
  // Public: what one party has sent to the other.
  const Bytes garbled(garbled_bytes(cells, bits), 1), corrections(key_holder_corrections(cells * bits), 1);
  const Bytes choices(selection_choice_bytes(cells), 1), message(selection_message_bytes(cells, ring), 1);
  const Bytes of_elements(key_holder_corrections(terms.transfers()), 1),
      messages(cross_term_bytes(terms, 0), 1);
  const SelectionChoices chosen(transfers, {}, secrets.s);
  const Bytes answer(selection_answer_bytes(cells, ring), 1);
  TransferSender selecting(of_evaluator.offset[0], of_evaluator.known);
  FixedIntegers sums(terms.cells(), terms.limbs());
  if (hiding) {
    secrets.hide_all();
    for (Base* base : {&of_key_holder, &of_evaluator})
      for (SecretBlocks* blocks : {&base->leaves, &base->known}) hide_all(*blocks);
    hide_all(zeros);
    hide_all(active);
  }
  const auto chooser = [&] { return TransferChooser(of_key_holder.leaves, key_holder_depth, label); };
  const auto holder = [&] {
    SecretBlocks offset = of_key_holder.offset;
    if (hiding) hide_all(offset);
    return OffsetHolder(offset[0], of_key_holder.known, key_holder_depth, label);
  };
  step("corrections for bits", [&] { choose_bits(chooser(), bits, secrets.d); });
  step("garbled comparisons evaluated", [&] { evaluate(chooser(), bits, cells, garbled); });
  step("labels of corrections", [&] {
    SecretBlocks labels(cells * bits);
    holder().extend(corrections, labels);
  });
  step("comparisons garbled", [&] {
    SecretBlocks offset = of_key_holder.offset;
    ComparisonGarbler garbler(offset[0], {}, {}, bits);
    garbler.garble(zeros, secrets.r, tables, shares);
  });
  step("choices of a selection", [&] {
    Bytes out;
    SecretBlocks labels(cells);
    TransferChooser(of_evaluator.leaves, evaluator_depth, label).extend(secrets.s.cells(), out, labels);
  });
  step("a selection answered",
       [&] { answer_choices(selecting, chooser(), request, choices, secrets.t, secrets.k, ring); });
  step("messages of a selection", [&] {
    SelectionMessage(transfers, chosen, request, request, answer, secrets.s, secrets.e, secrets.k, ring);
  });
  step("a selection ended",
       [&] { finish_selection(chooser(), message, secrets.t, FixedIntegers(cells, ring.limbs()), ring); });
  step("corrections for elements", [&] {
    choose_elements(terms, chooser(), secrets.elements, {0, secrets.elements.size()});
  });
  step("messages of a product", [&] {
    senders.back()->send(of_key_holder.offset[0], holder, of_elements, {});
    senders.pop_back();
  });
  step("messages of a product received",
       [&] { receive_cross_terms(terms, 0, chooser, secrets.elements, messages, sums); });
}

}  // namespace

void check_transfers(const EvaluatorTransfers& transfers, Errors& errors) {
  Secrets secrets(1);
  take_steps(transfers, secrets, true, [&](const std::string& name, const std::function<void()>& step) {
    step();
    errors.check(name);
  });
}

void count_transfers(const EvaluatorTransfers& transfers) {
  for (const auto& [name, bit] : {std::pair("zeros", 0U), std::pair("ones", 1U)}) {
    Secrets secrets(bit);
    take_steps(transfers, secrets, false,
               [&, name = name](const std::string& group, const std::function<void()>& step) {
                 counted("transfers, " + group + ": " + name, step);
               });
  }
}

}  // namespace smlp::ctime
