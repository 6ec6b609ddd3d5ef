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

/// Sessions that begin alike: an evaluator chooses them.
SessionId session(std::size_t i) {
  return {0x12, 0xab, 0x34, 0xcd, 0xff, static_cast<std::uint8_t>(i)};
}

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
      for (int tile = 0; tile < 4; ++tile) lockout.record("a.example", session(k));
      CHECK(lockout.has_ended("a.example", session(k)));
      CHECK(!lockout.has_ended("b.example", session(k)));
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
  one.record("a.example", session(0));
  two.record("a.example", session(0));
  CHECK(one.has_ended("a.example", session(0)));
  CHECK(two.has_ended("a.example", session(0)));
  two.record("a.example", session(1));
  CHECK(one.has_ended("a.example", session(1)));
  CHECK_NOTHROW(one.check("a.example"));
  one.record("a.example", session(2));
  for (Lockout* each : {&one, &two}) CHECK_THROWS_AS(each->check("a.example"), LockedOut);
  CHECK_THROWS_AS(Lockout(journal).check("a.example"), LockedOut);
  const std::string text = text_of(journal);
  CHECK(std::ranges::count(text, '\n') == 4);
  CHECK(text.substr(20, text.find('\n') - 20) == " a.example out-of-range 12ab34cdff0000000000000000000000");
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
  CHECK(with("2026-11-27T22:50:24Z a.example out-of-range 12ab34cd\n\n2026-\n2026-").empty());
  for (const std::string line : {"nonsense", "t a.example forgiven 1", "t a.example out-of-range"})
    CHECK(with(line + "\n")
              .ends_with(" has a line that does not say who is locked out: '" + line + "'; take it out"));
  CHECK(with(std::string((1 << 20) + 1, 'x')).find(" is longer than the allowed 1048576 bytes") !=
        std::string::npos);
  CHECK(error_of([&] { Lockout{directory.path()}; }).find("which says who is locked out") !=
        std::string::npos);
  // In memory alone, and said so.
  Lockout forgetful(directory / "missing" / "journal");
  CHECK(forgetful.unwritable() == "No such file or directory");
  for (int i = 0; i < 3; ++i) forgetful.record("a.example", session(static_cast<std::size_t>(i)));
  CHECK_THROWS_AS(forgetful.check("a.example"), LockedOut);
}

TEST_CASE("lockout: a journal that is made shorter, replaced or removed is read again from its start") {
  const test::TemporaryDirectory directory;
  const auto journal = directory / "journal";
  Lockout lockout(journal);
  const auto fill = [&] {
    for (std::size_t i = 0; i < 3; ++i) lockout.record("a.example", session(i));
    REQUIRE_THROWS_AS(lockout.check("a.example"), LockedOut);
  };
  fill();
  std::filesystem::resize_file(journal, 0);
  CHECK_NOTHROW(lockout.check("a.example"));
  fill();
  write_file_atomically(journal, {}, 0600);
  CHECK_NOTHROW(lockout.check("a.example"));
  fill();
  // Another one, longer than what was read.
  std::string other;
  for (const char* hour : {"20", "21", "22", "23", "24", "25"})
    other += std::string("2026-11-27T") + hour + ":50:24Z b.example out-of-range 00000000000000000000000000" +
             hour + "\n";
  write_file_atomically(journal, {reinterpret_cast<const std::uint8_t*>(other.data()), other.size()}, 0600);
  CHECK_NOTHROW(lockout.check("a.example"));
  CHECK_THROWS_AS(lockout.check("b.example"), LockedOut);
  fill();
  std::filesystem::remove(journal);
  CHECK_NOTHROW(lockout.check("a.example"));
  fill();
  CHECK_THROWS_AS(Lockout(journal).check("a.example"), LockedOut);
}

TEST_CASE("lockout: what a writer that was killed left, wherever it ended, hides no line behind it") {
  const test::TemporaryDirectory directory;
  const auto journal = directory / "journal";
  const std::string line = "2026-11-27T22:50:24Z a.example out-of-range " + std::string(32, '0');
  for (const std::string& whole : {line, line.substr(0, 31) + "forgiven"})
    for (std::size_t end = 1; end < whole.size(); ++end) {
      CAPTURE(whole.substr(0, end));
      std::ofstream(journal) << whole.substr(0, end);
      Lockout lockout(journal);
      for (std::size_t i = 1; i <= 3; ++i) CHECK_NOTHROW(lockout.record("b.example", session(i)));
      CHECK_THROWS_AS(lockout.check("b.example"), LockedOut);
      CHECK_NOTHROW(lockout.check("a.example"));
      CHECK_THROWS_AS(Lockout(journal).check("b.example"), LockedOut);
    }
}

TEST_CASE("lockout: where the journal cannot be read any more nobody is let in, until it can") {
  const test::TemporaryDirectory directory;
  const auto journal = directory / "journal";
  Lockout lockout(journal);
  std::ofstream(journal) << "nonsense\n";
  CHECK_THROWS_AS(lockout.check("a.example"), JournalError);
  CHECK_THROWS_AS(lockout.record("a.example", session(0)), JournalError);
  std::ofstream(journal) << std::string((1 << 20) + 1, 'x');
  CHECK_THROWS_AS(lockout.check("a.example"), JournalError);
  std::filesystem::resize_file(journal, 0);
  CHECK_NOTHROW(lockout.check("a.example"));
}

TEST_CASE("admission: nobody who is locked out") {
  Admission admission(Limits{}, std::make_shared<Lockout>());
  for (int i = 0; i < 3; ++i) {
    CHECK_NOTHROW(admission.admit("a"));
    CHECK_NOTHROW(admission.check("a"));
    admission.record_ended("a", session(static_cast<std::size_t>(i)));
    CHECK(admission.has_ended("a", session(static_cast<std::size_t>(i))));
  }
  CHECK_THROWS_AS(admission.admit("a"), LockedOut);
  CHECK_THROWS_AS(admission.check("a"), LockedOut);
  CHECK_NOTHROW(admission.admit("b"));
}
