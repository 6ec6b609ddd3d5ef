# protocols/oblivious_transfer/session.cpp
# The evaluator's labels no longer hang on its choices.
# finds: oblivious selection: replayed*
s/derive("choices")\.derive(content)/derive("choices")/
