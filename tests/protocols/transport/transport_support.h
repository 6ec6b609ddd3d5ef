// Certificates, servers and raw calls for the tests of the transport.
#pragma once

#include <doctest/doctest.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "protocols/transport/certificates.h"
#include "protocols/transport/remote_key_holder.h"
#include "protocols/transport/server.h"
#include "protocols/transport/smlp.grpc.pb.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

namespace smlp::testing {

inline Validity valid_for(std::chrono::hours from, std::chrono::hours until) {
  const auto now = std::chrono::system_clock::now();
  return {now + from, now + until};
}
inline Validity valid_now() {
  return valid_for(std::chrono::hours(-1), std::chrono::hours(24));
}

/// One authority for all tests; another one for strangers.
inline const CertificateAuthority& authority() {
  static const CertificateAuthority instance(valid_now());
  return instance;
}
inline Party party(const std::string& name, const std::vector<std::string>& peers,
                   const CertificateAuthority& issuer = authority(), const Validity& validity = valid_now()) {
  const Identity identity = issuer.issue(name, validity);
  return {authority().certificate(), identity.certificate, identity.private_key, peers};
}

inline const std::string key_holder_name = "keys.example", evaluator_name = "evaluator.example";

/// A key holder with toy keys and repeatable answers.
inline std::shared_ptr<const KeyHolder> toy_key_holder(KeyHolderPolicy policy = permissive_policy()) {
  return std::make_shared<KeyHolder>(toy_keys(), std::move(policy),
                                     AnswerRandomness::from_source(RandomSource::from_seed(31)));
}

inline Listening on_loopback(std::optional<Party> who = std::nullopt, const std::string& port = "0") {
  return {{"127.0.0.1", port}, std::move(who)};
}
inline ServerOptions listening(std::optional<Party> who = std::nullopt, const Limits& limits = {}) {
  ServerOptions options;
  options.listening = on_loopback(std::move(who));
  options.limits = limits;
  return options;
}

inline Endpoint endpoint_of(const KeyHolderServer& server) {
  return {"127.0.0.1", std::to_string(server.port())};
}
inline KeyHolderLink link_to(const KeyHolderServer& server, const std::optional<Party>& who = std::nullopt) {
  return KeyHolderLink(endpoint_of(server), who);
}
inline std::vector<KeyHolderLink> links(KeyHolderLink link) {
  std::vector<KeyHolderLink> out;
  out.push_back(std::move(link));
  return out;
}

/// Fails soon.
inline constexpr Patience impatient{.timeout = std::chrono::seconds(20),
                                    .attempts = 3,
                                    .first_pause = std::chrono::milliseconds(10),
                                    .longest_pause = std::chrono::milliseconds(20)};
inline constexpr std::chrono::seconds soon{20};

/// A connection without our client, to say what it never says.
inline std::unique_ptr<v1::KeyHolder::Stub> raw_stub(const KeyHolderServer& server) {
  return v1::KeyHolder::NewStub(
      grpc::CreateChannel(endpoint_of(server).text(), grpc::InsecureChannelCredentials()));
}

/// Some request that is answered, and one of a size of its own.
inline Bytes truncation_request(TwoParties& parties, std::size_t rows = 3) {
  const OperationId operation = parties.next_operation();
  const EncryptedMatrix x = parties.encrypt(matrix_of(rows, 2, {5, -7, 100}));
  make_protocols(preset("homomorphic"), parties.budget())
      .truncation->rescale(parties.evaluator(), operation, x, 20, {1, 4}, std::nullopt);
  return parties.channel().requests().back();
}

}  // namespace smlp::testing
