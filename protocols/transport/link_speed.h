// How fast a link between evaluator and key holder is: given in words, or measured.
#pragma once

#include <string>
#include <string_view>

#include "protocols/channel.h"
#include "protocols/transport/remote_key_holder.h"

namespace smlp {

/// Round trip and bandwidth of a link.
struct LinkSpeed {
  double round_trip = 0;    ///< seconds
  double up = 0, down = 0;  ///< bytes a second, to the key holder and back

  /// What a link of this kind is given as: both parties on one machine.
  static LinkSpeed loopback();
  /// "loopback", or BANDWIDTH/RTT as in "1Gbit/5ms": kbit, Mbit or Gbit a second, the same both ways; us, ms
  /// or s; at least 1 bit a second, at most a day. Throws Error on anything else.
  static LinkSpeed parse(std::string_view text);
  /// "1 Gbit/s, 5 ms".
  std::string text() const;

  /// On the way, where nothing is computed meanwhile.
  double seconds(const Traffic& traffic) const;
};

/// The fastest of several echoes: what another takes longer, it waited for a busy processor. Of 16 KiB to
/// 1 MiB, more on a faster link: some seconds on the slowest. Throws Error where the other end does not
/// answer.
LinkSpeed measure_link(KeyHolderLink& link);

}  // namespace smlp
