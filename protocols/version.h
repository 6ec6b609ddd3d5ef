// The version of this program. The Makefile reads it here.
#pragma once

namespace smlp {

inline constexpr const char* version = "0.1.0";

}  // namespace smlp
