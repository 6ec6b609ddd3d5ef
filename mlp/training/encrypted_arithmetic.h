// Encrypted matrices: every operation that needs the key holder goes through the chosen protocols.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mlp/training/arithmetic.h"
#include "mlp/training/training_options.h"
#include "protocols/activation/tiles.h"
#include "protocols/registry.h"

namespace smlp {

/// Wall-clock seconds by kind of operation, both parties together.
using SecondsByKind = std::map<std::string, double>;

class EncryptedArithmetic {
 public:
  using Matrix = EncryptedMatrix;
  using ActivationTape = std::shared_ptr<const ActivationState>;

  /// `range_checks`: of compared values and of weights, where the protocols bring evidence. Throws Error when
  /// a protocol cannot serve the evaluator's budget.
  EncryptedArithmetic(Evaluator& evaluator, const ProtocolNames& protocols, bool range_checks = true)
      : evaluator_(evaluator), protocols_(make_protocols(protocols, evaluator.budget)), names_(protocols) {
    protocols_.activation = in_tiles(std::move(protocols_.activation), tile_cells(protocols));
    if (range_checks && protocols.checks_ranges()) evaluator_.evidence = std::make_shared<RangeEvidence>();
  }

  /// One value a ciphertext where the evaluator's budget says so (one round trip), else as it is.
  Matrix labels(const OperationId& operation, std::size_t layer, const std::vector<Matrix>& parts);
  /// The key holder opens each of `groups` once. Throws Error for groups of a second table.
  Matrix features(const OperationId& operation, const std::vector<std::size_t>& groups,
                  const std::vector<Matrix>& parts);
  Matrix open_once(const Matrix& m) { return m.opened().pieces.empty() ? m.opened_once() : m; }
  /// Where they stay opened, the update adds to what the key holder opens of them, by one product too.
  Matrix weights_for(const Matrix& m, std::size_t layer, std::size_t products) {
    return products > 1 || form_for(layer) == Form::opened ? open_once(m) : m;
  }
  /// Where the layer's values stay opened: as one term, opened.
  Matrix gathered(const OperationId& operation, const Matrix& m);
  /// As ciphertexts.
  Matrix stored(const OperationId& operation, const Matrix& m);
  /// Opened where its consumer's layer stays opened, or the chosen activation takes that.
  Matrix product(const OperationId& operation, const Matrix& a, const Matrix& b, std::size_t halvings = 0,
                 Consumer consumer = {});
  Later<Matrix> velocity(const OperationId& operation, const Matrix& a, const Matrix& b,
                         const UpdateFactors& factors, const Matrix& previous, const Matrix& weights);
  std::pair<Matrix, ActivationTape> relu(const OperationId& operation, const Matrix& z, Consumer consumer);
  Matrix relu_derivative(const OperationId& operation, const Matrix& delta, const ActivationTape& tape,
                         Consumer consumer);
  Matrix plus_constant(const Matrix& m, double constant);
  Matrix combination(const OperationId& operation, const std::vector<std::pair<std::int64_t, Matrix>>& terms,
                     double constant);
  Matrix stacked(const std::vector<Matrix>& parts);
  std::vector<Matrix> unstacked(const Matrix& m, std::size_t parts);
  Matrix with_bias_input(const Matrix& m);
  Matrix without_bias(const Matrix& m) { return drop_last_row(m); }
  Matrix transposed(const Matrix& m) { return m.transposed(); }
  Matrix add(const Matrix& a, const Matrix& b);
  Matrix subtract(const Matrix& a, const Matrix& b);

  /// Throws RangeRefusal where one was out of range; in one round trip, and in none without evidence.
  std::function<void()> check_activations(std::uint32_t step);
  /// The same of signed sums of the weights (mlp/training/weight_check.h), which are compared.
  void check_weights(std::uint32_t step, const std::vector<Matrix>& weights);

  /// Where evaluators share results: what the product gives stands there.
  template <typename Product>
  Matrix in_window(const ResultWindow& window, Product&& product) {
    evaluator_.window = window;
    Matrix out = product();
    evaluator_.window = {};
    return out;
  }
  const Evaluator& evaluator() const { return evaluator_; }
  const SecondsByKind& seconds() const { return seconds_; }

 private:
  /// Of what products of this layer take and update.
  Form form_for(std::size_t layer) const {
    return names_.stays_opened(layer) ? Form::opened : Form::ciphertexts;
  }
  Packings packings_for(const Consumer& consumer) const;
  Matrix input(const OperationId& operation, Matrix m);
  template <typename Operation>
  auto timed(const char* kind, Operation&& operation);

  Evaluator& evaluator_;
  ProtocolSet protocols_;
  ProtocolNames names_;
  SecondsByKind seconds_;
  std::map<std::size_t, std::shared_ptr<OpenedRows>> table_;  ///< by group
};

}  // namespace smlp
