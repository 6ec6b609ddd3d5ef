# protocols/oblivious_transfer/selections.cpp
# Pads of all transfers of a selection have the tweaks of the first.
# finds: selections: pads are hashes of labels*
s/= {j, b};/= {0, b};/
