// Without MPI there is one process.
#include <string>

#include "mlp/ranks/ranks.h"
#include "paillier/error.h"

namespace smlp {

std::unique_ptr<Ranks> join_ranks(std::chrono::seconds) {
  if (const std::size_t ranks = launched_ranks(); ranks > 1)
    throw Error(std::to_string(ranks) +
                " ranks were started, but this program was built without MPI: build it with make MPI=1, or "
                "start one process");
  return nullptr;
}

}  // namespace smlp
