// An evaluator with the key holder in the same process: all roles in one hand, through the same channel and
// codec as on a network. And the meter on it.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "mlp/encrypted_arithmetic.h"
#include "mlp/program/options.h"
#include "protocols/channel.h"
#include "protocols/key_holder.h"

namespace smlp {

using Json = nlohmann::ordered_json;

/// Stays where it is made: its parts refer to each other.
class Session {
 public:
  /// `random` is the evaluator's. Results may be handed over under `users`.
  Session(const SecretKeys& keys, const BitBudget& budget, const ProtocolNames& protocols,
          const RandomSource& random, const AnswerRandomness& answers,
          std::vector<PaillierPublicKey> users = {})
      : key_holder_(keys, {leaking(protocols), with_sigma(std::move(users), budget.numbers().sigma)},
                    answers),
        channel_(key_holder_),
        evaluator_{keys.public_keys().with_sigma(budget.numbers().sigma), budget, channel_, random,
                   draw_session(random)},
        arithmetic_(evaluator_, protocols) {
    evaluator_.keys.prepare();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  EncryptedArithmetic& arithmetic() { return arithmetic_; }
  const EncryptedArithmetic& arithmetic() const { return arithmetic_; }
  const Channel& channel() const { return channel_; }

 private:
  static std::vector<PaillierPublicKey> with_sigma(std::vector<PaillierPublicKey> keys, std::size_t sigma) {
    for (PaillierPublicKey& key : keys) key = key.with_sigma(sigma);
    return keys;
  }

  KeyHolder key_holder_;
  InProcessChannel channel_;
  Evaluator evaluator_;
  EncryptedArithmetic arithmetic_;
};

/// The budget of an evaluator on a table: one value a ciphertext where its protocols need that.
inline BitBudget evaluator_budget(const BitBudget& table, const ProtocolNames& protocols) {
  if (!protocols.needs_one_value_a_ciphertext()) return table;
  return {table.numbers(), table.max_inner(), table.modulus_bits(), 1};
}

/// What a stretch of work took.
struct Measured {
  double seconds = 0;
  Traffic traffic;
  SecondsByKind by_kind;                       ///< both parties
  std::map<std::string, Traffic> by_protocol;  ///< messages
  std::map<std::string, double> key_holder;    ///< seconds of it, by protocol

  Measured& operator+=(const Measured& other);
  Measured operator-(const Measured& earlier) const;
  double key_holder_seconds() const;
  /// "forward product 1.2 s, .., key holder 3.4 s of it".
  std::string split_text() const;
  /// {"seconds", "bytes": {..}, "rounds", "seconds_by_kind", "operations": {protocol: {rounds, bytes,
  /// seconds}}}.
  Json to_json() const;
};
Json to_json(const Traffic& traffic);

/// Measures laps of a session.
class Meter {
 public:
  explicit Meter(const Session& session) : session_(session), last_(now()) {}
  /// Since the last lap.
  Measured lap();

 private:
  Measured now() const;
  const Session& session_;
  Measured last_;
};

/// Seconds of processor time of this process, user and system.
double cpu_seconds();
/// Seconds since a fixed point.
double wall_seconds();

}  // namespace smlp
