// Measures of oblivious transfers, garbled comparisons and products by transfers.
#pragma once

#include "protocols/oblivious_transfer/session.h"
#include "tests/ctime/measures.h"

namespace smlp::ctime {

/// Under memcheck: both parties' steps, with seeds, offset, choices and what is hidden by pads undefined.
/// `transfers`: of any session.
void check_transfers(const EvaluatorTransfers& transfers, Errors& errors);
/// Under callgrind: the same for other secrets, in groups whose names begin with "transfers".
void count_transfers(const EvaluatorTransfers& transfers);

}  // namespace smlp::ctime
