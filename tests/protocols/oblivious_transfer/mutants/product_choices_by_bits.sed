# protocols/matmul/cross_terms.cpp
# The evaluator's label of its choices in a product hangs on them alone, not on the request.
# finds: oblivious product: replayed*
s/Bytes bound(content\.begin(), content\.end())/Bytes bound/
