// Sentences that several subcommands say.
#include "mlp/program/report.h"

#include <cmath>
#include <sstream>

#include "mlp/cost.h"

namespace smlp {

std::string rate_text(const TrainingOptions& options, std::size_t rows, const BitBudget& budget) {
  const std::size_t fraction = budget.numbers().fraction_bits;
  const UpdateFactors factors = update_factors(options, 0, rows, budget);
  std::ostringstream out;
  out << "learning rate " << options.learning_rate << ", taken as "
      << factors.rate_over_rows(fraction) * static_cast<double>(rows) << " (" << -factors.rescale.scale
      << " / 2^" << factors.rescale.shift - fraction << " for each row of " << rows << ")";
  if (options.schedule != Schedule::constant) out << ", schedule " << name(options.schedule);
  if (options.momentum != 0) out << ", momentum " << factors.effective_momentum();
  if (options.weight_decay != 0) out << ", weight decay " << options.weight_decay;
  return out.str();
}

std::string protocols_text(const ProtocolNames& names) {
  std::string out;
  for (const Descriptor* descriptor : names.used())
    out += (out.empty() ? "" : ", ") + descriptor->wire_name();
  return out;
}

std::string key_text(const PaillierPublicKey& key) {
  return std::to_string(key.bits()) + " bits, " + std::string(name(key.variant()));
}

void describe_training(Console& console, const Network& network, const TrainingOptions& options,
                       const ProtocolNames& names, std::size_t rows, const BitBudget& budget) {
  console.note("network " + network.text() + ", " + count_text(options.epochs, "epoch") + ", batches of " +
               count_text(options.batch, "row") + ", " + rate_text(options, rows, budget));
  console.note("protocols " + protocols_text(names) + "; " + count_text(budget.slots(), "value") +
               " a ciphertext");
  warn_of_leakage(console, names);
}

void warn_of_unused(Console& console, const ProtocolOptions& options) {
  for (const auto& [family, name] : options.unused())
    console.warning("note: --" + family + " " + name + " is not used: " +
                    (family == "truncation" ? "matmul/" + options.names().matmul + " truncates"
                                            : "activation/" + options.names().activation + " compares") +
                    " by itself");
}

void warn_of_leakage(Console& console, const ProtocolNames& names) {
  for (const Descriptor* descriptor : names.used())
    if (descriptor->leaks())
      console.warning("note: " + descriptor->wire_name() +
                      " leaks: " + std::string(descriptor->leakage.text));
}

std::string percent(double part) {
  return fixed_text(100 * part, 1) + " %";
}

double statistical_bound(const Network& network, const ProtocolNames& names, const TrainingOptions& options,
                         const TableGroups& train, const TableGroups* test, const BitBudget& budget,
                         const PublicKeys& keys) {
  const Sizes sizes{budget, keys.paillier().ciphertext_bytes(), keys.dgk().ciphertext_bytes()};
  const Cost later = epoch_cost(network, names, options, train, sizes, false);
  Operations all = epoch_cost(network, names, options, train, sizes, true).operations;
  for (std::size_t i = 1; i < options.epochs; ++i) all += later.operations;
  if (test != nullptr) all += classification_cost(network, names, *test, sizes).operations;
  return statistical_bits(all, budget.numbers().sigma);
}

}  // namespace smlp
