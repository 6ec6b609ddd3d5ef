// The families of protocols, what an implementation of each provides, and the descriptor by which it is
// registered.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "protocols/evaluator.h"
#include "protocols/key_holder.h"

namespace smlp {

enum class Family { matmul, truncation, comparison, selection, activation, conversion };
std::string_view name(Family family);

/// An encrypted matrix that rides along in a rescaling: |cell| < 2^bits.
struct Addend {
  EncryptedMatrix matrix;
  std::size_t bits = 0;
};

/// Base of every evaluator's half. Implementations are stateless and shared.
class Protocol {
 public:
  virtual ~Protocol() = default;
};

/// How a result is held: under Paillier in both packings, or opened (protocols/opened_values.h). A
/// truncation, a product and a conversion give either, of the same value.
enum class Form { ciphertexts, opened };

/// floor((scale x + addend) / 2^shift) + {0, 1}; the carry is 1 with probability frac(exact result).
class Truncation : public Protocol {
 public:
  /// |x| < 2^content_bits. The result is in the layout of x.
  virtual EncryptedMatrix rescale(const Evaluator& evaluator, const OperationId& operation,
                                  const EncryptedMatrix& x, std::size_t content_bits, const Rescale& factor,
                                  const std::optional<Addend>& addend,
                                  Form form = Form::ciphertexts) const = 0;
};

/// floor((scale A B + addend) / 2^shift) + {0, 1}.
class MatrixProduct : public Protocol {
 public:
  /// (m x k) (k x n) -> m x n in the layout {row groups of A, column groups of B}. Cells of A and B have l
  /// bits.
  virtual EncryptedMatrix multiply(const Evaluator& evaluator, const OperationId& operation,
                                   const EncryptedMatrix& a, const EncryptedMatrix& b, const Rescale& factor,
                                   const std::optional<Addend>& addend,
                                   Form form = Form::ciphertexts) const = 0;
  /// The same, of which the request may wait for the next one (protocols/call.h): what is returned gives the
  /// product, and is called once.
  virtual std::function<EncryptedMatrix()> multiply_later(const Evaluator& evaluator,
                                                          const OperationId& operation,
                                                          const EncryptedMatrix& a, const EncryptedMatrix& b,
                                                          const Rescale& factor,
                                                          const std::optional<Addend>& addend,
                                                          Form form = Form::ciphertexts) const {
    return [product = multiply(evaluator, operation, a, b, factor, addend, form)]() mutable {
      return std::move(product);
    };
  }
};

/// XOR shares of the bits [z >= 0]: the evaluator's in the clear, the key holder's sealed, and the opened z
/// that was compared, so that a selection of z itself need not open it again. One record: it is kept, sent
/// and dropped as a whole.
struct SignShares {
  Matrix<std::uint8_t> evaluator;  ///< s
  SealedState key_holder;          ///< t, sealed by `protocol`
  std::string protocol;            ///< wire name of the comparison that made it
  EncryptedMatrix compared;        ///< empty where the comparison works on no opened z
};

class Comparison : public Protocol {
 public:
  /// z in [-2^(L-1), 2^(L-1)), L = l + guard_bits; as ciphertexts, or opened where the descriptor says so.
  virtual SignShares sign(const Evaluator& evaluator, const OperationId& operation,
                          const EncryptedMatrix& z) const = 0;
};

class Selection : public Protocol {
 public:
  /// [beta v] for the shared bits beta; |v| < 2^(L-1), as ciphertexts or opened. Of packings that are not
  /// asked for none is made; Packings::none or operand: beta v stays opened, where the descriptor says so.
  virtual EncryptedMatrix select(const Evaluator& evaluator, const OperationId& operation,
                                 const EncryptedMatrix& v, const SignShares& bits,
                                 Packings packings = Packings::both) const = 0;
  /// [beta z] for the z that was compared, opened as the comparison left it. Adds to the evaluator's evidence
  /// of ranges, where there is any, if the comparison works on an opened z. Not `row_packed` alone.
  virtual EncryptedMatrix select_compared(const Evaluator& evaluator, const OperationId& operation,
                                          const EncryptedMatrix& z, const SignShares& bits,
                                          Packings packings = Packings::both) const = 0;
};

/// What the forward pass keeps for the derivative. Each activation has its own kind.
class ActivationState {
 public:
  virtual ~ActivationState() = default;
};

struct Activated {
  EncryptedMatrix values;
  std::shared_ptr<const ActivationState> state;
};

class Activation : public Protocol {
 public:
  /// max(z, 0); at least in these packings: both, or `column_packed`; or opened, where the selection can.
  virtual Activated forward(const Evaluator& evaluator, const OperationId& operation,
                            const EncryptedMatrix& z, Packings packings = Packings::both) const = 0;
  /// delta where z >= 0, else 0; at least in these packings.
  virtual EncryptedMatrix backward(const Evaluator& evaluator, const OperationId& operation,
                                   const EncryptedMatrix& delta, const ActivationState& state,
                                   Packings packings = Packings::both) const = 0;
};

/// One choice from each family.
struct ProtocolSet {
  std::shared_ptr<const Truncation> truncation;
  std::shared_ptr<const Comparison> comparison;
  std::shared_ptr<const Selection> selection;
  std::shared_ptr<const MatrixProduct> matmul;
  std::shared_ptr<const Activation> activation;
};

/// How an operand of a product comes: masked for this product alone, masked and kept, or as it was kept.
enum class OperandUse { masked, kept, reused };
struct OperandStates {
  OperandUse use = OperandUse::masked;
  std::size_t pieces = 1;        ///< sealed states of it
  std::size_t unused_cells = 0;  ///< values in them that this product leaves out
  bool closes = false;           ///< kept, and the answer has the packing `row_packed` of it
  /// Bytes of the sealed terms of one that comes opened, under a new mask (protocols/opened_sums.h).
  std::optional<std::size_t> term_bytes{};
  bool as_it_is = false;  ///< the one term is under a mask of an operand already
};

/// What a call of a protocol works on: enough to declare its traffic and its cost.
struct Work {
  Layout left{};   ///< left operand of a product; the operand of anything else
  Layout right{};  ///< right operand of a product
  bool addend = false;
  bool later = false;           ///< a product whose request may wait, whatever its answer is
  bool backward = false;        ///< the derivative of a fused activation
  bool checked = false;         ///< a selection of what was compared, with evidence of its ranges
  std::size_t opened_bits = 0;  ///< of the mask of an operand that comes opened; 0: it comes as ciphertexts
  /// Bytes of the sealed terms of an operand that is a sum of opened values (protocols/opened_sums.h).
  std::optional<std::size_t> sum_bytes{};
  std::optional<std::size_t> addend_bytes{};  ///< all that is sent of an addend that comes opened
  std::size_t result_bits = 0;         ///< of the mask of a result that is given opened; 0: it is ciphertexts
  Packings packings = Packings::both;  ///< of the result of a selection
  std::size_t user_bits = 0;           ///< size of the user's key in a hand-over
  OperandStates left_states{}, right_states{};
};

/// Sizes that traffic and cost depend on.
struct Sizes {
  BitBudget budget;
  std::size_t ciphertext_bytes = 0;
  std::size_t bit_bytes = 0;  ///< of a DGK ciphertext
};

/// Counts of the costly operations, by who does them.
struct Operations {
  double products = 0;              ///< evaluator: products mod n^2 outside of re-randomisation
  double rerandomisations = 0;      ///< evaluator, Paillier
  double decryptions = 0;           ///< key holder
  double encryptions = 0;           ///< key holder
  double bit_products = 0;          ///< evaluator: products mod the DGK modulus outside of re-randomisation
  double bit_rerandomisations = 0;  ///< evaluator
  double bit_encryptions = 0;       ///< key holder
  double zero_tests = 0;            ///< key holder
  double gates = 0;                 ///< both: of garbled comparisons, with the transfers of their bits
  double transfers = 0;             ///< both: of a product
  double transfer_blocks = 0;       ///< both: of messages in them
  double masked_values = 0;         ///< values shown to the key holder under a mask of their own
  Operations& operator+=(const Operations& other);
};

/// What the messages of one direction hold.
struct Payload {
  std::size_t ciphertexts = 0;  ///< Paillier, under the key holder's key
  std::size_t bits = 0;         ///< DGK
  std::size_t bytes = 0;        ///< anything else: sealed states, ciphertexts under another key
};
std::size_t bytes_of(const Payload& payload, const Sizes& sizes);

/// What one call of a protocol costs.
struct Declaration {
  std::size_t rounds = 1;
  /// What the last request has, where its answer is sealed states alone, or read later: it goes with the next
  /// one, if it is not long (protocols/call.h).
  std::optional<Payload> waits{};
  /// Whether the one before it, which is the first, waits too: its answer is read later.
  bool begins_later = false;
  Payload to_key_holder{};
  Payload to_evaluator{};
  std::size_t masked_values = 0;     ///< values shown to the key holder under a mask of their own
  std::size_t in_other_answers = 0;  ///< bytes to the evaluator that no answer holds with all others
  /// Beside those that the messages imply: a ciphertext to the key holder is re-randomised and decrypted, one
  /// back is encrypted; a bit to it is re-randomised and tested for zero, one back is encrypted.
  Operations beside{};

  Declaration& operator+=(const Declaration& other);
  Traffic traffic(const Sizes& sizes) const;
  /// Whether the last request waits.
  bool last_waits(const Sizes& sizes) const;
  Operations operations() const;
};

/// What a protocol shows to the key holder beyond public sizes.
struct Leakage {
  std::string_view text = "nothing";  ///< or what, to whom, in words
  /// The leakage function: everything that its views may tell about two operands in the clear, in the order
  /// of the family's interface (a comparison has one, a selection the selected and the compared). Operands of
  /// equal leakage look alike to the key holder. Null: nothing leaks.
  std::vector<Integer> (*of)(const IntegerMatrix& first, const IntegerMatrix& second) = nullptr;
};

/// How a protocol is known: to the registry, the tests, the benchmarks, the documentation.
struct Descriptor {
  using Handler = void (*)(Responder&);
  static constexpr std::size_t most_stages = 4;

  Family family;
  std::string_view name;
  std::string_view paper;
  std::string_view flow;  ///< message flow, one line
  Leakage leakage{};
  bool single_value = false;  ///< one value a ciphertext only (the paper's representation)
  bool fused = false;         ///< a product that truncates by itself, an activation that compares by itself
  bool on_opened = false;  ///< a comparison that works on an opened z: it takes one, or opens it; a product
                           ///< that takes opened operands; a selection that can leave its result opened
  bool transfers = false;  ///< on oblivious transfers: base transfers once a session
  bool brings_evidence = false;  ///< a selection that gathers evidence of ranges, where it is asked for
  std::array<Handler, most_stages> handlers{};  ///< the key holder's half, by stage
  /// Null for what sends nothing itself.
  Declaration (*declared)(const Work&, const Sizes&) = nullptr;
  /// The evaluator's half, built on the choices made so far; null for conversions, which are plain functions.
  std::shared_ptr<const Protocol> (*make)(const ProtocolSet& parts) = nullptr;

  std::string wire_name() const;
  bool leaks() const { return leakage.of != nullptr; }
  bool sends() const { return declared != nullptr; }
  std::size_t stages() const;
  Traffic traffic(const Work& work, const Sizes& sizes) const;
  Operations operations(const Work& work, const Sizes& sizes) const;
};

/// For Descriptor::make: a half that is built on the choices made so far takes them in its constructor.
template <typename Half>
std::shared_ptr<const Protocol> made(const ProtocolSet& parts) {
  if constexpr (std::is_constructible_v<Half, const ProtocolSet&>)
    return std::make_shared<Half>(parts);
  else
    return std::make_shared<Half>();
}

// Shared arithmetic of declarations.
std::size_t cell_count(const Layout& layout);
std::size_t column_packed_count(const Layout& layout);  ///< ciphertexts of the `column_packed` packing
std::size_t row_packed_count(
    const Layout& layout);                     ///< of the `row_packed` packing, also where both are the same
std::size_t both_count(const Layout& layout);  ///< that an answer in both packings holds
/// Products of PaillierPublicKey::matrix_product for rows x inner bases and `outputs` exponents of `bits`
/// bits for each, by the cost model of paillier/simultaneous_powers.h on this processor.
double powers_products(std::size_t rows, std::size_t inner, std::size_t outputs, std::size_t bits);

}  // namespace smlp
