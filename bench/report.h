// What the benchmark programs share: their command line and the form of their results.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "paillier/keys.h"

namespace smlp::bench {

using Json = nlohmann::ordered_json;

/// Options "--name VALUE".
class Options {
 public:
  /// `usage` lists what there is, an option a line: "--name VALUE   what for". Prints it and exits with 0 for
  /// --help. Throws Error for any other word.
  Options(int argc, char** argv, const std::string& usage);

  std::string text(const std::string& name, const std::string& otherwise) const;
  /// Throws Error unless it is a number from 1 on.
  std::size_t number(const std::string& name, std::size_t otherwise) const;
  /// Numbers separated by commas.
  std::vector<std::size_t> numbers(const std::string& name, const std::string& otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

/// Processor, instructions, compiler, versions of GMP and OpenSSL, as results are worth nothing without them.
Json machine();

/// A new key pair of the system's sizes; the toy size 512 is for the tests.
SecretKeys make_keys(Variant variant, std::size_t bits);

/// {"benchmark": name, "machine": .., the members of `results`} to a file; to none where `path` is empty.
void write_results(const std::string& path, const std::string& name, const Json& results);

/// main of a benchmark program: an Error becomes one line and exit code 1.
int run_benchmark(int argc, char** argv, void (*benchmark)(int argc, char** argv));

}  // namespace smlp::bench
