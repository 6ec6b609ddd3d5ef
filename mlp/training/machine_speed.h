// How fast this machine is at the operations that protocols declare.
#pragma once

#include "mlp/training/cost.h"

namespace smlp {

/// Processor seconds of each operation, measured: on one thread while all threads compute, but for what one
/// thread does alone.
struct MachineSpeed {
  // Of what travels with its bytes written or read: a re-randomised ciphertext is written by the evaluator
  // and read by the key holder before it is decrypted, an encrypted one the other way.
  double product = 0, rerandomisation = 0, decryption = 0, encryption = 0, reception = 0;
  double bit_product = 0, bit_rerandomisation = 0, bit_encryption = 0, bit_reception = 0, zero_test = 0;
  double gate = 0, transfer = 0, transfer_block = 0;
  // What one thread does alone, however many there are; bytes and requests by the transport of one process.
  double byte = 0;   ///< of a message: on its way through a transport of this process, and read for its tag
  double value = 0;  ///< of what is masked: drawn, shown, sealed and opened, as integers and as rows of limbs
  double request = 0;  ///< of one that waits for its answer, alone or with others

  /// Seconds of both parties' operations on `threads` threads that never wait; what is on the way between
  /// the parties meanwhile takes longer.
  double seconds(const Cost& cost, int threads) const {
    return evaluator_seconds(cost, threads) + key_holder_seconds(cost, threads);
  }
  /// Of one party; half of what both do.
  double evaluator_seconds(const Cost& cost, int threads) const;
  double key_holder_seconds(const Cost& cost, int threads) const;

 private:
  /// Half of what both do.
  double half_of_both(const Cost& cost, int threads) const;
};

/// Medians of short samples with these keys, the same beside other busy processes: processor time is
/// measured. Takes about a second of an idle machine, two to three where lanes are scalar.
MachineSpeed measure_speed(const SecretKeys& keys, const RandomSource& random);
/// With new keys of the size of these.
MachineSpeed measure_speed(const PublicKeys& like, const RandomSource& random);

}  // namespace smlp
