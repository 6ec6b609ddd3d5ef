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

/// What the record of an operand says that its mask was drawn for, on whichever side.
constexpr RandomnessKind operand_kind = RandomnessKind::mask_left;

OpenedRecord operand_record(std::size_t rows, std::size_t cols, const BitBudget& budget) {
  return {operand_kind, budget.value_mask_bits(), 0, rows, cols};
}

// The form of an operand in a request: a sum of these.
constexpr std::int64_t form_kept = 1, form_sealed = 2, form_lasting = 4, form_transposed = 8,
                       form_closes = 16, form_constant = 32, form_terms = 64, form_as_it_is = 128,
                       forms = 256;

/// Whether k of an opened matrix is X + R of an operand: its mask was drawn alike, for a selection. A left
/// one may have a column of constants.
bool is_operand(const OpenedValue& value, Side side, std::size_t bits) {
  const auto fits = [&](const std::shared_ptr<const OpenedRows>& rows) {
    return rows->kind == RandomnessKind::mask_selected && rows->mask_bits == bits;
  };
  return value.terms.size() == 1 && value.terms[0].factor == 1 &&
         value.constant_columns <= (side == Side::left ? 1 : 0) &&
         std::ranges::all_of(value.terms[0].records, fits);
}

}  // namespace

std::size_t sealed_operand_bytes(std::size_t pieces, std::size_t cells, const BitBudget& budget) {
  return pieces * (sealed_overhead + operand_record(0, 0, budget).state_bytes()) +
         cells * masked_value_bytes(budget.value_mask_bits());
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
  if (states.as_it_is) {
    out.to_key_holder.bytes += states.term_bytes.value();
    return;
  }
  if (states.term_bytes) {
    out.to_key_holder.bytes +=
        *states.term_bytes + difference_bytes(cell_count(layout), budget.value_mask_bits());
    out.masked_values += cell_count(layout);
    return;
  }
  if (states.closes) out.to_evaluator.ciphertexts += row_packed_count(layout);
  const std::size_t sent = operand_ciphertexts(packed);
  out.to_key_holder.ciphertexts += sent;
  out.masked_values += cell_count(layout);
  out.beside.products += static_cast<double>((packed - sent) * (budget.pair_shift() + 2));
}

Operand::Operand(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& matrix,
                 Side side)
    : evaluator_(evaluator), operation_(operation), matrix_(matrix), side_(side) {
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
  // An Error before anything is drawn, where there is nothing to mask.
  if (!matrix.has_ciphertexts())
    static_cast<void>(matrix.value());
  else
    static_cast<void>(side == Side::left ? matrix.column_packed() : matrix.row_packed());
  kept_ = possible && form.omitted_rows == 0 && !form.transposed &&
          std::ranges::none_of(form.pieces, opened) && (form.pieces.size() == 1 || side == Side::left);
  closes_ = kept_ && side == Side::left && form.pieces.size() == 1 && !matrix.layout().single() &&
            matrix.has_ciphertexts() && matrix.stored_row_packed().empty();
  const auto grouped = [&](bool with_constant) {
    return matrix.layout().col_groups == groups_of(matrix.cols(), with_constant, evaluator.budget.slots());
  };
  has_constant_ = closes_ && !grouped(false);  // of one column both are the same
  if (has_constant_ && !grouped(true))
    throw Error("an operand of " + std::to_string(matrix.cols()) +
                " columns is held in one packing; the key holder makes the other for balanced groups, with "
                "a constant column or without, alone");
  as_it_is_ = !matrix.has_ciphertexts() && is_operand(matrix.value(), side, bits);
  if (as_it_is_) {
    mask_ = matrix.value().mask;
    return;
  }
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
  if (matrix_.has_ciphertexts()) {
    body.add(mask_operand(evaluator_, matrix_, side_, *drawn_, operation_));
    return;
  }
  add_terms(matrix_.value(), body);
  if (as_it_is_) return;
  body.add(mask_opened(evaluator_, matrix_.value(), *drawn_, evaluator_.budget.numbers().value_bits));
}

void Operand::append_to(std::vector<std::int64_t>& parameters) const {
  const bool opened = !reused_ && !matrix_.has_ciphertexts();
  const std::int64_t terms = (opened ? form_terms : 0) | (as_it_is_ ? form_as_it_is : 0);
  if (!reused_ && !kept_) {
    parameters.insert(parameters.end(), {terms, 0, 0});
  } else {
    const OpenedForm& form = matrix_.opened();
    const bool lasting = form.pieces[0]->lasting.has_value();
    parameters.push_back((reused_ ? form_sealed : form_kept) | (lasting ? form_lasting : 0) |
                         (form.transposed ? form_transposed : 0) | (closes_ ? form_closes : 0) |
                         (has_constant_ ? form_constant : 0) | terms);
    parameters.push_back(static_cast<std::int64_t>(form.omitted_rows));
    parameters.push_back(static_cast<std::int64_t>(form.pieces.size()));
    for (const auto& piece : form.pieces) {
      parameters.push_back(static_cast<std::int64_t>(piece->rows));
      parameters.push_back(piece->lasting ? piece->lasting->step : 0);
    }
  }
  if (opened) append_terms(matrix_.value(), parameters);
}

void Operand::read(AnswerBody& answer) {
  if (!kept_) return;
  for (const auto& piece : matrix_.opened().pieces)
    sealed_.push_back(answer.sealed(sealed_operand_bytes(1, piece->rows * matrix_.cols(), evaluator_.budget) -
                                    sealed_overhead));
  if (!closes_) return;
  const Layout& layout = matrix_.layout();
  // A later product reads them: this one's request need not be sent for it.
  row_packed_ = LaterCiphertexts(
      [key = evaluator_.paillier(), masks = pack_rows(mask(), layout, evaluator_.budget.slot_bits()),
       opened = answer.ciphertexts_later(layout.rows() * layout.col_groups.size(), "[A + R_A] across")] {
        std::vector<Ciphertext> cells = opened();
        for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = key.add_plain(cells[i], -masks[i]);
        return cells;
      });
}

void Operand::keep() {
  std::size_t first = 0;
  for (std::size_t i = 0; i < sealed_.size(); ++i) {
    OpenedRows& piece = *matrix_.opened().pieces[i];
    piece.mask = as_it_is_ ? mask_.rows_from(first, piece.rows) : piece_masks_[i].values();
    first += piece.rows;
    piece.origin = operation_;
    piece.kind = operand_kind;
    piece.mask_bits = evaluator_.budget.value_mask_bits();
    piece.sealed = std::move(sealed_[i]);
    if (closes_) piece.row_packed = std::move(row_packed_);
  }
}

void read_operands(AnswerBody& answer, Operand& left, Operand& right) {
  left.read(answer);
  right.read(answer);
  answer.finish();
  left.keep();
  right.keep();
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
  as_it_is_ = (form & form_as_it_is) != 0;
  const bool has_constant = (form & form_constant) != 0;
  omitted_rows_ = static_cast<std::size_t>(omitted_rows);
  const bool fresh = !sealed_;
  if ((kept_ && sealed_) || ((kept_ || sealed_) != (count > 0)) ||
      (fresh && (transposed_ || omitted_rows_ > 0)) ||
      (closes_ && (!kept_ || count != 1 || side != Side::left)) ||
      (has_constant && (!closes_ || layout.cols() < 2)) ||
      (as_it_is_ && ((form & form_terms) == 0 || lasting_)))
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
  if ((form & form_terms) != 0) {
    if (sealed_ || closes_) refuse();
    sum_.emplace(responder, layout.rows(), layout.cols(), next);
    if (as_it_is_ && side == Side::right && sum_->constant_columns() > 0) refuse();
  }
}

OpenedRecord OpenedOperand::record(const Piece& piece, std::size_t cols) const {
  return operand_record(piece.rows, cols, responder_.budget());
}

OperationId OpenedOperand::place(const Piece& piece) const {
  const OperationId& operation = responder_.header().operation;
  return lasting_ ? OperationId{piece.step, operation.layer, Direction::lasting} : operation;
}

const IntegerMatrix& OpenedOperand::open(std::string_view what) {
  const BitBudget& budget = responder_.budget();
  const std::size_t bits = budget.value_mask_bits();
  if (sum_) {
    values_ = integer_matrix(as_it_is_ ? sum_->open_as_it_is(bits) : sum_->open(bits, what), layout_.rows(),
                             layout_.cols());
    return values_;
  }
  if (!sealed_) {
    values_ = responder_.open_operand(layout_, side_, what);
    return values_;
  }
  const std::size_t cols = transposed_ ? layout_.rows() : layout_.cols();
  std::vector<IntegerMatrix> opened;
  for (const Piece& piece : pieces_) {
    const OpenedRecord sealed = record(piece, cols);
    const OpenedState state = open_record_of(responder_, place(piece), sealed);
    if ((state.origin.direction == Direction::lasting) != lasting_)
      throw Error("a sealed state does not belong to this request");
    opened.push_back(integer_matrix(values_in(state.state, sealed), piece.rows, cols));
  }
  values_ = assembled(stacked(opened), omitted_rows_, transposed_);
  return values_;
}

void OpenedOperand::seal() const {
  if (!kept_) return;
  const std::size_t cols = values_.cols(), limbs = masked_value_limbs(responder_.budget().value_mask_bits());
  std::size_t first = 0;
  for (const Piece& piece : pieces_) {
    const auto cells = std::span(values_.cells()).subspan(first * cols, piece.rows * cols);
    first += piece.rows;
    put_record(responder_, place(piece), FixedIntegers(cells, limbs), record(piece, cols));
  }
  if (closes_)
    responder_.put(pack_rows(values_, closed_, responder_.budget().slot_bits()),
                   RandomnessKind::answer_operand);
}

}  // namespace smlp
