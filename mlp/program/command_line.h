// The command line of one subcommand: long options in GNU style, also from an ini file, with --help.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace boost::program_options {
class options_description;
}

namespace smlp {

/// Wrong usage of the program, in one line. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  explicit UsageError(const std::string& sentence) : std::runtime_error(sentence) {}
};

/// The words after the subcommand.
using Words = std::vector<std::string>;

/// Declares options by the variables that they fill. A variable keeps its value where its option is not
/// given, and shows it as the default.
class CommandLine {
 public:
  /// `name` of the subcommand, what it does in one sentence.
  CommandLine(std::string name, std::string summary);
  ~CommandLine();

  void text(const std::string& name, std::string& target, const std::string& help);
  void text(const std::string& name, std::optional<std::string>& target, const std::string& help);
  void number(const std::string& name, std::size_t& target, const std::string& help);
  void number(const std::string& name, std::optional<std::uint64_t>& target, const std::string& help);
  void real(const std::string& name, double& target, const std::string& help);
  void flag(const std::string& name, bool& target, const std::string& help);
  /// One of a list of names; `parse` throws Error for others, which becomes a UsageError.
  void choice(const std::string& name, const std::string& shown_default, const std::string& help,
              std::function<void(const std::string&)> parse);
  /// Must be given.
  void required(const std::string& name, std::string& target, const std::string& help);
  /// The one word that is no option; must be given.
  void word(const std::string& name, std::string& target);

  /// Fills the variables. Returns the help text where --help is asked for, and then nothing is filled. Throws
  /// UsageError: an unknown or repeated option, a missing one, a value that is not of its kind, a config file
  /// with any of these or that cannot be read.
  std::optional<std::string> parse(const Words& words);
  /// Whether the option was given, on the command line or in the config file.
  bool given(const std::string& name) const { return values_.contains(name); }
  /// Of the subcommand.
  const std::string& name() const { return name_; }
  /// Every option with its value now, given or not; null where it has none.
  nlohmann::ordered_json values() const;

 private:
  using Parse = std::function<void(const std::string&)>;
  using Show = std::function<nlohmann::ordered_json()>;
  void add(const std::string& name, const std::string& shown_default, const std::string& help, Parse parse,
           Show show);
  void read_config(const std::string& path);
  std::string help() const;

  std::string name_;
  std::string summary_;
  std::unique_ptr<boost::program_options::options_description> options_;
  std::vector<std::pair<std::string, Parse>> parsers_;
  std::vector<std::pair<std::string, Show>> shown_;
  std::vector<std::pair<std::string, bool*>> flags_;
  std::vector<std::string> required_;
  std::string word_name_;
  std::string* word_ = nullptr;
  std::map<std::string, std::string> values_;
};

}  // namespace smlp
