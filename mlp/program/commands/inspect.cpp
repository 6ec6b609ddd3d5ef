// smlp inspect: what a file holds, without a secret.
#include <nlohmann/json.hpp>

#include "mlp/files/answers_file.h"
#include "mlp/files/inspect_file.h"
#include "mlp/files/model_file.h"
#include "mlp/files/table_file.h"
#include "mlp/program/commands/commands.h"
#include "mlp/program/session.h"
#include "mlp/sha256.h"
#include "mlp/tables/profile.h"
#include "mlp/training/network.h"

namespace smlp {

namespace {

Json key_facts(const PublicKeys& keys) {
  return {{"key", to_hex(keys.fingerprint())},
          {"key_bits", keys.paillier().bits()},
          {"variant", name(keys.paillier().variant())}};
}

Json budget_facts(const BitBudget& budget) {
  return {{"value_bits", budget.numbers().value_bits}, {"fraction_bits", budget.numbers().fraction_bits},
          {"sigma", budget.numbers().sigma},           {"inner", budget.max_inner()},
          {"slot_bits", budget.slot_bits()},           {"slots", budget.slots()}};
}

Json table_facts(const std::string& path) {
  const TableFile table(path);
  Json facts{{"rows", table.info().rows},       {"features", table.info().features},
             {"task", name(table.info().task)}, {"classes", table.info().outputs},
             {"batch", table.info().batch},     {"groups", table.groups().widths.size()},
             {"table", hex(table.info().id)},   {"profile", to_hex(table.info().profile)}};
  facts.update(budget_facts(table.info().budget));
  facts.update(key_facts(table.public_keys()));
  return facts;
}

Json model_facts(const std::string& path) {
  const LoadedModel loaded = load_model(path);
  const EncryptedModel& model = loaded.model;
  Json facts{{"task", name(model.task)},
             {"network", model.network.shape()},
             {"layers", model.network.kind_names()},
             {"handed_over", model.handed_over},
             {"epochs_done", model.epochs_done},
             {"steps_done", model.steps_done},
             {"shown", {{"masks", model.shown.masks}, {"rerandomisations", model.shown.rerandomisations}}},
             {"protocols", model.protocols},
             {"training", Json::parse(model.training, nullptr, false)},
             {"table", hex(model.table_id)},
             {"profile", to_hex(model.profile)}};
  facts.update(budget_facts(model.budget));
  facts.update(key_facts(loaded.keys));
  return facts;
}

Json answers_facts(const std::string& path) {
  const LoadedAnswers loaded = load_answers(path);
  Json facts{{"rows", loaded.answers.rows},
             {"task", name(loaded.answers.task)},
             {"outputs", loaded.answers.outputs},
             {"output", loaded.answers.kind->name},
             {"handed_over", loaded.answers.handed_over},
             {"groups", loaded.answers.groups.size()},
             {"profile", to_hex(loaded.answers.profile)}};
  facts.update(budget_facts(loaded.answers.budget));
  facts.update(key_facts(loaded.keys));
  return facts;
}

Json profile_facts(const std::string& path) {
  const Profile profile = load_profile(path);
  return {{"task", name(profile.task)},
          {"scaling", name(profile.scaling)},
          {"features", profile.features().size()},
          {"columns", profile.columns},
          {"levels", profile.levels},
          {"missing", name(profile.missing)},
          {"label_column", profile.label_column},
          {"classes", profile.classes},
          {"table", profile.table},
          {"profile", to_hex(fingerprint(profile))}};
}

Json facts_of(FileKind kind, const std::string& path) {
  switch (kind) {
    case FileKind::table:
      return table_facts(path);
    case FileKind::model:
      return model_facts(path);
    case FileKind::answers:
      return answers_facts(path);
    case FileKind::public_key:
      return key_facts(load_public_keys(path));
    case FileKind::secret_key:
      return key_facts(load_secret_keys(path).public_keys());
    case FileKind::sealed_secret_key:
      return key_facts(load_sealed_public_keys(path));
    case FileKind::profile:
      return profile_facts(path);
  }
  return {};
}

}  // namespace

int inspect_command(const Words& words, Console& console) {
  std::string file;
  bool json = false;
  CommandLine line("inspect",
                   "Tells what a key, table, model, answers or profile file holds. Never a secret.");
  line.word("FILE", file);
  line.flag("json", json, "one JSON object");
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  const FileKind kind = file_kind(file);
  Json facts{{"file", file}, {"kind", name(kind)}};
  facts.update(facts_of(kind, file));
  if (json) return console.document(facts.dump(-1, ' ', false, Json::error_handler_t::replace)), 0;
  std::string out;
  for (const auto& [field, value] : facts.items()) {
    const std::string text = value.is_string() ? value.get<std::string>()
                                               : value.dump(-1, ' ', false, Json::error_handler_t::replace);
    out += (out.empty() ? "" : "\n") + field + std::string(field.size() < 16 ? 16 - field.size() : 1, ' ') +
           one_line(text);
  }
  console.document(out);
  return 0;
}

}  // namespace smlp
