# protocols/oblivious_transfer/session.cpp
# The evaluator's secrets no longer hang on what they hide.
# finds: garbled comparison: one opened value against two constants*
s/\.derive(answer)\.derive(content)\.stream/.derive(answer).stream/
