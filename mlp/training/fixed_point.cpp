// Real numbers as fixed-point integers.
#include "mlp/training/fixed_point.h"

#include <cmath>
#include <sstream>

#include "mlp/tables/table.h"
#include "paillier/error.h"

namespace smlp {

namespace {

/// The integer as a double. `what` is called for an error alone.
template <typename What>
double rounded(double value, const Numbers& numbers, const What& what) {
  const double scaled = std::round(std::ldexp(value, static_cast<int>(numbers.fraction_bits)));
  const double limit = std::ldexp(1.0, static_cast<int>(numbers.value_bits) - 1);
  if (!(std::fabs(scaled) < limit)) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << value << ", its magnitude must be below "
         << std::ldexp(limit, -static_cast<int>(numbers.fraction_bits));
    throw Error(
        what() + " is " + text.str() +
        "; encrypt the training table with more --value-bits, fewer --fraction-bits or another --scaling");
  }
  return scaled;
}

double rounded_cell(const Matrix<double>& values, std::size_t i, std::size_t j, const Numbers& numbers,
                    const std::vector<std::string>& columns) {
  return rounded(values(i, j), numbers, [&] {
    const std::string column = j < columns.size() ? in_quotes(columns[j]) : std::to_string(j + 1);
    return "the scaled value of row " + std::to_string(i + 1) + ", column " + column;
  });
}

}  // namespace

Integer encode(double value, const Numbers& numbers, const std::string& what) {
  return Integer(rounded(value, numbers, [&] { return what; }));
}

double decode(const Integer& value, const Numbers& numbers) {
  return std::ldexp(value.get_d(), -static_cast<int>(numbers.fraction_bits));
}

IntegerMatrix encode(const Matrix<double>& values, const Numbers& numbers,
                     const std::vector<std::string>& columns) {
  IntegerMatrix out(values.rows(), values.cols());
  for (std::size_t i = 0; i < values.rows(); ++i)
    for (std::size_t j = 0; j < values.cols(); ++j) out(i, j) = rounded_cell(values, i, j, numbers, columns);
  return out;
}

void check_encodable(const Matrix<double>& values, const Numbers& numbers,
                     const std::vector<std::string>& columns) {
  for (std::size_t i = 0; i < values.rows(); ++i)
    for (std::size_t j = 0; j < values.cols(); ++j) rounded_cell(values, i, j, numbers, columns);
}

Matrix<double> decode(const IntegerMatrix& values, const Numbers& numbers) {
  Matrix<double> out(values.rows(), values.cols());
  for (std::size_t i = 0; i < values.size(); ++i) out.cells()[i] = decode(values.cells()[i], numbers);
  return out;
}

static_assert(sizeof(long) == sizeof(std::int64_t), "GMP converts to and from long");

WordMatrix in_words(const IntegerMatrix& values) {
  WordMatrix out(values.rows(), values.cols());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values.cells()[i].fits_slong_p())
      throw Error("the value " + values.cells()[i].get_str() + " has more than 64 bits");
    out.cells()[i] = values.cells()[i].get_si();
  }
  return out;
}

std::vector<WordMatrix> in_words(const std::vector<IntegerMatrix>& values) {
  std::vector<WordMatrix> out;
  for (const IntegerMatrix& matrix : values) out.push_back(in_words(matrix));
  return out;
}

IntegerMatrix as_integers(const WordMatrix& words) {
  IntegerMatrix out(words.rows(), words.cols());
  for (std::size_t i = 0; i < words.size(); ++i) out.cells()[i] = static_cast<long>(words.cells()[i]);
  return out;
}

std::vector<IntegerMatrix> as_integers(const std::vector<WordMatrix>& words) {
  std::vector<IntegerMatrix> out;
  for (const WordMatrix& matrix : words) out.push_back(as_integers(matrix));
  return out;
}

Matrix<double> decode(const WordMatrix& words, const Numbers& numbers) {
  return decode(as_integers(words), numbers);
}

}  // namespace smlp
