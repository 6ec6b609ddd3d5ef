// Shared options and their refusals.
#include "mlp/program/options.h"

#include "tests/mlp/files/files_support.h"

using namespace smlp;

TEST_CASE("protocols: a preset, then single families by name") {
  ProtocolOptions options;
  CHECK(options.names() == preset("homomorphic"));
  options.comparison = "affine";
  CHECK(options.names().comparison == "affine");
  CHECK(options.names().matmul == "packed");
  CHECK(asked_protocols(options.names()) ==
        std::set<std::string>{"comparison/affine", "matmul/packed", "selection/homomorphic"});
  CHECK(asked_protocols(preset("paper")).contains("conversion/unpack"));
  options.matmul = "none";
  CHECK(test::contains(test::message_of([&] { options.names(); }), "there is packed, blinded"));
}

TEST_CASE("a protocol that was chosen and that nothing uses is named") {
  using Unused = std::map<std::string, std::string>;
  ProtocolOptions options;
  const auto unused = [&] { return options.unused(options.names()); };
  CHECK(unused().empty());  // a preset's choice is nobody's
  options.truncation = "blinded-division";
  options.comparison = "affine";
  CHECK(unused() == Unused{{"truncation", "blinded-division"}});
  options.matmul = "blinded";
  CHECK(unused().empty());
  ProtocolNames names = options.names();
  names.compares = false;
  CHECK(options.unused(names) == Unused{{"comparison", "affine"}});
  CHECK(asked_protocols(names) ==
        std::set<std::string>{"matmul/blinded", "truncation/blinded-division", "conversion/unpack"});
  options.activation = "max";
  options.selection = "homomorphic";
  CHECK(unused() == Unused{{"comparison", "affine"}, {"selection", "homomorphic"}});
}

TEST_CASE("sizes of keys") {
  KeyOptions options;
  for (const std::size_t bits : {2048U, 3072U, 4096U}) {
    options.bits = bits;
    CHECK_NOTHROW(options.check());
  }
  for (const std::size_t bits : {0U, 512U, 1024U, 2047U, 8192U}) {
    options.bits = bits;
    CHECK_THROWS_AS(options.check(), Error);
  }
  options.insecure = true;
  options.bits = 1024;
  CHECK_NOTHROW(options.check());
  options.bits = 512;
  CHECK_THROWS_AS(options.check(), Error);
}

TEST_CASE("a key holder is in this process or on the network, and a seed needs consent") {
  KeyHolderOptions options;
  CHECK_THROWS_WITH_AS(options.check("train"), "smlp train needs --key-holder with --tls, or --secret-key",
                       UsageError);
  options.secret_key = "secret.json";
  CHECK_NOTHROW(options.check("train"));
  options.seed = 1;
  CHECK(test::contains(test::message_of([&] { options.check("train"); }), "--insecure-seed"));
  options.insecure_seed = true;
  CHECK_NOTHROW(options.check("train"));
  options.tls = "directory";
  CHECK_THROWS_AS(options.check("train"), UsageError);
  options.secret_key.reset();
  options.addresses = "host:1";
  CHECK_NOTHROW(options.check("train"));
  options.insecure_transport = true;
  CHECK_THROWS_AS(options.check("train"), UsageError);
  options.tls.reset();
  CHECK_NOTHROW(options.check("train"));
  options.secret_key = "secret.json";
  CHECK_THROWS_AS(options.check("train"), UsageError);
}

TEST_CASE("weak keys are refused by name, unless they are asked for") {
  KeyStrength strength;
  CHECK(test::contains(test::message_of([&] { strength.check(toy_keys().public_keys(), "a.json"); }),
                       "a.json has a key whose Paillier modulus has 512 bits, at least 2048"));
  // Moduli of full length over a hidden subgroup that can be searched.
  const SecretKeys small = SecretKeys::generate(Variant::subgroup, 2048, 64, RandomSource::from_seed(1));
  CHECK(test::contains(test::message_of([&] { strength.check(small.public_keys(), "a.json"); }),
                       "hidden subgroup of Paillier has 64 bits, at least 224"));
  strength.insecure = true;
  CHECK_NOTHROW(strength.check(toy_keys().public_keys(), "a.json"));
  CHECK_NOTHROW(strength.check(small.public_keys(), "a.json"));
}

TEST_CASE("threads") {
  CHECK_NOTHROW(ThreadOption{}.apply());
  CHECK_THROWS_AS(ThreadOption{0}.apply(), UsageError);
  CHECK_THROWS_AS(ThreadOption{1025}.apply(), UsageError);
}
