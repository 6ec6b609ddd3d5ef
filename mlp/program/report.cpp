// Sentences that several subcommands say.
#include "mlp/program/report.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "mlp/sha256.h"
#include "mlp/text.h"
#include "paillier/error.h"

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
  if (factors.lookahead != 0)
    out << " (Nesterov's, " << factors.lookahead << "/" << (1 << UpdateFactors::lookahead_bits) << " ahead)";
  if (options.weight_decay != 0) out << ", weight decay " << options.weight_decay;
  if (factors.clip != 0) out << ", errors clipped to " << factors.clip;
  return out.str();
}

std::string protocols_text(const ProtocolNames& names) {
  std::string out;
  for (const Descriptor* descriptor : names.used())
    out += (out.empty() ? "" : ", ") + descriptor->wire_name();
  return out;
}

std::string products_text(const ProtocolNames& names, const LinkSpeed& link) {
  const std::string products = std::regex_replace(names.matmul, std::regex(","), ", ");
  return "products of the layers: " + products + ", as is cheapest over " + link.text();
}

Json products_json(const ProtocolNames& names, const LinkSpeed& link) {
  return {{"matmul", names.matmul},
          {"link", {{"round_trip", link.round_trip}, {"up", link.up}, {"down", link.down}}}};
}

std::string hybrid_instead_text(double seconds, const Traffic& traffic, double hybrid_seconds,
                                const Traffic& hybrid_traffic) {
  const auto text = [](double time, const Traffic& both) {
    return duration_text(time) + " and " +
           bytes_text(static_cast<double>(both.to_key_holder + both.to_evaluator));
  };
  return "an epoch will take about " + text(seconds, traffic) + "; with --protocols hybrid " +
         text(hybrid_seconds, hybrid_traffic) + " (what it assumes: SECURITY.md)";
}

std::string grid_text(std::size_t ranks, std::size_t columns) {
  return std::to_string(ranks / columns) + " x " + std::to_string(columns);
}

std::string key_text(const PaillierPublicKey& key) {
  return std::to_string(key.bits()) + " bits, " + std::string(name(key.variant()));
}

void describe_training(Console& console, const Network& network, const TrainingOptions& options,
                       const ProtocolNames& names, std::size_t rows, const BitBudget& budget,
                       bool range_checks) {
  console.note("network " + network.text() + ", " + count_text(options.epochs, "epoch") + ", batches of " +
               count_text(options.batch, "row") + ", " + rate_text(options, rows, budget));
  console.note("protocols " + protocols_text(names) + "; " + count_text(budget.slots(), "value") +
               " a ciphertext");
  warn_of_leakage(console, names);
  describe_range_checks(console, names, range_checks);
}

void describe_range_checks(Console& console, const ProtocolNames& names, bool range_checks) {
  if (!range_checks)
    console.warning("note: --range-check off: values that leave their range are not noticed");
  else if (!names.compares)
    console.warning("note: no range is checked: nothing is compared");
  else if (!names.checks_ranges())
    console.warning("note: no range is checked: the protocols " + protocols_text(names) +
                    " leave no evidence of ranges");
}

void warn_of_unused(Console& console, const ProtocolOptions& options, const ProtocolNames& names) {
  for (const auto& [family, name] : options.unused(names))
    console.warning("note: --" + family + " " + name + " is not used: " +
                    (family == "truncation"
                         ? "matmul/" + std::string(names.product(0).name) + " truncates by itself"
                     : names.compares ? "activation/" + names.activation + " compares by itself"
                                      : "nothing is compared"));
}

void warn_of_unused_link(Console& console, const std::string& where) {
  console.warning(
      "note: --link is not used: products are chosen by it where they are left open (--matmul "
      "cheapest, or --protocols hybrid), and here " +
      where + " names them");
}

void warn_of_leakage(Console& console, const ProtocolNames& names) {
  for (const Descriptor* descriptor : names.used())
    if (descriptor->leaks())
      console.warning("note: " + descriptor->wire_name() +
                      " leaks: " + std::string(descriptor->leakage.text));
}

std::string labels_text(const Profile& profile) {
  return profile.task == Task::regression
             ? "the number " + in_quotes(profile.label_column)
             : std::to_string(profile.classes.size()) + " classes of " + in_quotes(profile.label_column);
}

Json scaling_json(const Profile& profile) {
  Json out{{"features", profile.features()}, {"offset", profile.offset}, {"factor", profile.factor}};
  if (profile.task == Task::classification)
    out["classes"] = profile.classes;
  else
    out.update(Json{{"label_offset", profile.label_offset}, {"label_factor", profile.label_factor}});
  return out;
}

Json table_json(const TableInfo& table) {
  return {{"id", hex(table.id)}, {"profile", to_hex(table.profile)}, {"rows", table.rows}};
}

std::string rate_remedy(const std::optional<double>& rate) {
  return rate ? "; --learning-rate " + shortest_text(*rate) + " stays in range" : std::string();
}

std::string percent(double part) {
  return fixed_text(100 * part, 1) + " %";
}

namespace {

/// Names and leakage of the protocols that leak; empty where none does.
std::string leakage_of(const ProtocolNames& names) {
  std::string out;
  for (const Descriptor* descriptor : names.used())
    if (descriptor->leaks())
      out += (out.empty() ? "" : "; ") + descriptor->wire_name() + " leaks " +
             std::string(descriptor->leakage.text);
  return out;
}

std::string power_text(double bits) {
  return "2^" + fixed_text(bits, 1);
}

}  // namespace

std::string distance_text(const ProtocolNames& names, const Shown& shown, std::size_t sigma) {
  if (const std::string leakage = leakage_of(names); !leakage.empty())
    return "for the whole run, no bound on the distance from a view that shows nothing holds: " + leakage;
  return "for the whole run, a distance of at most " + power_text(distance_bits(shown, sigma)) +
         " from a view that shows nothing";
}

Json distance_json(const ProtocolNames& names, const Shown& shown, std::size_t sigma) {
  if (!leakage_of(names).empty()) return nullptr;
  return distance_bits(shown, sigma);
}

void require_distance(const std::string& what, const ProtocolNames& names, const Shown& shown,
                      std::size_t sigma, std::size_t bound, const std::string& remedy) {
  const double bits = distance_bits(shown, sigma);
  if (!leakage_of(names).empty() || bits <= -static_cast<double>(bound)) return;
  const double allowing = std::floor(-bits);
  throw Error(what + " comes to a distance of " + power_text(bits) +
              " from a view that shows nothing, allowed is 2^-" + std::to_string(bound) + "; " + remedy +
              (allowing < 1 ? ""
                            : ", or allow it by --statistical-bound " +
                                  std::to_string(static_cast<std::size_t>(allowing))));
}

std::string wider_model_remedy(std::size_t sigma) {
  return "train on a table that is encrypted with a --sigma above " + std::to_string(sigma);
}

}  // namespace smlp
