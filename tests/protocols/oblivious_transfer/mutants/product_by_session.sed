# protocols/matmul/cross_terms.cpp
# One label of the key holder for all products of a session.
# finds: oblivious product: replayed*
s/\(std::to_string(tile)\), request)/\1, Digest{})/
