# protocols/comparison/garbled.cpp
# One label of the key holder for all comparisons of a session.
# finds: garbled comparison: replayed*
s/transfer_label("bits of d", request)/transfer_label("bits of d", Digest{})/
