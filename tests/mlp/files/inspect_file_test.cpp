// Every kind of file is told from its content.
#include "mlp/files/inspect_file.h"

#include <doctest/doctest.h>

#include "mlp/files/ciphertext_file.h"
#include "mlp/tables/profile.h"
#include "tests/mlp/training/encrypted_support.h"

using namespace smlp;
using namespace smlp::test;

TEST_CASE("files are told from their content") {
  const TemporaryDirectory directory;
  save(toy_keys().public_keys(), directory / "public");
  CHECK(file_kind(directory / "public") == FileKind::public_key);
  save(toy_keys(), directory / "secret");
  CHECK(file_kind(directory / "secret") == FileKind::secret_key);
  save(toy_keys(), directory / "sealed", "x", {ScryptCost::least});
  CHECK(file_kind(directory / "sealed") == FileKind::sealed_secret_key);
  save_profile({Scaling::none, {"a"}, "class", {0}, {1}, {"x", "y"}}, directory / "profile");
  CHECK(file_kind(directory / "profile") == FileKind::profile);
  for (const auto& [format, kind] :
       {std::pair{table_format, FileKind::table}, std::pair{model_format, FileKind::model},
        std::pair{answers_format, FileKind::answers}}) {
    hdf5::Writer writer(directory / "h");
    write_header(writer.root(), format, {toy_keys().public_keys(), toy_budget()});
    writer.commit();
    CHECK(file_kind(directory / "h") == kind);
    CHECK(name(kind).starts_with("encrypted "));
  }
  CHECK(name(FileKind::public_key) == "public key");
  CHECK(name(FileKind::secret_key) == "secret key");
  CHECK(name(FileKind::sealed_secret_key) == "sealed secret key");
  CHECK(name(FileKind::profile) == "profile");
}

TEST_CASE("other files are refused") {
  const TemporaryDirectory directory;
  for (const char* text : {"", "a,b\n1,2\n", "{}", "[]", "{\"format\": 3}", "{\"format\": \"x\"}"})
    CHECK(contains(message_of([&] { file_kind(write_text(directory / "f", text)); }), "is no file of smlp"));
  CHECK_THROWS_AS(file_kind(directory / "none"), Error);
  CHECK_THROWS_AS(file_kind(directory.path()), Error);
  hdf5::Writer writer(directory / "h");
  writer.commit();
  CHECK(contains(message_of([&] { file_kind(directory / "h"); }), "has no attribute format"));
}
