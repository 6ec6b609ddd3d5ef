// Every protocol of the system, by family and name; the presets.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/protocol.h"

namespace smlp {

const std::vector<Descriptor>& registry();

/// Throws Error naming the family and listing what there is.
const Descriptor& find_protocol(Family family, std::string_view name);
/// By wire name ("matmul/packed"). Throws Error with the list.
const Descriptor& find_protocol(std::string_view wire_name);

/// In place of a product's name: each layer has the one that costs least (mlp/training/product_choice.h).
inline constexpr std::string_view cheapest = "cheapest";

/// The names in a list of products, one or several with commas.
std::vector<std::string> product_names(std::string_view list);

/// Names by family. Conversions are not chosen.
struct ProtocolNames {
  std::string matmul;  ///< of all layers, or with commas of each, the first first; or cheapest
  std::string truncation, comparison, selection, activation;
  /// Whether anything is compared; where not, comparison, selection and activation are chosen and not used.
  bool compares = true;
  /// Whether several evaluators share the rows of results: what they exchange is ciphertexts.
  bool shared = false;
  bool operator==(const ProtocolNames&) const = default;
  std::map<std::string, std::string> by_family() const;
  static ProtocolNames from_families(const std::map<std::string, std::string>& names);
  bool chooses_products() const { return matmul == cheapest; }
  /// The products among which `matmul` leaves the choice, or the one or those that it names. Throws Error
  /// where there is no such product.
  std::vector<const Descriptor*> products() const;
  /// Of a layer, counted from 0; packed, as long as the cheapest is not chosen. Throws Error where `matmul`
  /// names several, and none for this layer.
  const Descriptor& product(std::size_t layer) const;
  /// The descriptors that are really used: an activation of its own needs no comparison and selection, and
  /// what compares nothing none of the three.
  std::vector<const Descriptor*> used() const;
  /// Names by family of those that nothing uses.
  std::map<std::string, std::string> unused() const;
  bool needs_one_value_a_ciphertext() const;
  /// Whether any is on oblivious transfers.
  bool needs_transfers() const;
  /// Whether compared values leave evidence of their ranges.
  bool checks_ranges() const;
  /// What a product gives that relu, or its derivative, takes alone.
  Form before_relu() const;
  Form before_derivative() const;
  /// Whether what products of this layer take and update can stay opened: they, comparisons and selections
  /// take and give opened values, and nothing is exchanged. Throws Error as product() does.
  bool stays_opened(std::size_t layer) const;
};

/// What there is, the default first.
const std::vector<std::string>& preset_names();
/// Throws Error with the list.
ProtocolNames preset(std::string_view name);

/// Builds the evaluator's halves. Throws Error when a protocol does not exist or cannot serve the budget.
ProtocolSet make_protocols(const ProtocolNames& names, const BitBudget& budget);

}  // namespace smlp
