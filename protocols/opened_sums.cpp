// Both halves of opened values under a new mask.
#include "protocols/opened_sums.h"

#include <algorithm>
#include <string>

#include "paillier/error.h"
#include "protocols/masked_values.h"
#include "protocols/opened_values.h"

namespace smlp {

namespace {

constexpr std::size_t most_terms = 16;
/// Of a request, which has room for 32,768 parameters. Each tile of an activation is a run of its own.
constexpr std::size_t most_runs_of_sum = 5000, run_parameters = 6;
/// Of a factor, in size.
constexpr std::int64_t factors_end = std::int64_t{1} << 62;

bool continues(const OpenedRows& record, const OpenedRows& before) {
  return follows(record, before) && record.mask_bits == before.mask_bits && record.rows == before.rows;
}

/// value mod 2^bits, with its sign.
void keep_signed(std::span<Limb> value, std::size_t bits) {
  const Limb one = 1, minus_one = mask_of(1);
  add_shifted(value, {&one, 1}, bits - 1, mask_of(1));
  for (std::size_t limb = 0; limb < value.size(); ++limb) {
    const std::size_t below = std::min(bits - std::min(bits, limb * limb_bits), limb_bits);
    value[limb] &= below == limb_bits ? ~Limb{0} : (Limb{1} << below) - 1;
  }
  add_shifted(value, {&minus_one, 1}, bits - 1, mask_of(1));
}

}  // namespace

std::size_t difference_bytes(std::size_t cells, std::size_t mask_bits) {
  return cells * masked_difference_bytes(mask_bits);
}

void add_terms(const OpenedValue& x, RequestBody& body) {
  for (const OpenedTerm& term : x.terms)
    for (const auto& record : term.records) body.add(*record->sealed);
}

void append_terms(const OpenedValue& x, std::vector<std::int64_t>& parameters) {
  parameters.push_back(static_cast<std::int64_t>(x.terms.size()));
  parameters.push_back(static_cast<std::int64_t>(x.constant_columns));
  std::size_t all_runs = 0;
  for (const OpenedTerm& term : x.terms) {
    parameters.push_back(term.factor);
    const std::size_t count_at = parameters.size();
    parameters.push_back(0);
    for (std::size_t i = 0; i < term.records.size(); ++i) {
      const OpenedRows& record = *term.records[i];
      if (i == 0 || !continues(record, *term.records[i - 1])) {
        parameters.insert(
            parameters.end(),
            {origin_word(record.origin, record.kind), std::int64_t{record.origin.step},
             static_cast<std::int64_t>(record.mask_bits), static_cast<std::int64_t>(record.first_row), 0,
             static_cast<std::int64_t>(record.rows)});
        ++parameters[count_at];
        ++all_runs;
      }
      ++parameters[parameters.size() - 2];
    }
  }
  if (x.terms.size() > most_terms || all_runs > most_runs_of_sum)
    throw Error("an opened matrix of " + std::to_string(x.mask.rows()) + " x " +
                std::to_string(x.mask.cols()) + " cells is a sum of " + std::to_string(x.terms.size()) +
                " terms in " + std::to_string(all_runs) + " runs of rows, a request has room for " +
                std::to_string(most_terms) + " and " + std::to_string(most_runs_of_sum) +
                "; take a smaller --batch");
}

BroughtSum::BroughtSum(Responder& responder, std::size_t rows, std::size_t cols, std::size_t& next)
    : responder_(responder), rows_(rows), cols_(cols) {
  const auto refuse = [] { throw Error("the form of opened values does not fit their matrix"); };
  const auto in = [&](std::int64_t value, std::int64_t least, std::uint64_t most) {
    if (value < least || static_cast<std::uint64_t>(value) > most) refuse();
    return static_cast<std::size_t>(value);
  };
  const std::size_t terms = in(responder.parameter(next), 0, most_terms);
  constant_columns_ = in(responder.parameter(next + 1), 0, cols - 1);
  next += 2;
  for (std::size_t t = 0; t < terms; ++t) {
    Term term{responder.parameter(next), {}};
    if (term.factor == 0 || term.factor <= -factors_end || term.factor >= factors_end)
      throw Error("a term of a sum of opened values has the factor " + std::to_string(term.factor) +
                  ", allowed are numbers below 2^62 in size but 0");
    const std::size_t runs = in(responder.parameter(next + 1), 1, most_runs_of_sum);
    next += 2;
    std::size_t left = rows;
    for (std::size_t i = 0; i < runs; ++i, next += run_parameters) {
      const auto number = [&](std::size_t at) { return responder.parameter(next + at); };
      const std::size_t word = in(number(0), 0, most_origin_word);
      Run run{origin_of(static_cast<std::uint32_t>(in(number(1), 0, UINT32_MAX)), word),
              static_cast<RandomnessKind>(word & 255),
              in(number(2), 1, responder.budget().slot_bits()),
              in(number(3), 0, UINT32_MAX),
              in(number(4), 1, left),
              in(number(5), 1, left),
              rows - left};
      responder.budget().check_opened(responder.header().protocol, run.mask_bits);
      if (run.records > left / run.rows) refuse();
      left -= run.records * run.rows;
      for (const Term& other : terms_)
        for (const Run& each : other.runs)
          if (repeats(run, each))
            throw Error("a sum of opened values has rows twice; add the factors of their terms");
      term.runs.push_back(run);
    }
    if (left != 0) refuse();
    terms_.push_back(std::move(term));
  }
}

/// Whether both have the same opened rows for the same rows of the sum.
bool BroughtSum::repeats(const Run& a, const Run& b) {
  return a.origin == b.origin && a.kind == b.kind && a.first_row + b.at == b.first_row + a.at &&
         a.at < b.at + b.records * b.rows && b.at < a.at + a.records * a.rows;
}

void BroughtSum::add_term(const Term& term, FixedIntegers& sum) const {
  const std::size_t cols = cols_ - constant_columns_;
  const std::uint64_t size =
      term.factor < 0 ? 0 - static_cast<std::uint64_t>(term.factor) : static_cast<std::uint64_t>(term.factor);
  const auto limbs = static_cast<mp_size_t>(sum.limbs());
  FixedIntegers extended(1, sum.limbs());
  const std::span<Limb> k = extended[0];
  std::size_t row = 0;
  for (const Run& run : term.runs)
    for (std::size_t i = 0; i < run.records; ++i) {
      const FixedIntegers values = open_record(
          responder_, run.origin, {run.kind, run.mask_bits, run.first_row + i * run.rows, run.rows, cols});
      for (std::size_t cell = 0; cell < values.size(); ++cell) {
        std::ranges::fill(k, 0);
        add_shifted(k, values[cell], 0, mask_of(1));
        Limb* const to = sum[(row + cell / cols) * cols_ + cell % cols].data();
        if (term.factor < 0)  // a public number
          mpn_submul_1(to, k.data(), limbs, size);
        else
          mpn_addmul_1(to, k.data(), limbs, size);
      }
      row += run.rows;
    }
}

FixedIntegers BroughtSum::open_as_it_is(std::size_t bits) const {
  const auto fits = [&](const Run& run) {
    return run.kind == RandomnessKind::mask_selected && run.mask_bits == bits;
  };
  if (terms_.size() != 1 || terms_[0].factor != 1 || constant_columns_ > 1 ||
      !std::ranges::all_of(terms_[0].runs, fits))
    throw Error("the form of opened values does not fit their matrix");
  const std::size_t sealed = rows_ * (cols_ - constant_columns_) * masked_value_bytes(bits);
  if (sealed > responder_.unread_bytes())  // before anything of that size is made
    throw Error("an opened matrix of " + std::to_string(rows_) + " x " + std::to_string(cols_) +
                " cells came with " + std::to_string(responder_.unread_bytes()) + " bytes");
  FixedIntegers out(rows_ * cols_, masked_value_limbs(bits));
  add_term(terms_[0], out);  // seen before
  return out;
}

FixedIntegers BroughtSum::open(std::size_t bits, std::string_view what) const {
  const std::size_t width = masked_difference_bytes(bits), cells = rows_ * cols_;
  if (cells > responder_.unread_bytes() / width)  // before anything of that size is made
    throw Error("an opened matrix of " + std::to_string(rows_) + " x " + std::to_string(cols_) +
                " cells came with " + std::to_string(responder_.unread_bytes()) + " bytes");
  FixedIntegers sum(cells, limbs_for(8 * width));
  for (const Term& term : terms_) add_term(term, sum);
  const auto bytes = responder_.read_bytes(difference_bytes(cells, bits), "differences of masks");
  FixedIntegers difference(1, sum.limbs()), out(cells, masked_value_limbs(bits));
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const std::span<Limb> c = difference[0], value = sum[cell];
    std::memcpy(c.data(), bytes.data() + cell * width, width);
    mpn_sub_n(value.data(), value.data(), c.data(), static_cast<mp_size_t>(sum.limbs()));
    keep_signed(value, 8 * width);
  }
  refuse_wider(sum, bits + mask_sum_bits);
  for (std::size_t cell = 0; cell < cells; ++cell)
    std::ranges::copy(sum[cell].first(out.limbs()), out[cell].begin());
  responder_.observe("differences of masks", bytes);
  responder_.observe(what, out);
  return out;
}

}  // namespace smlp
