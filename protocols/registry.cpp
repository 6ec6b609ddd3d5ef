// The registry and the presets.
#include "protocols/registry.h"

#include <algorithm>

#include "paillier/error.h"

namespace smlp {

#define SMLP_PROTOCOL(protocol) extern const Descriptor protocol##_descriptor;
#include "protocols/registry.def"
#undef SMLP_PROTOCOL

const std::vector<Descriptor>& registry() {
  static const std::vector<Descriptor> all = {
#define SMLP_PROTOCOL(protocol) protocol##_descriptor,
#include "protocols/registry.def"
#undef SMLP_PROTOCOL
  };
  return all;
}

const Descriptor& find_protocol(Family family, std::string_view wanted) {
  std::string known;
  for (const Descriptor& descriptor : registry()) {
    if (descriptor.family != family) continue;
    if (descriptor.name == wanted) return descriptor;
    known += (known.empty() ? "" : ", ") + std::string(descriptor.name);
  }
  throw Error("there is no " + std::string(name(family)) + " protocol '" + std::string(wanted) +
              "'; there is " + known);
}

const Descriptor& find_protocol(std::string_view wire_name) {
  std::string known;
  for (const Descriptor& descriptor : registry()) {
    if (descriptor.wire_name() == wire_name) return descriptor;
    known += (known.empty() ? "" : ", ") + descriptor.wire_name();
  }
  throw Error("there is no protocol '" + std::string(wire_name) + "'; there is " + known);
}

std::map<std::string, std::string> ProtocolNames::by_family() const {
  return {{"matmul", matmul},
          {"truncation", truncation},
          {"comparison", comparison},
          {"selection", selection},
          {"activation", activation}};
}

ProtocolNames ProtocolNames::from_families(const std::map<std::string, std::string>& names) {
  const auto get = [&](const char* family) {
    const auto found = names.find(family);
    if (found == names.end()) throw Error(std::string("no protocol is named for the family ") + family);
    return found->second;
  };
  return {get("matmul"), get("truncation"), get("comparison"), get("selection"), get("activation")};
}

std::vector<std::string> product_names(std::string_view list) {
  std::vector<std::string> out;
  std::size_t first = 0, comma;
  do {
    comma = list.find(',', first);
    out.emplace_back(list.substr(first, comma - first));
    first = comma + 1;
  } while (comma != list.npos);
  return out;
}

std::vector<const Descriptor*> ProtocolNames::products() const {
  std::vector<const Descriptor*> out;
  if (chooses_products()) {
    for (const Descriptor& descriptor : registry())
      if (descriptor.family == Family::matmul && !descriptor.single_value) out.push_back(&descriptor);
    return out;
  }
  for (const std::string& name : product_names(matmul)) out.push_back(&find_protocol(Family::matmul, name));
  return out;
}

const Descriptor& ProtocolNames::product(std::size_t layer) const {
  if (chooses_products()) return find_protocol(Family::matmul, "packed");
  const std::vector<const Descriptor*> all = products();
  if (all.size() == 1) return *all.front();
  if (layer < all.size()) return *all[layer];
  throw Error("the products " + matmul + " are of " + std::to_string(all.size()) + " layers, layer " +
              std::to_string(layer + 1) + " has none: name one for all, or one for each layer");
}

std::vector<const Descriptor*> ProtocolNames::used() const {
  std::vector<const Descriptor*> out;
  bool fused = true;
  for (const Descriptor* product : products()) {
    if (std::ranges::find(out, product) == out.end()) out.push_back(product);
    fused &= product->fused;
  }
  if (!fused) out.push_back(&find_protocol(Family::truncation, truncation));
  if (!compares) return out;
  out.push_back(&find_protocol(Family::activation, activation));
  if (!out.back()->fused) {
    out.push_back(&find_protocol(Family::comparison, comparison));
    out.push_back(&find_protocol(Family::selection, selection));
  }
  return out;
}

std::map<std::string, std::string> ProtocolNames::unused() const {
  std::map<std::string, std::string> out = by_family();
  for (const Descriptor* descriptor : used()) out.erase(std::string(name(descriptor->family)));
  return out;
}

bool ProtocolNames::needs_one_value_a_ciphertext() const {
  ProtocolNames chosen = *this;  // whatever compares: so a table has one form for all networks
  chosen.compares = true;
  return std::ranges::any_of(chosen.used(), &Descriptor::single_value);
}

bool ProtocolNames::needs_transfers() const {
  return std::ranges::any_of(used(), &Descriptor::transfers);
}

bool ProtocolNames::checks_ranges() const {
  return before_relu() == Form::opened && find_protocol(Family::selection, selection).brings_evidence;
}

Form ProtocolNames::before_relu() const {
  const bool takes_opened = !find_protocol(Family::activation, activation).fused &&
                            find_protocol(Family::comparison, comparison).on_opened;
  return takes_opened ? Form::opened : Form::ciphertexts;
}

Form ProtocolNames::before_derivative() const {
  return find_protocol(Family::activation, activation).fused ? Form::ciphertexts : Form::opened;
}

bool ProtocolNames::stays_opened(std::size_t layer) const {
  if (shared || !product(layer).on_opened) return false;
  return !compares ||
         (before_relu() == Form::opened && find_protocol(Family::selection, selection).on_opened);
}

namespace {

struct Preset {
  std::string name;
  ProtocolNames protocols;
};

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all{
      {"homomorphic", {"packed", "packed", "dgk-veugen", "homomorphic", "compare-select"}},
      {"hybrid", {std::string(cheapest), "packed", "garbled", "oblivious-transfer", "compare-select"}},
      {"paper", {"blinded", "blinded-division", "affine", "homomorphic", "max"}}};
  return all;
}

}  // namespace

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const Preset& each : presets()) out.push_back(each.name);
    return out;
  }();
  return names;
}

ProtocolNames preset(std::string_view wanted) {
  std::string known;
  for (const Preset& each : presets()) {
    if (each.name == wanted) return each.protocols;
    known += (known.empty() ? "" : ", ") + each.name;
  }
  throw Error("there is no preset of protocols '" + std::string(wanted) + "'; there is " + known);
}

namespace {

template <typename Interface>
std::shared_ptr<const Interface> make_one(Family family, const std::string& wanted, const BitBudget& budget,
                                          bool used, const ProtocolSet& parts) {
  const Descriptor& descriptor = find_protocol(family, wanted);
  if (used && descriptor.single_value && budget.slots() != 1)
    throw Error("the protocol " + descriptor.wire_name() +
                " works on one value a ciphertext, the table has " + std::to_string(budget.slots()) +
                " slots");
  return std::dynamic_pointer_cast<const Interface>(descriptor.make(parts));
}

/// Of each layer its own.
class ProductsByLayer : public MatrixProduct {
 public:
  ProductsByLayer(ProtocolNames names, const BitBudget& budget, const ProtocolSet& parts)
      : names_(std::move(names)) {
    for (const Descriptor* each : names_.products())
      products_[each->name] =
          make_one<MatrixProduct>(Family::matmul, std::string(each->name), budget, true, parts);
  }
  EncryptedMatrix multiply(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& a,
                           const EncryptedMatrix& b, const Rescale& factor,
                           const std::optional<Addend>& addend, Form form) const override {
    const auto& product = products_.at(names_.product(operation.layer).name);
    return product->multiply(evaluator, operation, a, b, factor, addend, form);
  }
  std::function<EncryptedMatrix()> multiply_later(const Evaluator& evaluator, const OperationId& operation,
                                                  const EncryptedMatrix& a, const EncryptedMatrix& b,
                                                  const Rescale& factor, const std::optional<Addend>& addend,
                                                  Form form) const override {
    const auto& product = products_.at(names_.product(operation.layer).name);
    return product->multiply_later(evaluator, operation, a, b, factor, addend, form);
  }

 private:
  ProtocolNames names_;
  std::map<std::string_view, std::shared_ptr<const MatrixProduct>> products_;
};

}  // namespace

ProtocolSet make_protocols(const ProtocolNames& names, const BitBudget& budget) {
  const auto used_descriptors = names.used();
  const auto used = [&](Family family) {
    return std::ranges::any_of(used_descriptors, [&](const Descriptor* d) { return d->family == family; });
  };
  ProtocolSet set;
  set.truncation =
      make_one<Truncation>(Family::truncation, names.truncation, budget, used(Family::truncation), set);
  set.comparison =
      make_one<Comparison>(Family::comparison, names.comparison, budget, used(Family::comparison), set);
  set.selection =
      make_one<Selection>(Family::selection, names.selection, budget, used(Family::selection), set);
  if (names.products().size() == 1)
    set.matmul = make_one<MatrixProduct>(Family::matmul, names.matmul, budget, true, set);
  else
    set.matmul = std::make_shared<const ProductsByLayer>(names, budget, set);
  set.activation = make_one<Activation>(Family::activation, names.activation, budget, true, set);
  return set;
}

}  // namespace smlp
