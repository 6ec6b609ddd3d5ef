// smlp serve: the key holder.
#include <algorithm>
#include <array>
#include <condition_variable>
#include <ctime>
#include <mutex>

#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/report.h"
#include "mlp/program/signals.h"
#include "mlp/table.h"
#include "paillier/error.h"
#include "protocols/transport/certificates.h"
#include "protocols/transport/server.h"

namespace smlp {

namespace {

/// Time that requests in progress have to end after SIGTERM.
constexpr std::chrono::seconds grace{60};

struct ServeOptions {
  std::string key;
  std::string listen;
  std::optional<std::string> tls;
  bool insecure_transport = false;
  std::string allow = "homomorphic";
  std::optional<std::string> user_keys;
  std::size_t memory = 1024;
  ThreadOption threads;
  bool quiet = false;
};

void declare(CommandLine& line, ServeOptions& options) {
  line.required("key", options.key, "secret.json");
  line.required("listen", options.listen, "HOST:PORT; port 0 takes a free one");
  line.text("tls", options.tls, "directory of this party's certificates (smlp certificates)");
  line.flag("insecure-transport", options.insecure_transport, "no TLS, on a loopback address alone");
  line.text(
      "allow", options.allow,
      "protocols that are answered, with commas between: names of smlp protocols, or homomorphic or paper "
      "for all that a preset uses");
  line.text("user-key", options.user_keys,
            "public.json of those to whom results may be handed over, with commas between");
  line.number("memory", options.memory, "MiB that all requests in progress may take together");
  options.threads.add_to(line);
  line.flag("quiet", options.quiet, "no line for each request");
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    out.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return out;
}

std::set<std::string> allowed_protocols(const std::string& text) {
  std::set<std::string> out;
  for (const std::string& name : split_list(text)) {
    if (name == "homomorphic" || name == "paper") {
      out.merge(asked_protocols(preset(name)));
      out.insert({"conversion/unpack", "conversion/switch-key"});
    } else {
      out.insert(find_protocol(name).wire_name());
    }
  }
  return out;
}

/// Throws UsageError or Error.
Listening listening_of(const ServeOptions& options) {
  if (options.tls.has_value() == options.insecure_transport)
    throw UsageError("smlp serve needs --tls, or --insecure-transport on a loopback address");
  Listening listening{parse_endpoint(options.listen), std::nullopt};
  if (options.tls) {
    listening.party = load_party(*options.tls);
    check_identity(listening.party->authority, {listening.party->certificate, listening.party->private_key},
                   std::chrono::system_clock::now());
  }
  return listening;
}

std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

/// Enough of a session to tell it from others.
std::string short_text(const SessionId& session) {
  Fingerprint padded{};
  std::ranges::copy(session, padded.begin());
  return to_hex(padded).substr(0, 8);
}

/// One line a request: who, what, how much. Never a value.
std::string line_of(const CallRecord& call) {
  const Header& header = call.header;
  std::string out = clock_text() + " " + call.peer;
  if (!header.protocol.empty())
    out += " session " + short_text(header.session) + " " + header.protocol + " step " +
           std::to_string(header.place.step) + " layer " + std::to_string(header.place.layer) + ", " +
           std::to_string(header.layout.rows()) + " x " + std::to_string(header.layout.cols());
  out += ": " + bytes_text(static_cast<double>(call.request_bytes)) + " in, " +
         bytes_text(static_cast<double>(call.answer_bytes)) + " out, " + fixed_text(call.seconds, 3) + " s";
  return one_line(call.refusal.empty() ? out : out + ", refused: " + call.refusal);
}

/// What was asked for, by whom.
struct Sum {
  std::size_t requests = 0, refused = 0;
  double bytes = 0, seconds = 0;
};

/// Waits for a signal to end.
class EndSignal {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [this] { return has_come_; });
  }

 private:
  void come() {
    const std::lock_guard lock(mutex_);
    has_come_ = true;
    came_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable came_;
  bool has_come_ = false;
  EndSignalAction action_{[this] { come(); }};
};

}  // namespace

int serve_command(const Words& words, Console& console) {
  ServeOptions options;
  CommandLine line(
      "serve",
      "The key holder: answers evaluators until SIGTERM or SIGINT, which let requests in progress end.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  console.configure(false, options.quiet);
  options.threads.apply();
  constexpr std::size_t most_memory = std::size_t{1} << 20;
  if (options.memory < 1 || options.memory > most_memory)
    throw UsageError("--memory is " + std::to_string(options.memory) + ", allowed are 1 to " +
                     std::to_string(most_memory));
  const Listening listening = listening_of(options);
  KeyHolderPolicy policy{allowed_protocols(options.allow), {}};
  ServerOptions server_options;
  server_options.listening = listening;
  server_options.limits.memory = options.memory << 20;
  if (options.user_keys)
    for (const std::string& file : split_list(*options.user_keys)) {
      const PublicKeys user = load_public_keys(file);
      // Wide enough for every sigma that a request may have.
      policy.user_keys.push_back(user.paillier().with_sigma(128));
      server_options.user_keys.push_back(user.fingerprint());
    }

  std::mutex mutex;
  std::map<std::string, Sum> sums;
  server_options.log = [&](const CallRecord& call) {
    const std::lock_guard lock(mutex);
    Sum& sum = sums[call.peer];
    ++sum.requests;
    sum.refused += call.refusal.empty() ? 0 : 1;
    sum.bytes += static_cast<double>(call.request_bytes + call.answer_bytes);
    sum.seconds += call.seconds;
    console.note(line_of(call));
  };
  EndSignal end;
  const auto key_holder =
      std::make_shared<KeyHolder>(load_secret_keys(options.key), policy, AnswerRandomness::from_system());
  KeyHolderServer server(key_holder, std::move(server_options));
  Endpoint endpoint = listening.endpoint;
  endpoint.port = std::to_string(server.port());
  std::string peers = "anybody on this machine, without TLS";
  if (listening.party) {
    peers.clear();
    for (const std::string& name : listening.party->peers) peers += (peers.empty() ? "" : ", ") + name;
  }
  console.result("key holder of " + to_hex(key_holder->public_keys().fingerprint()) + " listening on " +
                 endpoint.text() + " for " + peers);
  std::string names;
  for (const std::string& name : policy.protocols) names += (names.empty() ? "" : ", ") + name;
  console.result("answers " + names + "; " + count_text(policy.user_keys.size(), "user key") +
                 "; requests take " + std::to_string(options.memory) + " MiB at most");

  end.wait();
  console.result("stopping; requests in progress have " + std::to_string(grace.count()) + " s");
  server.shut_down(grace);
  for (const auto& [peer, sum] : sums)
    console.result(peer + ": " + count_text(sum.requests, "request") + ", " + std::to_string(sum.refused) +
                   " refused, " + bytes_text(sum.bytes) + ", " + duration_text(sum.seconds) +
                   " of computing");
  return 0;
}

}  // namespace smlp
