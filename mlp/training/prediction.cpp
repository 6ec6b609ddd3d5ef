// Classification of encrypted tables.
#include "mlp/training/prediction.h"

#include <algorithm>

#include "mlp/training/fixed_point.h"
#include "paillier/error.h"
#include "protocols/conversion/switch_key.h"
#include "protocols/conversion/unpack.h"

namespace smlp {

namespace {

/// One batch: row numbers and outputs in the same groups.
struct BatchAnswers {
  std::vector<std::size_t> groups;
  std::vector<Ciphertext> order;
  std::vector<Ciphertext> values;
};

BatchAnswers classify_one(EncryptedArithmetic& arithmetic, const Network& network,
                          const Weights<EncryptedMatrix>& model, const EncryptedTable& table, std::size_t b) {
  const Evaluator& evaluator = arithmetic.evaluator();
  const auto step = static_cast<std::uint32_t>(b);
  const EncryptedMatrix outputs = classify_batch(
      arithmetic, network, model, [&](std::size_t group) { return table.features(group); }, table.groups(),
      b);
  BatchAnswers answers{outputs.layout().row_groups, {}, outputs.column_packed()};
  Layout order_layout{{}, {1}};
  for (const std::size_t group : table.groups().batches[b]) {
    for (const Ciphertext& c : table.order(group)) answers.order.push_back(c);
    order_layout.row_groups.push_back(table.groups().widths[group]);
  }
  if (order_layout.row_groups != answers.groups)
    answers.order = unpack_cells(evaluator, {step, 2, Direction::input}, answers.order, order_layout);
  return answers;
}

/// The answers of all ranks, of which each has those of every size()-th batch.
std::vector<BatchAnswers> gathered(const PaillierPublicKey& key, std::vector<BatchAnswers> all, Ranks& ranks,
                                   const EncryptedTable& table, std::size_t slots, std::size_t outputs) {
  Bytes mine;
  for (std::size_t b = ranks.rank(); b < all.size(); b += ranks.size()) {
    key.encode_at_rest(all[b].order, mine);
    key.encode_at_rest(all[b].values, mine);
  }
  const std::vector<Bytes> brought = ranks.gather(mine);
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    if (rank == ranks.rank()) continue;
    ByteReader reader(brought[rank]);
    for (std::size_t b = rank; b < all.size(); b += ranks.size()) {
      BatchAnswers& answers = all[b];
      for (const std::size_t group : table.groups().batches[b]) {
        const std::size_t rows = table.groups().widths[group];
        answers.groups.insert(answers.groups.end(), slots == 1 ? rows : 1, slots == 1 ? 1 : rows);
      }
      const auto read = [&](std::size_t count) {
        return key.decode(reader.take(count * key.ciphertext_bytes(), "answers of another rank"), count,
                          "answers of another rank");
      };
      answers.order = read(answers.groups.size());
      answers.values = read(answers.groups.size() * outputs);
    }
    reader.finish("answers of another rank");
  }
  return all;
}

}  // namespace

EncryptedAnswers classify(EncryptedArithmetic& arithmetic, const Weights<EncryptedMatrix>& model,
                          const Network& network, const EncryptedTable& table,
                          const std::optional<PublicKeys>& user, const Progress& progress, Ranks* ranks) {
  const Evaluator& evaluator = arithmetic.evaluator();
  if (table.info().features != network.inputs())
    throw Error("the network " + network.text() + " has " + std::to_string(network.inputs()) +
                " inputs, the table of queries has " + std::to_string(table.info().features) + " features");
  EncryptedAnswers out{user ? user->fingerprint() : evaluator.keys.fingerprint(),
                       user.has_value(),
                       evaluator.budget,
                       table.info().task,
                       table.info().rows,
                       network.outputs(),
                       &network.output(),
                       {},
                       {},
                       {},
                       table.info().profile};
  Weights<EncryptedMatrix> kept = model;  // opened once for all batches
  for (std::size_t layer = 0; layer < kept.weights.size(); ++layer) {
    const OperationId lasting{0, static_cast<std::uint8_t>(layer), Direction::lasting};
    EncryptedMatrix& weights = kept.weights[layer];
    weights = weights.opened_once(std::make_shared<OpenedRows>(weights.rows(), lasting));
  }
  const std::size_t batches = table.groups().batches.size();
  std::vector<BatchAnswers> all(batches);
  const std::size_t first = ranks == nullptr ? 0 : ranks->rank(), step = ranks == nullptr ? 1 : ranks->size();
  for (std::size_t b = first; b < batches; b += step) {
    BatchAnswers& answers = all[b];
    answers = classify_one(arithmetic, network, kept, table, b);
    if (user) {
      std::vector<Ciphertext> all = answers.order;
      all.insert(all.end(), answers.values.begin(), answers.values.end());
      const OperationId operation{static_cast<std::uint32_t>(b), 0, Direction::output};
      const auto switched = local(switch_key(evaluator, operation, user->paillier(), Purpose::answers, all));
      const auto middle = switched.begin() + static_cast<std::ptrdiff_t>(answers.order.size());
      answers.order.assign(switched.begin(), middle);
      answers.values.assign(middle, switched.end());
    }
    if (progress) progress(b + 1, batches);
  }
  if (ranks != nullptr)
    all = gathered(user ? user->paillier() : evaluator.paillier(), std::move(all), *ranks, table,
                   evaluator.budget.slots(), network.outputs());
  for (const BatchAnswers& answers : all) {
    out.groups.insert(out.groups.end(), answers.groups.begin(), answers.groups.end());
    out.order.insert(out.order.end(), answers.order.begin(), answers.order.end());
    out.values.insert(out.values.end(), answers.values.begin(), answers.values.end());
  }
  return out;
}

namespace {

void check_value_range(const IntegerMatrix& m, const Numbers& numbers, const char* what) {
  for (const Integer& value : m.cells())
    if (bit_length(value) > numbers.value_bits - 1)
      throw Error(
          std::string(what) + " reaches " + value.get_str() + ", outside the " +
          std::to_string(numbers.value_bits) +
          " bits of a value: training left its range; lower smlp train --learning-rate, or raise smlp "
          "encrypt --value-bits");
}

}  // namespace

Answers open_answers(const EncryptedAnswers& answers, const SecretKeys& keys) {
  if (answers.key != keys.public_keys().fingerprint())
    throw Error("the answers are under the key " + to_hex(answers.key) + ", the secret key is " +
                to_hex(keys.public_keys().fingerprint()));
  check_answers(answers, keys.public_keys().paillier());
  const std::size_t slot_bits = answers.budget.slot_bits();
  const PaillierSecretKey& key = keys.paillier();
  const Layout values{answers.groups, std::vector<std::size_t>(answers.outputs, 1)};
  const IntegerMatrix outputs = unpack_columns(key.decrypt(answers.values), values, slot_bits);
  check_value_range(outputs, answers.budget.numbers(), "an output");
  const IntegerMatrix order = unpack_columns(key.decrypt(answers.order), {answers.groups, {1}}, slot_bits);

  const Matrix<double> decoded = decode(outputs, answers.budget.numbers());
  Answers out{Matrix<double>(answers.rows, answers.outputs), {}, {}};
  std::vector<bool> seen(answers.rows, false);
  for (std::size_t i = 0; i < answers.rows; ++i) {
    const Integer& row = order.cells()[i];
    if (row < 0 || row >= static_cast<unsigned long>(answers.rows) || seen[row.get_ui()])
      throw Error("the answers' row numbers are no permutation: " + row.get_str() + " at position " +
                  std::to_string(i + 1));
    seen[row.get_ui()] = true;
    for (std::size_t j = 0; j < answers.outputs; ++j) out.scores(row.get_ui(), j) = decoded(i, j);
  }
  out.outputs = outputs_of(*answers.kind, out.scores);
  out.classes = largest_outputs(out.scores);
  return out;
}

Matrix<double> outputs_of(const LayerKind& kind, const Matrix<double>& scores) {
  Matrix<double> out = scores;
  for (double& cell : out.cells()) cell = kind.of_scaled(cell);
  return out;
}

std::vector<std::size_t> largest_outputs(const Matrix<double>& outputs) {
  std::vector<std::size_t> out(outputs.rows());
  for (std::size_t i = 0; i < outputs.rows(); ++i) {
    const auto row = outputs.cells().begin() + static_cast<std::ptrdiff_t>(i * outputs.cols());
    out[i] = static_cast<std::size_t>(
        std::max_element(row, row + static_cast<std::ptrdiff_t>(outputs.cols())) - row);
  }
  return out;
}

std::vector<IntegerMatrix> open_weights(const std::vector<EncryptedMatrix>& weights, const BitBudget& budget,
                                        const SecretKeys& keys) {
  std::vector<IntegerMatrix> out;
  for (const EncryptedMatrix& matrix : weights) {
    out.push_back(
        unpack_columns(keys.paillier().decrypt(matrix.column_packed()), matrix.layout(), budget.slot_bits()));
    check_value_range(out.back(), budget.numbers(), "a weight");
  }
  return out;
}

}  // namespace smlp
