// The program as a function: exit codes and where its words go. Files and keys are the shell tests' part.
#include <doctest/doctest.h>

#include <sstream>

#include "mlp/program/commands/commands.h"
#include "protocols/version.h"
#include "tests/mlp/files/files_support.h"

using namespace smlp;

namespace {

struct Result {
  int code;
  std::string out, err;
};

Result run_words(const Words& words) {
  std::ostringstream out, err;
  const int code = run_program(words, out, err, false);
  return {code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("help goes to standard output with exit code 0") {
  for (const Words& words : {Words{"--help"}, Words{"help"}, Words{"-h"}, Words{"train", "--help"}}) {
    const Result result = run_words(words);
    CHECK(result.code == 0);
    CHECK(result.out.starts_with("usage: smlp "));
    CHECK(result.err == "");
  }
}

TEST_CASE("wrong usage is 2, failure is 1, each with one line") {
  const Result usage = run_words({"train"});
  CHECK(usage.code == 2);
  CHECK(usage.out == "");
  CHECK(usage.err.starts_with("smlp: smlp train needs --"));
  const Result unknown = run_words({"fly\nhigh"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find('\n') == unknown.err.size() - 1);
  const Result failure = run_words({"inspect", "/no/such\nfile"});
  CHECK(failure.code == 1);
  CHECK(failure.out == "");
  CHECK(failure.err.starts_with("smlp: "));
  CHECK(failure.err.find('\n') == failure.err.size() - 1);
}

TEST_CASE("a near miss is told, and which version this is") {
  CHECK(run_words({"trian"}).err ==
        "smlp: there is no command 'trian'; did you mean 'train'? smlp --help lists them\n");
  CHECK(run_words({"fly"}).err == "smlp: there is no command 'fly'; smlp --help lists them\n");
  CHECK(run_words({"plan", "--netwrok", "2-2"}).err ==
        "smlp: smlp plan has no option '--netwrok'; did you mean '--network'? smlp plan --help lists them\n");
  const Result result = run_words({"--version"});
  CHECK(result.code == 0);
  CHECK(result.out == std::string("smlp ") + version + "\n");
  CHECK(result.err == "");
}

TEST_CASE("output that cannot be written is a failure") {
  std::ostringstream out, err;
  out.setstate(std::ios::badbit);
  CHECK(run_program({"protocols"}, out, err, false) == 1);
  CHECK(err.str() == "smlp: cannot write to standard output\n");
}

TEST_CASE("protocols lists each with its leakage") {
  const Result result = run_words({"protocols"});
  CHECK(result.code == 0);
  CHECK(test::contains(result.out, "comparison/dgk-veugen  (homomorphic)"));
  CHECK(test::contains(result.out, "leaks") == false);
  CHECK(run_words({"protocols", "--json", "--markdown"}).code == 2);
}
