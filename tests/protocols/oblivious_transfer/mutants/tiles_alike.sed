# protocols/matmul/cross_terms.cpp
# One label of the key holder for all tiles of a product.
# finds: oblivious product: the tiles of a long one*
s/"bits of operands, tile " + std::to_string(tile)/"bits of operands"/
