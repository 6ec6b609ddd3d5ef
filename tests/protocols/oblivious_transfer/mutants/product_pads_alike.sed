# protocols/matmul/cross_terms.cpp
# Pads of a product's transfers hang on the bit's place, not on the element's number.
# finds: cross terms: messages are under pads*
s/, number \* w + t, /, t, /
