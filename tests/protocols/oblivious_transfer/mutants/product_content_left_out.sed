# protocols/matmul/cross_terms.cpp
# The evaluator's pads of a product no longer hang on what they hide.
# finds: oblivious product: an evaluator whose secrets*
s/secret_for(request, answer, content_)/secret_for(request, answer, {})/
