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
  gates += other.gates;
  transfers += other.transfers;
  transfer_blocks += other.transfer_blocks;
  masked_values += other.masked_values;
  return *this;
}

Declaration& Declaration::operator+=(const Declaration& other) {
  const auto add = [](Payload& to, const Payload& more) {
    to.ciphertexts += more.ciphertexts;
    to.bits += more.bits;
    to.bytes += more.bytes;
  };
  rounds += other.rounds;
  add(to_key_holder, other.to_key_holder);
  add(to_evaluator, other.to_evaluator);
  masked_values += other.masked_values;
  in_other_answers += other.in_other_answers;
  beside += other.beside;
  return *this;
}

std::size_t bytes_of(const Payload& payload, const Sizes& sizes) {
  return payload.ciphertexts * sizes.ciphertext_bytes + payload.bits * sizes.bit_bytes + payload.bytes;
}

Traffic Declaration::traffic(const Sizes& sizes) const {
  return {bytes_of(to_key_holder, sizes), bytes_of(to_evaluator, sizes), rounds};
}

bool Declaration::last_waits(const Sizes& sizes) const {
  return waits && bytes_of(*waits, sizes) <= most_waiting_bytes;
}

Operations Declaration::operations() const {
  Operations out = beside;
  out.rerandomisations += static_cast<double>(to_key_holder.ciphertexts);
  out.decryptions += static_cast<double>(to_key_holder.ciphertexts);
  out.encryptions += static_cast<double>(to_evaluator.ciphertexts);
  out.bit_rerandomisations += static_cast<double>(to_key_holder.bits);
  out.zero_tests += static_cast<double>(to_key_holder.bits);
  out.bit_encryptions += static_cast<double>(to_evaluator.bits);
  out.masked_values += static_cast<double>(masked_values);
  return out;
}

std::string Descriptor::wire_name() const {
  return std::string(smlp::name(family)) + "/" + std::string(name);
}
std::size_t Descriptor::stages() const {
  return static_cast<std::size_t>(std::ranges::find(handlers, nullptr) - handlers.begin());
}
Traffic Descriptor::traffic(const Work& work, const Sizes& sizes) const {
  return declared == nullptr ? Traffic{} : declared(work, sizes).traffic(sizes);
}
Operations Descriptor::operations(const Work& work, const Sizes& sizes) const {
  return declared == nullptr ? Operations{} : declared(work, sizes).operations();
}

std::size_t cell_count(const Layout& layout) {
  return layout.rows() * layout.cols();
}
std::size_t column_packed_count(const Layout& layout) {
  return layout.row_groups.size() * layout.cols();
}
std::size_t row_packed_count(const Layout& layout) {
  return layout.rows() * layout.col_groups.size();
}
std::size_t both_count(const Layout& layout) {
  return column_packed_count(layout) + (layout.single() ? 0 : row_packed_count(layout));
}

double powers_products(std::size_t rows, std::size_t inner, std::size_t outputs, std::size_t bits) {
  const std::size_t lanes = lane_count(best_instructions());
  return plan_powers({.rows = rows, .inner = inner, .outputs = outputs, .bits = bits}, lanes).products;
}

}  // namespace smlp
