// Options that several subcommands share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "mlp/program/command_line.h"
#include "mlp/program/pass_phrase.h"
#include "mlp/tables/profile.h"
#include "mlp/training/network.h"
#include "mlp/training/training_options.h"
#include "paillier/keys.h"
#include "protocols/registry.h"
#include "protocols/statistical_distance.h"
#include "protocols/transport/link_speed.h"

namespace smlp {

/// --threads: all cores unless given.
struct ThreadOption {
  std::optional<std::uint64_t> threads;
  void add_to(CommandLine& line);
  /// Throws UsageError unless 1 to 1,024.
  void apply() const;
};

/// Whether ranges are checked.
struct RangeCheckOption {
  bool on = true;
  void add_to(CommandLine& line);
};

/// What a subcommand says and where.
struct OutputOptions {
  bool json = false;
  bool quiet = false;
  std::string metrics;
  void add_to(CommandLine& line, bool with_metrics);
};

/// A preset of protocols, or one of each family by name.
struct ProtocolOptions {
  std::string preset = "homomorphic";
  std::optional<std::string> matmul, truncation, comparison, selection, activation;
  void add_to(CommandLine& line);
  /// Throws Error with the list where there is no such protocol.
  ProtocolNames names() const;
  /// Names by family of those that were chosen one by one though `names`, these choices, do not use them.
  std::map<std::string, std::string> unused(const ProtocolNames& names) const;
};

/// --network and --output.
struct NetworkOptions {
  std::string text;
  std::optional<std::string> output{};
  /// `required`: there is no default network.
  void add_to(CommandLine& line, bool required);
  /// The kind of outputs where --network names none: --output, else linear in the preset `paper`.
  /// and for regression.
  std::string_view unnamed_output(const ProtocolOptions& protocols, Task task) const;
  /// Of a table of these sizes (0: not known). Throws UsageError where --output and --network name different
  /// ones, or outputs of classes for regression, Error as parse_network.
  Network network(std::size_t features, std::size_t outputs, const ProtocolOptions& protocols,
                  Task task) const;
};

/// --link: how fast the way between the parties is, for the choice of products.
struct LinkOption {
  std::optional<std::string> text;
  void add_to(CommandLine& line);
  /// Nothing where it was not given. Throws Error on anything but a link.
  std::optional<LinkSpeed> speed() const;
};

/// Hyper-parameters.
void add_training_options(CommandLine& line, TrainingOptions& options);
/// Fixed-point numbers.
void add_number_options(CommandLine& line, Numbers& numbers);

/// --statistical-bound of commands that choose sigma by it: N, for a run within 2^-N of one that shows
/// nothing.
struct SigmaOption {
  std::optional<std::uint64_t> bound;
  void add_to(CommandLine& line);
  /// Throws UsageError beside --sigma, or outside 1 to 100.
  void check(const CommandLine& line) const;
  /// Sets sigma to the least that keeps the run by `shown(budget)` within the bound, if one was given.
  void apply(Numbers& numbers, std::size_t inner, std::size_t modulus_bits,
             const std::function<Shown(const BitBudget& table)>& shown) const;
};

/// --statistical-bound of commands that show something: the run is refused where it comes further than 2^-N.
struct BoundOption {
  std::size_t bound = 40;
  void add_to(CommandLine& line);
  /// Throws UsageError outside 1 to 100.
  void check() const;
};

/// --bits and --variant of new keys.
struct KeyOptions {
  std::size_t bits = 2048;
  Variant variant = Variant::subgroup;
  bool insecure = false;
  void add_to(CommandLine& line);
  /// Throws Error unless 2048, 3072 or 4096, or 1024 with --insecure-key.
  void check() const;
};

/// --insecure-key of the commands that take keys from files.
struct KeyStrength {
  bool insecure = false;
  void add_to(CommandLine& line);
  /// Throws Error naming `what` where a modulus is shorter than 2048 bits or a hidden subgroup smaller than
  /// new keys of its size have, unless --insecure-key was given: whoever encrypts under such a key protects
  /// nothing.
  void check(const PublicKeys& keys, const std::string& what) const;
};

/// The key holder of train and predict: in the same process, or on the network.
struct KeyHolderOptions {
  std::optional<std::string> secret_key;
  std::optional<std::string> addresses;
  std::optional<std::string> tls;
  bool insecure_transport = false;
  std::size_t timeout = 600;
  std::optional<std::uint64_t> seed;
  bool insecure_seed = false;
  PassPhraseOption pass_phrase;
  KeyStrength strength;
  void add_to(CommandLine& line);
  /// Throws UsageError: no key holder, two, one on the network without certificates; Error: a seed without
  /// --insecure-seed.
  void check(const std::string& command) const;
};

/// A table of the owner: --data, --label or --labels, how it is written and which columns count.
struct DataOptions {
  std::string data;
  std::optional<std::string> label;
  std::optional<std::string> labels;
  CsvFormat format;
  bool no_header = false;
  ColumnChoice choice;
  Task task = Task::classification;
  std::optional<std::string> columns, ignored;  ///< names with commas between them
  /// `required`: there is no doing without --data.
  void add_to(CommandLine& line, bool required = true);
  /// Only what finds the label.
  void add_label_to(CommandLine& line, bool required = true);
  std::vector<std::filesystem::path> files() const;
  /// Without a profile: as these options say.
  TableSource source() const;
  /// With a profile, `file`: its columns, and its way with missing values; no row is left out. Throws Error
  /// when an option that `line` was given asks for another way.
  TableSource source(const Profile& profile, const std::string& file, const CommandLine& line) const;
};

/// Wire names of the protocols that an evaluator with these choices asks for.
std::set<std::string> asked_protocols(const ProtocolNames& names, bool range_checks = true);

}  // namespace smlp
