// What this process takes.
#pragma once

namespace smlp {

/// Bytes in memory now; 0 where the system does not say.
double resident_bytes();

}  // namespace smlp
