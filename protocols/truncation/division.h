// Division by a power of two on masked values: what the truncation protocols and the fused product share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/protocol.h"

namespace smlp {

/// floor((scale x + addend) / 2^shift) cell by cell; `addend` may be empty.
IntegerMatrix divided(const IntegerMatrix& x, const IntegerMatrix& addend, const Rescale& factor);

/// Evaluator: masks the addend under R_C (bits + sigma), appends it, and returns R_C; empty without an
/// addend. With `form`, an opened addend may come too, and how it comes is appended there. Throws Error
/// unless the addend has the layout of the result and at least one bit.
IntegerMatrix add_masked_addend(const Evaluator& evaluator, const OperationId& operation,
                                const std::optional<Addend>& addend, const Layout& result, RequestBody& body,
                                std::vector<std::int64_t>* form = nullptr);

/// Key holder: opens the masked addend whose bits are in parameter i; empty when they are 0. `form_at`: the
/// first parameter of how it comes, where the request says that.
IntegerMatrix open_addend(Responder& responder, std::size_t i, std::optional<std::size_t> form_at = {});

/// Key holder: parameters i and i + 1 as a multiplier. Throws Error outside |scale| <= 2^shift, shift <= 2l +
/// log k.
Rescale checked_factor(const Responder& responder, std::size_t i);

/// A size from a request: 1 .. limit. Throws Error naming it.
std::size_t checked_size(std::int64_t value, std::size_t limit, const std::string& what);

/// Bits of the mask of what a rescaling opens: x is under `mask_bits`, the addend has `addend_bits` (0:
/// none). Throws Error where a slot has no room for it.
std::size_t opened_result_bits(const BitBudget& budget, std::size_t mask_bits, const Rescale& factor,
                               std::size_t addend_bits);

/// A rescaling as both halves know it: how x and the addend were masked and how the result is held.
struct Rescaling {
  Rescale factor;
  std::size_t mask_bits = 0, addend_bits = 0;
  Form form = Form::ciphertexts;
};

/// Throws Error where the result is to be opened and a slot has no room for it.
void check_form(const BitBudget& budget, const Rescaling& rescaling);

/// Evaluator: the rescaled x, of which the answer holds what put_rescaled appended. `rho` and `mask_c` hid x
/// and the addend; `what` it is.
EncryptedMatrix read_rescaled(const Evaluator& evaluator, const OperationId& operation, AnswerBody& answer,
                              const Layout& layout, const IntegerMatrix& rho, const IntegerMatrix& mask_c,
                              const Rescaling& rescaling, std::string_view what);

/// Key holder: appends floor((scale x + c) / 2^shift) for x and c under their masks.
void put_rescaled(Responder& responder, const IntegerMatrix& x, const IntegerMatrix& c,
                  const Rescaling& rescaling);

/// Key holder: parameter i as a form.
Form checked_form(const Responder& responder, std::size_t i);

/// Adds what put_rescaled sends.
void declare_rescaled(const Layout& layout, const Work& work, Declaration& out);

/// Evaluator's half of a stand-alone division, under the wire name of the protocol.
///   E -> K  [x + rho] (, [C + R_C])      K -> E  [floor((scale (x + rho) + C + R_C) / 2^shift)]
class MaskedDivision : public Truncation {
 public:
  explicit MaskedDivision(std::string wire_name) : wire_name_(std::move(wire_name)) {}
  EncryptedMatrix rescale(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& x,
                          std::size_t content_bits, const Rescale& factor,
                          const std::optional<Addend>& addend, Form form) const override;

 private:
  std::string wire_name_;
};

/// Key holder's half of it. Parameters: content bits, scale, shift, addend bits (0: none),
/// form of the result.
void answer_division(Responder& responder);
Declaration declared_division(const Work& work, const Sizes& sizes);

}  // namespace smlp
