// A program of a user: adds two encrypted numbers with the installed library.
#include <iostream>

#include "paillier/paillier.h"

int main() {
  smlp::RandomStream random = smlp::RandomSource::from_system().stream({});
  const auto secret = smlp::PaillierSecretKey::generate(smlp::Variant::subgroup, 1024, 160, random);
  const auto& key = secret.public_key();
  const auto sum = key.add(key.encrypt(20, random).local(), key.encrypt(22, random).local());
  std::cout << secret.decrypt(sum) << '\n';
}
