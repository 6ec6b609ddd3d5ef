// smlp protocols: the registry, for people, programs and the documentation.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "mlp/program/commands/commands.h"
#include "mlp/program/report.h"
#include "protocols/registry.h"

namespace smlp {

namespace {

// Messages are those of one layer of the demonstration: a batch of 32 rows, 30 inputs, 16 neurons, a key of
// 2048 bits.
constexpr std::size_t rows = 32, inputs = 30, neurons = 16, modulus_bits = 2048;
constexpr const char* example = "bytes for 32 rows, 30 inputs, 16 neurons, 2048 bits";

Traffic example_traffic(const Descriptor& descriptor) {
  const std::size_t slots = descriptor.single_value ? 1 : 0;
  const Sizes sizes{BitBudget({}, 1024, modulus_bits, slots), modulus_bits / 4, modulus_bits / 8};
  Work work;
  const bool product = descriptor.family == Family::matmul;
  work.left = balanced_layout(rows, product ? inputs : neurons, sizes.budget.slots());
  work.right = balanced_layout(inputs, neurons, sizes.budget.slots());
  work.user_bits = modulus_bits;
  return descriptor.traffic(work, sizes);
}

bool in_preset(const Descriptor& descriptor, const std::string& name) {
  const ProtocolNames chosen = preset(name);
  if (descriptor.family == Family::matmul) {
    const std::vector<const Descriptor*> products = chosen.products();
    return std::ranges::find(products, &descriptor) != products.end();
  }
  const auto names = chosen.by_family();
  const auto found = names.find(std::string(smlp::name(descriptor.family)));
  return found != names.end() && found->second == descriptor.name;
}

/// Where it is used without being asked for by name.
std::string presets(const Descriptor& descriptor) {
  if (descriptor.family == Family::conversion) return "where needed";
  std::string out;
  for (const std::string& name : preset_names())
    if (in_preset(descriptor, name)) out += (out.empty() ? "" : ", ") + name;
  return out;
}

Json to_json(const Descriptor& descriptor) {
  const Traffic traffic = example_traffic(descriptor);
  return {{"family", name(descriptor.family)},
          {"name", descriptor.name},
          {"default", in_preset(descriptor, "homomorphic")},
          {"presets", presets(descriptor)},
          {"paper", descriptor.paper},
          {"flow", descriptor.flow},
          {"one_value_a_ciphertext", descriptor.single_value},
          {"rounds", traffic.rounds},
          {"bytes", smlp::to_json(traffic)},
          {"leakage", descriptor.leakage.text}};
}

std::string cost_text(const Descriptor& descriptor) {
  if (!descriptor.sends()) return "that of its comparison and selection";
  const Traffic traffic = example_traffic(descriptor);
  return std::to_string(traffic.rounds) + (traffic.rounds == 1 ? " round, " : " rounds, ") +
         bytes_text(static_cast<double>(traffic.to_key_holder)) + " to the key holder, " +
         bytes_text(static_cast<double>(traffic.to_evaluator)) + " back";
}

/// A cell of a table in Markdown.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

void print_markdown(Console& console) {
  std::string out =
      "| family | protocol | presets | paper | message flow (E evaluator, K key holder) | cost | leakage |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const Descriptor& d : registry())
    out += "| " + std::string(name(d.family)) + " | `" + std::string(d.name) + "` | " + presets(d) + " | " +
           cell(d.paper) + " | " + cell(d.flow) + " | " + cost_text(d) + " | " + cell(d.leakage.text) +
           " |\n";
  console.document(out + "\nCost: " + example + "; payloads without framing.");
}

void print_text(Console& console) {
  std::string out;
  for (const Descriptor& d : registry()) {
    const std::string where = presets(d);
    out += d.wire_name() + (where.empty() ? "" : "  (" + where + ")") + "\n  paper    " +
           std::string(d.paper) + "\n  flow     " + std::string(d.flow) + "\n  cost     " + cost_text(d) +
           (d.single_value ? "; one value a ciphertext" : "") + "\n  leakage  " +
           std::string(d.leakage.text) + "\n";
  }
  console.document(out + "cost: " + example +
                   ". In brackets: the presets (--protocols) that choose it; homomorphic is the default.");
}

}  // namespace

int protocols_command(const Words& words, Console& console) {
  bool json = false, markdown = false;
  CommandLine line("protocols", "Lists every protocol: its paper, messages, cost and what it leaks.");
  line.flag("json", json, "one JSON object");
  line.flag("markdown", markdown, "the table of docs/protocols.md");
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  if (json && markdown) throw UsageError("--json and --markdown exclude each other");
  if (json) {
    Json list = Json::array();
    for (const Descriptor& descriptor : registry()) list.push_back(to_json(descriptor));
    console.document(Json{{"protocols", std::move(list)}, {"example", example}}.dump());
  } else if (markdown) {
    print_markdown(console);
  } else {
    print_text(console);
  }
  return 0;
}

}  // namespace smlp
