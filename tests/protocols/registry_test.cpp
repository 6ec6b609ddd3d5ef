// The registry, the presets, and what they refuse.
#include "protocols/registry.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/support/protocol_fixture.h"

using namespace smlp;
using smlp::testing::error_of;

TEST_CASE("registry: every descriptor is complete and named once") {
  std::set<std::string> names;
  for (const Descriptor& d : registry()) {
    INFO(d.wire_name());
    CHECK(names.insert(d.wire_name()).second);
    CHECK(!d.name.empty());
    CHECK(d.wire_name().size() <= 64);
    CHECK(!d.paper.empty());
    CHECK(!d.flow.empty());
    CHECK(d.leaks() == (d.leakage.text != "nothing"));
    CHECK(!d.leakage.text.empty());
    CHECK(d.sends() == (d.stages() > 0));
    CHECK((d.make == nullptr) == (d.family == Family::conversion));
    CHECK(&find_protocol(d.wire_name()) == &d);
    CHECK(&find_protocol(d.family, d.name) == &d);
  }
}

TEST_CASE("registry: the paper's comparison and maximum say that they leak, the default protocols do not") {
  CHECK(find_protocol("comparison/affine").leaks());
  CHECK(find_protocol("activation/max").leaks());
  for (const Descriptor* d : preset("homomorphic").used()) CHECK(!d->leaks());
}

TEST_CASE("registry: unknown names are refused with the list") {
  std::string products, all;
  for (const Descriptor& d : registry()) {
    all += (all.empty() ? "" : ", ") + d.wire_name();
    if (d.family == Family::matmul) products += (products.empty() ? "" : ", ") + std::string(d.name);
  }
  CHECK(error_of([] { find_protocol(Family::matmul, "fast"); }) ==
        "there is no matmul protocol 'fast'; there is " + products);
  CHECK(error_of([] { find_protocol("matmul/fast"); }) ==
        "there is no protocol 'matmul/fast'; there is " + all);
  CHECK(error_of([] { preset("fastest"); }) ==
        "there is no preset of protocols 'fastest'; there is homomorphic, hybrid, paper");
}

TEST_CASE("registry: presets") {
  const ProtocolNames homomorphic = preset("homomorphic");
  CHECK(homomorphic == ProtocolNames{"packed", "packed", "dgk-veugen", "homomorphic", "compare-select"});
  CHECK(!homomorphic.needs_one_value_a_ciphertext());
  const ProtocolNames paper = preset("paper");
  CHECK(paper.needs_one_value_a_ciphertext());
  std::vector<std::string> used;
  for (const Descriptor* d : paper.used()) used.push_back(d->wire_name());
  CHECK(used == std::vector<std::string>{"matmul/blinded", "truncation/blinded-division", "activation/max"});
  using Unused = std::map<std::string, std::string>;
  CHECK(homomorphic.unused() == Unused{{"truncation", "packed"}});
  CHECK(paper.unused() == Unused{{"comparison", "affine"}, {"selection", "homomorphic"}});
  CHECK(ProtocolNames::from_families(paper.by_family()) == paper);
  const ProtocolNames hybrid = preset("hybrid");
  CHECK(hybrid.chooses_products());
  CHECK(hybrid.product(0).name == "packed");
  CHECK(hybrid.products().size() == 2);
  ProtocolNames sums = paper;
  sums.compares = false;
  CHECK(sums.used().size() == 2);
  CHECK(sums.unused() ==
        Unused{{"comparison", "affine"}, {"selection", "homomorphic"}, {"activation", "max"}});
  CHECK(sums.needs_one_value_a_ciphertext());
  auto incomplete = paper.by_family();
  incomplete.erase("selection");
  CHECK(error_of([&] { ProtocolNames::from_families(incomplete); }) ==
        "no protocol is named for the family selection");
}

TEST_CASE("registry: a product for each layer") {
  ProtocolNames names = preset("homomorphic");
  names.matmul = "packed,oblivious-transfer,packed";
  CHECK(names.product(0).name == "packed");
  CHECK(names.product(1).name == "oblivious-transfer");
  CHECK(names.needs_transfers());
  std::set<std::string> used;
  for (const Descriptor* descriptor : names.used())
    if (descriptor->family == Family::matmul) used.insert(descriptor->wire_name());
  CHECK(used == std::set<std::string>{"matmul/packed", "matmul/oblivious-transfer"});
  CHECK(ProtocolNames::from_families(names.by_family()) == names);
  CHECK(
      error_of([&] { names.product(3); }) ==
      "the products packed,oblivious-transfer,packed are of 3 layers, layer 4 has none: name one for all, or "
      "one for each layer");
  for (const char* wrong :
       {"", "packed,", ",packed", "packed,,packed", "packed, packed", "fast", "packed,cheapest"}) {
    names.matmul = wrong;
    CHECK(error_of([&] { names.products(); }).starts_with("there is no matmul protocol '"));
  }
}

TEST_CASE("registry: halves are built for a budget that can carry them") {
  const BitBudget many({20, 10, 40}, 8, 512);
  const BitBudget one({20, 10, 40}, 8, 512, 1);
  for (const std::string& name : preset_names()) {
    const ProtocolSet set = make_protocols(preset(name), one);
    CHECK(set.matmul);
    CHECK(set.truncation);
    CHECK(set.comparison);
    CHECK(set.selection);
    CHECK(set.activation);
  }
  CHECK(make_protocols(preset("homomorphic"), many).matmul);
  CHECK(error_of([&] { make_protocols(preset("paper"), many); }) ==
        "the protocol truncation/blinded-division works on one value a ciphertext, the table has 3 slots");
  ProtocolNames names = preset("homomorphic");
  names.matmul = "blinded";
  CHECK(error_of([&] { make_protocols(names, many); }) ==
        "the protocol matmul/blinded works on one value a ciphertext, the table has 3 slots");
  names = preset("homomorphic");
  names.activation = "max";
  CHECK(error_of([&] { make_protocols(names, many); }) ==
        "the protocol activation/max works on one value a ciphertext, the table has 3 slots");
  names = preset("homomorphic");
  names.comparison = "yao";
  CHECK(error_of([&] { make_protocols(names, one); }).starts_with("there is no comparison protocol 'yao'; "));
}
