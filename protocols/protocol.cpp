// Names, sums and the shared arithmetic of declarations.
#include "protocols/protocol.h"

#include <algorithm>
#include <cmath>

#include "paillier/error.h"
#include "paillier/simultaneous_powers.h"

namespace smlp {

std::string_view name(Family family) {
  switch (family) {
    case Family::matmul:
      return "matmul";
    case Family::truncation:
      return "truncation";
    case Family::comparison:
      return "comparison";
    case Family::selection:
      return "selection";
    case Family::activation:
      return "activation";
    case Family::conversion:
      return "conversion";
  }
  throw Error("a family of protocols has no name");
}

Operations& Operations::operator+=(const Operations& other) {
  products += other.products;
  rerandomisations += other.rerandomisations;
  decryptions += other.decryptions;
  encryptions += other.encryptions;
  bit_products += other.bit_products;
  bit_rerandomisations += other.bit_rerandomisations;
  bit_encryptions += other.bit_encryptions;
  zero_tests += other.zero_tests;
  masked_values += other.masked_values;
  return *this;
}

std::size_t down_count(const Layout& layout) {
  return layout.row_groups.size() * layout.cols();
}
std::size_t across_count(const Layout& layout) {
  return layout.rows() * layout.col_groups.size();
}
std::size_t both_count(const Layout& layout) {
  return down_count(layout) + (layout.single() ? 0 : across_count(layout));
}

double powers_products(std::size_t rows, std::size_t inner, std::size_t outputs, std::size_t bits) {
  const std::size_t lanes = lane_count(best_instructions());
  return plan_powers({.rows = rows, .inner = inner, .outputs = outputs, .bits = bits}, lanes).products;
}

}  // namespace smlp
