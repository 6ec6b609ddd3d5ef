// The Paillier cryptosystem for Python: flat arrays of ciphertexts, computed on all cores without the
// interpreter's lock. Shapes and fixed point are smlp/paillier.py's.
//
// Integers travel as bytes: two's complement, little-endian, `width` bytes each.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
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

/// Elements between two looks at signals: tenths of a second of powers, or of products of ciphertexts.
constexpr std::size_t powers_block = 512;
constexpr std::size_t products_block = 16384;

/// body(first, count) for blocks of [0, size), without the lock; a signal such as Ctrl-C ends it between two.
template <typename Body>
void in_blocks(std::size_t size, std::size_t block, Body&& body) {
  for (std::size_t first = 0; first < size; first += block) {
    {
      const py::gil_scoped_release free;
      body(first, std::min(block, size - first));
    }
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
}

/// What part(first, count) gives for each block, one after the other.
template <typename Out = Ciphertexts, typename Part>
Out joined(std::size_t size, std::size_t block, Part&& part) {
  Out out;
  out.reserve(size);
  in_blocks(size, block, [&](std::size_t first, std::size_t count) {
    std::ranges::move(part(first, count), std::back_inserter(out));
  });
  return out;
}

/// [f(i)] for i below size, in blocks.
template <typename F>
Ciphertexts mapped(std::size_t size, F&& f, std::size_t block = products_block) {
  return joined(size, block, [&](std::size_t first, std::size_t count) {
    return parallel_map(count, [&](std::size_t i) { return f(first + i); });
  });
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

Ciphertexts local(const std::vector<FreshCiphertext>& fresh) {
  Ciphertexts out;
  out.reserve(fresh.size());
  for (const FreshCiphertext& one : fresh) out.push_back(one.local());
  return out;
}

/// By either key: the secret one is faster.
template <typename Keys>
Ciphertexts encrypt(const Keys& keys, const py::bytes& bytes, std::size_t width) {
  const std::vector<Integer> values = integers_from(bytes, width);
  return joined(values.size(), powers_block, [&](std::size_t first, std::size_t count) {
    return local(keys.paillier().encrypt(std::span(values).subspan(first, count), fresh_draws()));
  });
}

py::tuple decrypt(const SecretKeys& keys, const Ciphertexts& cs) {
  return bytes_of(
      joined<std::vector<Integer>>(cs.size(), powers_block, [&](std::size_t first, std::size_t count) {
        return keys.paillier().decrypt(std::span(cs).subspan(first, count));
      }));
}

Ciphertexts add(const PublicKeys& keys, const Ciphertexts& a, const Ciphertexts& b) {
  check_same(a.size(), b.size());
  return mapped(a.size(), [&](std::size_t i) { return keys.paillier().add(a[i], b[i]); });
}

Ciphertexts negate(const PublicKeys& keys, const Ciphertexts& cs) {
  return joined(cs.size(), products_block, [&](std::size_t first, std::size_t count) {
    return keys.paillier().negate(std::span(cs).subspan(first, count));
  });
}

Ciphertexts add_plain(const PublicKeys& keys, const Ciphertexts& cs, const py::bytes& bytes,
                      std::size_t width) {
  const std::vector<Integer> values = integers_from(bytes, width);
  check_same(cs.size(), values.size());
  return mapped(cs.size(), [&](std::size_t i) { return keys.paillier().add_plain(cs[i], values[i]); });
}

/// Element by element. Variable time in the factors.
Ciphertexts scale(const PublicKeys& keys, const Ciphertexts& cs, const py::bytes& bytes, std::size_t width) {
  std::vector<Integer> factors = integers_from(bytes, width);
  check_same(cs.size(), factors.size());
  Ciphertexts bases = cs;
  std::vector<std::size_t> negative;
  for (std::size_t i = 0; i < factors.size(); ++i)
    if (factors[i] < 0) negative.push_back(i);
  Ciphertexts chosen;
  for (const std::size_t i : negative) chosen.push_back(cs[i]);
  chosen = negate(keys, chosen);
  for (std::size_t k = 0; k < negative.size(); ++k) {
    bases[negative[k]] = chosen[k];
    factors[negative[k]] = -factors[negative[k]];
  }
  return joined(bases.size(), powers_block, [&](std::size_t first, std::size_t count) {
    return keys.paillier().dot_products(std::span(bases).subspan(first, count),
                                        std::span(factors).subspan(first, count), 1);
  });
}

/// rows x inner ciphertexts times inner x outputs integers that are not negative, in blocks.
Ciphertexts blocked_product(const PaillierPublicKey& key, const Ciphertexts& cs,
                            const std::vector<Integer>& factors, std::size_t rows, std::size_t inner,
                            std::size_t outputs) {
  constexpr std::size_t side = 256, terms = std::size_t{1} << 17;
  const std::size_t depth = std::clamp<std::size_t>(inner, 1, side);
  const std::size_t width = std::clamp<std::size_t>(outputs, 1, side);
  const std::size_t height = std::max<std::size_t>(terms / (depth * width) / 8, 1) * 8;
  Ciphertexts out(rows * outputs, key.trivial(0));
  for (std::size_t k = 0; k < inner; k += depth)
    for (std::size_t j = 0; j < outputs; j += width) {
      const std::size_t deep = std::min(depth, inner - k), wide = std::min(width, outputs - j);
      std::vector<Integer> right;
      right.reserve(deep * wide);
      for (std::size_t l = k; l < k + deep; ++l)
        right.insert(right.end(), &factors[l * outputs + j], &factors[l * outputs + j] + wide);
      in_blocks(rows, height, [&](std::size_t first, std::size_t count) {
        Ciphertexts left;
        left.reserve(count * deep);
        for (std::size_t i = first; i < first + count; ++i)
          left.insert(left.end(), &cs[i * inner + k], &cs[i * inner + k] + deep);
        const Ciphertexts part = key.matrix_product(left, right, count, deep, wide);
        parallel_for(count * wide, [&](std::size_t i) {
          Ciphertext& sum = out[(first + i / wide) * outputs + j + i % wide];
          sum = k == 0 ? part[i] : key.add(sum, part[i]);
        });
      });
    }
  return out;
}

/// rows x inner ciphertexts times inner x outputs integers. Variable time in the integers.
Ciphertexts matrix_product(const PublicKeys& keys, const Ciphertexts& cs, const py::bytes& bytes,
                           std::size_t width, std::size_t rows, std::size_t inner, std::size_t outputs) {
  std::vector<Integer> factors = integers_from(bytes, width);
  check_same(cs.size(), rows * inner);
  check_same(factors.size(), inner * outputs);
  const PaillierPublicKey& key = keys.paillier();
  // A B = A (B + o) - o A 1: exponents are not negative.
  Integer offset = 0;
  for (const Integer& factor : factors) offset = std::max(offset, Integer(-factor));
  for (Integer& factor : factors) factor += offset;
  const Ciphertexts products = blocked_product(key, cs, factors, rows, inner, outputs);
  if (offset == 0) return products;
  const Ciphertexts back =
      negate(keys, blocked_product(key, cs, std::vector<Integer>(inner, offset), rows, inner, 1));
  return mapped(products.size(), [&](std::size_t i) { return key.add(products[i], back[i / outputs]); });
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
  const std::size_t parts = std::max<std::size_t>((inner + part - 1) / part, 1);
  const Ciphertexts partial = mapped(
      rows * parts,
      [&](std::size_t i) {
        const std::size_t first = i % parts * part;
        return sum_of(std::span(cs).subspan(i / parts * inner + first, std::min(part, inner - first)));
      },
      powers_block);
  return mapped(
      rows, [&](std::size_t i) { return sum_of(std::span(partial).subspan(i * parts, parts)); },
      powers_block);
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
  in_blocks(cs.size(), powers_block, [&](std::size_t first, std::size_t count) {
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
  return joined(count, products_block, [&](std::size_t first, std::size_t size) {
    return keys.paillier().decode(
        {reinterpret_cast<const std::uint8_t*>(all.data()) + first * each, size * each}, size,
        first == 0 ? "ciphertexts" : "ciphertexts from " + std::to_string(first) + " on");
  });
}

SecretKeys generate(std::size_t bits, const std::string& variant) {
  if (bits != 1024 && bits != 2048 && bits != 3072 && bits != 4096)
    throw Error("a key of " + std::to_string(bits) + " bits: 2048, 3072 and 4096 are possible");
  const Variant chosen = variant_from_name(variant);
  std::stop_source stop;
  std::future<SecretKeys> keys = std::async(std::launch::async, [&, threads = thread_count()] {
    set_thread_count(threads);
    return SecretKeys::generate(chosen, bits, default_subgroup_bits(bits),
                                RandomSource::from_system().until(stop.get_token()));
  });
  for (;;) {
    {
      const py::gil_scoped_release free;
      if (keys.wait_for(std::chrono::milliseconds(50)) == std::future_status::ready) return keys.get();
    }
    if (PyErr_CheckSignals() == 0) continue;
    const py::gil_scoped_release free;
    stop.request_stop();
    keys.wait();
    break;
  }
  throw py::error_already_set();
}

/// Whole or not at all; what killed writers of it left is removed.
void write_file(const std::string& path, const py::bytes& bytes) {
  const std::string_view all = bytes;
  const py::gil_scoped_release free;
  const FileLock lock(path, path);
  NewFile file(path, 0666);
  if (!write_all(file.descriptor(), {reinterpret_cast<const std::uint8_t*>(all.data()), all.size()}))
    throw Error("cannot write " + path + ": " + std::generic_category().message(errno));
  file.commit();
}

}  // namespace

}  // namespace smlp

PYBIND11_MODULE(_paillier, m) {
  using namespace smlp;
  m.doc() = "Flat arrays of Paillier ciphertexts; smlp.paillier is the interface.";
  py::register_exception<Error>(m, "Error", PyExc_ValueError).attr("__doc__") =
      "What was refused and what is allowed, in one sentence.";

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
      .def_static("load",
                  [](const std::string& path, const std::optional<std::string>& pass_phrase) {
                    if (!pass_phrase) return load_secret_keys(path);
                    return load_secret_keys(path, [&] { return SecretText(*pass_phrase); });
                  })
      .def(
          "save",
          [](const SecretKeys& keys, const std::string& path, const std::optional<std::string>& pass_phrase) {
            pass_phrase ? save(keys, path, *pass_phrase) : save(keys, path);
          })
      .def_property_readonly("public", [](const SecretKeys& keys) { return keys.public_keys(); });
  m.def("generate", &generate);
  m.def("encrypt", &encrypt<PublicKeys>);
  m.def("encrypt_as_holder", &encrypt<SecretKeys>);
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
  m.def("write_file", &write_file);
  // A child of fork has none of its parent's threads, and OpenMP waits for them.
  m.def("use_one_thread", [] { set_thread_count(1); });
}
