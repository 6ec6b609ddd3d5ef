// The arithmetic of encrypted matrices.
#include "mlp/training/encrypted_arithmetic.h"

#include <chrono>
#include <type_traits>

#include "mlp/training/fixed_point.h"
#include "mlp/training/weight_check.h"
#include "protocols/conversion/change_form.h"
#include "protocols/conversion/range_check.h"
#include "protocols/conversion/unpack.h"

namespace smlp {

template <typename Operation>
auto EncryptedArithmetic::timed(const char* kind, Operation&& operation) {
  const auto start = std::chrono::steady_clock::now();
  const auto stop = [&] {
    seconds_[kind] += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  if constexpr (std::is_void_v<decltype(operation())>) {
    operation();
    stop();
  } else {
    auto result = operation();
    stop();
    return result;
  }
}

EncryptedMatrix EncryptedArithmetic::input(const OperationId& operation, Matrix m) {
  if (evaluator_.budget.slots() != 1) return m;
  return timed("unpacking", [&] { return unpack_matrix(evaluator_, operation, m); });
}

EncryptedMatrix EncryptedArithmetic::labels(const OperationId& operation, std::size_t layer,
                                            const std::vector<Matrix>& parts) {
  const Matrix batch = input(operation, stack_rows(parts));
  if (form_for(layer) == Form::ciphertexts) return batch;
  return timed("labels", [&] { return open_matrix(evaluator_, operation, batch); });
}

EncryptedMatrix EncryptedArithmetic::gathered(const OperationId& operation, const Matrix& m) {
  if (form_for(operation.layer) == Form::ciphertexts) return m;
  return timed("sums", [&] { return open_matrix(evaluator_, operation, m); });
}

EncryptedMatrix EncryptedArithmetic::stored(const OperationId& operation, const Matrix& m) {
  return timed("storing", [&] { return close_matrix(evaluator_, operation, m); });
}

EncryptedMatrix EncryptedArithmetic::features(const OperationId& operation,
                                              const std::vector<std::size_t>& groups,
                                              const std::vector<Matrix>& parts) {
  if (evaluator_.budget.slots() == 1) return with_bias_input(input(operation, stack_rows(parts)));
  std::vector<Matrix> kept;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    kept.push_back(with_bias_input(parts[i]));
    if (groups.empty()) continue;
    std::shared_ptr<OpenedRows>& rows = table_[groups[i]];
    const OperationId lasting{static_cast<std::uint32_t>(groups[i]), 0, Direction::lasting};
    if (!rows) rows = std::make_shared<OpenedRows>(parts[i].rows(), lasting);
    kept.back() = kept.back().opened_once(rows);
  }
  return stack_rows(kept);
}

Packings EncryptedArithmetic::packings_for(const Consumer& consumer) const {
  if (form_for(consumer.layer) == Form::opened) return consumer.alone ? Packings::operand : Packings::none;
  switch (consumer.kind) {
    case ConsumerKind::left_operand:
      return Packings::column_packed;
    case ConsumerKind::right_operand:
      return Packings::row_packed;
    default:
      return Packings::both;
  }
}

EncryptedMatrix EncryptedArithmetic::product(const OperationId& operation, const Matrix& a, const Matrix& b,
                                             std::size_t halvings, Consumer consumer) {
  const Form form = consumer.kind == ConsumerKind::relu              ? names_.before_relu()
                    : consumer.kind == ConsumerKind::relu_derivative ? names_.before_derivative()
                    : consumer.kind == ConsumerKind::output          ? Form::ciphertexts
                                                                     : form_for(consumer.layer);
  const Rescale factor{1, evaluator_.budget.numbers().fraction_bits + halvings};
  const char* kind = operation.direction == Direction::forward ? "forward product" : "backward product";
  return timed(kind, [&] {
    return protocols_.matmul->multiply(evaluator_, operation, a, b, factor, std::nullopt, form);
  });
}

Later<EncryptedMatrix> EncryptedArithmetic::velocity(const OperationId& operation, const Matrix& a,
                                                     const Matrix& b, const UpdateFactors& factors,
                                                     const Matrix& previous, const Matrix& weights) {
  return timed("gradient", [&] {
    const PaillierPublicKey& key = evaluator_.paillier();
    std::optional<Addend> addend;
    const std::size_t bits = factors.addend_bits(evaluator_.budget.numbers());
    if (factors.decay != 0)
      addend = Addend{scale(key, weights, Integer(static_cast<long>(factors.decay))), bits};
    if (previous.rows() != 0) {
      EncryptedMatrix momentum = scale(key, previous, Integer(static_cast<long>(factors.momentum)));
      addend = Addend{addend ? smlp::add(key, addend->matrix, momentum) : std::move(momentum), bits};
    }
    const auto product = protocols_.matmul->multiply_later(evaluator_, operation, a, b, factors.rescale,
                                                           addend, form_for(operation.layer));
    return Later<Matrix>([this, product] { return timed("gradient", product); });
  });
}

std::pair<EncryptedMatrix, EncryptedArithmetic::ActivationTape> EncryptedArithmetic::relu(
    const OperationId& operation, const Matrix& z, Consumer consumer) {
  Activated activated = timed("activation", [&] {
    return protocols_.activation->forward(evaluator_, operation, z, packings_for(consumer));
  });
  return {std::move(activated.values), std::move(activated.state)};
}

EncryptedMatrix EncryptedArithmetic::relu_derivative(const OperationId& operation, const Matrix& delta,
                                                     const ActivationTape& tape, Consumer consumer) {
  return timed("activation derivative", [&] {
    return protocols_.activation->backward(evaluator_, operation, delta, *tape, packings_for(consumer));
  });
}

EncryptedMatrix EncryptedArithmetic::plus_constant(const Matrix& m, double constant) {
  if (constant == 0) return m;
  const BitBudget& budget = evaluator_.budget;
  const IntegerMatrix minus(m.rows(), m.cols(), encode(-constant, budget.numbers(), "a constant of a layer"));
  return timed("sums", [&] { return subtract_plain(evaluator_.paillier(), m, minus, budget.slot_bits()); });
}

EncryptedMatrix EncryptedArithmetic::combination(const OperationId&,
                                                 const std::vector<std::pair<std::int64_t, Matrix>>& terms,
                                                 double constant) {
  const PaillierPublicKey& key = evaluator_.paillier();
  std::optional<Matrix> sum;
  for (const auto& term_of : terms) {
    const std::int64_t factor = term_of.first;
    const Matrix& matrix = term_of.second;
    if (sum && factor == -1) {
      sum = subtract(*sum, matrix);
      continue;
    }
    Matrix term = factor == 1
                      ? matrix
                      : timed("sums", [&] { return scale(key, matrix, Integer(static_cast<long>(factor))); });
    sum = sum ? add(*sum, term) : std::move(term);
  }
  return plus_constant(*sum, constant);
}

EncryptedMatrix EncryptedArithmetic::stacked(const std::vector<Matrix>& parts) {
  return parts.size() == 1 ? parts.front() : stack_rows(parts);
}

std::vector<EncryptedMatrix> EncryptedArithmetic::unstacked(const Matrix& m, std::size_t parts) {
  if (parts == 1) return {m};
  const std::size_t groups = m.layout().row_groups.size() / parts;
  std::vector<Matrix> out;
  for (std::size_t i = 0; i < parts; ++i) out.push_back(row_groups(m, i * groups, groups));
  return out;
}

EncryptedMatrix EncryptedArithmetic::with_bias_input(const Matrix& m) {
  return append_constant_column(evaluator_.paillier(), m,
                                power_of_two(evaluator_.budget.numbers().fraction_bits),
                                evaluator_.budget.slot_bits());
}

EncryptedMatrix EncryptedArithmetic::add(const Matrix& a, const Matrix& b) {
  return timed("sums", [&] { return smlp::add(evaluator_.paillier(), a, b); });
}

EncryptedMatrix EncryptedArithmetic::subtract(const Matrix& a, const Matrix& b) {
  return timed("sums", [&] { return smlp::subtract(evaluator_.paillier(), a, b); });
}

std::function<void()> EncryptedArithmetic::check_activations(std::uint32_t step) {
  return timed("range checks", [&]() -> std::function<void()> {
    const auto check = check_ranges_later(evaluator_, {step, 0, Direction::range_check});
    return [this, check] { timed("range checks", check); };
  });
}

void EncryptedArithmetic::check_weights(std::uint32_t step, const std::vector<Matrix>& weights) {
  if (!evaluator_.evidence) return;
  timed("range checks", [&] {
    const BitBudget& budget = evaluator_.budget;
    for (std::size_t layer = 0; layer < weights.size(); ++layer) {
      const OperationId operation{step, static_cast<std::uint8_t>(layer), Direction::weight_check};
      const std::size_t inputs = weights[layer].rows();
      const SignedSum sum = signed_sum(inputs, weights[layer].cols(), budget.numbers());
      const IntegerMatrix signs = sum.coefficients(
          inputs, evaluator_.rounding_draws(operation, RandomnessKind::weight_signs, 0).draws.stream(0));
      const EncryptedMatrix row = trivial_matrix(
          evaluator_.paillier(), signs, balanced_layout(1, inputs, budget.slots()), budget.slot_bits());
      protocols_.activation->forward(
          evaluator_, operation,
          protocols_.matmul->multiply(evaluator_, operation, row, weights[layer], {1, sum.shift},
                                      std::nullopt, names_.before_relu()),
          Packings::column_packed);
    }
    check_ranges(evaluator_, {step, 1, Direction::range_check});
  });
}

}  // namespace smlp
