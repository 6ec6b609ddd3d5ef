// Which words go where, and numbers for people.
#include "mlp/program/console.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace smlp;

TEST_CASE("results go to standard output, notes follow them, warnings do not") {
  std::ostringstream out, err;
  Console console(out, err, false);
  console.note("on the way");
  console.result("done");
  console.warning("careful");
  CHECK(out.str() == "on the way\ndone\n");
  CHECK(err.str() == "smlp: careful\n");
}

TEST_CASE("with JSON standard output has the document alone") {
  std::ostringstream out, err;
  Console console(out, err, false);
  console.configure(true, false);
  console.note("on the way");
  console.result("done");
  console.document("{}");
  CHECK(out.str() == "{}\n");
  CHECK(err.str() == "on the way\n");
}

TEST_CASE("quiet silences notes and progress, not results and warnings") {
  std::ostringstream out, err;
  Console console(out, err, true);
  console.configure(false, true);
  console.note("on the way");
  ProgressBar progress(console, "work", "steps");
  progress(1, 2);
  console.result("done");
  console.warning("careful");
  CHECK(out.str() == "done\n");
  CHECK(err.str() == "smlp: careful\n");
}

TEST_CASE("a terminal sees a bar that is rewritten and taken away") {
  std::ostringstream out, err;
  Console console(out, err, true);
  ProgressBar progress(console, "work", "steps");
  progress(3, 4);
  CHECK(err.str().starts_with("\r\033[Kwork [##################......] 3/4 steps, "));
  CHECK(err.str().ends_with(" left"));
  progress(4, 4);  // too soon after the last to be drawn
  CHECK(err.str().find("4/4") == std::string::npos);
  err.str("");
  console.result("done");
  CHECK(err.str() == "\r\033[K");
  console.end_progress();
  CHECK(err.str() == "\r\033[K");
}

TEST_CASE("elsewhere progress is silent for the first seconds") {
  std::ostringstream out, err;
  Console console(out, err, false);
  ProgressBar progress(console, "work", "steps");
  for (std::size_t i = 0; i <= 100; ++i) progress(i, 100);
  CHECK(err.str() == "");
  CHECK(progress.seconds() >= 0);
}

TEST_CASE("work that was done before does not count for the rate") {
  std::ostringstream out, err;
  Console console(out, err, true);
  ProgressBar progress(console, "", "steps", 3);
  progress.rename("epoch 2/2");
  progress(3, 4);
  CHECK(err.str() == "\r\033[Kepoch 2/2 [##################......] 3/4 steps");
}

TEST_CASE("texts") {
  CHECK(count_text(1, "row") == "1 row");
  CHECK(count_text(0, "row") == "0 rows");
  CHECK(one_line("a\nb\tc\033d") == "a b c d");
  CHECK(duration_text(0.04) == "0.0 s");
  CHECK(duration_text(59.9) == "59.9 s");
  CHECK(duration_text(59.97) == "1:00 min");
  CHECK(duration_text(125.4) == "2:05 min");
  CHECK(duration_text(3725) == "1:02:05 h");
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(999) == "999 B");
  CHECK(bytes_text(1234) == "1.2 kB");
  CHECK(bytes_text(999.9e3) == "1.0 MB");
  CHECK(bytes_text(5e15) == "5000.0 TB");
  CHECK(fixed_text(-1.005, 1) == "-1.0");
}
