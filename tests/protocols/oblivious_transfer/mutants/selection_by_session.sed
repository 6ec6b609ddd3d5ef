# protocols/oblivious_transfer/selections.cpp
# One label of the key holder for all selections of a session.
# finds: oblivious selection: replayed*
s/transfer_label("choices of the key holder", request)/transfer_label("choices of the key holder", Digest{})/
