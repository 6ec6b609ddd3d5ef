// What the requests of a run declare, summed: the cost model's vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mlp/layers/layer_kind.h"
#include "mlp/training/cost.h"
#include "protocols/registry.h"

namespace smlp {

/// How a matrix is held: as ciphertexts, or opened as a sum of terms, each with a record for every row group.
struct Held {
  bool opened = false;
  std::vector<std::size_t> term_bits{};  ///< of the masks under which the terms were opened
  bool operand = false;                  ///< one more term is the record of an operand
  bool selected = false;                 ///< the one term is what a selection gave

  static Held under(std::size_t bits) { return {true, {bits}}; }
  /// Bits of the mask of a result as it is; 0: it is ciphertexts or a sum.
  std::size_t bits() const { return opened && term_bits.size() == 1 && !operand ? term_bits.front() : 0; }
  /// Of its sealed terms. None as ciphertexts.
  std::optional<std::size_t> term_bytes(const Layout& layout, const BitBudget& budget) const;
  Held plus(const Held& other) const;
};

/// Sums what the protocols of a run declare.
class Declared {
 public:
  /// `transfers_to_come`: its session has made none; `halvings`: by how many bits more than their kinds say
  /// products are rescaled.
  Declared(const ProtocolNames& protocols, const Sizes& sizes, bool range_checks,
           bool transfers_to_come = false, std::size_t halvings = 0)
      : protocols_(protocols),
        sizes_(sizes),
        halvings_(halvings),
        checks_(range_checks && protocols.checks_ranges()),
        transfers_to_come_(transfers_to_come) {}
  const Cost& cost() const { return cost_; }
  /// Whether there were still none.
  bool transfers_to_come() const { return transfers_to_come_; }
  /// Whether what products of this layer take and update stays opened.
  bool stays_opened(std::size_t layer) const { return protocols_.stays_opened(layer); }
  bool checks() const { return checks_; }

  /// `later`: its answer is read later.
  void product(std::size_t layer, const Layout& left, const Layout& right, bool addend,
               const OperandStates& left_states = {}, const OperandStates& right_states = {},
               const Held& result = {}, std::optional<std::size_t> addend_bytes = {}, bool later = false);
  /// `u`: how what it reads is held; `packings` of what it gives, unless it stays opened for the products of
  /// layer `reader`. How that is held.
  Held layer(const LayerKind& kind, const Layout& layout, bool forward, const Held& u, std::size_t reader,
             Packings packings);
  /// Of a product before such a layer, forward or backward; `reader`: as for it.
  Held before_layer(const LayerKind& kind, bool forward, std::size_t reader) const;
  /// Of a product with this shift, before relu or its derivative.
  Held before_activation(bool forward, std::size_t shift) const;
  void activation(const Layout& layout, bool forward, const Held& z, Packings packings = Packings::both);

  /// x opened, as one term.
  Held open(const Layout& layout, const Held& x);
  /// x as ciphertexts.
  void close(const Layout& layout, const Held& x);
  /// Of packed ciphertexts, all slots of each.
  void hand_over(std::size_t ciphertexts, std::size_t user_bits);
  void unpack(const Layout& layout);
  /// Of what was compared since the last one.
  void range_check();
  /// What was to be read later.
  void read_later();

 private:
  /// A product with this shift, opened.
  Held product_of(std::size_t shift) const;
  /// What opens x, or brings it opened.
  Work brought(const Layout& layout, const Held& x) const;
  void activation_tile(const Layout& layout, bool forward, const Held& z, Packings packings);
  void count(const Descriptor& descriptor, const Work& work);
  Traffic add(const Declaration& declared);
  /// What waits.
  void send();
  void none_waits();

  ProtocolNames protocols_;
  Sizes sizes_;
  std::size_t halvings_;
  bool checks_;
  bool gathered_ = false;
  /// Requests for the next one; the last ones of a step for those of the next step.
  std::size_t waiting_ = 0, waiting_bytes_ = 0;
  bool later_waits_ = false;   ///< one of them has an answer that is more than states
  std::size_t lasts_ = 0;      ///< that will follow on answers which are read later
  std::size_t following_ = 0;  ///< their bytes
  bool transfers_to_come_;     ///< base transfers, by the first protocol of a session that needs them
  Cost cost_;
};

}  // namespace smlp
