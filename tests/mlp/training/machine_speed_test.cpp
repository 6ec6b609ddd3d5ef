// The speed of the machine, measured beside other work. (What is declared is compared with runs in
// training_test.cpp.)
#include "mlp/training/machine_speed.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "paillier/parallel.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

namespace {

/// Two threads for each processor that never wait, while it lives.
class Busy {
 public:
  Busy() {
    for (int i = 0; i < 2 * thread_count(); ++i)
      threads_.emplace_back([](const std::stop_token& stop) {
        volatile unsigned work = 0;
        while (!stop.stop_requested()) work = work + 1;
      });
  }

 private:
  std::vector<std::jthread> threads_;
};

MachineSpeed measured(std::uint64_t seed) {
  return measure_speed(toy_keys(), RandomSource::from_seed(seed));
}

constexpr double MachineSpeed::*operations[] = {
    &MachineSpeed::product,        &MachineSpeed::rerandomisation, &MachineSpeed::decryption,
    &MachineSpeed::encryption,     &MachineSpeed::bit_product,     &MachineSpeed::bit_rerandomisation,
    &MachineSpeed::bit_encryption, &MachineSpeed::zero_test,       &MachineSpeed::gate,
    &MachineSpeed::transfer,       &MachineSpeed::transfer_block,  &MachineSpeed::byte};

}  // namespace

// A measure of wall-clock time would give three times as much: a third of the processors is left.
TEST_CASE("the speed of the machine is measured beside busy threads as without them [slow]") {
  const MachineSpeed without = measured(1);
  MachineSpeed beside;
  {
    const Busy busy;
    beside = measured(2);
  }
  Cost epoch{.operations = {}, .traffic = {1, 1, 1}};
  for (double Operations::*count :
       {&Operations::products, &Operations::rerandomisations, &Operations::decryptions,
        &Operations::bit_products, &Operations::bit_encryptions, &Operations::zero_tests, &Operations::gates,
        &Operations::transfers, &Operations::transfer_blocks})
    epoch.operations.*count = 1;
  for (double MachineSpeed::*operation : operations) CHECK(without.*operation > 0);
  const double ratio = beside.seconds(epoch, 1) / without.seconds(epoch, 1);
  CAPTURE(ratio);
  CHECK(ratio < 2);
  CHECK(ratio > 0.5);
}
