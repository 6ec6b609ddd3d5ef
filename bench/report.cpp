// Command line, machine description and results of the benchmark programs.
#include "bench/report.h"

#include <gmp.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "mlp/program/provenance.h"
#include "paillier/error.h"
#include "paillier/lanes.h"
#include "paillier/large_buffers.h"
#include "paillier/parallel.h"

namespace smlp::bench {

namespace {

std::size_t parsed_number(const std::string& name, const std::string& text) {
  const bool digits =
      !text.empty() && text.size() <= 9 && text.find_first_not_of("0123456789") == std::string::npos;
  const std::size_t value = digits ? std::stoul(text) : 0;
  if (value == 0) throw Error("--" + name + " is " + text + ", not a number from 1 on");
  return value;
}

}  // namespace

Options::Options(int argc, char** argv, const std::string& usage) {
  for (int i = 1; i < argc; i += 2) {
    const std::string word = argv[i];
    if (word == "--help") {
      std::cout << usage;
      std::exit(0);
    }
    if (!word.starts_with("--") || usage.find(word + " ") == std::string::npos || i + 1 == argc)
      throw Error(word + " is no option with a value; --help lists them");
    values_[word.substr(2)] = argv[i + 1];
  }
}

std::string Options::text(const std::string& name, const std::string& otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}

std::size_t Options::number(const std::string& name, std::size_t otherwise) const {
  return parsed_number(name, text(name, std::to_string(otherwise)));
}

std::vector<std::size_t> Options::numbers(const std::string& name, const std::string& otherwise) const {
  std::vector<std::size_t> out;
  std::istringstream list(text(name, otherwise));
  for (std::string item; std::getline(list, item, ',');) out.push_back(parsed_number(name, item));
  return out;
}

Json machine() {
  return {{"processor", processor()},
          {"instructions", name(best_instructions(4096))},  // of n^2 by default
          {"lanes", lane_count(best_instructions())},
          {"threads", thread_count()},
          {"compiler", __VERSION__},
          {"gmp", gmp_version},
          {"openssl", OpenSSL_version(OPENSSL_VERSION)}};
}

SecretKeys make_keys(Variant variant, std::size_t bits) {
  constexpr std::size_t toy_bits = 512, toy_subgroup_bits = 64;
  return SecretKeys::generate(variant, bits,
                              bits == toy_bits ? toy_subgroup_bits : default_subgroup_bits(bits),
                              RandomSource::from_system());
}

void write_results(const std::string& path, const std::string& name, const Json& results) {
  if (path.empty()) return;
  Json all{{"benchmark", name}, {"machine", machine()}};
  all.update(results);
  std::ofstream out(path);
  out << all.dump(1) << '\n';
  if (!out.flush()) throw Error("the results cannot be written to " + path);
}

int run_benchmark(int argc, char** argv, void (*benchmark)(int argc, char** argv)) {
  keep_freed_memory();  // as the program does
  try {
    benchmark(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace smlp::bench
