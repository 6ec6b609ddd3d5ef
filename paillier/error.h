// The one exception of the project: a clear sentence that names the thing, the value and what was allowed.
#pragma once

#include <stdexcept>
#include <string>

namespace smlp {

/// Thrown by every public function whose docstring says "throws Error". what() is one line, without a
/// newline.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence) : std::runtime_error(sentence) {}
};

}  // namespace smlp
