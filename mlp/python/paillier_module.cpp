// The Paillier cryptosystem for Python: flat arrays of ciphertexts, computed on all cores without the
// interpreter's lock. Shapes and fixed point are smlp/paillier.py's.
//
// Integers travel as bytes: two's complement, little-endian, `width` bytes each.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "paillier/error.h"
#include "paillier/files.h"
#include "paillier/keys.h"
#include "paillier/parallel.h"

namespace py = pybind11;

PYBIND11_MAKE_OPAQUE(std::vector<smlp::Ciphertext>)

namespace smlp {

namespace {

using Ciphertexts = std::vector<Ciphertext>;

/// Elements between two looks at signals: tenths of a second.
constexpr std::size_t block = 4096;

/// body(first, count) for blocks of [0, size), without the lock; a signal such as Ctrl-C ends it between two.
template <typename Body>
void in_blocks(std::size_t size, Body&& body) {
  for (std::size_t first = 0; first < size; first += block) {
    {
      const py::gil_scoped_release free;
      body(first, std::min(block, size - first));
    }
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
}

std::vector<Integer> integers_from(const py::bytes& bytes, std::size_t width) {
  const std::string_view all = bytes;
  if (width == 0 || all.size() % width != 0)
    throw Error(std::to_string(all.size()) + " bytes are no integers of " + std::to_string(width) + " bytes");
  std::vector<Integer> out(all.size() / width);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* const from = all.data() + i * width;
    mpz_import(out[i].get_mpz_t(), width, -1, 1, 0, 0, from);
    if ((from[width - 1] & 0x80) != 0) out[i] -= Integer(1) << (8 * width);
  }
  return out;
}

/// In as many bytes each as the longest needs, eight at least; the width beside them.
py::tuple bytes_of(const std::vector<Integer>& values) {
  std::size_t width = 8;
  for (const Integer& value : values) width = std::max(width, mpz_sizeinbase(value.get_mpz_t(), 2) / 8 + 1);
  std::string all(values.size() * width, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Integer shown = values[i] < 0 ? Integer(values[i] + (Integer(1) << (8 * width))) : values[i];
    mpz_export(all.data() + i * width, nullptr, -1, 1, 0, 0, shown.get_mpz_t());
  }
  return py::make_tuple(py::bytes(all), width);
}

py::int_ python_int(const Integer& value) {
  return py::reinterpret_steal<py::int_>(PyLong_FromString(value.get_str(16).c_str(), nullptr, 16));
}

Draws fresh_draws() {
  return {RandomSource::from_system(), {}};
}

void check_same(std::size_t a, std::size_t b) {
  if (a != b)
    throw Error("arrays of " + std::to_string(a) + " and of " + std::to_string(b) +
                " elements do not go together");
}

void append(std::vector<FreshCiphertext>&& more, Ciphertexts& out) {
  for (const FreshCiphertext& one : more) out.push_back(one.local());
}

Ciphertexts encrypt(const PublicKeys& keys, const py::bytes& bytes, std::size_t width) {
  const std::vector<Integer> values = integers_from(bytes, width);
  Ciphertexts out;
  in_blocks(values.size(), [&](std::size_t first, std::size_t count) {
    append(keys.paillier().encrypt(std::span(values).subspan(first, count), fresh_draws()), out);
  });
  return out;
}

Ciphertexts encrypt_as_holder(const SecretKeys& keys, const py::bytes& bytes, std::size_t width) {
  const std::vector<Integer> values = integers_from(bytes, width);
  Ciphertexts out;
  in_blocks(values.size(), [&](std::size_t first, std::size_t count) {
    append(keys.paillier().encrypt(std::span(values).subspan(first, count), fresh_draws()), out);
  });
  return out;
}

py::tuple decrypt(const SecretKeys& keys, const Ciphertexts& cs) {
  std::vector<Integer> values;
  in_blocks(cs.size(), [&](std::size_t first, std::size_t count) {
    std::ranges::move(keys.paillier().decrypt(std::span(cs).subspan(first, count)),
                      std::back_inserter(values));
  });
  return bytes_of(values);
}

Ciphertexts add(const PublicKeys& keys, const Ciphertexts& a, const Ciphertexts& b) {
  check_same(a.size(), b.size());
  const py::gil_scoped_release free;
  return parallel_map(a.size(), [&](std::size_t i) { return keys.paillier().add(a[i], b[i]); });
}

Ciphertexts negate(const PublicKeys& keys, const Ciphertexts& cs) {
  const py::gil_scoped_release free;
  return keys.paillier().negate(cs);
}

Ciphertexts add_plain(const PublicKeys& keys, const Ciphertexts& cs, const py::bytes& bytes,
                      std::size_t width) {
  const std::vector<Integer> values = integers_from(bytes, width);
  check_same(cs.size(), values.size());
  const py::gil_scoped_release free;
  return parallel_map(cs.size(), [&](std::size_t i) { return keys.paillier().add_plain(cs[i], values[i]); });
}

/// Element by element. Variable time in the factors.
Ciphertexts scale(const PublicKeys& keys, const Ciphertexts& cs, const py::bytes& bytes, std::size_t width) {
  std::vector<Integer> factors = integers_from(bytes, width);
  check_same(cs.size(), factors.size());
  Ciphertexts bases = cs;
  {
    const py::gil_scoped_release free;
    std::vector<std::size_t> negative;
    for (std::size_t i = 0; i < factors.size(); ++i)
      if (factors[i] < 0) negative.push_back(i);
    Ciphertexts chosen;
    for (const std::size_t i : negative) chosen.push_back(cs[i]);
    chosen = keys.paillier().negate(chosen);
    for (std::size_t k = 0; k < negative.size(); ++k) {
      bases[negative[k]] = chosen[k];
      factors[negative[k]] = -factors[negative[k]];
    }
  }
  Ciphertexts out;
  in_blocks(bases.size(), [&](std::size_t first, std::size_t count) {
    std::ranges::move(keys.paillier().dot_products(std::span(bases).subspan(first, count),
                                                   std::span(factors).subspan(first, count), 1),
                      std::back_inserter(out));
  });
  return out;
}

/// rows x inner ciphertexts times inner x outputs integers. Variable time in the integers.
Ciphertexts matrix_product(const PublicKeys& keys, const Ciphertexts& cs, const py::bytes& bytes,
                           std::size_t width, std::size_t rows, std::size_t inner, std::size_t outputs) {
  std::vector<Integer> factors = integers_from(bytes, width);
  check_same(cs.size(), rows * inner);
  check_same(factors.size(), inner * outputs);
  const PaillierPublicKey& key = keys.paillier();
  const py::gil_scoped_release free;
  // A B = A (B + o) - o A 1: exponents are not negative.
  Integer offset = 0;
  for (const Integer& factor : factors) offset = std::max(offset, Integer(-factor));
  if (offset == 0) return key.matrix_product(cs, factors, rows, inner, outputs);
  for (Integer& factor : factors) factor += offset;
  const Ciphertexts products = key.matrix_product(cs, factors, rows, inner, outputs);
  const std::vector<Integer> offsets(cs.size(), offset);
  const Ciphertexts back = key.negate(key.dot_products(cs, offsets, inner));
  return parallel_map(products.size(),
                      [&](std::size_t i) { return key.add(products[i], back[i / outputs]); });
}

/// The sum of each row of `inner` ciphertexts; 0 where there are none. Long rows are cut into parts.
Ciphertexts sum_rows(const PublicKeys& keys, const Ciphertexts& cs, std::size_t rows, std::size_t inner) {
  constexpr std::size_t part = 64;
  check_same(cs.size(), rows * inner);
  const PaillierPublicKey& key = keys.paillier();
  const auto sum_of = [&](std::span<const Ciphertext> terms) {
    Ciphertext sum = key.trivial(0);
    for (const Ciphertext& term : terms) sum = key.add(sum, term);
    return sum;
  };
  const py::gil_scoped_release free;
  const std::size_t parts = std::max<std::size_t>((inner + part - 1) / part, 1);
  const Ciphertexts partial = parallel_map(rows * parts, [&](std::size_t i) {
    const std::size_t first = i % parts * part;
    return sum_of(std::span(cs).subspan(i / parts * inner + first, std::min(part, inner - first)));
  });
  return parallel_map(rows,
                      [&](std::size_t i) { return sum_of(std::span(partial).subspan(i * parts, parts)); });
}

Ciphertexts take(const Ciphertexts& cs, const std::vector<std::size_t>& places) {
  Ciphertexts out;
  out.reserve(places.size());
  for (const std::size_t place : places) out.push_back(cs.at(place));
  return out;
}

/// Re-randomised, so that the bytes tell nothing of how the ciphertexts were made.
py::bytes encode(const PublicKeys& keys, const Ciphertexts& cs) {
  Bytes out;
  in_blocks(cs.size(), [&](std::size_t first, std::size_t count) {
    keys.paillier().encode(keys.paillier().rerandomise(std::span(cs).subspan(first, count), fresh_draws()),
                           out);
  });
  return py::bytes(reinterpret_cast<const char*>(out.data()), out.size());
}

Ciphertexts decode(const PublicKeys& keys, const py::bytes& bytes, std::size_t count) {
  const std::string_view all = bytes;
  const std::size_t each = keys.paillier().ciphertext_bytes();
  if (all.size() % each != 0 || all.size() / each != count)
    throw Error(std::to_string(all.size()) + " bytes are not " + std::to_string(count) + " ciphertexts of " +
                std::to_string(each) + " bytes");
  const py::gil_scoped_release free;
  return keys.paillier().decode({reinterpret_cast<const std::uint8_t*>(all.data()), all.size()}, count,
                                "ciphertexts");
}

SecretKeys generate(std::size_t bits, const std::string& variant) {
  if (bits != 1024 && bits != 2048 && bits != 3072 && bits != 4096)
    throw Error("a key of " + std::to_string(bits) + " bits: 2048, 3072 and 4096 are possible");
  const Variant chosen = variant_from_name(variant);
  const py::gil_scoped_release free;
  return SecretKeys::generate(chosen, bits, default_subgroup_bits(bits), RandomSource::from_system());
}

}  // namespace

}  // namespace smlp

PYBIND11_MODULE(_paillier, m) {
  using namespace smlp;
  m.doc() = "Flat arrays of Paillier ciphertexts; smlp.paillier is the interface.";
  py::register_exception<Error>(m, "Error", PyExc_ValueError);

  py::class_<Ciphertexts>(m, "Ciphertexts").def("__len__", &Ciphertexts::size);
  py::class_<PublicKeys>(m, "PublicKeys")
      .def_static("load", [](const std::string& path) { return load_public_keys(path); })
      .def_static("from_json", [](const std::string& text) { return public_keys_from_json(text, "the key"); })
      .def("save", [](const PublicKeys& keys, const std::string& path) { save(keys, path); })
      .def("to_json", [](const PublicKeys& keys) { return to_json(keys); })
      .def_property_readonly("fingerprint", [](const PublicKeys& keys) { return to_hex(keys.fingerprint()); })
      .def_property_readonly("bits", [](const PublicKeys& keys) { return keys.paillier().bits(); })
      .def_property_readonly("n", [](const PublicKeys& keys) { return python_int(keys.paillier().n()); });
  py::class_<SecretKeys>(m, "SecretKeys")
      .def_static("load", [](const std::string& path) { return load_secret_keys(path); })
      .def("save", [](const SecretKeys& keys, const std::string& path) { save(keys, path); })
      .def_property_readonly("public", [](const SecretKeys& keys) { return keys.public_keys(); });
  m.def("generate", &generate);
  m.def("encrypt", &encrypt);
  m.def("encrypt_as_holder", &encrypt_as_holder);
  m.def("decrypt", &decrypt);
  m.def("add", &add);
  m.def("negate", &negate);
  m.def("add_plain", &add_plain);
  m.def("scale", &scale);
  m.def("matrix_product", &matrix_product);
  m.def("sum_rows", &sum_rows);
  m.def("take", &take);
  m.def("encode", &encode);
  m.def("decode", &decode);
  // A child of fork has none of its parent's threads, and OpenMP waits for them.
  m.def("use_one_thread", [] { set_thread_count(1); });
}
