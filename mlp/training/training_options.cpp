// Hyper-parameters and their integers.
#include "mlp/training/training_options.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <sstream>

#include "paillier/error.h"

namespace smlp {

namespace {

std::string text(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

double scheduled(const TrainingOptions& options, std::size_t epoch) {
  const double progress = static_cast<double>(epoch) / static_cast<double>(options.epochs);
  switch (options.schedule) {
    case Schedule::constant:
      return options.learning_rate;
    case Schedule::linear:
      return options.learning_rate * (1 - progress);
    case Schedule::cosine:
      return options.learning_rate * (1 + std::cos(std::numbers::pi * progress)) / 2;
    case Schedule::step:
      return options.learning_rate / (progress < 0.5 ? 1 : progress < 0.75 ? 10 : 100);
  }
  throw Error("a schedule has no rule");
}

/// The nearest multiple of 2^-shift; shift and the callers' checks keep it below 2^62.
std::int64_t rounded(double value, std::size_t shift) {
  return std::llround(std::ldexp(value, static_cast<int>(shift)));
}

void refuse_vanished(double value, std::int64_t integer, const std::string& shown) {
  if (value != 0 && integer == 0) throw Error(shown + " rounds to zero; use 0 or a larger value");
}

}  // namespace

std::string_view name(Schedule schedule) {
  switch (schedule) {
    case Schedule::constant:
      return "constant";
    case Schedule::linear:
      return "linear";
    case Schedule::cosine:
      return "cosine";
    case Schedule::step:
      return "step";
  }
  throw Error("a schedule has no name");
}

Schedule schedule_from_name(std::string_view wanted) {
  for (const Schedule schedule : {Schedule::constant, Schedule::linear, Schedule::cosine, Schedule::step})
    if (name(schedule) == wanted) return schedule;
  throw Error("there is no --schedule '" + std::string(wanted.substr(0, 40)) +
              "'; there is constant, linear, cosine, step");
}

void TrainingOptions::check() const {
  if (epochs < 1 || epochs > 100000)
    throw Error("--epochs is " + std::to_string(epochs) + ", allowed are 1 to 100000");
  if (batch < 1 || batch > 65536)
    throw Error("--batch is " + std::to_string(batch) + ", allowed are 1 to 65536");
  if (!std::isfinite(learning_rate) || learning_rate <= 0)
    throw Error("--learning-rate is " + text(learning_rate) + ", allowed are finite numbers above 0");
  if (!(momentum >= 0 && momentum < 1))
    throw Error("--momentum is " + text(momentum) + ", allowed are numbers from 0 to below 1");
  if (!std::isfinite(weight_decay) || weight_decay < 0)
    throw Error("--weight-decay is " + text(weight_decay) + ", allowed are finite numbers from 0");
  if (nesterov && momentum == 0) throw Error("--nesterov needs --momentum above 0");
  if (!std::isfinite(clip_gradient) || clip_gradient < 0)
    throw Error("--clip-gradient is " + text(clip_gradient) + ", allowed are finite numbers from 0");
}

std::string TrainingOptions::to_json() const {
  return nlohmann::json{{"epochs", epochs},
                        {"batch", batch},
                        {"learning_rate", learning_rate},
                        {"schedule", std::string(name(schedule))},
                        {"momentum", momentum},
                        {"nesterov", nesterov},
                        {"weight_decay", weight_decay},
                        {"clip_gradient", clip_gradient}}
      .dump();
}

TrainingOptions TrainingOptions::from_json(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    TrainingOptions options;
    json.at("epochs").get_to(options.epochs);
    json.at("batch").get_to(options.batch);
    json.at("learning_rate").get_to(options.learning_rate);
    options.schedule = schedule_from_name(json.at("schedule").get<std::string>());
    json.at("momentum").get_to(options.momentum);
    json.at("weight_decay").get_to(options.weight_decay);
    options.nesterov = json.value("nesterov", false);  // older models do not say
    options.clip_gradient = json.value("clip_gradient", 0.0);
    options.check();
    return options;
  } catch (const nlohmann::json::exception&) {
    throw Error("the hyper-parameters of a model are not the JSON that was expected");
  }
}

double UpdateFactors::rate_over_rows(std::size_t fraction_bits) const {
  return -std::ldexp(static_cast<double>(rescale.scale), -static_cast<int>(rescale.shift - fraction_bits));
}

double UpdateFactors::effective_momentum() const {
  return std::ldexp(static_cast<double>(momentum), -static_cast<int>(rescale.shift));
}

double UpdateFactors::effective_decay() const {
  return -std::ldexp(static_cast<double>(decay), -static_cast<int>(rescale.shift));
}

std::size_t UpdateFactors::addend_bits(const Numbers& numbers) const {
  const Integer sum = abs(Integer(static_cast<long>(momentum))) + abs(Integer(static_cast<long>(decay)));
  return numbers.value_bits + bit_length(sum);
}

UpdateFactors update_factors(const TrainingOptions& options, std::size_t epoch, std::size_t rows,
                             const BitBudget& budget) {
  // 20 bits behind the point of rate / rows, fewer where the product or 64-bit integers leave no room.
  const std::size_t fraction = budget.numbers().fraction_bits;
  const std::size_t precision = std::min<std::size_t>({20, budget.product_bits() - fraction, 61 - fraction});
  const double rate = scheduled(options, epoch);
  const double over_rows = rate / static_cast<double>(rows);
  const std::string shown =
      "--learning-rate " + text(options.learning_rate) + " over a batch of " + std::to_string(rows);
  if (over_rows > std::ldexp(1.0, static_cast<int>(fraction)))
    throw Error(shown + " is above the largest multiplier 2^" + std::to_string(fraction) +
                " of the bit budget; lower it");
  UpdateFactors factors;
  factors.rescale = {-rounded(over_rows, precision), fraction + precision};
  if (factors.rescale.scale == 0) {
    const double least = std::ldexp(static_cast<double>(rows), -static_cast<int>(precision) - 1);
    if (options.schedule == Schedule::constant)
      throw Error(shown + " rounds to zero; at least " + text(least) + " is needed");
    // Schedules fall: what is enough for the last epoch is enough for all. (Shown with six digits.)
    const double last_part = scheduled(options, options.epochs - 1) / options.learning_rate;
    throw Error(shown + " rounds to zero in epoch " + std::to_string(epoch + 1) + " of --schedule " +
                std::string(name(options.schedule)) + "; at least " + text(1.00001 * least / last_part) +
                " is needed, or fewer --epochs");
  }
  const std::string momentum = "--momentum " + text(options.momentum);
  factors.momentum = rounded(options.momentum, factors.rescale.shift);
  refuse_vanished(options.momentum, factors.momentum, momentum);
  if (factors.momentum >= std::int64_t{1} << factors.rescale.shift)
    throw Error(momentum + " rounds to 1; allowed are numbers from 0 to below 1");
  const std::string decay = "--weight-decay " + text(options.weight_decay) + " times the learning rate";
  if (rate * options.weight_decay > 1) throw Error(decay + " is above 1");
  factors.decay = -rounded(rate * options.weight_decay, factors.rescale.shift);
  refuse_vanished(rate * options.weight_decay, factors.decay, decay);
  if (options.nesterov)
    factors.lookahead = std::max<std::int64_t>(1, rounded(options.momentum, UpdateFactors::lookahead_bits));
  const double most = std::ldexp(1.0, static_cast<int>(budget.numbers().value_bits - fraction) - 2);
  if (options.clip_gradient != 0) {
    factors.clip = std::ldexp(std::round(std::ldexp(options.clip_gradient, static_cast<int>(fraction))),
                              -static_cast<int>(fraction));
    if (factors.clip == 0 || factors.clip > most)
      throw Error("--clip-gradient is " + text(options.clip_gradient) + ", with these --value-bits and " +
                  "--fraction-bits allowed are 0 and numbers from " +
                  text(std::ldexp(1.0, -static_cast<int>(fraction))) + " to " + text(most));
  }
  return factors;
}

std::string option_of_field(std::string field) {
  std::ranges::replace(field, '_', '-');
  return "--" + field;
}

}  // namespace smlp
