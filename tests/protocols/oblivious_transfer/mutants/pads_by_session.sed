# protocols/oblivious_transfer/selections.cpp
# One pad of the key holder for all selections of a session.
# finds: selections: what the evaluator receives*
s/hash_key("key holder's pads", request)/hash_key("key holder's pads", Digest{})/
