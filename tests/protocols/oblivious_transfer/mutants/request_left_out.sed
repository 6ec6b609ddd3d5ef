# protocols/oblivious_transfer/session.cpp
# The evaluator's secrets no longer hang on request and answer.
# finds: garbled comparison: secrets hang on*
s/derive("batch")\.derive(request)\.derive(answer)/derive("batch")/
