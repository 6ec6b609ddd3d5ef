// What the evaluator carries for the key holder: sealed states, and rows that were opened once for several
// products.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "protocols/matrix.h"
#include "protocols/place.h"

namespace smlp {

/// State of the key holder that passes through. Only an answer yields one, so nothing else leaves in its
/// guise.
class SealedState {
 public:
  const Bytes& bytes() const { return bytes_; }

 private:
  friend class AnswerBody;
  explicit SealedState(Bytes bytes) : bytes_(std::move(bytes)) {}
  Bytes bytes_;
};

/// Rows that the key holder has opened as an operand, once and under one mask, and what the evaluator keeps
/// of it for later products. The first product fills it (protocols/matmul/operand.h); copies of a matrix
/// share it.
struct OpenedRows {
  explicit OpenedRows(std::size_t rows, std::optional<Place> lasting = std::nullopt)
      : rows(rows), lasting(lasting) {}

  std::size_t rows;
  std::optional<Place> lasting;  ///< good for the whole session, its mask drawn there; else for one step

  std::array<std::uint8_t, 32> matrix{};  ///< digest of the one matrix that a record which lasts is for
  std::optional<SealedState> sealed;      ///< the masked values, by the key holder, once they are opened
  Place origin;                           ///< of the product that opened them
  IntegerMatrix mask;
};

/// How a matrix is made of opened rows: `pieces` under each other, without the last `dropped` rows,
/// transposed if `turned`. No pieces: the matrix is masked anew for each product.
struct OpenedForm {
  std::vector<std::shared_ptr<OpenedRows>> pieces;
  std::size_t dropped = 0;
  bool turned = false;
};

}  // namespace smlp
