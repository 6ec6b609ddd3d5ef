// Both halves of an operand that is opened once.
#include "protocols/matmul/operand.h"

#include <algorithm>
#include <ranges>

#include "paillier/error.h"
#include "protocols/masked_values.h"

namespace smlp {

namespace {

RandomnessKind mask_draw(Side side) {
  return side == Side::left ? RandomnessKind::mask_left : RandomnessKind::mask_right;
}

constexpr std::size_t most_rows = max_groups * 4096;

/// An axis of this many cells in the widths that a header can write.
std::vector<std::size_t> widths(std::size_t cells) {
  constexpr std::size_t widest = 4096;
  std::vector<std::size_t> out(cells / widest, widest);
  if (cells % widest != 0) out.push_back(cells % widest);
  return out;
}

bool same_step(const OperationId& a, const OperationId& b) {
  return a.step == b.step && a.layer == b.layer;
}

/// The stacked pieces of an operand, without the last `omitted_rows` rows, transposed if `transposed`.
IntegerMatrix assembled(IntegerMatrix pieces, std::size_t omitted_rows, bool transposed) {
  if (omitted_rows > 0) pieces = pieces.first_rows(pieces.rows() - omitted_rows);
  if (transposed) return pieces.transposed();
  return pieces;
}

/// Columns as the key holder groups them in the packing that it makes.
std::vector<std::size_t> groups_of(std::size_t cols, bool with_constant, std::size_t slots) {
  return with_constant ? groups_with_bias(cols, slots) : balanced_groups(cols, slots);
}

/// No name of a protocol.
constexpr auto sealed_by = "operand";

// The form of an operand in a request: a sum of these.
constexpr std::int64_t form_kept = 1, form_sealed = 2, form_lasting = 4, form_transposed = 8,
                       form_closes = 16, form_constant = 32, forms = 64;

}  // namespace

std::size_t sealed_operand_bytes(std::size_t pieces, std::size_t cells, const BitBudget& budget) {
  return pieces * sealed_overhead + cells * masked_value_bytes(budget.value_mask_bits());
}

bool asks_for_row_packing(std::span<const std::int64_t> parameters) {
  return first_form < parameters.size() && (parameters[first_form] & form_closes) != 0;
}

std::size_t operand_ciphertexts(std::size_t packed) {
  return (packed + 1) / 2;
}

void declare_operand(const OperandStates& states, const Layout& layout, std::size_t packed,
                     const BitBudget& budget, Declaration& out) {
  const std::size_t state =
      sealed_operand_bytes(states.pieces, cell_count(layout) + states.unused_cells, budget);
  if (states.use == OperandUse::reused) {
    out.to_key_holder.bytes += state;
    return;
  }
  if (states.use == OperandUse::kept) out.to_evaluator.bytes += state;
  if (states.closes) out.to_evaluator.ciphertexts += row_packed_count(layout);
  const std::size_t sent = operand_ciphertexts(packed);
  out.to_key_holder.ciphertexts += sent;
  out.masked_values += cell_count(layout);
  out.beside.products += static_cast<double>((packed - sent) * (budget.pair_shift() + 2));
}

Operand::Operand(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& matrix,
                 Side side)
    : evaluator_(evaluator), operation_(operation), matrix_(matrix), side_(side) {
  // An Error before anything is drawn, where there are no ciphertexts.
  static_cast<void>(side == Side::left ? matrix.column_packed() : matrix.row_packed());
  const OpenedForm& form = matrix.opened();
  const std::size_t bits = evaluator.budget.value_mask_bits();
  const auto opened = [&](const std::shared_ptr<OpenedRows>& piece) {
    return piece->sealed && (piece->lasting || same_step(piece->origin, operation));
  };
  const bool possible = !form.pieces.empty() && form.pieces.size() <= most_pieces;
  reused_ = possible && std::ranges::all_of(form.pieces, opened);
  if (reused_) {
    const auto mask_of = [](const std::shared_ptr<OpenedRows>& piece) -> const IntegerMatrix& {
      return piece->mask;
    };
    mask_ =
        assembled(stacked(form.pieces | std::views::transform(mask_of)), form.omitted_rows, form.transposed);
    return;
  }
  kept_ = possible && form.omitted_rows == 0 && !form.transposed &&
          std::ranges::none_of(form.pieces, opened) && (form.pieces.size() == 1 || side == Side::left);
  closes_ = kept_ && side == Side::left && form.pieces.size() == 1 && !matrix.layout().single() &&
            matrix.stored_row_packed().empty();
  const auto grouped = [&](bool with_constant) {
    return matrix.layout().col_groups == groups_of(matrix.cols(), with_constant, evaluator.budget.slots());
  };
  has_constant_ = closes_ && !grouped(false);  // of one column both are the same
  if (has_constant_ && !grouped(true))
    throw Error("an operand of " + std::to_string(matrix.cols()) +
                " columns is held in one packing; the key holder makes the other for balanced groups, with "
                "a constant column or without, alone");
  if (!kept_) {
    piece_masks_.push_back(
        Mask::drawn(evaluator.draws(operation, mask_draw(side)), matrix.rows(), matrix.cols(), bits));
  } else {
    for (const auto& piece : form.pieces)
      piece_masks_.push_back(Mask::drawn(evaluator.draws(piece->lasting.value_or(operation), mask_draw(side)),
                                         piece->rows, matrix.cols(), bits));
  }
  drawn_ = Mask::stacked(piece_masks_);
}

void Operand::add_to(RequestBody& body) const {
  const OpenedForm& form = matrix_.opened();
  if (reused_) {
    for (const auto& piece : form.pieces) body.add(*piece->sealed);
    return;
  }
  body.add(mask_operand(evaluator_, matrix_, side_, *drawn_, operation_));
}

void Operand::append_to(std::vector<std::int64_t>& parameters) const {
  if (!reused_ && !kept_) {
    parameters.insert(parameters.end(), {0, 0, 0});
    return;
  }
  const OpenedForm& form = matrix_.opened();
  const bool lasting = form.pieces[0]->lasting.has_value();
  parameters.push_back((reused_ ? form_sealed : form_kept) | (lasting ? form_lasting : 0) |
                       (form.transposed ? form_transposed : 0) | (closes_ ? form_closes : 0) |
                       (has_constant_ ? form_constant : 0));
  parameters.push_back(static_cast<std::int64_t>(form.omitted_rows));
  parameters.push_back(static_cast<std::int64_t>(form.pieces.size()));
  for (const auto& piece : form.pieces) {
    parameters.push_back(static_cast<std::int64_t>(piece->rows));
    parameters.push_back(piece->lasting ? piece->lasting->step : 0);
  }
}

void Operand::read(AnswerBody& answer) {
  if (!kept_) return;
  for (const auto& piece : matrix_.opened().pieces)
    sealed_.push_back(answer.sealed(sealed_operand_bytes(1, piece->rows * matrix_.cols(), evaluator_.budget) -
                                    sealed_overhead));
  if (!closes_) return;
  const Layout& layout = matrix_.layout();
  const PaillierPublicKey& key = evaluator_.paillier();
  const auto opened = answer.ciphertexts(layout.rows() * layout.col_groups.size(), "[A + R_A] across");
  const auto masks = pack_rows(mask(), layout, evaluator_.budget.slot_bits());
  for (std::size_t i = 0; i < opened.size(); ++i) row_packed_.push_back(key.add_plain(opened[i], -masks[i]));
}

void Operand::keep() {
  for (std::size_t i = 0; i < sealed_.size(); ++i) {
    OpenedRows& piece = *matrix_.opened().pieces[i];
    piece.mask = piece_masks_[i].values();
    piece.origin = operation_;
    piece.sealed = std::move(sealed_[i]);
    if (closes_) piece.row_packed = std::move(row_packed_);
  }
}

OpenedOperand::OpenedOperand(Responder& responder, const Layout& layout, Side side, std::size_t& next)
    : responder_(responder), layout_(layout), side_(side) {
  const std::int64_t form = responder.parameter(next), omitted_rows = responder.parameter(next + 1),
                     count = responder.parameter(next + 2);
  next += 3;
  const auto refuse = [] { throw Error("the form of an operand does not fit its matrix"); };
  if (form < 0 || form >= forms || omitted_rows < 0 || omitted_rows > static_cast<std::int64_t>(max_groups) ||
      count < 0 || count > static_cast<std::int64_t>(most_pieces))
    refuse();
  kept_ = (form & form_kept) != 0;
  sealed_ = (form & form_sealed) != 0;
  lasting_ = (form & form_lasting) != 0;
  transposed_ = (form & form_transposed) != 0;
  closes_ = (form & form_closes) != 0;
  const bool has_constant = (form & form_constant) != 0;
  omitted_rows_ = static_cast<std::size_t>(omitted_rows);
  const bool fresh = !sealed_;
  if ((kept_ && sealed_) || ((kept_ || sealed_) != (count > 0)) ||
      (fresh && (transposed_ || omitted_rows_ > 0)) ||
      (closes_ && (!kept_ || count != 1 || side != Side::left)) ||
      (has_constant && (!closes_ || layout.cols() < 2)))
    refuse();
  if (closes_)
    closed_ = {layout.row_groups, groups_of(layout.cols(), has_constant, responder.budget().slots())};
  if (closes_ && closed_.single()) refuse();  // of which `column_packed` is both packings
  std::size_t all_rows = 0;
  for (std::int64_t i = 0; i < count; ++i, next += 2) {
    const std::int64_t rows = responder.parameter(next), step = responder.parameter(next + 1);
    if (rows < 1 || rows > static_cast<std::int64_t>(most_rows) || step < 0 || step > UINT32_MAX) refuse();
    pieces_.push_back({static_cast<std::size_t>(rows), static_cast<std::uint32_t>(step)});
    all_rows += static_cast<std::size_t>(rows);
  }
  if (count > 0 && all_rows != (transposed_ ? layout.cols() : layout.rows()) + omitted_rows_) refuse();
}

/// What the state of a piece is bound to: its shape, not the result's layout.
Header OpenedOperand::context(const Piece& piece, std::size_t cols) const {
  Header bound = responder_.header();
  bound.protocol = sealed_by;
  bound.stage = 0;
  bound.layout = {widths(piece.rows), widths(cols)};
  if (lasting_) bound.operation = {piece.step, bound.operation.layer, Direction::lasting};
  return bound;
}

const IntegerMatrix& OpenedOperand::open(std::string_view what) {
  const BitBudget& budget = responder_.budget();
  const std::size_t bits = budget.value_mask_bits();
  if (!sealed_) {
    values_ = responder_.open_operand(layout_, side_, what);
    return values_;
  }
  const std::size_t cols = transposed_ ? layout_.rows() : layout_.cols();
  std::vector<IntegerMatrix> opened;
  for (const Piece& piece : pieces_) {
    const std::size_t rows = piece.rows;
    const OpenedState state =
        responder_.open_sealed(rows * cols * masked_value_bytes(bits), context(piece, cols), sealed_by, 0);
    if ((state.origin.direction == Direction::lasting) != lasting_)
      throw Error("a sealed state does not belong to this request");
    opened.push_back(read_masked(state.state, rows, cols, bits));
  }
  values_ = assembled(stacked(opened), omitted_rows_, transposed_);
  return values_;
}

void OpenedOperand::seal() const {
  if (!kept_) return;
  const std::size_t bits = responder_.budget().value_mask_bits(), cols = values_.cols();
  std::size_t first = 0;
  for (const Piece& piece : pieces_) {
    IntegerMatrix values(piece.rows, cols);
    std::copy_n(values_.cells().begin() + static_cast<std::ptrdiff_t>(first * cols), values.size(),
                values.cells().begin());
    first += piece.rows;
    Bytes state;
    append_masked(values, bits, state);
    responder_.put_sealed(state, context(piece, cols));
  }
  if (closes_)
    responder_.put(pack_rows(values_, closed_, responder_.budget().slot_bits()),
                   RandomnessKind::answer_operand);
}

}  // namespace smlp
