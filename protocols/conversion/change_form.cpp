// A matrix in the other form: opened, or as ciphertexts, in one round trip.
//
// This project; the masking of Bellafqira et al. 2018.
//   E -> K  [x + r], or the terms of an opened x under r, or k as it was opened (opened_values.h)
//   K -> E  k = x + r sealed; or [k] in both packings, of which E subtracts r
// Ranges   x: L = l + guard bits under L + sigma; k as it was opened fits a slot (BitBudget::check_opened).
// Views    K: x + r, where it is opened now.  E: ciphertexts and sealed states.
// Parameters  form of the result, then how x comes
#include "protocols/conversion/change_form.h"

#include "protocols/opened_values.h"
#include "protocols/truncation/division.h"

namespace smlp {

namespace {

constexpr auto wire_name = "conversion/change-form";
constexpr RandomnessKind draw = RandomnessKind::mask_form;

EncryptedMatrix changed(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& x,
                        Form form) {
  RequestBody body(evaluator);
  std::vector<std::int64_t> parameters{static_cast<std::int64_t>(form)};
  const Brought r = bring(evaluator, operation, x, draw, body, parameters);
  AnswerBody answer(evaluator, evaluator.header(wire_name, 0, operation, x.layout(), std::move(parameters)),
                    body);
  EncryptedMatrix out;
  if (form == Form::opened)
    out = read_opened(answer, operation, draw, x.layout(), r.mask, r.mask_bits);
  else
    out = subtract_plain(evaluator.paillier(), answer.matrix(x.layout(), "[k]"), r.mask,
                         evaluator.budget.slot_bits());
  answer.finish();
  return out;
}

void answer_form(Responder& responder) {
  const Form form = checked_form(responder, 0);
  std::size_t next = 1;
  const Received k = receive(responder, next, "x + r");
  if (form == Form::opened)
    put_opened(responder, k.values, draw, k.mask_bits);
  else
    responder.put_matrix(k.values, Packings::both);
}

}  // namespace

EncryptedMatrix open_matrix(const Evaluator& evaluator, const OperationId& operation,
                            const EncryptedMatrix& x) {
  if (!x.has_ciphertexts()) {
    const std::vector<OpenedTerm>& terms = x.value().terms;
    if (terms.size() == 1 && terms[0].factor == 1) return x;
  }
  return changed(evaluator, operation, x, Form::opened);
}

EncryptedMatrix close_matrix(const Evaluator& evaluator, const OperationId& operation,
                             const EncryptedMatrix& x) {
  return x.has_ciphertexts() ? x : changed(evaluator, operation, x, Form::ciphertexts);
}

extern constexpr Descriptor change_form_descriptor{
    .family = Family::conversion,
    .name = "change-form",
    .paper = "this project, after Bellafqira et al. 2018",
    .flow =
        "E -> K [x + r], or terms of an opened x and c, or k sealed;  K -> E k = x + r sealed, or [k] in "
        "both "
        "packings",
    .handlers = {answer_form},
    .declared =
        [](const Work& work, const Sizes& sizes) {
          const Bringing x = bringing(work, sizes);
          Declaration out{.to_key_holder = x.sent, .masked_values = x.masked_values};
          if (work.result_bits != 0) out.waits = x.sent;
          if (work.result_bits == 0)
            out.to_evaluator.ciphertexts = both_count(work.left);
          else
            out.to_evaluator.bytes = opened_bytes(work.left, x.mask_bits);
          return out;
        },
};

}  // namespace smlp
