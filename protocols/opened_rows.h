// What the evaluator carries for the key holder: sealed states, and rows that are opened once for several
// operations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "paillier/paillier.h"
#include "protocols/matrix.h"
#include "protocols/operation_id.h"

namespace smlp {

class Call;
class CallQueue;

/// State of the key holder that passes through. Only an answer yields one, so nothing else leaves in its
/// guise. Copies share it.
class SealedState {
 public:
  /// Sends what waits (protocols/call.h) where the state is not there yet, while the channel lasts. Throws
  /// Error where the request failed whose answer would have had it.
  const Bytes& bytes() const;

 private:
  friend class AnswerBody;
  friend class Call;
  friend class RequestBody;
  struct Content {
    Bytes bytes;
    std::shared_ptr<Call> call{};  ///< whose answer will have it; null once it is there
    std::size_t from = 0, size = 0;
  };
  explicit SealedState(std::shared_ptr<const Content> content, std::shared_ptr<CallQueue> queue = nullptr)
      : content_(std::move(content)), queue_(std::move(queue)) {}
  std::shared_ptr<const Content> content_;
  std::shared_ptr<CallQueue>
      queue_;  ///< where the call waits; not in the content, which waiting calls refer to
};

/// Ciphertexts, which may be read of an answer when they are asked for. Not thread-safe before.
class LaterCiphertexts {
 public:
  LaterCiphertexts() = default;
  explicit LaterCiphertexts(std::function<std::vector<Ciphertext>()> read) : read_(std::move(read)) {}
  /// None of a default one. Throws Error where the answer was lost, or has something else.
  const std::vector<Ciphertext>& get() const {
    if (read_) cells_ = read_();
    read_ = nullptr;
    return cells_;
  }

 private:
  mutable std::function<std::vector<Ciphertext>()> read_;
  mutable std::vector<Ciphertext> cells_;
};

/// Rows x that the key holder has opened, once and under one mask e: it has k = x + e, which the evaluator
/// keeps sealed. Either rows of a result that stays opened (protocols/opened_values.h), whose mask is in its
/// OpenedValue, or an operand that its first product fills in, mask and all (protocols/matmul/operand.h).
/// Copies of a matrix share it.
struct OpenedRows {
  explicit OpenedRows(std::size_t rows, std::optional<OperationId> lasting = std::nullopt)
      : rows(rows), lasting(lasting) {}

  std::size_t rows;
  std::optional<OperationId>
      lasting;  ///< good for the whole session, its mask drawn there; else for one step

  std::array<std::uint8_t, 32> matrix{};  ///< digest of the one matrix that a record which lasts is for
  std::optional<SealedState> sealed;      ///< k, by the key holder, once it is opened
  OperationId origin;                     ///< of the operation that opened them
  IntegerMatrix mask;                     ///< e, of an operand
  LaterCiphertexts row_packed;            ///< x in that packing, where the key holder was asked to make it

  RandomnessKind kind{};      ///< of what e was drawn from
  std::size_t mask_bits = 0;  ///< |e| < 2^(mask_bits + 2)
  std::size_t first_row = 0;  ///< in the matrix that was opened there
};

/// `factor` times k, the records' under each other.
struct OpenedTerm {
  std::int64_t factor = 1;
  std::vector<std::shared_ptr<const OpenedRows>> records;
  bool operator==(const OpenedTerm&) const = default;
};

/// A matrix without ciphertexts: x = sum of the terms - e. Sums, multiples and constants of such matrices are
/// as well, and take no request.
struct OpenedValue {
  std::vector<OpenedTerm> terms;
  IntegerMatrix mask;                ///< e, rows x cols
  std::size_t constant_columns = 0;  ///< the last columns of x, which no term has
  bool operator==(const OpenedValue&) const = default;
};

/// How an operand is made of opened rows: `pieces` under each other, without the last `omitted_rows` rows,
/// transposed if `transposed`. No pieces: the matrix is masked anew for each operation.
struct OpenedForm {
  std::vector<std::shared_ptr<OpenedRows>> pieces;
  std::size_t omitted_rows = 0;
  bool transposed = false;
};

}  // namespace smlp
