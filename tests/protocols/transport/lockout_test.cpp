// Counting the sessions that ended, and the journal of them.
#include "protocols/transport/lockout.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "protocols/transport/admission.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/temporary_directory.h"

using namespace smlp;
using smlp::testing::error_of;

namespace {

const SessionId session{0x12, 0xab, 0x34, 0xcd, 0xff};

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("lockout: three sessions of a name, until it is forgiven") {
  Lockout lockout;
  for (int i = 0; i < 2; ++i) {
    for (std::size_t k = 0; k < Lockout::most_sessions; ++k) {
      CHECK_NOTHROW(lockout.check("a.example"));
      lockout.record("a.example", session);
    }
    CHECK_THROWS_AS(lockout.check("a.example"), LockedOut);
    CHECK_NOTHROW(lockout.check("b.example"));
    CHECK(lockout.forgive("a.example") == 3);
  }
  CHECK(lockout.forgive("a.example") == 0);
  CHECK(error_of([&] { lockout.forgive("a b"); }).starts_with("a party is named 'a b'"));
}

TEST_CASE("lockout: the journal outlives a process and is shared by several") {
  const test::TemporaryDirectory directory;
  const auto journal = directory / "journal";
  Lockout one(journal), two(journal);
  CHECK(one.unwritable().empty());
  one.record("a.example", session);
  two.record("a.example", session);
  CHECK_NOTHROW(one.check("a.example"));
  one.record("a.example", session);
  for (Lockout* each : {&one, &two}) CHECK_THROWS_AS(each->check("a.example"), LockedOut);
  CHECK_THROWS_AS(Lockout(journal).check("a.example"), LockedOut);
  const std::string text = text_of(journal);
  CHECK(std::ranges::count(text, '\n') == 3);
  CHECK(text.substr(20, text.find('\n') - 20) == " a.example out-of-range 12ab34cd");
  struct stat status {};
  REQUIRE(::stat(journal.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(two.forgive("a.example") == 3);
  CHECK_NOTHROW(one.check("a.example"));
  CHECK(text_of(journal).ends_with(" a.example forgiven\n"));
}

TEST_CASE("lockout: a journal that is none, and one that cannot be written") {
  const test::TemporaryDirectory directory;
  const auto journal = directory / "journal";
  const auto with = [&](const std::string& text) {
    std::ofstream(journal) << text;
    return error_of([&] { Lockout{journal}; });
  };
  CHECK(with("").empty());
  CHECK(with("2026-11-27T22:50:24Z a.example out-of-range 12ab34cd\n2026-").empty());
  for (const std::string line : {"nonsense", "", "t a.example forgiven 1", "t a.example out-of-range"})
    CHECK(with(line + "\n")
              .ends_with(" has a line that does not say who is locked out: '" + line + "'; take it out"));
  CHECK(with(std::string((1 << 20) + 1, 'x')).find(" is longer than the allowed 1048576 bytes") !=
        std::string::npos);
  CHECK(error_of([&] { Lockout{directory.path()}; }).find("which says who is locked out") !=
        std::string::npos);
  // In memory alone, and said so.
  Lockout forgetful(directory / "missing" / "journal");
  CHECK(forgetful.unwritable() == "No such file or directory");
  for (int i = 0; i < 3; ++i) forgetful.record("a.example", session);
  CHECK_THROWS_AS(forgetful.check("a.example"), LockedOut);
}

TEST_CASE("admission: nobody who is locked out") {
  Admission admission(Limits{}, std::make_shared<Lockout>());
  for (int i = 0; i < 3; ++i) {
    CHECK_NOTHROW(admission.admit("a"));
    CHECK_NOTHROW(admission.check("a"));
    admission.record_ended("a", session);
  }
  CHECK_THROWS_AS(admission.admit("a"), LockedOut);
  CHECK_THROWS_AS(admission.check("a"), LockedOut);
  CHECK_NOTHROW(admission.admit("b"));
}
