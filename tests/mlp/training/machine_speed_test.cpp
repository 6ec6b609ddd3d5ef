// The speed of the machine, measured beside other work. (What is declared is compared with runs in
// training_test.cpp.)
#include "mlp/training/machine_speed.h"

#include <doctest/doctest.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "paillier/parallel.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

namespace {

/// Two processes for each processor that never wait, while it lives.
class BusyCores {
 public:
  BusyCores() {
    for (int i = 0; i < 2 * thread_count(); ++i) {
      const pid_t process = ::fork();
      REQUIRE(process >= 0);
      if (process > 0) {
        processes_.push_back(process);
        continue;
      }
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (volatile unsigned work = 0;;) work = work + 1;
    }
  }
  ~BusyCores() {
    for (const pid_t process : processes_) {
      ::kill(process, SIGKILL);
      ::waitpid(process, nullptr, 0);
    }
  }
  BusyCores(const BusyCores&) = delete;
  BusyCores& operator=(const BusyCores&) = delete;

 private:
  std::vector<pid_t> processes_;
};

MachineSpeed measured(std::uint64_t seed) {
  return measure_speed(toy_keys(), RandomSource::from_seed(seed));
}

constexpr double MachineSpeed::*operations[] = {&MachineSpeed::product,
                                                &MachineSpeed::rerandomisation,
                                                &MachineSpeed::decryption,
                                                &MachineSpeed::encryption,
                                                &MachineSpeed::reception,
                                                &MachineSpeed::bit_product,
                                                &MachineSpeed::bit_rerandomisation,
                                                &MachineSpeed::bit_encryption,
                                                &MachineSpeed::bit_reception,
                                                &MachineSpeed::zero_test,
                                                &MachineSpeed::gate,
                                                &MachineSpeed::transfer,
                                                &MachineSpeed::transfer_block,
                                                &MachineSpeed::byte,
                                                &MachineSpeed::value,
                                                &MachineSpeed::request};

}  // namespace

TEST_CASE("the seconds of a party are those of its operations") {
  const MachineSpeed speed{.product = 1,
                           .rerandomisation = 2,
                           .decryption = 4,
                           .encryption = 8,
                           .reception = 16,
                           .bit_product = 32,
                           .bit_rerandomisation = 64,
                           .bit_encryption = 128,
                           .bit_reception = 256,
                           .zero_test = 512,
                           .gate = 1024,
                           .transfer = 2048,
                           .transfer_block = 4096,
                           .byte = 8192,
                           .value = 16384,
                           .request = 32768};
  Operations one{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  const Cost cost{.operations = one, .traffic = {1, 2, 3}};
  const double both = (1024 + 2048 + 4096) / 4.0 + (3 * 8192 + 16384 + 3 * 32768) / 2.0;
  CHECK(speed.evaluator_seconds(cost, 2) == (1 + 2 + 16 + 32 + 64 + 256) / 2.0 + both);
  CHECK(speed.key_holder_seconds(cost, 2) == (4 + 8 + 128 + 512) / 2.0 + both);
}

// A measure of wall-clock time would give three times as much: a third of the processors is left.
TEST_CASE("the speed of the machine is measured beside busy processes as without them [slow]") {
  const MachineSpeed without = measured(1);
  MachineSpeed beside;
  {
    const BusyCores busy;
    beside = measured(2);
  }
  Cost epoch{.operations = {}, .traffic = {1, 1, 1}};
  for (double Operations::*count :
       {&Operations::products, &Operations::rerandomisations, &Operations::decryptions,
        &Operations::encryptions, &Operations::bit_products, &Operations::bit_rerandomisations,
        &Operations::bit_encryptions, &Operations::zero_tests, &Operations::gates, &Operations::transfers,
        &Operations::transfer_blocks, &Operations::masked_values})
    epoch.operations.*count = 100;  // as requests are for many
  for (double MachineSpeed::*operation : operations) CHECK(without.*operation > 0);
  const double ratio = beside.seconds(epoch, 1) / without.seconds(epoch, 1);
  CAPTURE(ratio);
  CHECK(ratio < 2);
  CHECK(ratio > 0.5);
}
