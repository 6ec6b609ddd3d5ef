// Boost.Program_options behind the few kinds of options that the program has.
#include "mlp/program/command_line.h"

#include <algorithm>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "mlp/program/near_miss.h"
#include "mlp/tables/table.h"
#include "mlp/text.h"
#include "paillier/error.h"

namespace smlp {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

namespace {

template <typename Number>
Number parsed(const std::string& name, const std::string& text, const char* kind) {
  const auto value = number_from<Number>(text);
  if (!value) throw UsageError("--" + name + " is " + in_quotes(text) + ", " + kind + " is needed");
  return *value;
}

std::string shown(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

/// `key = value` lines for this subcommand: those before any section, and those in the section that has its
/// name.
bool belongs(std::string& key, const std::string& command) {
  const std::size_t dot = key.find('.');
  if (dot == std::string::npos) return true;
  if (key.substr(0, dot) != command) return false;
  key.erase(0, dot + 1);
  return true;
}

/// "did you mean '--epochs'? " where an option is near the word.
std::string meant(const po::options_description& options, const std::string& word, const char* dashes) {
  std::vector<std::string> names;
  for (const auto& option : options.options()) names.push_back(option->long_name());
  const std::string near = near_miss(word, names);
  return near.empty() ? "" : std::string("did you mean '") + dashes + near + "'? ";
}

template <typename T>
nlohmann::ordered_json value_or_null(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

constexpr const char* whole_number = "a whole number from 0";

}  // namespace

CommandLine::CommandLine(std::string name, std::string summary)
    : name_(std::move(name)),
      summary_(std::move(summary)),
      options_(std::make_unique<po::options_description>("options", 100, 55)) {}

CommandLine::~CommandLine() = default;

void CommandLine::add(const std::string& name, const std::string& shown_default, const std::string& help,
                      Parse parse, Show show) {
  auto* value = po::value<std::string>();
  value->value_name(shown_default.empty() ? "VALUE" : "VALUE (" + shown_default + ")");
  options_->add_options()(name.c_str(), value, help.c_str());
  parsers_.emplace_back(name, std::move(parse));
  shown_.emplace_back(name, std::move(show));
}

void CommandLine::text(const std::string& name, std::string& target, const std::string& help) {
  add(
      name, target, help, [&target](const std::string& value) { target = value; },
      [&target] { return target.empty() ? Json() : Json(target); });
}

void CommandLine::text(const std::string& name, std::optional<std::string>& target, const std::string& help) {
  add(
      name, "", help, [&target](const std::string& value) { target = value; },
      [&target] { return value_or_null(target); });
}

void CommandLine::number(const std::string& name, std::size_t& target, const std::string& help) {
  add(
      name, std::to_string(target), help,
      [&target, name](const std::string& value) { target = parsed<std::size_t>(name, value, whole_number); },
      [&target] { return Json(target); });
}

void CommandLine::number(const std::string& name, std::optional<std::uint64_t>& target,
                         const std::string& help) {
  add(
      name, "", help,
      [&target, name](const std::string& value) {
        target = parsed<std::uint64_t>(name, value, whole_number);
      },
      [&target] { return value_or_null(target); });
}

void CommandLine::real(const std::string& name, double& target, const std::string& help) {
  add(
      name, shown(target), help,
      [&target, name](const std::string& value) { target = parsed<double>(name, value, "a number"); },
      [&target] { return Json(target); });
}

void CommandLine::flag(const std::string& name, bool& target, const std::string& help) {
  options_->add_options()(name.c_str(), help.c_str());
  flags_.emplace_back(name, &target);
  shown_.emplace_back(name, [&target] { return Json(target); });
}

void CommandLine::choice(const std::string& name, const std::string& shown_default, const std::string& help,
                         std::function<void(const std::string&)> parse) {
  add(
      name, shown_default, help,
      [parse = std::move(parse)](const std::string& value) {
        try {
          parse(value);
        } catch (const Error& error) {
          throw UsageError(error.what());
        }
      },
      [this, name, shown_default] {
        const auto given = values_.find(name);
        return Json(given == values_.end() ? shown_default : given->second);
      });
}

void CommandLine::required(const std::string& name, std::string& target, const std::string& help) {
  add(
      name, "", help, [&target](const std::string& value) { target = value; },
      [&target] { return Json(target); });
  required_.push_back(name);
}

void CommandLine::word(const std::string& name, std::string& target) {
  word_name_ = name;
  word_ = &target;
}

nlohmann::ordered_json CommandLine::values() const {
  Json out = Json::object();
  for (const auto& [name, show] : shown_)
    if (name != "help" && name != "config") out[name] = show();
  return out;
}

std::string CommandLine::help() const {
  std::ostringstream out;
  out << "usage: smlp " << name_ << (word_ != nullptr ? " " + word_name_ : "");
  for (const std::string& name : required_) out << " --" << name << " VALUE";
  out << " [options]\n" << summary_ << "\n\n" << *options_;
  return out.str();
}

void CommandLine::read_config(const std::string& path) {
  std::set<std::string> seen;
  std::ifstream file(path);
  if (!file) throw UsageError("cannot read the config file " + path);
  for (const po::option& option : po::parse_config_file(file, *options_, true).options) {
    std::string key = option.string_key;
    if (!belongs(key, name_)) continue;
    if (!seen.insert(key).second) throw UsageError(path + " gives " + key + " twice");
    const auto is = [&](const auto& entry) { return entry.first == key; };
    const std::string value = option.value.empty() ? "" : option.value.front();
    if (std::ranges::any_of(flags_, is)) {
      if (value != "true" && value != "false")
        throw UsageError(path + " gives " + key + " the value " + in_quotes(value) +
                         ", true or false is needed");
      if (value == "true") values_.emplace(key, value);
    } else if (std::ranges::any_of(parsers_, is) && key != "config") {
      values_.emplace(key, value);  // what the command line gave stands
    } else {
      throw UsageError(path + " has the option " + in_quotes(key) + ", which smlp " + name_ +
                       " does not know; " + meant(*options_, key, "") + "smlp " + name_ +
                       " --help lists them");
    }
  }
}

std::optional<std::string> CommandLine::parse(const Words& words) {
  std::string config;
  text("config", config,
       "an ini file with options of this subcommand: NAME = VALUE, also in a section [" + name_ + "]");
  bool wants_help = false;
  flag("help", wants_help, "this text");
  std::vector<std::string> others;
  try {
    const int style = po::command_line_style::allow_long | po::command_line_style::long_allow_next |
                      po::command_line_style::long_allow_adjacent;
    po::command_line_parser parser(words);
    for (const po::option& option : parser.options(*options_).style(style).run().options) {
      if (option.position_key >= 0) {
        others.insert(others.end(), option.value.begin(), option.value.end());
      } else if (!values_.emplace(option.string_key, option.value.empty() ? "" : option.value.front())
                      .second) {
        throw UsageError("--" + option.string_key + " is given twice");
      }
    }
    if (values_.contains("help") || std::ranges::find(others, "-h") != others.end()) return help();
    if (values_.contains("config")) read_config(values_.at("config"));
  } catch (const po::unknown_option& unknown) {
    std::string word = unknown.get_option_name();
    word = word.substr(0, word.find('='));
    word.erase(0, word.find_first_not_of('-'));
    throw UsageError("smlp " + name_ + " has no option " + in_quotes("--" + word) + "; " +
                     meant(*options_, word, "--") + "smlp " + name_ + " --help lists them");
  } catch (const po::error& error) {
    throw UsageError(std::string(error.what()) + "; smlp " + name_ + " --help lists the options");
  }
  if (word_ != nullptr && !others.empty()) {
    *word_ = others.front();
    others.erase(others.begin());
  } else if (word_ != nullptr) {
    throw UsageError("smlp " + name_ + " needs " + word_name_);
  }
  if (!others.empty()) throw UsageError("smlp " + name_ + " does not take " + in_quotes(others.front()));
  for (const std::string& name : required_)
    if (!values_.contains(name)) throw UsageError("smlp " + name_ + " needs --" + name);
  for (const auto& [name, target] : flags_) *target = *target || values_.contains(name);
  for (const auto& [name, parse_value] : parsers_)
    if (const auto found = values_.find(name); found != values_.end()) parse_value(found->second);
  return std::nullopt;
}

}  // namespace smlp
