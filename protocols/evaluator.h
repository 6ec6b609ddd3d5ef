// The evaluator's end of a run, and the only forms in which a value may leave it: masked, blinded or sealed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "paillier/keys.h"
#include "protocols/call.h"
#include "protocols/channel.h"
#include "protocols/encrypted_matrix.h"
#include "protocols/used_places.h"

namespace smlp {

class BaseRequest;
class CrossTermMessages;
class ElementChoices;
class EvaluatorTransfers;
class GarbledComparisons;
class SelectionChoices;
class SelectionMessage;

/// What re-randomises the ciphertexts that leave the evaluator.
struct RerandomiserPools {
  RerandomiserPool paillier, dgk;
};

/// What range checks gather between two requests: sums of ciphertexts, all 0 where every compared value was
/// in its range. Tasks that take turns share it.
struct RangeEvidence {
  std::vector<Ciphertext> sums;
};

/// Where the results here stand in what evaluators share: from this row and column on, of so many columns in
/// all; 0: of as many as there are here.
struct ResultWindow {
  std::size_t first_row = 0, first_col = 0, all_cols = 0;
};

/// Draws for a matrix that is part of a wider one: row i of it begins with element i * stride.
struct WindowDraws {
  Draws draws;
  std::size_t stride = 0;
};

/// Everything the evaluator's half of a protocol works with. Holds no secret key and cannot name one. Copies
/// share the pools of re-randomisers, the oblivious transfers and the record of what was drawn.
struct Evaluator {
  /// `made_ahead`: idle processors fill the pools. `secrets`: what oblivious transfers draw from; of a seed
  /// in tests alone. `rounding`: what masks are drawn from on which roundings depend, where evaluators share
  /// results; else `random`.
  Evaluator(PublicKeys keys, BitBudget budget, Channel& channel, RandomSource random, SessionId session,
            bool made_ahead = false, const RandomSource& secrets = RandomSource::from_system(),
            const std::optional<RandomSource>& rounding = std::nullopt);

  PublicKeys keys;  ///< with the sigma of the budget
  BitBudget budget;
  Channel& channel;
  SessionId session;
  std::shared_ptr<CallQueue> calls;         ///< of the task that works with this
  std::shared_ptr<RangeEvidence> evidence;  ///< null: ranges are not checked
  ResultWindow window{};                    ///< of the results here, where evaluators share them

  const PaillierPublicKey& paillier() const { return keys.paillier(); }
  /// The same for a task of its own, which takes turns with others or is alone.
  Evaluator for_task(Turn turn = {}) const;
  /// The only way to draw, and once for each place and kind. Throws Error for a second time and for a step
  /// before the last (protocols/used_places.h).
  Draws draws(const OperationId& operation, RandomnessKind kind) const;
  /// The same for a mask on which the rounding of a result of `cols` columns depends: cell (i, j) here draws
  /// for cell (first_row + i, first_col + j) of what evaluators share, so that it is the same however they
  /// share it.
  WindowDraws rounding_draws(const OperationId& operation, RandomnessKind kind, std::size_t cols) const;
  /// Named by the place of their first use, so that a seeded run which goes on from a later checkpoint draws
  /// nothing there that it drew before. Two runs that go on from the *same* checkpoint with the same --seed
  /// draw the same: where the key holder's answers differ, two ciphertexts have one re-randomiser. It is a
  /// reason why a seed is for experiments alone.
  RerandomiserPools& pools(const OperationId& operation) const;
  /// Makes base transfers when it is first called: two round trips at that place.
  const EvaluatorTransfers& transfers(const OperationId& operation) const;
  Header header(const std::string& protocol, std::uint8_t stage, const OperationId& operation,
                const Layout& layout, std::vector<std::int64_t> parameters = {}) const;

 private:
  struct LazyPools;
  struct LazyTransfers;
  RandomSource random_, rounding_;
  std::shared_ptr<UsedOperations> used_;
  std::shared_ptr<LazyPools> lazy_pools_;
  std::shared_ptr<LazyTransfers> lazy_transfers_;
};

/// A session id from the source (addressed, so that a seeded run repeats it).
SessionId draw_session(const RandomSource& random);

/// Random values that hide others. Made by drawing; there is no mask of zeros.
class Mask {
 public:
  /// Cell (i, j) is the sum of three uniforms in [0, 2^bits), from element i * cols + j. Throws Error unless
  /// bits is 1 to 1360, far beyond what a slot has room for.
  static Mask drawn(const Draws& draws, std::size_t rows, std::size_t cols, std::size_t bits);
  /// The same from element i * stride + j.
  static Mask drawn(const WindowDraws& window, std::size_t rows, std::size_t cols, std::size_t bits);
  /// The lowest 64 bits of the first `cells` cells that drawn() takes from there, bits <= 1024: all that
  /// carries need.
  static std::vector<std::uint64_t> low_words(const Draws& draws, std::size_t cells, std::size_t bits);
  /// R_U = product - cross - effective: hides as `cross` does; the key holder's view of it follows from the
  /// others.
  static Mask remainder(const IntegerMatrix& product, const Mask& cross, const Mask& effective);

  /// Masks of as many columns and bits under each other, at least one.
  static Mask stacked(std::span<const Mask> masks);

  const IntegerMatrix& values() const { return values_; }
  std::size_t bits() const { return bits_; }  ///< of one of the three uniforms

 private:
  Mask(IntegerMatrix values, std::size_t bits) : values_(std::move(values)), bits_(bits) {}
  IntegerMatrix values_;
  std::size_t bits_;
};

/// Ciphertexts of masked values, re-randomised.
class MaskedCiphertexts {
 public:
  const std::vector<FreshCiphertext>& ciphertexts() const { return ciphertexts_; }

 private:
  friend MaskedCiphertexts mask_column_packed(const Evaluator&, std::span<const Ciphertext>, const Layout&,
                                              const Mask&, std::size_t, const OperationId&, const Integer&);
  friend MaskedCiphertexts mask_row_packed(const Evaluator&, std::span<const Ciphertext>, const Layout&,
                                           const Mask&, std::size_t, const OperationId&, const Integer&);
  friend MaskedCiphertexts mask_operand(const Evaluator&, const EncryptedMatrix&, Side, const Mask&,
                                        const OperationId&);
  explicit MaskedCiphertexts(std::vector<FreshCiphertext> ciphertexts)
      : ciphertexts_(std::move(ciphertexts)) {}
  std::vector<FreshCiphertext> ciphertexts_;
};

/// [x + mask + offset] cell by cell in the `column_packed` packing, re-randomised. Throws Error unless the
/// mask has at least sigma bits more than content_bits, the bits of what it hides.
MaskedCiphertexts mask_column_packed(const Evaluator& evaluator, std::span<const Ciphertext> column_packed,
                                     const Layout& layout, const Mask& mask, std::size_t content_bits,
                                     const OperationId& operation, const Integer& offset = 0);
/// The same in the `row_packed` packing.
MaskedCiphertexts mask_row_packed(const Evaluator& evaluator, std::span<const Ciphertext> row_packed,
                                  const Layout& layout, const Mask& mask, std::size_t content_bits,
                                  const OperationId& operation, const Integer& offset = 0);

/// The same of an operand, whose values have l bits: a slot has room for two of them under their masks
/// (BitBudget::pair_shift), so ciphertexts 2i and 2i + 1 of the side's packing travel as one, which saves an
/// opening. Throws Error unless the mask has value_mask_bits.
MaskedCiphertexts mask_operand(const Evaluator& evaluator, const EncryptedMatrix& operand, Side side,
                               const Mask& mask, const OperationId& operation);

/// c = e - r cell by cell for an opened value x = sum of its terms - e and a mask r, modulo 2^W, W the bits
/// of masked_difference_bytes: with the terms, which the key holder has, it is x + r and nothing else.
class MaskedDifferences {
 public:
  const Bytes& bytes() const { return bytes_; }

 private:
  friend MaskedDifferences mask_opened(const Evaluator&, const OpenedValue&, const Mask&, std::size_t);
  explicit MaskedDifferences(Bytes bytes) : bytes_(std::move(bytes)) {}
  Bytes bytes_;
};

/// Throws Error unless the mask has the shape of x and at least sigma bits more than content_bits, those of
/// x.
MaskedDifferences mask_opened(const Evaluator& evaluator, const OpenedValue& x, const Mask& mask,
                              std::size_t content_bits);

/// terms_of(first, count): the terms of comparisons [first, first + count), a comparison a lane; called in
/// parallel.
using ComparisonTerms = std::function<std::vector<DgkBlock>(std::size_t first, std::size_t count)>;

/// Comparison bits: each multiplied by its own random unit of Z_u, re-randomised, shuffled within its
/// comparison.
class BlindedBits {
 public:
  const std::vector<FreshDgkCiphertext>& ciphertexts() const { return ciphertexts_; }

 private:
  friend BlindedBits blind_and_shuffle(const Evaluator&, const OperationId&, std::size_t, std::size_t,
                                       const ComparisonTerms&);
  explicit BlindedBits(std::vector<FreshDgkCiphertext> ciphertexts) : ciphertexts_(std::move(ciphertexts)) {}
  std::vector<FreshDgkCiphertext> ciphertexts_;
};

/// For `comparisons` comparisons of `per_comparison` terms each, comparison by comparison. Parallel.
BlindedBits blind_and_shuffle(const Evaluator& evaluator, const OperationId& operation,
                              std::size_t comparisons, std::size_t per_comparison,
                              const ComparisonTerms& terms_of);

/// [u S + rho] of a sum S, re-randomised, and sum_digest(rho), for u of 128 random bits and rho uniform in
/// Z_n: shows a uniform number, and whether S is 0. Whoever opens it learns more of an S that is not 0 only
/// by guessing u S, whose 128 bits the hash hides.
class BlindedSum {
 public:
  static constexpr std::size_t factor_bits = 128;
  const FreshCiphertext& ciphertext() const { return ciphertext_; }
  const Digest& digest() const { return digest_; }

 private:
  friend BlindedSum blind_sum(const Evaluator&, const OperationId&, std::span<const Ciphertext>);
  BlindedSum(FreshCiphertext ciphertext, const Digest& digest)
      : ciphertext_(std::move(ciphertext)), digest_(digest) {}
  FreshCiphertext ciphertext_;
  Digest digest_;
};

/// SHA-256, for this purpose alone, of a plaintext's limbs. In the same steps whatever they are.
Digest sum_digest(std::span<const Limb> plaintext);

/// Of at least one ciphertext.
BlindedSum blind_sum(const Evaluator& evaluator, const OperationId& operation,
                     std::span<const Ciphertext> terms);

/// The body of a request. What it takes is all that can be sent.
class RequestBody {
 public:
  explicit RequestBody(const Evaluator& evaluator) : evaluator_(evaluator) {}
  /// Of a long request, whose frame it becomes without another copy.
  RequestBody(const Evaluator& evaluator, Header header)
      : evaluator_(evaluator),
        header_(std::move(header)),
        bytes_(begin_request(*header_)),
        begins_(bytes_.size()) {}
  RequestBody& add(const MaskedCiphertexts& masked);
  RequestBody& add(const BlindedBits& bits);
  RequestBody& add(const BlindedSum& sum);
  RequestBody& add(const MaskedDifferences& differences);
  RequestBody& add(const SealedState& state);  ///< zeros until it is there
  RequestBody& add(const BaseRequest& request);
  RequestBody& add(const EvaluatorTransfers& transfers);  ///< their ticket
  RequestBody& add(const GarbledComparisons& comparisons);
  RequestBody& add(CrossTermMessages&& messages);
  RequestBody& add(const ElementChoices& choices);
  RequestBody& add(const SelectionChoices& choices);
  RequestBody& add(const SelectionMessage& message);
  RequestBody& add(const RequestBody& part);
  std::span<const std::uint8_t> bytes() const { return std::span(bytes_).subspan(begins_); }

 private:
  friend class Call;
  struct Awaited {
    std::shared_ptr<const SealedState::Content> state;
    std::size_t at = 0;  ///< in bytes_
  };
  const Evaluator& evaluator_;
  std::optional<Header> header_;
  Bytes bytes_;
  std::size_t begins_ = 0;        ///< what comes before it in its frame
  std::vector<Awaited> awaited_;  ///< states that are not there yet
  bool labels_ = false;           ///< whether labels of transfers will hang on the request
};

/// The answer to a request, read in order. Throws Error on anything that is not what was asked for. The
/// request is sent when something is read that is there, or with the next one.
class AnswerBody {
 public:
  AnswerBody(const Evaluator& evaluator, const Header& header, const RequestBody& body)
      : evaluator_(evaluator), call_(evaluator.calls->add(header, body)) {}
  /// Of a body that was begun with its header.
  AnswerBody(const Evaluator& evaluator, RequestBody&& body)
      : evaluator_(evaluator), call_(evaluator.calls->add(std::move(body))) {}
  EncryptedMatrix matrix(const Layout& layout, std::string_view what);
  std::vector<Ciphertext> ciphertexts(std::size_t count, std::string_view what);
  std::vector<DgkCiphertext> bits(std::size_t count, std::string_view what);
  /// What gives them, while the channel lasts; read now where they, or the request, are too long to wait.
  std::function<std::vector<Ciphertext>()> ciphertexts_later(std::size_t count, std::string_view what);
  SealedState sealed(std::size_t state_bytes);
  std::span<const std::uint8_t> raw(std::size_t count, std::string_view what) {
    return reader().take(count, what);
  }
  void finish();
  /// Whether the request may wait for the next one, whatever its answer has.
  bool may_be_read_later() const { return call_->body_bytes_ <= most_read_later_bytes; }
  /// The request and its answer.
  const Call& call() {
    reader();
    return *call_;
  }

 private:
  /// Of an answer that is there.
  ByteReader& reader();
  const Evaluator& evaluator_;
  std::shared_ptr<Call> call_;
  std::optional<ByteReader> reader_;
  std::size_t read_ = 0;  ///< bytes, before it is there
};

}  // namespace smlp
