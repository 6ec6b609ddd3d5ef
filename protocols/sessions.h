// For programs that use the library: an owner and an evaluator that number their operations themselves, so
// that no address is drawn from twice.
#pragma once

#include <memory>

#include "protocols/registry.h"

namespace smlp {

/// The data owner: encrypts matrices, each under randomness of its own. Not thread-safe.
class OwnerSession {
 public:
  /// Draws from the operating system. Throws Error when the budget is of keys of another size.
  OwnerSession(const PublicKeys& keys, const BitBudget& budget);
  OwnerSession(const OwnerSession&) = delete;  // a copy would draw from the same addresses
  OwnerSession& operator=(const OwnerSession&) = delete;

  /// In both packings. Throws Error where a cell is outside l bits.
  FreshMatrix encrypt(const IntegerMatrix& m);

 private:
  PublicKeys keys_;
  BitBudget budget_;
  RandomSource random_;
  std::uint32_t matrices_ = 0;
};

/// The evaluator: each operation at a place of its own, and once. Not thread-safe.
class EvaluatorSession {
 public:
  /// Over a channel to the holder of these keys (host_key_holder, RemoteKeyHolder). Throws Error when a
  /// protocol cannot serve the budget. Ranges are not checked: cells of operands have l bits, those of what
  /// is compared guarded_bits.
  EvaluatorSession(const PublicKeys& keys, const BitBudget& budget, std::unique_ptr<Channel> channel,
                   const ProtocolNames& names = preset("homomorphic"));
  EvaluatorSession(const EvaluatorSession&) = delete;
  EvaluatorSession& operator=(const EvaluatorSession&) = delete;

  /// floor(A B / 2^f) + {0, 1}: of fixed-point numbers with f bits behind the point, a product with as many.
  EncryptedMatrix product(const EncryptedMatrix& a, const EncryptedMatrix& b);
  /// v where z >= 0, else 0, cell by cell. Throws Error where the layouts differ.
  EncryptedMatrix where_not_negative(const EncryptedMatrix& v, const EncryptedMatrix& z);
  /// max(z, 0).
  EncryptedMatrix relu(const EncryptedMatrix& z);

  // For protocols of one's own: their parts, and where the next of them is called. A copy of the evaluator
  // ends with the session, whose channel it uses.
  const Evaluator& evaluator() const { return evaluator_; }
  const ProtocolSet& protocols() const { return protocols_; }
  /// Another one each time. Throws Error after 2^32 - 1.
  OperationId next_operation();

 private:
  EvaluatorSession(const PublicKeys& keys, const BitBudget& budget, std::unique_ptr<Channel> channel,
                   const ProtocolNames& names, const RandomSource& random);
  std::unique_ptr<Channel> channel_;
  Evaluator evaluator_;
  ProtocolSet protocols_;
  std::uint32_t step_ = 0;
};

}  // namespace smlp
