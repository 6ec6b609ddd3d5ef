// Division by a power of two on masked values.
#include "protocols/truncation/division.h"

#include "paillier/error.h"
#include "protocols/masked_values.h"
#include "protocols/opened_sums.h"
#include "protocols/opened_values.h"

namespace smlp {

IntegerMatrix divided(const IntegerMatrix& x, const IntegerMatrix& addend, const Rescale& factor) {
  const Integer scale(static_cast<long>(factor.scale));
  IntegerMatrix out(x.rows(), x.cols());
  for (std::size_t cell = 0; cell < x.size(); ++cell) {
    Integer value = scale * x.cells()[cell];
    if (addend.size() != 0) value += addend.cells()[cell];
    out.cells()[cell] = floor_shift(value, factor.shift);
  }
  return out;
}

IntegerMatrix add_masked_addend(const Evaluator& evaluator, const OperationId& operation,
                                const std::optional<Addend>& addend, const Layout& result, RequestBody& body,
                                std::vector<std::int64_t>* form) {
  if (!addend) return {};
  const EncryptedMatrix& c = addend->matrix;
  if (!(c.layout() == result))
    throw Error("an addend of " + std::to_string(c.rows()) + " x " + std::to_string(c.cols()) +
                " cells does not fit a result of " + std::to_string(result.rows()) + " x " +
                std::to_string(result.cols()) + ": layouts must be the same");
  if (addend->bits == 0) throw Error("an addend has 0 bits, at least 1 is needed");
  const bool opened = form != nullptr && !c.has_ciphertexts();
  if (!opened) static_cast<void>(c.column_packed());  // an Error before anything is drawn
  const Mask mask = Mask::drawn(evaluator.rounding_draws(operation, RandomnessKind::mask_addend, c.cols()),
                                c.rows(), c.cols(), addend->bits + evaluator.budget.numbers().sigma);
  if (form != nullptr) form->push_back(opened ? 1 : 0);
  if (opened) {
    add_terms(c.value(), body);
    body.add(mask_opened(evaluator, c.value(), mask, addend->bits));
    append_terms(c.value(), *form);
  } else {
    body.add(mask_column_packed(evaluator, c.column_packed(), c.layout(), mask, addend->bits, operation));
  }
  return mask.values();
}

IntegerMatrix open_addend(Responder& responder, std::size_t i, std::optional<std::size_t> form_at) {
  if (responder.parameter(i) == 0) return {};
  const BitBudget& budget = responder.budget();
  const std::size_t bits = checked_size(responder.parameter(i), budget.slot_bits(), "number of addend bits");
  budget.check_addend(responder.header().protocol, bits);
  const Layout& layout = responder.header().layout;
  const std::size_t mask_bits = bits + budget.numbers().sigma;
  const auto matrix = [&](const FixedIntegers& c) { return integer_matrix(c, layout.rows(), layout.cols()); };
  if (!form_at || responder.parameter(*form_at) == 0)
    return matrix(responder.open_column_packed(layout, mask_bits, "C + R_C"));
  std::size_t next = *form_at + 1;
  return matrix(BroughtSum(responder, layout.rows(), layout.cols(), next).open(mask_bits, "C + R_C"));
}

Rescale checked_factor(const Responder& responder, std::size_t i) {
  const std::int64_t scale = responder.parameter(i);
  const std::int64_t shift = responder.parameter(i + 1);
  const auto most = static_cast<std::int64_t>(responder.budget().product_bits());
  if (shift < 0 || shift > most)
    throw Error("a request shifts by " + std::to_string(shift) + " bits, allowed are 0 to " +
                std::to_string(most));
  if (abs(Integer(static_cast<long>(scale))) > power_of_two(static_cast<std::size_t>(shift)))
    throw Error("a request multiplies by " + std::to_string(scale) + " / 2^" + std::to_string(shift) +
                ", allowed is at most 1");
  return {scale, static_cast<std::size_t>(shift)};
}

std::size_t checked_size(std::int64_t value, std::size_t limit, const std::string& what) {
  if (value < 1 || static_cast<std::uint64_t>(value) > limit)
    throw Error("a request has the " + what + " " + std::to_string(value) + ", allowed are 1 to " +
                std::to_string(limit));
  return static_cast<std::size_t>(value);
}

std::size_t opened_result_bits(const BitBudget& budget, std::size_t mask_bits, const Rescale& factor,
                               std::size_t addend_bits) {
  const std::size_t bits = budget.rescaled_mask_bits(
      mask_bits, factor, addend_bits == 0 ? 0 : addend_bits + budget.numbers().sigma);
  budget.check_opened("an opened result", bits);
  return bits;
}

void check_form(const BitBudget& budget, const Rescaling& rescaling) {
  if (rescaling.form == Form::opened)
    opened_result_bits(budget, rescaling.mask_bits, rescaling.factor, rescaling.addend_bits);
}

EncryptedMatrix read_rescaled(const Evaluator& evaluator, const OperationId& operation, AnswerBody& answer,
                              const Layout& layout, const IntegerMatrix& rho, const IntegerMatrix& mask_c,
                              const Rescaling& rescaling, std::string_view what) {
  const IntegerMatrix e = divided(rho, mask_c, rescaling.factor);
  if (rescaling.form == Form::opened)
    return read_opened(
        answer, operation, RandomnessKind::mask_product, layout, e,
        opened_result_bits(evaluator.budget, rescaling.mask_bits, rescaling.factor, rescaling.addend_bits));
  return subtract_plain(evaluator.paillier(), answer.matrix(layout, what), e, evaluator.budget.slot_bits());
}

void put_rescaled(Responder& responder, const IntegerMatrix& x, const IntegerMatrix& c,
                  const Rescaling& rescaling) {
  const IntegerMatrix k = divided(x, c, rescaling.factor);
  if (rescaling.form == Form::opened)
    put_opened(
        responder, k, RandomnessKind::mask_product,
        opened_result_bits(responder.budget(), rescaling.mask_bits, rescaling.factor, rescaling.addend_bits));
  else
    responder.put_matrix(k, responder.header().layout, RandomnessKind::answer_column_packed,
                         RandomnessKind::answer_row_packed);
}

Form checked_form(const Responder& responder, std::size_t i) {
  const std::int64_t form = responder.parameter(i);
  if (form != static_cast<std::int64_t>(Form::ciphertexts) && form != static_cast<std::int64_t>(Form::opened))
    throw Error("a request asks for a result in the form " + std::to_string(form) + ", there are 0 and 1");
  return static_cast<Form>(form);
}

void declare_rescaled(const Layout& layout, const Work& work, Declaration& out) {
  if (work.result_bits == 0)
    out.to_evaluator.ciphertexts += both_count(layout);
  else
    out.to_evaluator.bytes += opened_bytes(layout, work.result_bits);
}

namespace {

/// x under its mask and the rounded result must fit a slot.
void check_content(const BitBudget& budget, std::size_t content_bits) {
  if (content_bits == 0 || content_bits > budget.product_bits())
    throw Error("a truncation of " + std::to_string(content_bits) + " bits is outside the bit budget of " +
                std::to_string(budget.product_bits()));
}

}  // namespace

EncryptedMatrix MaskedDivision::rescale(const Evaluator& evaluator, const OperationId& operation,
                                        const EncryptedMatrix& x, std::size_t content_bits,
                                        const Rescale& factor, const std::optional<Addend>& addend,
                                        Form form) const {
  const BitBudget& budget = evaluator.budget;
  check_content(budget, content_bits);
  budget.check_product(wire_name_, 1, factor);
  if (addend) budget.check_addend(wire_name_, addend->bits);
  const Rescaling rescaling{factor, content_bits + budget.numbers().sigma, addend ? addend->bits : 0, form};
  check_form(budget, rescaling);
  const Mask rho = Mask::drawn(evaluator.rounding_draws(operation, RandomnessKind::mask_product, x.cols()),
                               x.rows(), x.cols(), rescaling.mask_bits);
  RequestBody body(evaluator);
  body.add(mask_column_packed(evaluator, x.column_packed(), x.layout(), rho, content_bits, operation));
  const IntegerMatrix mask_c = add_masked_addend(evaluator, operation, addend, x.layout(), body);
  const Header header = evaluator.header(
      wire_name_, 0, operation, x.layout(),
      {static_cast<std::int64_t>(content_bits), factor.scale, static_cast<std::int64_t>(factor.shift),
       static_cast<std::int64_t>(rescaling.addend_bits), static_cast<std::int64_t>(form)});
  AnswerBody answer(evaluator, header, body);
  EncryptedMatrix out = read_rescaled(evaluator, operation, answer, x.layout(), rho.values(), mask_c,
                                      rescaling, "the quotient");
  answer.finish();
  return out;
}

void answer_division(Responder& responder) {
  const BitBudget& budget = responder.budget();
  const std::size_t content_bits =
      checked_size(responder.parameter(0), budget.product_bits(), "number of value bits");
  const Rescale factor = checked_factor(responder, 1);
  const Layout& layout = responder.header().layout;
  const std::size_t mask_bits = content_bits + budget.numbers().sigma;
  const IntegerMatrix x = integer_matrix(responder.open_column_packed(layout, mask_bits, "x + rho"),
                                         layout.rows(), layout.cols());
  const IntegerMatrix c = open_addend(responder, 3);
  put_rescaled(
      responder, x, c,
      {factor, mask_bits, static_cast<std::size_t>(responder.parameter(3)), checked_form(responder, 4)});
}

Declaration declared_division(const Work& work, const Sizes&) {
  const std::size_t matrices = work.addend ? 2 : 1;
  Declaration out{.to_key_holder = {.ciphertexts = matrices * column_packed_count(work.left)},
                  .masked_values = matrices * cell_count(work.left)};
  declare_rescaled(work.left, work, out);
  if (work.result_bits != 0) out.waits = out.to_key_holder;
  return out;
}

}  // namespace smlp
