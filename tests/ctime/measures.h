// What the measures of ctime.cpp share.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "paillier/fixed_width.h"

namespace smlp::ctime {

/// Marks as undefined for memcheck.
void hide(std::span<const Limb> limbs);
void hide(const Integer& value);
void hide(const FixedIntegers& values);
void hide_bytes(const void* bytes, std::size_t size);

/// Errors that memcheck has found since the last call, said with the name of what was done.
class Errors {
 public:
  void check(const std::string& what);
  /// Throws Error where there were none.
  void expect(const std::string& what);

 private:
  unsigned seen_ = 0;
};

/// Instructions of `what`, in a second run, as a file that callgrind writes.
void counted(const std::string& name, const std::function<void()>& what);

}  // namespace smlp::ctime
