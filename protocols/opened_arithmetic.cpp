// Sums of opened values.
#include "protocols/opened_arithmetic.h"

#include <algorithm>
#include <string>

#include "paillier/error.h"

namespace smlp {

namespace {

std::string shape(const IntegerMatrix& m) {
  return std::to_string(m.rows()) + " x " + std::to_string(m.cols());
}

/// Of a sum or a multiple of factors.
std::int64_t checked_factor(const Integer& factor) {
  if (bit_length(factor) > 62)
    throw Error("a term of an opened matrix has the factor " + factor.get_str() +
                ", allowed are numbers below 2^62 in size; lower --momentum or --weight-decay");
  return factor.get_si();
}

}  // namespace

OpenedValue sum(const OpenedValue& a, const OpenedValue& b) {
  if (a.mask.rows() != b.mask.rows() || a.mask.cols() != b.mask.cols() ||
      a.constant_columns != b.constant_columns)
    throw Error("opened matrices of " + shape(a.mask) + " and " + shape(b.mask) +
                " cells, or of other constant columns, have no sum");
  OpenedValue out = a;
  for (const OpenedTerm& term : b.terms) {
    const auto same = std::ranges::find(out.terms, term.records, &OpenedTerm::records);
    if (same == out.terms.end())
      out.terms.push_back(term);
    else
      same->factor =
          checked_factor(Integer(static_cast<long>(same->factor)) + static_cast<long>(term.factor));
  }
  std::erase_if(out.terms, [](const OpenedTerm& term) { return term.factor == 0; });
  for (std::size_t cell = 0; cell < out.mask.size(); ++cell) out.mask.cells()[cell] += b.mask.cells()[cell];
  return out;
}

OpenedValue multiple(OpenedValue a, const Integer& factor) {
  for (OpenedTerm& term : a.terms) term.factor = checked_factor(factor * static_cast<long>(term.factor));
  std::erase_if(a.terms, [](const OpenedTerm& term) { return term.factor == 0; });
  for (Integer& cell : a.mask.cells()) cell *= factor;
  return a;
}

OpenedValue less(OpenedValue a, const IntegerMatrix& b) {
  for (std::size_t cell = 0; cell < a.mask.size(); ++cell) a.mask.cells()[cell] += b.cells()[cell];
  return a;
}

OpenedValue with_constant(const OpenedValue& a, const Integer& value) {
  const IntegerMatrix& e = a.mask;
  OpenedValue out{a.terms, IntegerMatrix(e.rows(), e.cols() + 1, -value), a.constant_columns + 1};
  for (std::size_t i = 0; i < e.rows(); ++i)
    for (std::size_t j = 0; j < e.cols(); ++j) out.mask(i, j) = e(i, j);
  return out;
}

OpenedValue part(const OpenedValue& a, std::size_t first, std::size_t count) {
  const std::size_t cols = a.mask.cols();
  OpenedValue out{{}, IntegerMatrix(count, cols), a.constant_columns};
  std::copy_n(a.mask.cells().begin() + static_cast<std::ptrdiff_t>(first * cols), count * cols,
              out.mask.cells().begin());
  for (const OpenedTerm& term : a.terms) {
    OpenedTerm rows{term.factor, {}};
    std::size_t row = 0, taken = 0;
    for (const auto& record : term.records) {
      if (row >= first && row + record->rows <= first + count) {
        rows.records.push_back(record);
        taken += record->rows;
      }
      row += record->rows;
    }
    if (taken != count)
      throw Error("rows " + std::to_string(first) + " to " + std::to_string(first + count) +
                  " of an opened matrix are no whole records");
    out.terms.push_back(std::move(rows));
  }
  return out;
}

OpenedValue stacked_values(const std::vector<const OpenedValue*>& parts) {
  OpenedValue out = *parts.front();
  std::vector<IntegerMatrix> masks;
  for (const OpenedValue* value : parts) masks.push_back(value->mask);
  out.mask = stacked(masks);
  for (auto value = parts.begin() + 1; value != parts.end(); ++value) {
    if (!std::ranges::equal((*value)->terms, out.terms, {}, &OpenedTerm::factor, &OpenedTerm::factor) ||
        (*value)->constant_columns != out.constant_columns)
      throw Error("opened matrices that are sums with other factors cannot be stacked");
    for (std::size_t i = 0; i < out.terms.size(); ++i) {
      auto& records = out.terms[i].records;
      records.insert(records.end(), (*value)->terms[i].records.begin(), (*value)->terms[i].records.end());
    }
  }
  return out;
}

}  // namespace smlp
