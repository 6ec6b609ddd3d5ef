// What selections have in common: the packings of a result and the key holder's shares of the bits.
#pragma once

#include "protocols/comparison/sign_state.h"
#include "protocols/protocol.h"

namespace smlp {

/// The packings of a request. Throws Error where there are none of that number, up to `last`.
Packings checked_packings(std::int64_t number, Packings last = Packings::column_packed);

/// Throws Error for `row_packed` alone, which no selection of what was compared gives.
void check_compared_packings(Packings packings);

/// Throws Error unless there is a share for each cell of the layout.
void check_shares(const Layout& layout, const SignShares& bits);
/// Key holder: its shares of the bits of the request's layout, as the comparison of this word sealed them.
SignState open_shares(Responder& responder, std::int64_t word);

}  // namespace smlp
