// What the measures of ctime.cpp share.
#include "tests/ctime/measures.h"

#include <valgrind/callgrind.h>
#include <valgrind/memcheck.h>

#include <cstdio>

#include "paillier/error.h"

namespace smlp::ctime {

void hide_bytes(const void* bytes, std::size_t size) {
  VALGRIND_MAKE_MEM_UNDEFINED(bytes, size);
}
void hide(std::span<const Limb> limbs) {
  hide_bytes(limbs.data(), limbs.size_bytes());
}
void hide(const Integer& value) {
  hide(limbs_of(value));
}
void hide(const FixedIntegers& values) {
  for (std::size_t i = 0; i < values.size(); ++i) hide(values[i]);
}

void Errors::check(const std::string& what) {
  const auto all = static_cast<unsigned>(VALGRIND_COUNT_ERRORS);
  std::printf("%s: %u\n", what.c_str(), all - seen_);
  std::fflush(stdout);
  seen_ = all;
}

void Errors::expect(const std::string& what) {
  const auto all = static_cast<unsigned>(VALGRIND_COUNT_ERRORS);
  if (all == seen_) throw Error(what + " was not found");
  seen_ = all;
}

void counted(const std::string& name, const std::function<void()>& what) {
  what();                // tables, and memory that is then there
  CALLGRIND_DUMP_STATS;  // of every thread, which ZERO_STATS forgets
  CALLGRIND_TOGGLE_COLLECT;
  what();
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(name.c_str());
}

}  // namespace smlp::ctime
