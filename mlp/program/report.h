// Sentences that several subcommands say.
#pragma once

#include <optional>
#include <string>

#include "mlp/program/console.h"
#include "mlp/program/options.h"
#include "mlp/program/session.h"
#include "mlp/training/cost.h"
#include "mlp/training/encrypted_table.h"
#include "mlp/training/network.h"
#include "mlp/training/training_options.h"
#include "paillier/keys.h"

namespace smlp {

/// "learning rate 0.1, taken as 0.0999756 (3276 / 2^20 for each row of 32)".
std::string rate_text(const TrainingOptions& options, std::size_t rows, const BitBudget& budget);
/// "packed, dgk-veugen, homomorphic, compare-select": those that are really used.
std::string protocols_text(const ProtocolNames& names);
/// "products of the layers: packed, oblivious-transfer, as is cheapest over 1 Gbit/s, 5 ms".
std::string products_text(const ProtocolNames& names, const LinkSpeed& link);
/// {"matmul", "link": {"round_trip" in seconds, "up" and "down" in bytes a second}}.
Json products_json(const ProtocolNames& names, const LinkSpeed& link);
/// "an epoch will take about 4.8 s and 140.5 MB; with --protocols hybrid 1.1 s and 85.6 MB (what it assumes:
/// SECURITY.md)".
std::string hybrid_instead_text(double seconds, const Traffic& traffic, double hybrid_seconds,
                                const Traffic& hybrid_traffic);
/// "12 x 5": parts of the rows and of the columns of a batch.
std::string grid_text(std::size_t ranks, std::size_t columns);
/// "2048 bits, subgroup".
std::string key_text(const PaillierPublicKey& key);
/// Notes what is trained by which protocols with how many values a ciphertext, and warns of what they leak.
/// `rows` of a batch.
void describe_training(Console& console, const Network& network, const TrainingOptions& options,
                       const ProtocolNames& names, std::size_t rows, const BitBudget& budget,
                       bool range_checks);
/// Says which choices of a protocol have no effect. `names` of these options.
void warn_of_unused(Console& console, const ProtocolOptions& options, const ProtocolNames& names);
/// Says that --link has no effect: `where` names the products.
void warn_of_unused_link(Console& console, const std::string& where);
/// Warns where no range is checked, and says why.
void describe_range_checks(Console& console, const ProtocolNames& names, bool range_checks);
/// Says what the chosen protocols leak.
void warn_of_leakage(Console& console, const ProtocolNames& names);
/// "3 classes of 'species'", "the number 'price'".
std::string labels_text(const Profile& profile);
/// What makes a feature of a value and a label of an output: the fields of the profile (docs/formats.md)
/// `offset` and `factor` beside the names of the features, and `classes`, or `label_offset` and
/// `label_factor`.
Json scaling_json(const Profile& profile);
/// What names an encrypted table: {"id", "profile", "rows"}.
Json table_json(const TableInfo& table);
/// What stands behind a refusal: "; --learning-rate 0.05 stays in range". Empty where there is no rate.
std::string rate_remedy(const std::optional<double>& rate);
/// "96.5 %".
std::string percent(double part);

/// "for the whole run, a distance of at most 2^-40.3 from a view that shows nothing"; with protocols that
/// leak, that no such bound holds, and why.
std::string distance_text(const ProtocolNames& names, const Shown& shown, std::size_t sigma);
/// log2 of that distance; null with protocols that leak.
Json distance_json(const ProtocolNames& names, const Shown& shown, std::size_t sigma);
/// Throws Error where a run of protocols that do not leak is further than 2^-`bound` from a view that shows
/// nothing. `what` is the run, `remedy` what helps beside another bound.
void require_distance(const std::string& what, const ProtocolNames& names, const Shown& shown,
                      std::size_t sigma, std::size_t bound, const std::string& remedy);
/// Such a remedy where the model is trained already.
std::string wider_model_remedy(std::size_t sigma);

}  // namespace smlp
