// SHA-256 by OpenSSL.
#include "mlp/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <bit>

#include "paillier/error.h"

namespace smlp {

namespace {

void check(int status) {
  if (status != 1) throw Error("OpenSSL failed to compute SHA-256");
}

void put(std::uint64_t number, std::uint8_t* out) {
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(number >> (8 * i));
}

}  // namespace

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  check(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::uint8_t> bytes) {
  check(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
}

void Sha256::add(std::string_view text) {
  check(EVP_DigestUpdate(state_->context.get(), text.data(), text.size()));
}

void Sha256::add(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  put(number, bytes.data());
  add(bytes);
}

void Sha256::add(const std::vector<double>& numbers) {
  std::array<std::uint8_t, 8192> block{};
  for (std::size_t first = 0; first < numbers.size(); first += block.size() / 8) {
    const std::size_t count = std::min(block.size() / 8, numbers.size() - first);
    for (std::size_t i = 0; i < count; ++i)
      put(std::bit_cast<std::uint64_t>(numbers[first + i]), block.data() + 8 * i);
    add(std::span(block).first(8 * count));
  }
}

void Sha256::add_counted(std::string_view text) {
  add(std::uint64_t{text.size()});
  add(text);
}

Fingerprint Sha256::value() {
  Fingerprint out{};
  check(EVP_DigestFinal_ex(state_->context.get(), out.data(), nullptr));
  return out;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

}  // namespace smlp
