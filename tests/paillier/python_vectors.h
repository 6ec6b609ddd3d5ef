// A toy key pair and ciphertexts made by Python's integers from the published algorithms: known answers from
// outside.
#pragma once

#include "paillier/keys.h"

// Python 3: Paillier with randomness in a subgroup, c = (1 + m n) hs^r mod n^2 with m and a random r of 168
// bits; DGK, c = g^123 h^r mod n; and hashlib.sha256 over the canonical form of the public integers.
namespace smlp::python {

inline const Integer n(
    "cd8b34b26494279f4bc2ad396c6ccd1bf25383c82b145f247ba144a605a3b7ba9414100360cc549cfa222fa1"
    "97c3b4771b4fcd672593c412763aa94c5970ba47",
    16);
inline const Integer hs(
    "212c4ade02fe389f4ff5046c4b07878f4156254f01be8e5da1f1aaf7bfb0779150fb671428bf61d403a2f1ea"
    "6e391e49dc810b7d31efe2a888bb772b172fc32b440153b1ad39fb8af50dbe329d6d7e7c431f69c17e2b0d96"
    "3f6165437056356e8a5771be1c54b64dda7d019b75f74c6a1e53d883d0c645ce291b96c9fa7cc7cf",
    16);
inline const Integer p("fee3c7a6e11c60afecc9ef6e20fc54466519a67e2b986114891c230e5dd5c5a1", 16);
inline const Integer q("ce7066d4ed466fe1d55aa32420e9aba35f43dce65aa3c860f8c392f4eb45a6e7", 16);
inline const Integer alpha_p("b2833106536e95df", 16);
inline const Integer alpha_q("929a10e5381ad121", 16);
inline const Integer c(
    "15d636f698612bb49607862d562813555f2b8cc4e4e00424fa2344ddfbd667137893c28cd5a6e2f114878f2b"
    "63e244b7583d4bc78ed19f0547418d52577f322e15b5a1ba862e94de00b3290409b5866923936638c8dd010c"
    "2412c319ea7aef398b16ed8dc51f974bb837dd78c2e64225ba058be63656886d7e805d1c036edf07",
    16);
inline const Integer m("-123456789012345678901234567890");

inline const Integer dgk_n(
    "badd0e9275ffc8ee3acf5a6b1eb4e06f9f99329cffaedd6d3058d6bf7a181708f6d0cf84a0fa9392bf119fea"
    "9f297f106a2255d215b216ed7aa1c38e250b95f7",
    16);
inline const Integer dgk_g(
    "9e40238ae3ce8a617a52e1caac1d4bcacb37986c5a94b216ab1e541553b8751311f4d7a7c56e9dcf42638190"
    "f42fd1ed707fd2b785b947c4b59c9f5cc9b2c02d",
    16);
inline const Integer dgk_h(
    "8fd92b19eb40ac338418f3373f3ca3d2f05f6ef518eeaf014ed874ca70dbac4b6e05043b657fc901a1f58ef7"
    "cb78795d5e1ac3c3419f1aea68b77bd5431e06ee",
    16);
inline const Integer dgk_p("cf010f273af4cb71a17e60cab14563e7bc2911ffc0ca61d87b0dd47045362667", 16);
inline const Integer dgk_q("e7179f4a40ff7c5ca73a920c4006c0a26580ce2057e51715f4685491ad87b9f1", 16);
inline const Integer dgk_v_p("d66560fc6ca64675", 16);
inline const Integer dgk_v_q("b0d4f86868acfcff", 16);
inline const Integer dgk_c(
    "b53953003bac15cb8bcffa64be3b40d79b3001118e314d68da95708600d2cb566c422eec5caef34acb11e00c"
    "0ba77e7d608c3b2dfc5bc859d3fa321a861c9c2c",
    16);
inline constexpr unsigned dgk_m = 123;

inline constexpr const char* fingerprint = "4747c3b57af8f1e0d2c27929881a4e136c34eed1a3e894ef6f7f755f1156ed3d";

inline PaillierPublicKey paillier_public() {
  return PaillierPublicKey(Variant::subgroup, n, hs, 64);
}
inline DgkPublicKey dgk_public() {
  return DgkPublicKey(dgk_n, dgk_g, dgk_h, 197, 64);
}

}  // namespace smlp::python
