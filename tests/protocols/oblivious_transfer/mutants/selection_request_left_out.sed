# protocols/oblivious_transfer/selections.cpp
# The evaluator's pads of a selection no longer hang on request and answer.
# finds: oblivious selection: an evaluator whose secrets*
s/secret_for(request, answer_tag, content)/secret_for({}, {}, content)/
