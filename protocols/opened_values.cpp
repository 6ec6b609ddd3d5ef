// Both halves of values that stay opened.
#include "protocols/opened_values.h"

#include <algorithm>
#include <string>

#include "paillier/error.h"
#include "protocols/masked_values.h"
#include "protocols/opened_sums.h"

namespace smlp {

namespace {

/// No name of a protocol: whichever opens a value seals it for all.
constexpr auto sealed_by = "opened";

/// What a state begins with: kind of draw, bits of the mask, first row.
constexpr std::size_t label_bytes = 1 + 2 + 4;
/// Runs of row groups of one origin that a request can bring: three parameters each.
constexpr std::size_t most_runs = 64;

// How a value comes, unless by the bits of the mask under which it was opened.
constexpr std::int64_t as_ciphertexts = 0, as_sum = -1;

Bytes label(const OpenedRecord& record) {
  Bytes out{static_cast<std::uint8_t>(record.kind)};
  append_number(record.mask_bits, 2, out);
  append_number(record.first_row, 4, out);
  return out;
}

/// An axis of this many cells in the widths that a header can write.
std::vector<std::size_t> widths(std::size_t cells) {
  constexpr std::size_t widest = 4096;
  std::vector<std::size_t> out(cells / widest, widest);
  if (cells % widest != 0) out.push_back(cells % widest);
  return out;
}

/// The runs of a value that comes as it was opened, in this step and under one mask; none where it does not.
std::vector<std::int64_t> runs_of(const OpenedValue& value, const Layout& layout, std::uint32_t step) {
  if (value.terms.size() != 1 || value.terms[0].factor != 1 || value.constant_columns != 0) return {};
  const auto& records = value.terms[0].records;
  const auto rows_of = [](const auto& record) { return record->rows; };
  if (!std::ranges::equal(records, layout.row_groups, {}, rows_of)) return {};
  std::vector<std::int64_t> runs;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const OpenedRows& record = *records[i];
    if (record.origin.step != step || record.mask_bits != records.front()->mask_bits) return {};
    if (i == 0 || !follows(record, *records[i - 1]))
      runs.insert(runs.end(), {origin_word(record.origin, record.kind),
                               static_cast<std::int64_t>(record.first_row), std::int64_t{0}});
    ++runs.back();
  }
  if (runs.size() > 3 * most_runs) return {};
  return runs;
}

}  // namespace

Brought bring(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& x,
              RandomnessKind kind, RequestBody& body, std::vector<std::int64_t>& parameters) {
  const BitBudget& budget = evaluator.budget;
  std::vector<std::int64_t> runs;
  if (!x.has_ciphertexts()) runs = runs_of(x.value(), x.layout(), operation.step);
  if (!runs.empty()) {
    const OpenedValue& value = x.value();
    add_terms(value, body);
    const std::size_t bits = value.terms[0].records.front()->mask_bits;
    parameters.push_back(static_cast<std::int64_t>(bits));
    parameters.push_back(static_cast<std::int64_t>(runs.size() / 3));
    parameters.insert(parameters.end(), runs.begin(), runs.end());
    return {value.mask, bits, false};
  }
  const Mask mask =
      Mask::drawn(evaluator.draws(operation, kind), x.rows(), x.cols(), budget.guarded_mask_bits());
  if (x.has_ciphertexts()) {
    body.add(
        mask_column_packed(evaluator, x.column_packed(), x.layout(), mask, budget.guarded_bits(), operation));
    parameters.push_back(as_ciphertexts);
  } else {
    add_terms(x.value(), body);
    body.add(mask_opened(evaluator, x.value(), mask, budget.guarded_bits()));
    parameters.push_back(as_sum);
    append_terms(x.value(), parameters);
  }
  return {mask.values(), mask.bits(), true};
}

EncryptedMatrix read_opened(AnswerBody& answer, const OperationId& operation, RandomnessKind kind,
                            const Layout& layout, const IntegerMatrix& mask, std::size_t mask_bits) {
  OpenedTerm term;
  std::size_t first = 0;
  for (const std::size_t width : layout.row_groups) {
    auto rows = std::make_shared<OpenedRows>(width);
    const OpenedRecord record{kind, mask_bits, first, width, mask.cols()};
    rows->sealed = answer.sealed(record.state_bytes());
    rows->origin = operation;
    rows->kind = kind;
    rows->mask_bits = mask_bits;
    rows->first_row = first;
    first += width;
    term.records.push_back(std::move(rows));
  }
  return EncryptedMatrix(layout, OpenedValue{{std::move(term)}, mask});
}

Received receive(Responder& responder, std::size_t& next, std::string_view what) {
  const std::int64_t form = responder.parameter(next);
  if (form != as_ciphertexts && form != as_sum) return receive_opened(responder, next);
  ++next;
  const Layout& layout = responder.header().layout;
  const std::size_t bits = responder.budget().guarded_mask_bits();
  if (form == as_ciphertexts) return {responder.open_column_packed(layout, bits, what), bits, true};
  const BroughtSum sum(responder, layout.rows(), layout.cols(), next);
  return {sum.open(bits, what), bits, true};
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
  const std::size_t cols = header.layout.cols();
  std::vector<FixedIntegers> parts;
  std::size_t group = 0, cells = 0;
  for (std::int64_t run = 0; run < runs; ++run, next += 3) {
    const std::int64_t word = responder.parameter(next), row = responder.parameter(next + 1),
                       count = responder.parameter(next + 2);
    if (word < 0 || word > most_origin_word || row < 0 || row > UINT32_MAX || count < 1 ||
        count > static_cast<std::int64_t>(groups.size() - group))
      refuse();
    const OperationId origin = origin_of(header.operation.step, static_cast<std::size_t>(word));
    auto first_row = static_cast<std::size_t>(row);
    for (std::int64_t i = 0; i < count; ++i, ++group) {
      parts.push_back(
          open_record(responder, origin,
                      {static_cast<RandomnessKind>(word & 255), mask_bits, first_row, groups[group], cols}));
      cells += parts.back().size();
      first_row += groups[group];
    }
  }
  if (group != groups.size()) refuse();
  FixedIntegers values(cells, masked_value_limbs(mask_bits));
  std::size_t cell = 0;
  for (const FixedIntegers& part : parts)
    for (std::size_t i = 0; i < part.size(); ++i) std::ranges::copy(part[i], values[cell++].begin());
  return {std::move(values), mask_bits, false};
}

void put_opened(Responder& responder, const FixedIntegers& k, RandomnessKind kind, std::size_t mask_bits) {
  const Header& header = responder.header();
  const std::size_t cols = header.layout.cols();
  std::size_t first = 0;
  for (const std::size_t width : header.layout.row_groups) {
    FixedIntegers rows(width * cols, k.limbs());
    for (std::size_t i = 0; i < rows.size(); ++i) std::ranges::copy(k[first * cols + i], rows[i].begin());
    put_record(responder, header.operation, rows, {kind, mask_bits, first, width, cols});
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

Bringing bringing(const Work& work, const Sizes& sizes) {
  const std::size_t bits = sizes.budget.guarded_mask_bits(), cells = cell_count(work.left);
  if (work.opened_bits != 0)
    return {{.bytes = opened_bytes(work.left, work.opened_bits)}, 0, work.opened_bits};
  if (work.sum_bytes) return {{.bytes = *work.sum_bytes + difference_bytes(cells, bits)}, cells, bits};
  return {{.ciphertexts = column_packed_count(work.left)}, cells, bits};
}

IntegerMatrix opened_in_clear(const Evaluator& evaluator, const SecretKeys& keys, const EncryptedMatrix& x) {
  const OpenedValue& value = x.value();
  const std::size_t cols = x.cols() - value.constant_columns;
  const Header header = evaluator.header("", 0, {}, {});
  IntegerMatrix out(x.rows(), x.cols());
  for (std::size_t cell = 0; cell < out.size(); ++cell) out.cells()[cell] = -value.mask.cells()[cell];
  for (const OpenedTerm& term : value.terms) {
    std::size_t row = 0;
    for (const auto& rows : term.records) {
      const OpenedRecord record{rows->kind, rows->mask_bits, rows->first_row, rows->rows, cols};
      const Header context = opened_context(header, rows->origin, record.rows, cols);
      const OpenedState state =
          unseal(rows->sealed->bytes(), context, context.protocol, 0, keys.sealing_secret());
      const FixedIntegers k = values_in(state.state, record);
      for (std::size_t cell = 0; cell < k.size(); ++cell)
        out(row + cell / cols, cell % cols) += k.integer(cell) * static_cast<long>(term.factor);
      row += record.rows;
    }
  }
  return out;
}

std::size_t OpenedRecord::state_bytes() const {
  return label_bytes + rows * cols * masked_value_bytes(mask_bits);
}

Header opened_context(const Header& header, const OperationId& origin, std::size_t rows, std::size_t cols) {
  // Not a copy with changes: a request about many row groups makes one for each.
  return {.protocol = sealed_by,
          .stage = 0,
          .session = header.session,
          .key = header.key,
          .operation = origin,
          .numbers = header.numbers,
          .max_inner = header.max_inner,
          .slots = header.slots,
          .layout = {widths(rows), widths(cols)},
          .parameters = {}};
}

SecretBytes opened_state(const FixedIntegers& values, const OpenedRecord& record) {
  const Bytes start = label(record);
  SecretBytes state(start.begin(), start.end());
  append_masked(values, record.mask_bits, state);
  return state;
}

FixedIntegers values_in(std::span<const std::uint8_t> state, const OpenedRecord& record) {
  const Bytes expected = label(record);
  if (state.size() < label_bytes || !std::ranges::equal(state.first(label_bytes), expected))
    throw Error("a sealed state does not belong to this request");
  return read_masked(state.subspan(label_bytes), record.rows * record.cols, record.mask_bits);
}

void put_record(Responder& responder, const OperationId& origin, const FixedIntegers& values,
                const OpenedRecord& record) {
  responder.put_sealed(opened_state(values, record),
                       opened_context(responder.header(), origin, record.rows, record.cols));
}

OpenedState open_record_of(Responder& responder, const OperationId& place, const OpenedRecord& record) {
  return responder.open_sealed(record.state_bytes(),
                               opened_context(responder.header(), place, record.rows, record.cols), sealed_by,
                               0);
}

FixedIntegers open_record(Responder& responder, const OperationId& origin, const OpenedRecord& record) {
  const OpenedState opened = open_record_of(responder, origin, record);
  if (opened.origin != origin) throw Error("a sealed state does not belong to this request");
  return values_in(opened.state, record);
}

bool follows(const OpenedRows& piece, const OpenedRows& before) {
  return piece.origin == before.origin && piece.kind == before.kind &&
         piece.first_row == before.first_row + before.rows;
}

std::int64_t origin_word(const OperationId& origin, RandomnessKind kind) {
  return static_cast<std::int64_t>(kind) | std::int64_t{origin.layer} << 8 |
         static_cast<std::int64_t>(origin.direction) << 16 | std::int64_t{origin.tile} << 24;
}

OperationId origin_of(std::uint32_t step, std::size_t word) {
  return {step, static_cast<std::uint8_t>(word >> 8), static_cast<Direction>(word >> 16 & 255),
          static_cast<std::uint16_t>(word >> 24)};
}

void refuse_wider(const FixedIntegers& numbers, std::size_t bits) {
  const Limb one = 1;
  FixedIntegers shifted(1, numbers.limbs() + 1);
  Limb outside = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::ranges::fill(shifted[0], 0);
    add_shifted(shifted[0], numbers[i], 0, mask_of(1));
    add_shifted(shifted[0], {&one, 1}, bits, mask_of(1));
    for (std::size_t bit = bits + 1; bit < limb_bits * shifted.limbs(); bit += limb_bits)
      outside |= word_at(shifted[0], bit);
  }
  refuse_where(outside, [] { refuse_out_of_range(); });
}

}  // namespace smlp
