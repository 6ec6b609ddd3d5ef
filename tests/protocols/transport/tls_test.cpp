// Who is served, and who is believed to be the key holder.
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <mutex>
#include <thread>

#include "protocols/transport/probe.h"
#include "tests/protocols/transport/transport_support.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

std::string failure_of(KeyHolderLink link) {
  KeyHolderInfo info;
  const auto outcome = link.hello(info, soon);
  return outcome.ok ? "" : outcome.message;
}

/// The version of TLS that a client with versions from `least` to `most` gets; "" for none.
std::string negotiated(const KeyHolderServer& server, const Party& who, int least, int most) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  SSL_CTX_clear_options(context.get(), SSL_OP_NO_SSL_MASK);  // of this process's own setting
  SSL_CTX_set_min_proto_version(context.get(), least);
  SSL_CTX_set_max_proto_version(context.get(), most);
  const auto bio = [](std::string_view text) {
    return std::unique_ptr<BIO, decltype(&BIO_free)>(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  };
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bio(who.certificate).get(), nullptr, nullptr, nullptr), &X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio(who.private_key).get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  SSL_CTX_use_certificate(context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> connection(BIO_new_ssl_connect(context.get()),
                                                                 &BIO_free_all);
  BIO_set_conn_hostname(connection.get(), endpoint_of(server).text().c_str());
  SSL* ssl = nullptr;
  BIO_get_ssl(connection.get(), &ssl);
  constexpr unsigned char http2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl, http2, sizeof http2);
  return BIO_do_handshake(connection.get()) == 1 ? SSL_get_version(ssl) : "";
}

}  // namespace

TEST_CASE("transport: nobody without the right certificate is served, and no other key holder is believed") {
  const CertificateAuthority stranger(valid_now());
  const auto expired = valid_for(std::chrono::hours(-48), std::chrono::hours(-24));
  const auto not_yet = valid_for(std::chrono::hours(24), std::chrono::hours(48));
  const Party right = party(evaluator_name, {key_holder_name});
  KeyHolderServer server(toy_key_holder(), listening(party(key_holder_name, {evaluator_name})));
  const auto failure = [&](const Party& who) { return failure_of(link_to(server, who)); };
  CHECK(failure(right).empty());
  CHECK(failure(party("other.example", {key_holder_name})) ==
        "the caller's certificate names other.example, whom this key holder does not serve");
  CHECK(!failure(party(evaluator_name, {key_holder_name}, authority(), expired)).empty());
  CHECK(!failure(party(evaluator_name, {key_holder_name}, authority(), not_yet)).empty());
  CHECK(!failure(party(evaluator_name, {key_holder_name}, stranger)).empty());
  Party bare = right;
  bare.certificate.clear();
  bare.private_key.clear();
  CHECK(!failure(bare).empty());
  CHECK(!failure_of(link_to(server)).empty());  // no TLS at all
  // The evaluator's side of it.
  CHECK(!failure(party(evaluator_name, {"impostor.example"})).empty());
  const auto refused_server = [&](const Party& who) {
    const KeyHolderServer other(toy_key_holder(), listening(who));
    return failure_of(link_to(other, right));
  };
  CHECK(!refused_server(party(key_holder_name, {evaluator_name}, authority(), expired)).empty());
  CHECK(!refused_server(party(key_holder_name, {evaluator_name}, stranger)).empty());
  CHECK(!refused_server(party("other.example", {evaluator_name})).empty());
  CHECK(failure(right).empty());
}

TEST_CASE("transport: certificates are replaced without a stop, by way of both authorities") {
  const CertificateAuthority next(valid_now());
  const std::string both = authority().certificate() + next.certificate();
  const auto with = [](Party who, const std::string& believed) {
    who.authority = believed;
    return who;
  };
  const std::string& old_alone = authority().certificate();
  const std::string& new_alone = next.certificate();
  const Party old_evaluator = party(evaluator_name, {key_holder_name});
  const Party new_evaluator = party(evaluator_name, {key_holder_name}, next);
  const Party old_keys = party(key_holder_name, {evaluator_name});
  const Party new_keys = party(key_holder_name, {evaluator_name}, next);
  KeyHolderServer server(toy_key_holder(), listening(old_keys));
  // What each evaluator meets, in gRPC and in the probe: the same.
  const auto served = [&](const Party& who) {
    const bool by_call = failure_of(link_to(server, who)).empty();
    CHECK(probe(endpoint_of(server), who, soon).fault.empty() == by_call);
    return by_call;
  };
  KeyHolderInfo info;
  KeyHolderLink kept = link_to(server, old_evaluator);
  CHECK(kept.hello(info, soon).ok);
  CHECK(served(old_evaluator));
  CHECK(!served(with(new_evaluator, both)));
  server.reload(toy_key_holder(), with(old_keys, both));
  CHECK(served(old_evaluator));
  CHECK(served(with(new_evaluator, both)));
  server.reload(toy_key_holder(), with(new_keys, both));
  CHECK(served(with(old_evaluator, both)));
  CHECK(served(with(new_evaluator, new_alone)));
  CHECK(!served(with(old_evaluator, old_alone)));
  server.reload(toy_key_holder(), with(new_keys, new_alone));
  CHECK(served(with(new_evaluator, new_alone)));
  CHECK(!served(with(old_evaluator, both)));
  // A connection that was made stays, until its name is no peer's any more.
  CHECK(kept.hello(info, soon).ok);
  server.reload(toy_key_holder(), party(key_holder_name, {"another.example"}, next));
  CHECK(kept.hello(info, soon).message ==
        "the caller's certificate names evaluator.example, whom this key holder does not serve");
}

TEST_CASE("transport: who is turned away is recorded") {
  const auto start = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::vector<CallRecord> records;
  ServerOptions options = listening(party(key_holder_name, {evaluator_name}));
  options.log = [&](const CallRecord& call) {
    const std::lock_guard lock(mutex);
    records.push_back(call);
  };
  KeyHolderServer server(toy_key_holder(), options);
  /// The first record that has these words, or "" after a while.
  const auto recorded = [&](const std::string& words) {
    const auto end = std::chrono::steady_clock::now() + soon;
    while (std::chrono::steady_clock::now() < end) {
      {
        const std::lock_guard lock(mutex);
        for (const CallRecord& call : records)
          if (call.refusal.find(words) != std::string::npos && call.turned_away)
            return call.what + " " + call.peer.substr(0, 15);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return std::string();
  };
  failure_of(link_to(server, party("other.example", {key_holder_name})));
  CHECK(recorded("names other.example, whom this key holder does not serve") == "hello ipv4:127.0.0.1:");
  const CertificateAuthority stranger(valid_now());
  failure_of(link_to(server, party(evaluator_name, {key_holder_name}, stranger)));
  CHECK(recorded("certificate verify failed") == "handshake ");
  Party bare = party(evaluator_name, {key_holder_name});
  bare.certificate.clear();
  bare.private_key.clear();
  failure_of(link_to(server, bare));
  CHECK(recorded("peer did not return a certificate") == "handshake ");
  failure_of(link_to(server));  // no TLS at all
  CHECK(recorded("wrong version number") == "handshake ");
  // Many at once are counted, not written down one by one.
  KeyHolderLink link = link_to(server, party("other.example", {key_holder_name}));
  KeyHolderInfo info;
  for (int i = 0; i < 100; ++i) link.hello(info, soon);
  server.shut_down(std::chrono::milliseconds(0));
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  const std::lock_guard lock(mutex);
  std::size_t written = 0, counted = 0;
  for (const CallRecord& call : records) {
    if (call.what != "hello") continue;
    ++written;
    counted += 1 + call.left_out;
  }
  CHECK(counted == 101);
  CHECK(static_cast<double>(written) < 20 + passed.count() + 2);  // a second each, and the last of all
}

TEST_CASE("transport: TLS 1.3 and nothing older") {
  const KeyHolderServer server(toy_key_holder(), listening(party(key_holder_name, {evaluator_name})));
  const Party who = party(evaluator_name, {key_holder_name});
  CHECK(negotiated(server, who, TLS1_VERSION, TLS1_3_VERSION) == "TLSv1.3");
  CHECK(negotiated(server, who, TLS1_VERSION, TLS1_2_VERSION).empty());
}

TEST_CASE("transport: a probe says what is wrong with the other end") {
  const auto expired = valid_for(std::chrono::hours(-48), std::chrono::hours(-24));
  const auto not_yet = valid_for(std::chrono::hours(24), std::chrono::hours(48));
  const CertificateAuthority stranger(valid_now());
  const Party right = party(evaluator_name, {key_holder_name});
  const auto verdict = [&](const Party& key_holder, const Party& evaluator) {
    const KeyHolderServer server(toy_key_holder(), listening(key_holder));
    return probe(endpoint_of(server), evaluator, soon).fault;
  };
  const Party served = party(key_holder_name, {evaluator_name});
  CHECK(verdict(served, right) == "");
  CHECK(verdict(party(key_holder_name, {evaluator_name}, authority(), expired), right) ==
        "its certificate is not to be trusted: certificate has expired");
  CHECK(verdict(party(key_holder_name, {evaluator_name}, authority(), not_yet), right) ==
        "its certificate is not to be trusted: certificate is not yet valid");
  CHECK(verdict(party(key_holder_name, {evaluator_name}, stranger), right)
            .starts_with("its certificate is not to be trusted: "));
  CHECK(verdict(party("other.example", {evaluator_name}), right) ==
        "its certificate names other.example, not keys.example");
  CHECK(verdict(served, party(evaluator_name, {key_holder_name}, authority(), expired))
            .starts_with("it refuses this party's certificate: "));
  CHECK(verdict(served, party(evaluator_name, {key_holder_name}, stranger))
            .starts_with("it refuses this party's certificate: "));
  const KeyHolderServer plain(toy_key_holder(), listening());
  CHECK(probe(endpoint_of(plain), right, soon).fault.starts_with("no TLS 1.3: "));
  CHECK(probe({"127.0.0.1", "1"}, right, soon).fault == "unreachable: Connection refused");
  CHECK(probe({"nosuch.invalid", "1"}, right, soon).fault.starts_with("unknown host nosuch.invalid ("));
  const KeyHolderServer server(toy_key_holder(), listening(served));
  const Probed probed = probe({"localhost", std::to_string(server.port())}, right, soon);
  CHECK(probed.fault == "");
  CHECK(probed.other_end.names == std::vector{key_holder_name});
}
