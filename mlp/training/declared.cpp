// How each request counts: by its protocol's declaration, for the memory of its messages, in whose round.
#include "mlp/training/declared.h"

#include <algorithm>
#include <utility>

#include "protocols/activation/tiles.h"
#include "protocols/matmul/cross_terms.h"
#include "protocols/matmul/operand.h"

namespace smlp {

std::optional<std::size_t> Held::term_bytes(const Layout& layout, const BitBudget& budget) const {
  if (!opened) return std::nullopt;
  std::size_t bytes = operand ? sealed_operand_bytes(1, cell_count(layout), budget) : 0;
  for (const std::size_t bits_of : term_bits) bytes += opened_bytes(layout, bits_of);
  return bytes;
}

Held Held::plus(const Held& other) const {
  Held out = *this;
  out.selected = false;
  out.term_bits.insert(out.term_bits.end(), other.term_bits.begin(), other.term_bits.end());
  return out;
}

void Declared::product(std::size_t layer, const Layout& left, const Layout& right, bool addend,
                       const OperandStates& left_states, const OperandStates& right_states,
                       const Held& result, std::optional<std::size_t> addend_bytes, bool later) {
  const Descriptor& matmul = protocols_.product(layer);
  Work work{left, right};
  work.result_bits = matmul.fused ? result.bits() : 0;
  work.addend_bytes = addend_bytes;
  work.left_states = left_states;
  work.right_states = right_states;
  work.addend = matmul.fused && addend;
  work.later = matmul.fused && later;
  count(matmul, work);
  if (matmul.fused) return;
  Work division{{left.row_groups, right.col_groups}, {}};
  division.addend = addend;
  division.result_bits = result.bits();
  count(find_protocol(Family::truncation, protocols_.truncation), division);
}

Held Declared::layer(const LayerKind& kind, const Layout& layout, bool forward, const Held& u,
                     std::size_t reader, Packings packings) {
  if (!kind.compares()) return u;
  Layout hinges{{}, layout.col_groups};  // under each other
  for (std::size_t i = 0; i < kind.hinge_count; ++i)
    hinges.row_groups.insert(hinges.row_groups.end(), layout.row_groups.begin(), layout.row_groups.end());
  const bool opened = stays_opened(reader), operand = kind.is_relu();
  if (opened) packings = operand ? Packings::operand : Packings::none;
  activation(hinges, forward, u, packings);
  if (!opened) return {};
  const BitBudget& budget = sizes_.budget;
  Held selected = Held::under(operand ? budget.value_mask_bits() : budget.guarded_mask_bits());
  selected.selected = operand;
  Held out = kind.slope != 0 ? u : selected;
  for (std::size_t i = kind.slope != 0 ? 0 : 1; i < kind.hinge_count; ++i) out = out.plus(selected);
  return out;
}

Held Declared::before_layer(const LayerKind& kind, bool forward, std::size_t reader) const {
  const std::size_t shift = sizes_.budget.numbers().fraction_bits + kind.halvings + halvings_;
  if (kind.only_hinges()) return before_activation(forward, shift);
  return stays_opened(reader) ? product_of(shift) : Held{};
}

Held Declared::before_activation(bool forward, std::size_t shift) const {
  const Form form = forward ? protocols_.before_relu() : protocols_.before_derivative();
  return form == Form::opened ? product_of(shift) : Held{};
}

void Declared::activation(const Layout& layout, bool forward, const Held& z, Packings packings) {
  const std::vector<Layout> tiles = activation_tiles(layout, tile_cells(protocols_));
  if (tiles.size() == 1) return activation_tile(tiles.front(), forward, z, packings);
  send();
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const std::uint64_t rounds = cost_.traffic.rounds;
    activation_tile(tiles[i], forward, z, packings);
    send();
    if (i % tiles_together != 0) cost_.traffic.rounds = rounds;  // it goes with the one before
  }
}

Held Declared::open(const Layout& layout, const Held& x) {
  if (x.bits() != 0) return x;
  Work work = brought(layout, x);
  work.result_bits = sizes_.budget.guarded_mask_bits();
  count(find_protocol(Family::conversion, "change-form"), work);
  return Held::under(work.result_bits);
}

void Declared::close(const Layout& layout, const Held& x) {
  if (x.opened) count(find_protocol(Family::conversion, "change-form"), brought(layout, x));
}

void Declared::hand_over(std::size_t ciphertexts, std::size_t user_bits) {
  Work work{{{sizes_.budget.slots()}, std::vector<std::size_t>(ciphertexts, 1)}, {}};
  work.user_bits = user_bits;
  count(find_protocol(Family::conversion, "switch-key"), work);
}

void Declared::unpack(const Layout& layout) {
  if (sizes_.budget.slots() == 1 && !layout.single())
    count(find_protocol(Family::conversion, "unpack"), {layout, {}});
}

void Declared::range_check() {
  if (gathered_) count(find_protocol(Family::conversion, "range-check"), {});
  gathered_ = false;
}

Held Declared::product_of(std::size_t shift) const {
  return Held::under(sizes_.budget.rescaled_mask_bits(sizes_.budget.product_mask_bits(), {1, shift}));
}

Work Declared::brought(const Layout& layout, const Held& x) const {
  Work work{layout, {}};
  work.opened_bits = x.bits();
  if (work.opened_bits == 0) work.sum_bytes = x.term_bytes(layout, sizes_.budget);
  return work;
}

void Declared::activation_tile(const Layout& layout, bool forward, const Held& z, Packings packings) {
  const Descriptor& activation = find_protocol(Family::activation, protocols_.activation);
  Work work = brought(layout, z);
  if (activation.fused) {
    work.backward = !forward;
    return count(activation, work);
  }
  const Descriptor& comparison = find_protocol(Family::comparison, protocols_.comparison);
  work.packings = packings;
  if (forward) {
    count(comparison, work);
    if (comparison.on_opened && work.opened_bits == 0) work.opened_bits = sizes_.budget.guarded_mask_bits();
  }
  work.checked = forward && comparison.on_opened && checks_;
  gathered_ |= work.checked;
  count(find_protocol(Family::selection, protocols_.selection), work);
}

void Declared::count(const Descriptor& descriptor, const Work& work) {
  if (descriptor.transfers && transfers_to_come_) {
    transfers_to_come_ = false;
    add(find_protocol(Family::conversion, "base-transfers").declared({}, sizes_));  // for itself
  }
  Declaration declared = descriptor.declared(work, sizes_);
  if (waiting_ == most_chained || waiting_bytes_ > most_chained_bytes) send();
  const bool waits = declared.last_waits(sizes_);
  const std::size_t last = waits ? bytes_of(*declared.waits, sizes_) : 0;
  declared.begins_later = declared.begins_later && following_ + last <= most_following_bytes;
  if (waits) --declared.rounds;
  if (declared.begins_later) {
    static_assert(most_following_bytes <= most_waiting_bytes);  // so what follows waits too
    --declared.rounds;
    ++lasts_;
    following_ += last;
  }
  if (declared.rounds > 0) none_waits();
  if (waits) {
    ++waiting_;
    waiting_bytes_ += declared.begins_later ? bytes_of(declared.to_key_holder, sizes_) - last : last;
    later_waits_ |= declared.begins_later || (work.later && work.result_bits == 0);
  }
  // Messages are there in the frame in which they are made and with their receiver, each as bytes and as
  // numbers or in memory that is kept for the next. Transfers come in tiles, one after another, whose
  // memory goes back.
  const Traffic traffic = add(declared);
  std::uint64_t memory = 4 * (traffic.to_key_holder + traffic.to_evaluator);
  if (descriptor.transfers) memory = std::min<std::uint64_t>(memory, 3 * CrossTerms{}.tile_bytes);
  cost_.largest_call = std::max(cost_.largest_call, memory);
}

Traffic Declared::add(const Declaration& declared) {
  const Traffic traffic = declared.traffic(sizes_);
  cost_.traffic += traffic;
  cost_.operations += declared.operations();
  return traffic;
}

void Declared::send() {
  if (waiting_ > 0) ++cost_.traffic.rounds;
  none_waits();
}

void Declared::none_waits() {
  waiting_ = waiting_bytes_ = 0;
  later_waits_ = false;
}

void Declared::read_later() {
  if (later_waits_) send();
  waiting_ += std::exchange(lasts_, 0);
  waiting_bytes_ += std::exchange(following_, 0);
}

}  // namespace smlp
