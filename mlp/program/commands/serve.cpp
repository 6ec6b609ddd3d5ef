// smlp serve: the key holder.
#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/report.h"
#include "mlp/program/serve_log.h"
#include "mlp/program/serve_metrics.h"
#include "mlp/program/signals.h"
#include "mlp/tables/table.h"
#include "mlp/text.h"
#include "paillier/error.h"
#include "protocols/transport/certificates.h"
#include "protocols/transport/server.h"
#include "protocols/transport/utc.h"

namespace smlp {

namespace {

using Json = nlohmann::ordered_json;

/// Time that requests in progress have to end after SIGTERM.
constexpr std::chrono::seconds grace{60};

struct ServeOptions {
  std::string key;
  std::string listen;
  std::optional<std::string> tls;
  bool insecure_transport = false;
  std::string allow = "homomorphic";
  std::optional<std::string> user_keys;
  std::optional<std::string> forgive;
  std::size_t memory = 1024;
  PassPhraseOption pass_phrase;
  ThreadOption threads;
  KeyStrength strength;
  bool quiet = false;
  LogFormat format = LogFormat::text;
  std::optional<std::string> metrics_listen;
};

void declare(CommandLine& line, ServeOptions& options) {
  line.required("key", options.key, "secret.json");
  options.pass_phrase.add_to(line);
  line.required("listen", options.listen, "HOST:PORT; port 0 takes a free one");
  line.text("tls", options.tls, "directory of this party's certificates (smlp certificates)");
  line.flag("insecure-transport", options.insecure_transport, "no TLS, on a loopback address alone");
  line.text(
      "allow", options.allow,
      "protocols that are answered, with commas between: names of smlp protocols, or homomorphic, hybrid or "
      "paper for all that a preset uses");
  line.text("user-key", options.user_keys,
            "public.json of those to whom results may be handed over, with commas between; FILE:answers or "
            "FILE:model for one of both alone");
  line.text("forgive", options.forgive,
            "certificate names, with commas between, of evaluators that are locked out (three sessions that "
            "ended by a value out of range) and let in again by this start");
  line.number("memory", options.memory, "MiB that all requests in progress may take together");
  options.threads.add_to(line);
  options.strength.add_to(line);
  line.flag("quiet", options.quiet, "no line for each request that is answered");
  line.choice("log", "text", "text for people, or json: an object a line on standard error",
              [&options](const std::string& value) { options.format = log_format_from_name(value); });
  line.text(
      "metrics-listen", options.metrics_listen,
      "HOST:PORT where Prometheus reads metrics over HTTP, for anybody who gets there; a PORT alone is on "
      "127.0.0.1");
}

std::set<std::string> allowed_protocols(const std::string& text) {
  std::set<std::string> out;
  for (const std::string& name : split(text, ',')) {
    if (std::ranges::find(preset_names(), name) != preset_names().end()) {
      out.merge(asked_protocols(preset(name)));
      out.insert(
          {"conversion/unpack", "conversion/switch-key", "conversion/range-check", "conversion/change-form"});
    } else {
      const Descriptor& protocol = find_protocol(name);
      out.insert(protocol.wire_name());
      if (protocol.transfers) out.insert("conversion/base-transfers");
      if (protocol.on_opened) out.insert("conversion/change-form");
    }
  }
  return out;
}

/// Throws Error.
std::optional<Party> party_of(const ServeOptions& options) {
  if (!options.tls) return std::nullopt;
  return load_valid_party(*options.tls, Use::server);
}

/// FILE, FILE:answers or FILE:model. Throws Error.
UserKey load_user_key(std::string file, const KeyStrength& strength) {
  Purposes purposes;
  if (file.ends_with(":answers")) purposes.model = false;
  if (file.ends_with(":model")) purposes.answers = false;
  if (!purposes.answers || !purposes.model) file.resize(file.rfind(':'));
  const PublicKeys keys = load_public_keys(file);
  strength.check(keys, file);
  // Wide enough for every sigma that a request may have.
  return {keys.paillier().with_sigma(128), purposes, keys.fingerprint()};
}

/// A key that is there twice is one key, for all that it was given for.
void add(std::vector<UserKey>& users, const UserKey& user) {
  const auto same = std::ranges::find(users, user.fingerprint, &UserKey::fingerprint);
  if (same == users.end()) return users.push_back(user);
  same->purposes.answers |= user.purposes.answers;
  same->purposes.model |= user.purposes.model;
}

std::vector<UserKey> load_user_keys(const ServeOptions& options) {
  std::vector<UserKey> out;
  if (options.user_keys)
    for (const std::string& file : split(*options.user_keys, ','))
      add(out, load_user_key(file, options.strength));
  return out;
}

/// Whom this key holder serves.
std::string text_of(const std::optional<Party>& party) {
  if (!party) return "anybody on this machine, without TLS";
  std::string out;
  for (const std::string& name : party->peers) out += (out.empty() ? "" : ", ") + name;
  return out;
}

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
  EndSignalAction action_{[this](int) { come(); }};
};

/// What is read again at SIGHUP. A wish that comes before there is anything to reload is kept until then.
class Reloading {
 public:
  void start(std::function<void()> reload) {
    const std::lock_guard lock(mutex_);
    reload_ = std::move(reload);
    if (std::exchange(is_wished_, false)) reload_();
  }

 private:
  void come() {
    const std::lock_guard lock(mutex_);
    is_wished_ = !reload_;
    if (reload_) reload_();
  }
  std::mutex mutex_;
  std::function<void()> reload_;
  bool is_wished_ = false;
  HangupAction action_{[this] { come(); }};
};

/// The journal beside the key.
std::shared_ptr<Lockout> lockout_of(const ServeOptions& options, ServeLog& log) {
  const std::filesystem::path journal = options.key + ".lockout";
  auto lockout = std::make_shared<Lockout>(journal);
  if (!lockout->unwritable().empty())
    log.warn("cannot write " + journal.string() + " (" + lockout->unwritable() +
             "): evaluators that are locked out are let in again by a restart");
  return lockout;
}

void forgive(const ServeOptions& options, Lockout& lockout, ServeLog& log) {
  if (!options.forgive) return;
  for (const std::string& name : split(*options.forgive, ',')) {
    const std::size_t count = lockout.forgive(name);
    if (count == 0)
      log.warn("there is nothing to forgive " + name +
               ": no session of this name ended by a value out of range");
    else
      log.say("forgiven",
              utc_text() + " forgiven: " + name + ", " + count_text(count, "session") +
                  " that ended by a value out of range",
              {{"name", name}, {"sessions", count}});
  }
}

/// Those whom this key holder serves; null without TLS.
Json peers_of(const std::optional<Party>& party) {
  return party ? Json(party->peers) : Json();
}

void note_certificate(const std::optional<Party>& party, std::optional<ServeMetrics>& metrics) {
  if (!party || !metrics) return;
  metrics->set_certificate_end(check_identity(party->authority, {party->certificate, party->private_key},
                                              Use::server, std::chrono::system_clock::now())
                                   .validity.until);
}

/// Serves until a signal.
void serve(const ServeOptions& options, ServeLog& log) {
  std::optional<ServeMetrics> metrics;
  if (options.metrics_listen) metrics.emplace();
  std::optional<KeyHolderServer> server;
  std::optional<MetricsListener> metrics_listener;
  Reloading reloading;                                            // goes before the server does
  const SecretKeys keys = options.pass_phrase.load(options.key);  // asked for at a terminal: signals end it
  options.strength.check(keys.public_keys(), options.key);
  EndSignal end;
  const Listening listening{parse_endpoint(options.listen), party_of(options)};
  const KeyHolderPolicy policy{allowed_protocols(options.allow), load_user_keys(options)};
  const auto key_holder = std::make_shared<KeyHolder>(keys, policy, AnswerRandomness::from_system());
  ServerOptions server_options;
  server_options.listening = listening;
  server_options.limits.memory = options.memory << 20;
  server_options.log = [&](const CallRecord& call) { log.call(call); };
  if (metrics) server_options.count = [&](const CallRecord& call) { metrics->count(call); };
  const auto lockout = server_options.lockout = lockout_of(options, log);
  std::optional<Endpoint> metrics_endpoint;
  if (options.metrics_listen) metrics_endpoint = parse_metrics_endpoint(*options.metrics_listen);
  server.emplace(key_holder, std::move(server_options));
  if (metrics_endpoint)
    metrics_listener.emplace(
        *metrics_endpoint, *metrics,
        RequestMemory{[&server] { return server->memory_held(); }, options.memory << 20});
  note_certificate(listening.party, metrics);
  forgive(options, *lockout, log);
  Endpoint endpoint = listening.endpoint;
  endpoint.port = std::to_string(server->port());
  std::string names;
  for (const std::string& name : policy.protocols) names += (names.empty() ? "" : ", ") + name;
  if (metrics_listener)
    log.say("metrics", "metrics at " + metrics_listener->address(), {{"url", metrics_listener->address()}});
  log.say("listening",
          "key holder of " + to_hex(key_holder->public_keys().fingerprint()) + " listening on " +
              endpoint.text() + " for " + text_of(listening.party),
          {{"key", to_hex(key_holder->public_keys().fingerprint())},
           {"address", endpoint.text()},
           {"peers", peers_of(listening.party)}});
  log.say("policy",
          "answers " + names + "; " + count_text(policy.user_keys.size(), "user key") + "; requests take " +
              std::to_string(options.memory) + " MiB at most",
          {{"protocols", policy.protocols},
           {"user_keys", policy.user_keys.size()},
           {"memory_bytes", options.memory << 20}});

  reloading.start([&log, &options, &server, &metrics, key_holder] {
    try {
      const std::optional<Party> party = party_of(options);
      std::vector<UserKey> users = load_user_keys(options);
      const std::size_t count = users.size();
      server->reload(std::make_shared<KeyHolder>(key_holder->with_user_keys(std::move(users))), party);
      note_certificate(party, metrics);
      log.say("reloaded",
              utc_text() + " reloaded for " + text_of(party) + "; " + count_text(count, "user key"),
              {{"peers", peers_of(party)}, {"user_keys", count}});
    } catch (const std::exception& error) {
      log.warn("nothing is reloaded: " + std::string(error.what()));
    }
  });
  end.wait();
  log.say("stopping", "stopping; requests in progress have " + std::to_string(grace.count()) + " s",
          {{"grace_seconds", grace.count()}});
  server->shut_down(grace);
  log.say_sums();
}

}  // namespace

int serve_command(const Words& words, Console& console) {
  ServeOptions options;
  CommandLine line("serve",
                   "The key holder: answers evaluators until SIGTERM or SIGINT, which let requests in "
                   "progress end. SIGHUP "
                   "reads certificates and user keys again.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  console.configure(false, options.quiet);
  options.threads.apply();
  constexpr std::size_t most_memory = std::size_t{1} << 20;
  if (options.memory < 1 || options.memory > most_memory)
    throw UsageError("--memory is " + std::to_string(options.memory) + ", allowed are 1 to " +
                     std::to_string(most_memory));
  if (options.tls.has_value() == options.insecure_transport)
    throw UsageError("smlp serve needs --tls, or --insecure-transport on a loopback address");
  ServeLog log(console, options.format);
  if (options.format == LogFormat::text) return serve(options, log), 0;
  try {
    serve(options, log);
    return 0;
  } catch (const std::exception& error) {  // the program's last words are an object, too
    log.say("error", "", {{"message", error.what()}});
    return 1;
  }
}

}  // namespace smlp
