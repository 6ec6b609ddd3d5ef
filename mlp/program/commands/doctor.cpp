// smlp doctor: what is wrong with a deployment, seen from the evaluator.
#include <algorithm>
#include <cmath>

#include "mlp/files/table_file.h"
#include "mlp/program/commands/commands.h"
#include "mlp/program/options.h"
#include "mlp/program/report.h"
#include "mlp/program/session.h"
#include "mlp/program/usual_training.h"
#include "mlp/training/batches.h"
#include "mlp/training/cost.h"
#include "mlp/training/machine_speed.h"
#include "mlp/training/network.h"
#include "mlp/training/product_choice.h"
#include "mlp/training/training.h"
#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/transport/certificates.h"
#include "protocols/transport/link_speed.h"
#include "protocols/transport/probe.h"
#include "protocols/transport/remote_key_holder.h"
#include "protocols/transport/utc.h"
#include "protocols/version.h"

namespace smlp {

namespace {

constexpr std::chrono::seconds timeout{10};
/// Clocks further apart than this make certificates look expired or not yet valid.
constexpr double tolerated_skew_seconds = 300;
/// Certificates with less left are to be seen to.
constexpr std::chrono::days scarce_days{30};

struct DoctorOptions {
  std::string addresses;
  std::optional<std::string> tls;
  bool insecure_transport = false;
  std::optional<std::string> data;
  std::optional<std::string> user_key;
  std::string network = "N-16-C";
  ProtocolOptions protocols;
  RangeCheckOption range_check;
};

void declare(CommandLine& line, DoctorOptions& options) {
  line.required("key-holder", options.addresses, "HOST:PORT of the key holder; several with commas between");
  line.text("tls", options.tls, "directory of the evaluator's certificates");
  line.flag("insecure-transport", options.insecure_transport, "no TLS, on loopback addresses alone");
  line.text("data", options.data,
            "encrypted table that is to be trained on: its key is compared, an epoch estimated");
  line.text("user-key", options.user_key, "public.json to which results are to be handed over");
  line.text("network", options.network, "layer sizes of the epoch that is estimated");
  options.protocols.add_to(line);
  options.range_check.add_to(line);
}

class Doctor {
 public:
  Doctor(const DoctorOptions& options, Console& console)
      : options_(options), console_(console), names_(options.protocols.names()) {
    if (options.tls.has_value() == options.insecure_transport)
      throw UsageError("smlp doctor needs --tls, or --insecure-transport on a loopback address");
    endpoints_ = parse_endpoints(options.addresses);
    if (options.data) table_.emplace(*options.data);
  }

  /// Faults found.
  std::size_t examine() {
    if (table_) examine_strength(table_->public_keys(), *options_.data);
    if (options_.user_key) examine_strength(load_public_keys(*options_.user_key), *options_.user_key);
    if (options_.tls && !examine_party()) return faults_;
    for (const Endpoint& endpoint : endpoints_) examine_key_holder(endpoint);
    return faults_;
  }

 private:
  void fine(const std::string& sentence) { console_.result("ok     " + sentence); }
  void fault(const std::string& sentence) {
    ++faults_;
    console_.result("FAULT  " + sentence);
  }

  /// Not a fault, but to be seen to.
  void warn(const std::string& sentence) { console_.result("WARN   " + sentence); }
  /// How long it is valid yet; warns where that is not long.
  void examine_validity(const std::string& what, std::chrono::system_clock::time_point until,
                        const std::string& remedy);
  /// Warns of keys that the other commands take with --insecure-key alone.
  void examine_strength(const PublicKeys& keys, const std::string& what);
  bool examine_party();
  void examine_key_holder(const Endpoint& endpoint);
  void examine_agreement(const std::string& name, const KeyHolderInfo& info);
  void examine_clock(const std::string& name, double skew);
  void examine_speed(const std::string& name, KeyHolderLink& link);
  void estimate_epoch(const std::string& name, const LinkSpeed& speed);

  const DoctorOptions& options_;
  Console& console_;
  ProtocolNames names_;
  std::vector<Endpoint> endpoints_;
  std::optional<TableFile> table_;
  std::optional<Party> party_;
  std::optional<MachineSpeed> machine_;
  std::size_t faults_ = 0;
};

bool Doctor::examine_party() {
  const std::string& folder = *options_.tls;
  try {
    party_ = load_valid_party(folder, Use::client);
  } catch (const Error& error) {
    fault(error.what());
    return false;
  }
  const auto now = std::chrono::system_clock::now();
  const CertificateInfo own =
      check_identity(party_->authority, {party_->certificate, party_->private_key}, Use::client, now);
  examine_validity(folder + ": " + (own.names.empty() ? "nobody" : own.names.front()) + ", talks to " +
                       party_->peers.front(),
                   own.validity.until, "make new certificates");
  for (const CertificateInfo& one : read_certificates(party_->authority, folder + "/authority.pem"))
    if (one.validity.until != own.validity.until && one.validity.until < now + scarce_days)
      examine_validity(folder + "/authority.pem: " + one.subject, one.validity.until,
                       "take it out when no party has a certificate of it any more");
  return true;
}

void Doctor::examine_validity(const std::string& what, std::chrono::system_clock::time_point until,
                              const std::string& remedy) {
  const auto left = until - std::chrono::system_clock::now();
  const auto days =
      static_cast<std::size_t>(std::max<long>(std::chrono::floor<std::chrono::days>(left).count(), 0));
  if (left >= scarce_days) return fine(what + ", valid for " + count_text(days, "more day"));
  const std::string when = left.count() < 0 ? "expired on " : "valid until ";
  warn(what + ", " + when + utc_text(until) + ", " + count_text(days, "more day") + ": " + remedy);
}

void Doctor::examine_strength(const PublicKeys& keys, const std::string& what) {
  try {
    KeyStrength{}.check(keys, what);
  } catch (const Error& error) {
    warn(error.what());
  }
}

void Doctor::examine_key_holder(const Endpoint& endpoint) {
  const std::string name = endpoint.text();
  if (party_) {
    const Probed probed = probe(endpoint, *party_, timeout);
    if (!probed.fault.empty()) return fault(name + ": " + probed.fault);
    if (probed.other_end.validity.until < std::chrono::system_clock::now() + scarce_days)
      examine_validity(name + ": its certificate", probed.other_end.validity.until,
                       "its operator is to make new ones");
  }
  KeyHolderLink link(endpoint, party_);
  KeyHolderInfo info;
  try {
    const auto clock = [] {
      return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    };
    KeyHolderLink::Outcome outcome = link.hello(info, timeout);  // the first one connects
    const double before = clock();
    if (outcome.ok) outcome = link.hello(info, timeout);
    const double after = clock();
    if (!outcome.ok) return fault(name + ": " + outcome.message);
    fine(name + ": smlp " + info.program_version + (party_ ? ", " + party_->peers.front() : "") + ", key " +
         to_hex(info.key).substr(0, 16) + "..");
    examine_clock(name, static_cast<double>(info.unix_milliseconds) / 1000 - (before + after) / 2);
    examine_agreement(name, info);
    examine_speed(name, link);
  } catch (const Error& error) {
    fault(error.what());
  }
}

void Doctor::examine_clock(const std::string& name, double skew) {
  const std::string text = name + ": its clock is " + fixed_text(std::abs(skew), 1) + " s " +
                           (skew < 0 ? "behind" : "ahead of") + " this one's";
  std::abs(skew) > tolerated_skew_seconds
      ? fault(text + ", which lets certificates look expired or not yet valid")
      : fine(text);
}

void Doctor::examine_agreement(const std::string& name, const KeyHolderInfo& info) {
  if (table_ && info.key != table_->public_keys().fingerprint())
    fault(name + ": it holds the key " + to_hex(info.key) + ", " + *options_.data + " is under " +
          to_hex(table_->public_keys().fingerprint()));
  std::set<std::string> wanted = asked_protocols(names_, options_.range_check.on);
  if (options_.user_key) {
    wanted.insert("conversion/switch-key");
    const PublicKeys user = load_public_keys(*options_.user_key);
    const std::string no_answers = why_not_handed_over(info, {user, Purpose::answers});
    const std::string no_model = why_not_handed_over(info, {user, Purpose::model});
    if (!no_answers.empty() && !no_model.empty())
      fault(name + ": " + no_answers);
    else
      fine(name + ": it hands " + (no_answers.empty() ? "answers" : "") +
           (no_answers.empty() && no_model.empty() ? " and " : "") + (no_model.empty() ? "models" : "") +
           " over to the key " + to_hex(user.fingerprint()).substr(0, 16) + "..");
  }
  bool all = true;
  for (const std::string& protocol : wanted)
    if (!info.protocols.contains(protocol)) {
      fault(name + ": it does not answer the protocol " + protocol + " (smlp serve --allow)");
      all = false;
    }
  if (all) fine(name + ": it answers " + protocols_text(names_));
}

void Doctor::examine_speed(const std::string& name, KeyHolderLink& link) {
  const LinkSpeed speed = measure_link(link);
  fine(name + ": round trip " + fixed_text(speed.round_trip * 1000, 1) + " ms, " + bytes_text(speed.up) +
       "/s there, " + bytes_text(speed.down) + "/s back");
  if (table_ && table_->has_labels()) estimate_epoch(name, speed);
}

void Doctor::estimate_epoch(const std::string& name, const LinkSpeed& speed) {
  const TableInfo& info = table_->info();
  const Network network =
      NetworkOptions{options_.network}.network(info.features, info.outputs, options_.protocols, info.task);
  TrainingOptions training = usual_training;
  training.batch = info.batch;
  const ProtocolNames names = for_training(names_, network, training, options_.range_check.on);
  const BitBudget budget = evaluator_budget(info.budget, names_);
  const PaillierPublicKey& key = table_->public_keys().paillier();
  const Sizes sizes{budget, key.ciphertext_bytes(), table_->public_keys().dgk().ciphertext_bytes()};
  if (!machine_) machine_ = measure_speed(table_->public_keys(), RandomSource::from_system());
  const auto cost = [&](const ProtocolNames& each) {
    return epoch_cost(network, each, training, table_->groups(), sizes, true, options_.range_check.on);
  };
  const Cost epoch = cost(with_cheapest_products(names, network.layers(), cost, *machine_, speed));
  fine(name + ": an epoch of " + network.text() + " has " + count_text(epoch.traffic.rounds, "round") +
       "; this link adds about " + duration_text(speed.seconds(epoch.traffic)) + " to " +
       duration_text(machine_->seconds(epoch, thread_count())) +
       " of computing (both parties as fast as this machine)");
}

}  // namespace

int doctor_command(const Words& words, Console& console) {
  DoctorOptions options;
  CommandLine line(
      "doctor",
      "Says what is wrong with a deployment, from where the evaluator runs; fails where anything is.");
  declare(line, options);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  warn_of_unused(console, options.protocols, options.protocols.names());
  const std::size_t faults = Doctor(options, console).examine();
  if (faults > 0) throw Error(count_text(faults, "fault") + " found");
  return 0;
}

}  // namespace smlp
