// Both halves of values that stay opened.
#include "protocols/opened_values.h"

#include <algorithm>
#include <string>

#include "paillier/error.h"
#include "protocols/masked_values.h"

namespace smlp {

namespace {

/// No name of a protocol: whichever opens a value seals it for all.
constexpr auto sealed_by = "opened";

/// What a state begins with: kind of draw, bits of the mask, first row.
constexpr std::size_t label_bytes = 1 + 2 + 4;
/// Runs of row groups of one origin that a request can bring: three parameters each.
constexpr std::size_t most_runs = 64;

Bytes label(RandomnessKind kind, std::size_t mask_bits, std::size_t first_row) {
  Bytes out{static_cast<std::uint8_t>(kind)};
  append_number(mask_bits, 2, out);
  append_number(first_row, 4, out);
  return out;
}

std::size_t state_bytes(std::size_t cells, std::size_t mask_bits) {
  return label_bytes + cells * masked_value_bytes(mask_bits);
}

/// An origin of this step as a number: kind of draw, layer, direction, tile.
std::int64_t origin_word(const OperationId& origin, RandomnessKind kind) {
  return static_cast<std::int64_t>(kind) | std::int64_t{origin.layer} << 8 |
         static_cast<std::int64_t>(origin.direction) << 16 | std::int64_t{origin.tile} << 24;
}

bool follows(const OpenedRows& piece, const OpenedRows& before) {
  return piece.origin == before.origin && piece.kind == before.kind &&
         piece.first_row == before.first_row + before.rows;
}

std::string described(const EncryptedMatrix& x) {
  return "an opened matrix of " + std::to_string(x.rows()) + " x " + std::to_string(x.cols()) + " cells";
}

}  // namespace

Brought bring(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& x,
              RandomnessKind kind, RequestBody& body, std::vector<std::int64_t>& parameters) {
  const BitBudget& budget = evaluator.budget;
  if (x.has_ciphertexts()) {
    const Mask mask =
        Mask::drawn(evaluator.draws(operation, kind), x.rows(), x.cols(), budget.guarded_mask_bits());
    body.add(
        mask_column_packed(evaluator, x.column_packed(), x.layout(), mask, budget.guarded_bits(), operation));
    parameters.push_back(0);
    return {mask.values(), mask.bits(), true};
  }
  const OpenedForm& form = x.opened();
  if (form.transposed) throw Error(described(x) + " cannot be brought transposed");
  const std::size_t bits = form.pieces.front()->mask_bits;
  std::vector<IntegerMatrix> masks;
  std::vector<std::int64_t> runs;
  for (std::size_t i = 0; i < form.pieces.size(); ++i) {
    const OpenedRows& piece = *form.pieces[i];
    if (piece.origin.step != operation.step)
      throw Error(described(x) + " of step " + std::to_string(piece.origin.step) + " was brought to step " +
                  std::to_string(operation.step));
    if (piece.mask_bits != bits)
      throw Error(described(x) + " is under masks of " + std::to_string(bits) + " and " +
                  std::to_string(piece.mask_bits) + " bits");
    if (i == 0 || !follows(piece, *form.pieces[i - 1]))
      runs.insert(runs.end(), {origin_word(piece.origin, piece.kind),
                               static_cast<std::int64_t>(piece.first_row), std::int64_t{0}});
    ++runs.back();
    masks.push_back(piece.mask);
    body.add(*piece.sealed);
  }
  if (runs.size() > 3 * most_runs)
    throw Error(described(x) + " has " + std::to_string(runs.size() / 3) +
                " origins, a request has room for " + std::to_string(most_runs));
  parameters.push_back(static_cast<std::int64_t>(bits));
  parameters.push_back(static_cast<std::int64_t>(runs.size() / 3));
  parameters.insert(parameters.end(), runs.begin(), runs.end());
  return {stacked(masks), bits, false};
}

EncryptedMatrix read_opened(AnswerBody& answer, const OperationId& operation, RandomnessKind kind,
                            const Layout& layout, const IntegerMatrix& mask, std::size_t mask_bits) {
  OpenedForm form;
  std::size_t first = 0;
  for (const std::size_t width : layout.row_groups) {
    auto rows = std::make_shared<OpenedRows>(width);
    rows->sealed = answer.sealed(state_bytes(width * mask.cols(), mask_bits));
    rows->origin = operation;
    rows->kind = kind;
    rows->mask_bits = mask_bits;
    rows->first_row = first;
    rows->mask = IntegerMatrix(width, mask.cols());
    std::copy_n(mask.cells().begin() + static_cast<std::ptrdiff_t>(first * mask.cols()), rows->mask.size(),
                rows->mask.cells().begin());
    first += width;
    form.pieces.push_back(std::move(rows));
  }
  return EncryptedMatrix(layout, std::move(form));
}

Received receive(Responder& responder, std::size_t& next, std::string_view what) {
  const BitBudget& budget = responder.budget();
  if (responder.parameter(next) != 0) return receive_opened(responder, next);
  ++next;
  const std::size_t bits = budget.guarded_mask_bits();
  return {responder.open_column_packed(responder.header().layout, bits, what), bits, true};
}

Received receive_opened(Responder& responder, std::size_t& next) {
  const Header& header = responder.header();
  const std::vector<std::size_t>& groups = header.layout.row_groups;
  const std::int64_t bits = responder.parameter(next), runs = responder.parameter(next + 1);
  next += 2;
  const auto refuse = [] { throw Error("the form of opened values does not fit their matrix"); };
  if (bits < 1 || runs < 1 || runs > static_cast<std::int64_t>(most_runs)) refuse();
  const auto mask_bits = static_cast<std::size_t>(bits);
  responder.budget().check_opened(header.protocol, mask_bits);
  const std::size_t cols = header.layout.cols(), width = masked_value_bytes(mask_bits);
  Bytes all;
  std::size_t group = 0;
  for (std::int64_t run = 0; run < runs; ++run, next += 3) {
    const std::int64_t word = responder.parameter(next), row = responder.parameter(next + 1),
                       count = responder.parameter(next + 2);
    if (word < 0 || word > UINT32_MAX || row < 0 || row > UINT32_MAX || count < 1 ||
        count > static_cast<std::int64_t>(groups.size() - group))
      refuse();
    const OperationId origin{header.operation.step, static_cast<std::uint8_t>(word >> 8),
                             static_cast<Direction>(word >> 16 & 255), static_cast<std::uint8_t>(word >> 24)};
    auto first_row = static_cast<std::size_t>(row);
    for (std::int64_t i = 0; i < count; ++i, ++group) {
      const std::size_t cells = groups[group] * cols;
      const OpenedState state = responder.open_sealed(
          state_bytes(cells, mask_bits), opened_context(header, origin, groups[group]), sealed_by, 0);
      if (state.origin != origin) throw Error("a sealed state does not belong to this request");
      const auto values =
          values_in(state.state, static_cast<RandomnessKind>(word & 255), mask_bits, first_row);
      all.insert(all.end(), values.begin(), values.end());
      first_row += groups[group];
    }
  }
  if (group != groups.size()) refuse();
  return {read_masked(all, all.size() / width, mask_bits), mask_bits, false};
}

void put_opened(Responder& responder, const FixedIntegers& k, RandomnessKind kind, std::size_t mask_bits) {
  const Header& header = responder.header();
  const std::size_t cols = header.layout.cols();
  std::size_t first = 0;
  for (const std::size_t width : header.layout.row_groups) {
    FixedIntegers rows(width * cols, k.limbs());
    for (std::size_t i = 0; i < rows.size(); ++i) std::ranges::copy(k[first * cols + i], rows[i].begin());
    responder.put_sealed(opened_state(rows, kind, mask_bits, first),
                         opened_context(header, header.operation, width));
    first += width;
  }
}

void put_opened(Responder& responder, const IntegerMatrix& k, RandomnessKind kind, std::size_t mask_bits) {
  bool outside = false;
  for (const Integer& value : k.cells()) outside |= bit_length(value) > mask_bits + mask_sum_bits;
  if (outside) refuse_out_of_range();
  put_opened(responder, FixedIntegers(k.cells(), masked_value_limbs(mask_bits)), kind, mask_bits);
}

std::size_t opened_bytes(const Layout& layout, std::size_t mask_bits) {
  return layout.row_groups.size() * (sealed_overhead + label_bytes) +
         layout.rows() * layout.cols() * masked_value_bytes(mask_bits);
}

Header opened_context(const Header& header, const OperationId& origin, std::size_t group_rows) {
  Header bound = header;
  bound.protocol = sealed_by;
  bound.stage = 0;
  bound.operation = origin;
  bound.layout.row_groups = {group_rows};
  return bound;
}

Bytes opened_state(const FixedIntegers& rows, RandomnessKind kind, std::size_t mask_bits,
                   std::size_t first_row) {
  Bytes state = label(kind, mask_bits, first_row);
  append_masked(rows, mask_bits, state);
  return state;
}

std::span<const std::uint8_t> values_in(std::span<const std::uint8_t> state, RandomnessKind kind,
                                        std::size_t mask_bits, std::size_t first_row) {
  const Bytes expected = label(kind, mask_bits, first_row);
  if (state.size() < label_bytes || !std::ranges::equal(state.first(label_bytes), expected))
    throw Error("a sealed state does not belong to this request");
  return state.subspan(label_bytes);
}

}  // namespace smlp
