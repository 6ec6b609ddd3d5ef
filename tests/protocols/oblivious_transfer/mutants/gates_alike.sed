# protocols/oblivious_transfer/half_gates.cpp
# The hash of every gate has the tweak of the first one.
# finds: half gates: the tables are those of*
s/const std::uint64_t gate = .*;/const std::uint64_t gate = 0;/
