// Hyper-parameters and the integers that they become.
#include "mlp/training/training_options.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "paillier/error.h"

using namespace smlp;

namespace {

BitBudget budget() {
  return BitBudget({20, 10, 40}, 1024, 2048);
}

}  // namespace

TEST_CASE("a rate becomes the nearest multiple of 2^-20") {
  TrainingOptions options;
  const UpdateFactors factors = update_factors(options, 0, 32, budget());
  CHECK(factors.rescale.shift == 30);
  CHECK(factors.rescale.scale == -3277);  // round(0.1 / 32 * 2^20) = round(3276.8)
  CHECK(factors.rate_over_rows(10) == doctest::Approx(3277.0 / 1048576));
  CHECK(factors.momentum == 0);
  CHECK(factors.decay == 0);
}

TEST_CASE("momentum and decay are public integers over the same power of two") {
  TrainingOptions options;
  options.momentum = 0.9;
  options.weight_decay = 0.01;
  const UpdateFactors factors = update_factors(options, 0, 32, budget());
  CHECK(factors.momentum == 966367642);  // round(0.9 2^30)
  CHECK(factors.decay == -1073742);      // -round(0.001 2^30)
  CHECK(factors.addend_bits({20, 10, 40}) == 50);
  CHECK(factors.effective_momentum() == doctest::Approx(0.9));
  CHECK(factors.effective_decay() == doctest::Approx(0.001).epsilon(1e-5));
}

TEST_CASE("schedules follow their formulas") {
  TrainingOptions options;
  options.epochs = 4;
  const auto rate = [&](std::size_t epoch) {
    return update_factors(options, epoch, 1, budget()).rate_over_rows(10);
  };
  options.schedule = Schedule::linear;
  for (std::size_t epoch = 0; epoch < 4; ++epoch)
    CHECK(rate(epoch) == doctest::Approx(0.1 * (4 - static_cast<double>(epoch)) / 4).epsilon(1e-4));
  options.schedule = Schedule::cosine;
  CHECK(rate(0) == doctest::Approx(0.1).epsilon(1e-4));
  CHECK(rate(2) == doctest::Approx(0.05).epsilon(1e-4));
  options.schedule = Schedule::step;
  for (std::size_t epoch = 0; epoch < 4; ++epoch)
    CHECK(rate(epoch) == doctest::Approx(epoch < 2 ? 0.1 : epoch == 2 ? 0.01 : 0.001).epsilon(1e-3));
  for (const Schedule schedule : {Schedule::constant, Schedule::linear, Schedule::cosine, Schedule::step})
    CHECK(schedule_from_name(name(schedule)) == schedule);
  CHECK_THROWS_WITH_AS(schedule_from_name("stairs"),
                       "there is no --schedule 'stairs'; there is constant, linear, cosine, step", Error);
}

TEST_CASE("Nesterov's momentum looks ahead by eighths, and errors are clipped at a fixed-point number") {
  TrainingOptions options;
  options.nesterov = true;
  for (const auto& [momentum, eighths] : {std::pair(0.8, 6), {0.9, 7}, {0.99, 8}, {0.01, 1}}) {
    options.momentum = momentum;
    CHECK(update_factors(options, 0, 32, budget()).lookahead == eighths);
  }
  options.clip_gradient = 0.3;
  CHECK(update_factors(options, 0, 32, budget()).clip == 307.0 / 1024);
  CHECK(update_factors({}, 0, 32, budget()).lookahead == 0);
  CHECK(update_factors({}, 0, 32, budget()).clip == 0);
  CHECK(TrainingOptions::from_json(options.to_json()) == options);
  for (const double bound : {1e-4, 257.0}) {
    options.clip_gradient = bound;
    CHECK_THROWS_AS(update_factors(options, 0, 32, budget()), Error);
  }
  // Models that were trained before say neither.
  const TrainingOptions old = TrainingOptions::from_json(
      R"({"epochs":5,"batch":32,"learning_rate":0.1,"schedule":"constant","momentum":0.5,"weight_decay":0})");
  CHECK_FALSE(old.nesterov);
  CHECK(old.clip_gradient == 0);
}

TEST_CASE("options outside their ranges are refused by name") {
  const auto refused = [](auto&& change, const char* sentence) {
    TrainingOptions options;
    change(options);
    CHECK_THROWS_WITH_AS(options.check(), sentence, Error);
  };
  refused([](auto& o) { o.epochs = 0; }, "--epochs is 0, allowed are 1 to 100000");
  refused([](auto& o) { o.batch = 0; }, "--batch is 0, allowed are 1 to 65536");
  refused([](auto& o) { o.learning_rate = 0; }, "--learning-rate is 0, allowed are finite numbers above 0");
  refused([](auto& o) { o.learning_rate = -1; }, "--learning-rate is -1, allowed are finite numbers above 0");
  refused([](auto& o) { o.learning_rate = std::numeric_limits<double>::quiet_NaN(); },
          "--learning-rate is nan, allowed are finite numbers above 0");
  refused([](auto& o) { o.learning_rate = std::numeric_limits<double>::infinity(); },
          "--learning-rate is inf, allowed are finite numbers above 0");
  refused([](auto& o) { o.momentum = 1; }, "--momentum is 1, allowed are numbers from 0 to below 1");
  refused([](auto& o) { o.nesterov = true; }, "--nesterov needs --momentum above 0");
  refused([](auto& o) { o.clip_gradient = -1; }, "--clip-gradient is -1, allowed are finite numbers from 0");
  refused([](auto& o) { o.weight_decay = -0.5; },
          "--weight-decay is -0.5, allowed are finite numbers from 0");
  TrainingOptions tiny;
  tiny.learning_rate = 1e-9;
  CHECK_THROWS_AS(update_factors(tiny, 0, 32, budget()), Error);
  TrainingOptions huge;
  huge.learning_rate = 1e9;
  CHECK_THROWS_AS(update_factors(huge, 0, 32, budget()), Error);
}

TEST_CASE("options survive their JSON form") {
  TrainingOptions options{7, 16, 0.03, Schedule::cosine, 0.8, true, 1e-4, 0.5};
  CHECK(TrainingOptions::from_json(options.to_json()) == options);
  CHECK_THROWS_AS(TrainingOptions::from_json("{}"), Error);
  CHECK_THROWS_AS(TrainingOptions::from_json("not json"), Error);
}

TEST_CASE("wide fractions keep every factor inside 64 bits") {
  // Found in review: 0.9 * 2^66 overflowed and trained with a momentum of -0.125.
  const BitBudget wide({60, 46, 40}, 1024, 2048);
  TrainingOptions options;
  options.momentum = 0.9;
  options.weight_decay = 0.5;
  const UpdateFactors factors = update_factors(options, 0, 32, wide);
  CHECK(factors.effective_momentum() == doctest::Approx(0.9));
  CHECK(factors.effective_decay() == doctest::Approx(0.05));
  CHECK(factors.rate_over_rows(46) == doctest::Approx(0.1 / 32).epsilon(0.01));
}

TEST_CASE("momentum and decay that round away are refused") {
  TrainingOptions options;
  options.weight_decay = 1e-12;
  CHECK_THROWS_WITH_AS(update_factors(options, 0, 32, budget()),
                       "--weight-decay 1e-12 times the learning rate rounds to zero; use 0 or a larger value",
                       Error);
  options.weight_decay = 0;
  options.momentum = 0.99999999999;
  CHECK_THROWS_AS(update_factors(options, 0, 32, budget()), Error);
}

TEST_CASE("a rate that a schedule rounds away is refused with the rate that would not be") {
  TrainingOptions options;
  options.epochs = 1000;
  const auto refusal = [&]() -> std::string {
    for (std::size_t epoch = 0; epoch < options.epochs; ++epoch) try {
        update_factors(options, epoch, 32, budget());
      } catch (const Error& error) {
        return error.what();
      }
    return "";
  };
  for (const Schedule schedule : {Schedule::constant, Schedule::linear, Schedule::cosine}) {
    options.schedule = schedule;
    options.learning_rate = schedule == Schedule::constant ? 1e-6 : 1e-4;
    const std::string sentence = refusal();
    CAPTURE(sentence);
    const std::size_t found = sentence.find("at least ");
    REQUIRE(found != std::string::npos);
    options.learning_rate = std::stod(sentence.substr(found + 9));
    CHECK(refusal() == "");
    options.learning_rate *= 0.999;
    CHECK(refusal() != "");
  }
  options.learning_rate = 1e-4;
  CHECK(refusal().starts_with("--learning-rate 0.0001 over a batch of 32 rounds to zero in epoch 7"));
  CHECK(refusal().ends_with(" is needed, or fewer --epochs"));
}
