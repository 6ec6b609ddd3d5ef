// The key holder: a stateless responder. It answers requests about masked values and remembers nothing in
// between.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "paillier/keys.h"
#include "protocols/encrypted_matrix.h"
#include "protocols/sealed_state.h"
#include "protocols/slots.h"
#include "protocols/used_places.h"
#include "protocols/wire.h"

namespace smlp {

/// Where the randomness of answers comes from.
class AnswerRandomness {
 public:
  /// Every answer draws a new key from the operating system.
  static AnswerRandomness from_system() { return AnswerRandomness(nullptr); }
  /// An answer is a function of the request: reproducible, for seeded experiments and tests only.
  static AnswerRandomness from_source(const RandomSource& source) {
    return AnswerRandomness(std::make_shared<RandomSource>(source));
  }
  RandomSource for_request(const Digest& request_tag) const;

 private:
  explicit AnswerRandomness(std::shared_ptr<const RandomSource> source) : source_(std::move(source)) {}
  std::shared_ptr<const RandomSource> source_;
};

/// Wire names of all protocols that leak nothing.
std::set<std::string> harmless_protocols();

/// What is handed over to a user.
enum class Purpose : std::uint8_t { answers, model };

/// Those for which a user key was given.
struct Purposes {
  bool answers = true, model = true;
  bool contain(Purpose purpose) const { return purpose == Purpose::answers ? answers : model; }
  bool operator==(const Purposes&) const = default;
};

/// A key under which results may be handed over.
struct UserKey {
  UserKey(PaillierPublicKey key, Purposes purposes = {}, const Fingerprint& fingerprint = {})
      : key(std::move(key)), purposes(purposes), fingerprint(fingerprint) {}
  PaillierPublicKey key;
  Purposes purposes;
  Fingerprint fingerprint;  ///< of the keys that it is one of: told to evaluators that ask
};

/// What a key holder agrees to do.
struct KeyHolderPolicy {
  std::set<std::string> protocols = harmless_protocols();  ///< wire names of those that are answered
  std::vector<UserKey> user_keys{};                        ///< others are refused
};

/// Sees what the key holder sees: (protocol, what, values). For tests of independence.
using ViewObserver = std::function<void(const Header&, std::string_view what, const FixedIntegers& values)>;

class KeyHolder {
 public:
  KeyHolder(SecretKeys keys, KeyHolderPolicy policy, AnswerRandomness randomness,
            ViewObserver observer = nullptr);

  /// The answer frame to a request frame; a request that breaks a rule gets a refusal in one sentence. A
  /// value out of range ends the request's session: whatever it asks from then on gets the same refusal.
  /// `ended` becomes whether this request ended its session. Thread-safe.
  Bytes answer(std::span<const std::uint8_t> frame, bool& ended) const;
  Bytes answer(std::span<const std::uint8_t> frame) const {
    bool ended = false;
    return answer(frame, ended);
  }
  /// Bytes that a request of this header and frame size may take while it is answered: frame, residues,
  /// plaintexts and the answer. Throws Error where the header fits no protocol or no bit budget.
  std::size_t memory_needed(const Header& header, std::size_t frame_bytes) const;

  /// The same key holder, with the sessions that it ended, for other users.
  KeyHolder with_user_keys(std::vector<UserKey> user_keys) const;

  const PublicKeys& public_keys() const { return keys_.public_keys(); }
  const KeyHolderPolicy& policy() const { return policy_; }

 private:
  class EndedSessions;
  /// The frame of an answer.
  Bytes answer_or_throw(const RequestView& request) const;
  SecretKeys keys_;
  KeyHolderPolicy policy_;
  AnswerRandomness randomness_;
  ViewObserver observer_;
  std::shared_ptr<EndedSessions> ended_;
};

/// One request being answered: the key holder's half of a protocol works through this alone.
class Responder {
 public:
  Responder(const SecretKeys& keys, const KeyHolderPolicy& policy, const RequestView& request,
            const Digest& request_tag, RandomSource random, const ViewObserver& observer);

  const Header& header() const { return request_.header; }
  /// SHA-256 of the request, which the evaluator knows too: for labels and pads of transfers.
  const Digest& request_digest();
  const BitBudget& budget() const { return budget_; }
  const SecretKeys& keys() const { return keys_; }
  const KeyHolderPolicy& policy() const { return policy_; }
  /// Once for each kind: Error for a second time.
  Draws draws(RandomnessKind kind);
  /// Parameter i. Throws Error when the request has fewer.
  std::int64_t parameter(std::size_t i) const;

  // Reading the body, in order.
  /// Decrypts slots column-packed, values under a mask of `bits` bits: |value| < 2^(bits + mask_sum_bits),
  /// row by row, of masked_value_limbs(bits) limbs. Throws the uniform out-of-range Error. In the same steps
  /// whatever the values are.
  FixedIntegers open_column_packed(const Layout& layout, std::size_t bits, std::string_view what);
  FixedIntegers open_row_packed(const Layout& layout, std::size_t bits, std::string_view what);
  /// The same for what mask_operand made: value_mask_bits, in pairs. Time depends on the values.
  IntegerMatrix open_operand(const Layout& layout, Side side, std::string_view what);
  /// Plaintexts as they are, of plaintext_limbs() limbs.
  FixedIntegers open(std::size_t count, std::string_view what);
  std::vector<DgkCiphertext> read_bits(std::size_t count, std::string_view what);
  /// A state that the protocol of this wire name sealed at this stage.
  OpenedState open_sealed(std::size_t state_bytes, const std::string& sealed_by, std::uint8_t sealed_at) {
    return open_sealed(state_bytes, header(), sealed_by, sealed_at);
  }
  /// The same for a state that is bound to another header than the request's.
  OpenedState open_sealed(std::size_t state_bytes, const Header& context, const std::string& sealed_by,
                          std::uint8_t sealed_at);
  std::span<const std::uint8_t> read_bytes(std::size_t count, std::string_view what) {
    return reader_.take(count, what);
  }
  void finish() const { reader_.finish("a request"); }
  std::size_t unread_bytes() const { return reader_.remaining(); }

  // Writing the answer.
  /// Encrypts in both packings with the layout given.
  void put_matrix(const IntegerMatrix& m, const Layout& layout, RandomnessKind column_packed,
                  RandomnessKind row_packed);
  /// The same of rows of limbs with the request's layout, in the packings that are asked for, in the same
  /// steps whatever they are.
  void put_matrix(const FixedIntegers& cells, Packings packings);
  void put(std::span<const Integer> plaintexts, RandomnessKind kind);
  void put(const FixedIntegers& plaintexts, RandomnessKind kind);
  void put(std::span<const FreshCiphertext> ciphertexts);
  void put(std::span<const FreshDgkCiphertext> bits);
  void put_sealed(std::span<const std::uint8_t> state) { put_sealed(state, header()); }
  void put_sealed(std::span<const std::uint8_t> state, const Header& context);
  /// Ciphertexts under a user key, already encoded; points, seeds and corrections of oblivious transfers.
  void put_bytes(std::span<const std::uint8_t> bytes);
  /// The answer so far, a frame, to which so many bytes will be appended: there is room for them, and for
  /// what usually follows something long.
  Bytes& room_for(std::size_t bytes);
  /// The frame.
  Bytes take_answer();

  void observe(std::string_view what, const FixedIntegers& values) const;
  void observe(std::string_view what, const std::vector<Integer>& values) const;
  void observe(std::string_view what, std::span<const std::uint8_t> bytes) const;

 private:
  FixedIntegers open_cells(const FixedIntegers& packed, const std::vector<SlotCells>& cells, std::size_t bits,
                           std::string_view what) const;

  const SecretKeys& keys_;
  const KeyHolderPolicy& policy_;
  const RequestView& request_;
  const Digest& request_tag_;
  std::optional<Digest> request_digest_;
  RandomSource random_;
  UsedOperations used_;
  const ViewObserver& observer_;
  BitBudget budget_;
  ByteReader reader_;
  Bytes answer_ = begin_answer();
  std::size_t answer_begins_ = answer_.size();
  std::uint64_t sealed_ = 0;  ///< states in the answer so far
};

/// A masked value out of range.
class OutOfRange : public Error {
 public:
  OutOfRange();
};

/// The uniform sentence for a value outside its range; it names no element, else it would be a decryption
/// oracle.
[[noreturn]] void refuse_out_of_range();

}  // namespace smlp
