// An evaluator at work, with its key holder on the network or in the same process. And the meter on it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "mlp/program/options.h"
#include "mlp/training/encrypted_arithmetic.h"
#include "protocols/channel.h"
#include "protocols/transport/hosted.h"

namespace smlp {

using Json = nlohmann::ordered_json;

/// Stays where it is made: its parts refer to each other.
class Session {
 public:
  /// Over a channel to the holder of these keys. `random` is the evaluator's. `made_ahead`: idle processors
  /// make re-randomisers. `range_checks`: as in EncryptedArithmetic, `rounding` as in Evaluator.
  Session(const PublicKeys& keys, std::unique_ptr<Channel> channel, const BitBudget& budget,
          const ProtocolNames& protocols, const RandomSource& random, bool made_ahead = true,
          bool range_checks = true, const std::optional<RandomSource>& rounding = std::nullopt)
      : channel_(std::move(channel)),
        evaluator_{keys.with_sigma(budget.numbers().sigma),
                   budget,
                   *channel_,
                   random,
                   draw_session(random),
                   made_ahead,
                   RandomSource::from_system(),
                   rounding},
        arithmetic_(evaluator_, protocols, range_checks) {
    evaluator_.keys.prepare();
  }
  /// With the key holder in this process; these protocols it answers even if they leak.
  Session(const SecretKeys& keys, const BitBudget& budget, const ProtocolNames& protocols,
          const RandomSource& random, const AnswerRandomness& answers, bool range_checks = true)
      : Session(keys.public_keys(), host(keys, protocols, answers), budget, protocols, random, true,
                range_checks) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  EncryptedArithmetic& arithmetic() { return arithmetic_; }
  const EncryptedArithmetic& arithmetic() const { return arithmetic_; }
  const Channel& channel() const { return *channel_; }

 private:
  static std::unique_ptr<Channel> host(const SecretKeys& keys, const ProtocolNames& protocols,
                                       const AnswerRandomness& answers) {
    KeyHolderPolicy policy;
    policy.protocols.merge(asked_protocols(protocols));
    return host_key_holder(std::make_shared<KeyHolder>(keys, std::move(policy), answers));
  }

  std::unique_ptr<Channel> channel_;
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
  double waiting_seconds() const;
  /// "forward product 1.2 s, .., waiting for the key holder 3.4 s of it".
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
