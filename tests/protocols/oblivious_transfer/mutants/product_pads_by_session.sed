# protocols/matmul/oblivious_transfer.cpp
# One key of the key holder's pads for all products of a session.
# finds: oblivious product: replayed*
s/hash_key("key holder's pads", responder.request_digest())/hash_key("key holder's pads", Digest{})/
