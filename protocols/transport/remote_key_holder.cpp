// Spreading requests over processes, and sending them again.
#include "protocols/transport/remote_key_holder.h"

#include <algorithm>
#include <thread>

#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::chrono::seconds hello_timeout{20};

}  // namespace

RemoteKeyHolder::RemoteKeyHolder(std::vector<KeyHolderLink> links, const Patience& patience)
    : patience_(patience) {
  if (links.empty()) throw Error("a key holder has no address");
  for (KeyHolderLink& link : links) processes_.push_back({std::move(link)});
}

std::string why_not_handed_over(const KeyHolderInfo& info, const Recipient& recipient) {
  const Fingerprint& key = recipient.keys.fingerprint();
  const auto found = info.user_keys.find(key);
  if (found == info.user_keys.end())
    return "it hands nothing over to the key " + to_hex(key) + " (smlp serve --user-key)";
  if (found->second.contain(recipient.purpose)) return "";
  const bool answers = recipient.purpose == Purpose::answers;
  return std::string("it hands no ") + (answers ? "answers" : "model") + " over to the key " + to_hex(key) +
         ", only " +
         (answers ? "a model (smlp serve --user-key FILE:answers)"
                  : "answers (smlp serve --user-key FILE:model)");
}

void RemoteKeyHolder::check(const Fingerprint& key, const std::set<std::string>& protocols,
                            const std::optional<Recipient>& recipient) {
  std::string failures;
  std::size_t reached = 0;
  for (Process& process : processes_) {
    const std::string& name = process.link.name();
    KeyHolderInfo info;
    const auto outcome = process.link.hello(info, hello_timeout);
    if (!outcome.ok) {
      if (!outcome.temporary) throw Error("the key holder at " + name + " refused: " + outcome.message);
      failures += (failures.empty() ? "" : "; ") + name + ": " + outcome.message;
      process.rests_until = Clock::now() + patience_.longest_pause;
      continue;
    }
    ++reached;
    if (info.key != key)
      throw Error("the key holder at " + name + " has the key " + to_hex(info.key) + ", the table is under " +
                  to_hex(key));
    for (const std::string& protocol : protocols)
      if (!info.protocols.contains(protocol))
        throw Error("the key holder at " + name + " does not answer the protocol " + protocol +
                    ": it is to be in the list of smlp serve --allow there" +
                    (protocol == "conversion/range-check" ? ", or --range-check off here" : ""));
    if (recipient)
      if (const std::string why = why_not_handed_over(info, *recipient); !why.empty())
        throw Error("the key holder at " + name + " refuses the user key: " + why);
  }
  if (reached == 0) throw Error("no key holder can be reached: " + failures + " (smlp doctor says more)");
}

std::pair<RemoteKeyHolder::Process&, RemoteKeyHolder::Clock::time_point> RemoteKeyHolder::next_process() {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    Process& process = processes_[turn_++ % processes_.size()];
    if (process.rests_until <= now) return {process, now};
  }
  Process& first = *std::ranges::min_element(processes_, {}, &Process::rests_until);
  return {first, first.rests_until};
}

Bytes RemoteKeyHolder::exchange(std::span<const std::uint8_t> frame) {
  std::chrono::milliseconds pause = patience_.first_pause;
  std::size_t timeouts = 0;
  std::string last;
  for (std::size_t attempt = 1; attempt <= patience_.attempts; ++attempt) {
    const auto [process, rests_until] = next_process();
    std::this_thread::sleep_until(rests_until);
    Bytes answer;
    const auto outcome = process.link.answer(frame, patience_.largest_answer, patience_.timeout, answer);
    if (outcome.ok) return answer;
    last = process.link.name() + ": " + outcome.message;
    if (!outcome.temporary) throw Error("the key holder at " + last);
    if (outcome.timed_out && ++timeouts == patience_.timeouts) break;
    ++retries_;
    {
      const std::lock_guard lock(mutex_);
      process.rests_until = Clock::now() + pause;
    }
    if (attempt % processes_.size() == 0) pause = std::min(2 * pause, patience_.longest_pause);
  }
  throw Error("no key holder answered a request that was sent again and again; last of all " + last);
}

std::vector<Bytes> RemoteKeyHolder::exchange_chain(std::span<ChainedRequest> requests) {
  return decode_chain_answer(exchange(encode_chain(requests)), requests.size());
}

}  // namespace smlp
