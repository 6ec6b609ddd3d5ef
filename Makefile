# Builds, tests and installs SMLP. `make help` lists the targets and the variables.

VERSION := $(shell sed -n 's/.*version = "\(.*\)".*/\1/p' protocols/version.h)
PREFIX ?= /usr/local
BUILD ?= release
CLANG_FORMAT ?= clang-format-16
ifeq ($(origin CXX),default)
CXX := g++
endif

PROTOCOLS ?= homomorphic
DEMO = $(BUILD_DIR)/smlp run --data datasets/breast_cancer.csv --network 30-16-2 --epochs 3 --learning-rate 0.05 \
       --momentum 0.8 --seed 1 --protocols $(PROTOCOLS)

# ---- variants: each in a folder of its own ----
comma := ,
space := $(subst ,, )
on = $(filter-out 0,$(1))
variant := $(filter-out release,$(BUILD)) $(subst $(comma), ,$(SANITIZE)) $(if $(call on,$(COVERAGE)),coverage)
BUILD_DIR := $(subst $(space),-,$(strip build $(variant)))

ifeq ($(BUILD),release)
optimisation := -O2 -g1
else ifeq ($(BUILD),debug)
optimisation := -O0 -g -D_GLIBCXX_ASSERTIONS
else
$(error BUILD is release or debug, not $(BUILD))
endif
ifneq ($(SANITIZE),)
optimisation := -O1 -g1 -fno-omit-frame-pointer
instrumentation += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
endif
ifneq ($(call on,$(COVERAGE)),)
optimisation := -O1 -g1
instrumentation += --coverage -fprofile-update=atomic
endif
ifneq ($(findstring thread,$(SANITIZE)),)
# Archer tells the thread sanitizer what OpenMP's barriers order; it needs clang and its libomp.
export OMP_TOOL_LIBRARIES := libarcher.so
export TSAN_OPTIONS := ignore_noninstrumented_modules=1
export OMP_NUM_THREADS ?= 4
endif

# ---- flags ----
warnings := -Wall -Wextra -Wpedantic -Wconversion $(if $(call on,$(WERROR)),-Werror)
COMPILE = $(CXX) -std=c++20 $(optimisation) $(instrumentation) $(warnings) -fopenmp $(position) -I. \
          $(DEPENDENCY_CFLAGS) $(CPPFLAGS) $(CXXFLAGS) $(processor)
LINK = $(CXX) -fopenmp $(instrumentation) $(LDFLAGS)
LIBS = $(DEPENDENCY_LIBS) $(LDLIBS)

# Kernels are compiled for their processors, chosen at run time, and always optimised: nothing else is.
ifneq ($(filter x86_64-%,$(shell $(CXX) -dumpmachine 2>/dev/null)),)
$(BUILD_DIR)/obj/paillier/digit_kernels_avx2.o: private processor := -O2 -mavx2 -mfma
$(BUILD_DIR)/obj/paillier/digit_kernels_avx512.o: private processor := -O2 -mavx512f
$(BUILD_DIR)/obj/paillier/digit_kernels_avx512_ifma.o: private processor := -O2 -mavx512f -mavx512ifma
kernels := $(BUILD_DIR)/obj/protocols/oblivious_transfer/block_kernels_
$(kernels)aes_ni.o: private processor := -O2 -maes
$(kernels)vaes256.o: private processor := -O2 -maes -mavx2 -mvaes
$(BUILD_DIR)/obj/protocols/matmul/ring_vectors_avx2.o: private processor := -O2 -mavx2
$(BUILD_DIR)/obj/protocols/matmul/ring_vectors_avx512.o: private processor := -O2 -mavx512f -mavx512vbmi
$(kernels)vaes512.o: private processor := -O2 -maes -mavx512f -mvaes
endif

# Sanitized builds repeat what a release build compiles without help. In them clang takes common system headers, and
# the templates that they instantiate, from one precompiled file: that halves the time. (Clang refuses it
# after an upgrade of these headers, or in a checkout that was moved: make clean.)
ifneq ($(and $(SANITIZE),$(findstring clang,$(CXX))),)
precompiled := $(BUILD_DIR)/system_headers.pch
precompilation := -fpch-instantiate-templates
endif
system_headers := algorithm chrono filesystem fstream functional gmpxx.h memory mutex nlohmann/json.hpp ranges thread

# ---- files ----
PROGRAM := $(BUILD_DIR)/smlp
with_mpi := $(if $(call on,$(MPI)),$(BUILD_DIR)/mpi/smlp)
LIBRARY := $(BUILD_DIR)/libsmlp.a
objects = $(patsubst %.cpp,$(BUILD_DIR)/obj/%.o,$(1))
# A program is linked with one of them: ranks by MPI, or none.
ranks_sources := mlp/ranks/mpi.cpp mlp/ranks/alone.cpp
library_sources := $(filter-out mlp/main.cpp mlp/python/% $(ranks_sources),$(wildcard $(addsuffix .cpp,paillier/* protocols/* protocols/*/* mlp/* mlp/*/*)))
command_sources := $(wildcard mlp/program/commands/*.cpp)
TESTS := $(wildcard $(addsuffix /*_test.cpp,tests tests/* tests/*/* tests/*/*/* tests/*/*/*/*))
test_sources := $(wildcard tests/main.cpp tests/support/*.cpp) $(TESTS)
bench_programs := operations kernels matmul protocol training large_table transfers ranks
bench_sources := $(wildcard bench/*.cpp)
bench_shared := $(filter-out $(bench_programs:%=bench/%.cpp),$(bench_sources))
# Most of a test's compilation is its headers: tests are compiled in groups of a folder, and in sanitized builds what else
# admits it. What a file there keeps to itself has a name that no other file of its folder has.
grouped = $(foreach folder,$(sort $(dir $(1))),$(call in_groups,$(foreach file,$(1),$(if $(filter $(folder),$(dir $(file))),$(file)))))
in_groups = $(if $(1),$(call group_object,$(wordlist 1,8,$(1))) $(call in_groups,$(wordlist 9,$(words $(1)),$(1))))
group_object = $(BUILD_DIR)/obj/groups/$(basename $(firstword $(1))).o$(eval $(BUILD_DIR)/groups/$(firstword $(1)) $(BUILD_DIR)/obj/groups/$(basename $(firstword $(1))).o: private members := $(1))
apart := $(if $(SANITIZE),paillier/% $(addprefix protocols/,comparison/% conversion/% matmul/% oblivious_transfer/% selection/%),%)
library_objects := $(call objects,$(filter $(apart),$(library_sources))) $(call grouped,$(filter-out $(apart),$(library_sources)))
command_objects := $(call objects,$(filter $(apart),$(command_sources))) $(call grouped,$(filter-out $(apart),$(command_sources)))
test_objects := $(call objects,tests/main.cpp) $(call grouped,$(filter-out tests/main.cpp,$(test_sources)))
tested_commands := $(if $(filter tests/mlp/program/commands/%,$(TESTS)),$(command_objects))
# Generated from the description of the network's messages; compiled without our warnings, included as system headers.
generated := $(BUILD_DIR)/generated
messages := $(addprefix $(generated)/protocols/transport/smlp,.pb.h .grpc.pb.h .pb.cc .grpc.pb.cc)
message_objects := $(patsubst $(generated)/%.cc,$(BUILD_DIR)/obj/%.o,$(filter %.cc,$(messages)))
fuzzers := $(patsubst tests/fuzz/%_fuzz.cpp,%,$(wildcard tests/fuzz/*_fuzz.cpp))
fuzz_sources := $(fuzzers:%=tests/fuzz/%_fuzz.cpp) tests/fuzz/seeds.cpp
ctime_sources := $(wildcard tests/ctime/*.cpp)
mutations := $(wildcard tests/protocols/oblivious_transfer/mutants/*.sed)
mutants := $(patsubst %.sed,$(BUILD_DIR)/mutants/%,$(notdir $(mutations)))
transfer_tests := $(wildcard tests/support/*.cpp $(foreach of,comparison matmul oblivious_transfer selection,tests/protocols/$(of)/*_test.cpp))
headers := $(wildcard $(foreach folder,paillier protocols protocols/* mlp mlp/*,$(folder)/*.h $(folder)/*.def))

# What the module for Python is linked from. Hidden names are called as they are in a program of fixed place.
python_module := $(BUILD_DIR)/obj/mlp/python/paillier_module.o
in_shared := $(python_module) $(call objects,$(wildcard paillier/*.cpp))
$(in_shared): private position := -fPIC -fvisibility=hidden
$(in_shared): $(BUILD_DIR)/flags_in_shared

ifeq ($(MAKELEVEL),0)  # all cores; -j on the command line wins
MAKEFLAGS += -j$(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
endif
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all test test-ranks test-slurm demo soak bench reproduce fuzz python test-python python-install install deb uninstall format check-format check-layering coverage clean help FORCE

all: $(PROGRAM) $(LIBRARY) $(with_mpi)

$(PROGRAM): $(call objects,mlp/main.cpp mlp/ranks/alone.cpp) $(command_objects) $(LIBRARY)
$(BUILD_DIR)/tests: $(test_objects) $(tested_commands) $(call objects,mlp/ranks/alone.cpp) $(LIBRARY)
ifneq ($(with_mpi),)
$(with_mpi): $(call objects,mlp/main.cpp mlp/ranks/mpi.cpp) $(command_objects) $(LIBRARY)
$(with_mpi): private LIBS += $(shell pkg-config --libs ompi-c 2>/dev/null)
$(BUILD_DIR)/obj/mlp/ranks/mpi.o: private system_includes = $(subst -I,-isystem ,$(shell pkg-config --cflags ompi-c))
$(BUILD_DIR)/obj/mlp/ranks/mpi.o: | $(BUILD_DIR)/mpi_dependencies
$(BUILD_DIR)/mpi_dependencies: scripts/install_dependencies.sh
	@scripts/install_dependencies.sh --mpi
	@mkdir -p $(@D) && touch $@
endif
BENCHES := $(bench_programs:%=$(BUILD_DIR)/bench/%)
$(BENCHES): $(BUILD_DIR)/bench/%: $(BUILD_DIR)/obj/bench/%.o $(call objects,$(bench_shared)) $(LIBRARY)
$(BUILD_DIR)/bench/operations: LIBS += -lbenchmark
# libFuzzer (clang) brings the main function of each fuzzer.
FUZZERS := $(fuzzers:%=$(BUILD_DIR)/fuzz/%)
$(FUZZERS): $(BUILD_DIR)/fuzz/%: $(BUILD_DIR)/obj/tests/fuzz/%_fuzz.o $(LIBRARY)
$(FUZZERS): private LIBS += -fsanitize=fuzzer
$(fuzzers:%=$(BUILD_DIR)/obj/tests/fuzz/%_fuzz.o): private processor := -fsanitize=fuzzer-no-link
$(BUILD_DIR)/fuzz/seeds: $(call objects,tests/fuzz/seeds.cpp tests/support/protocol_fixture.cpp) $(LIBRARY)
$(BUILD_DIR)/ctime: $(call objects,$(ctime_sources)) $(LIBRARY)
# The tests of transfers on a source with a fault (tests/protocols/oblivious_transfer/mutants_test.sh).
$(mutants): %: %.o $(call objects,tests/main.cpp) $(call grouped,$(transfer_tests)) $(LIBRARY)
$(mutants:%=%.o): private warnings := -w
$(mutants:%=%.o): $(BUILD_DIR)/mutants/%.o: tests/protocols/oblivious_transfer/mutants/%.sed $(LIBRARY)
	@echo "compile $< of $$(sed -n '1s/^# //p' $<)"
	@mkdir -p $(@D)
	@source=$$(sed -n '1s/^# //p' $<) && sed -f $< "$$source" > $(@:.o=.cpp) && ! cmp -s "$$source" $(@:.o=.cpp)
	@$(COMPILE) -c $(@:.o=.cpp) -o $@
# paillier/ and its tests alone: they need neither gRPC nor HDF5 (scripts/aarch64.sh).
$(BUILD_DIR)/paillier_tests: $(call objects,tests/main.cpp) $(call grouped,$(filter tests/paillier/%,$(TESTS))) $(call objects,$(wildcard paillier/*.cpp))
$(PROGRAM) $(with_mpi) $(BUILD_DIR)/tests $(BUILD_DIR)/paillier_tests $(BENCHES) $(FUZZERS) $(BUILD_DIR)/fuzz/seeds $(BUILD_DIR)/ctime $(mutants): $(BUILD_DIR)/sources
	@echo "link $@"
	@mkdir -p $(@D)
	@$(LINK) $(filter %.o %.a,$^) $(LIBS) -o $@

$(LIBRARY): $(library_objects) $(message_objects) $(BUILD_DIR)/sources
	@echo "archive $@"
	@rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

define compile
	@echo "compile $(or $(members),$<)"
	@mkdir -p $(@D)
	@$(COMPILE) $(if $(processor)$(position),,$(precompiled:%=$(precompilation) -include-pch %)) $(system_includes) -MMD -MP -c $< -o $@
endef
$(BUILD_DIR)/obj/%.o: %.cpp $(BUILD_DIR)/flags $(precompiled)
	$(compile)
$(BUILD_DIR)/obj/groups/%.o: $(BUILD_DIR)/groups/%.cpp $(BUILD_DIR)/flags $(precompiled)
	$(compile)
.PRECIOUS: $(BUILD_DIR)/groups/%.cpp
$(BUILD_DIR)/groups/%.cpp: FORCE
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(members) | cmp -s - $@ || printf '#include "%s"\n' $(members) > $@

$(BUILD_DIR)/system_headers.pch: Makefile $(BUILD_DIR)/flags
	@echo "precompile $(system_headers)"
	@printf '#include <%s>\n' $(system_headers) > $(@:.pch=.h)
	@$(COMPILE) $(precompilation) -MD -MP -MF $@.d -x c++-header $(@:.pch=.h) -o $@

$(messages) &: protocols/transport/smlp.proto
	@echo "generate $<"
	@mkdir -p $(generated)
	@protoc -I. --cpp_out=$(generated) --grpc_out=$(generated) --plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) $<

using_messages := $(filter $(addprefix $(BUILD_DIR)/obj/,$(foreach of,protocols tests/protocols,$(of)/transport/% groups/$(of)/transport/%)), \
                  $(library_objects) $(test_objects))
$(using_messages) $(message_objects): system_includes := -isystem $(generated)
$(using_messages): | $(messages)
$(message_objects): warnings := -w
$(message_objects): $(BUILD_DIR)/obj/%.o: $(generated)/%.cc $(BUILD_DIR)/flags
	@echo "compile $<"
	@mkdir -p $(@D)
	@$(COMPILE) $(system_includes) -c $< -o $@

-include $(precompiled:%=%.d) $(python_module:%.o=%.d) $(patsubst %.o,%.d,$(library_objects) $(command_objects) $(test_objects) $(call objects,mlp/main.cpp $(ranks_sources) tests/support/protocol_fixture.cpp $(bench_sources) $(fuzz_sources) $(ctime_sources)))

# Tests are compiled to be built quickly. (A precompiled header serves one optimisation only.)
ifeq ($(BUILD)$(precompiled),release)
$(test_objects): private optimisation := -O0 -g1
endif

# Files that change only when their content does, so that new flags or a deleted source rebuild what they must.
# What has been compiled with warnings as errors also serves without.
$(BUILD_DIR)/flags_in_shared: private position := -fPIC -fvisibility=hidden
$(BUILD_DIR)/flags $(BUILD_DIR)/flags_in_shared: content = $(strip $(COMPILE))
$(BUILD_DIR)/flags $(BUILD_DIR)/flags_in_shared: stricter = $(strip $(subst -Wconversion,-Wconversion -Werror,$(filter-out -Werror,$(COMPILE))))
$(BUILD_DIR)/sources: content = $(LINK) $(LIBS) $(library_sources) $(command_sources) $(test_sources) $(bench_sources)
$(BUILD_DIR)/flags $(BUILD_DIR)/flags_in_shared $(BUILD_DIR)/sources $(BUILD_DIR)/python_headers: FORCE
	@mkdir -p $(@D)
	@echo '$(content)' | cmp -s - $@ || echo '$(or $(stricter),$(content))' | cmp -s - $@ || echo '$(content)' > $@

# What pkg-config knows of the dependencies, after they are installed. Make reads it, or makes it first.
needs_no_build := uninstall format check-format check-layering coverage clean help
ifneq ($(filter-out $(needs_no_build),$(or $(MAKECMDGOALS),all)),)
include $(BUILD_DIR)/dependencies.mk
endif
packages := hdf5 grpc++ protobuf prometheus-cpp-pull libssl libcrypto gmpxx gmp zlib
$(BUILD_DIR)/dependencies.mk: scripts/install_dependencies.sh
	@scripts/install_dependencies.sh
	@mkdir -p $(@D)
	@cflags=$$(pkg-config --cflags $(packages) | sed 's/-DNOMINMAX//') && libs=$$(pkg-config --libs $(packages)) && \
	  printf '%s\n' "DEPENDENCY_CFLAGS := $$cflags" "DEPENDENCY_LIBS := -lntl -lboost_program_options $$libs" > $@

# What tests and benchmarks need beside.
$(BUILD_DIR)/test_dependencies: scripts/install_dependencies.sh
	@scripts/install_dependencies.sh --tests
	@mkdir -p $(@D) && touch $@
$(test_objects) $(call objects,tests/support/protocol_fixture.cpp $(bench_sources) $(fuzz_sources) $(ctime_sources)): | $(BUILD_DIR)/test_dependencies

# ---- running ----
test: $(if $(TEST_OPTIONS),,all $(BUILD_DIR)/ctime $(mutants) $(BENCHES)) $(BUILD_DIR)/tests
	+@CXX="$(CXX)" scripts/run_tests.sh $(BUILD_DIR) $(TEST_OPTIONS)

test-ranks test-slurm:
	+@$(MAKE) MPI=1 all
	@scripts/$(subst -,_,$@).sh $(BUILD_DIR)

demo: all
	$(DEMO)

soak: all
	SMLP=$(PROGRAM) scripts/soak.sh $(SOAK_SECONDS)

bench: $(BENCHES)
	$(BUILD_DIR)/bench/operations --json $(BUILD_DIR)/bench/operations.json $(BENCH_OPTIONS)
	@scripts/performance_tables.py $(BUILD_DIR)/bench/operations.json

# REPRODUCE_OPTIONS: those of the script, as "--only paper" or "--dry-run".
reproduce: all $(BENCHES)
	@SMLP=$(PROGRAM) scripts/reproduce.py $(if $(call on,$(QUICK)),--quick) $(REPRODUCE_OPTIONS)

ifneq ($(SANITIZE),)
fuzz: $(FUZZERS) $(BUILD_DIR)/fuzz/seeds
	@scripts/fuzz.sh $(BUILD_DIR)/fuzz $(FUZZ_OPTIONS)
else
fuzz:
	+@$(MAKE) fuzz SANITIZE=fuzzer-no-link,address,undefined CXX=clang++-16
endif

coverage:
	@find build-coverage -name '*.gcda' -delete 2>/dev/null || true
	+@$(MAKE) COVERAGE=1 BUILD=release SANITIZE= test
	@scripts/check_coverage.sh build-coverage

# ---- Python ----
PYTHON ?= /usr/bin/python3
python_package := $(BUILD_DIR)/python/smlp
python_headers = $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')
$(BUILD_DIR)/python_headers: content = $(python_headers)
$(python_module): private processor = -isystem $(python_headers)
$(python_module): $(BUILD_DIR)/python_headers | $(BUILD_DIR)/python_dependencies
$(BUILD_DIR)/python_dependencies: scripts/install_dependencies.sh
	@scripts/install_dependencies.sh --python
	@mkdir -p $(@D) && touch $@
$(python_package)/_paillier.so: $(in_shared)
	@echo "link $@"
	@mkdir -p $(@D)
	@$(LINK) -shared $^ -Wl,--as-needed $(LIBS) -o $@

# What is up to date stays untouched, since tests that run beside read it.
python_files := $(patsubst mlp/python/smlp/%,$(python_package)/%,$(wildcard mlp/python/smlp/*.py* mlp/python/smlp/py.typed))
$(python_files): $(python_package)/%: mlp/python/smlp/%
	@mkdir -p $(@D) && cp $< $@
$(python_package)/bin/smlp: $(PROGRAM)
	@mkdir -p $(@D) && ln -sf ../../../smlp $@
python: $(python_package)/_paillier.so $(python_package)/bin/smlp $(python_files)

# With a sanitizer the module alone is tested. The interpreter has no sanitizer of its own, so the runtime comes first.
ifneq ($(SANITIZE),)
sanitizer_runtime = $(if $(findstring address,$(SANITIZE)),$(shell $(CXX) -print-file-name=libclang_rt.asan-x86_64.so))
test-python: python
	@PYTHONPATH=$(abspath $(BUILD_DIR)/python) OMP_WAIT_POLICY=passive ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD='$(sanitizer_runtime)' \
	  $(PYTHON) tests/python $(notdir $(wildcard tests/python/paillier*_test.py))
else
test-python: python
	@PYTHONPATH=$(abspath $(BUILD_DIR)/python) OMP_WAIT_POLICY=passive $(PYTHON) tests/python
endif

# Where the interpreter looks under PREFIX; else where one of that prefix would look.
python_folder = $(shell $(PYTHON) -c 'import site, sys; prefix = sys.argv[1]; \
  print(next((x for x in site.getsitepackages() if x.startswith(prefix + "/")), \
  "{}/lib/python{}.{}/site-packages".format(prefix, *sys.version_info)))' $(prefix))
python-install: python
	@mkdir -p $(DESTDIR)$(python_folder)
	@cp -rL --remove-destination $(python_package) $(DESTDIR)$(python_folder)
	@rm -rf $(DESTDIR)$(python_folder)/smlp/__pycache__
	@echo "installed the package smlp in $(DESTDIR)$(python_folder)"

# ---- installing ----
prefix := $(abspath $(PREFIX))
define PKG_CONFIG_FILE
prefix=$(prefix)

Name: smlp
Description: Secure multilayer perceptron on Paillier-encrypted data
Version: $(VERSION)
Cflags: -I$${prefix}/include/smlp -fopenmp $(DEPENDENCY_CFLAGS)
Libs: -L$${prefix}/lib -lsmlp -fopenmp $(instrumentation) $(LIBS)
endef
# Items that begin with - stand in the command of the linker as they are.
define CMAKE_FILE
add_library(smlp::smlp STATIC IMPORTED)
set_target_properties(smlp::smlp PROPERTIES
  IMPORTED_LOCATION "$(prefix)/lib/libsmlp.a"
  IMPORTED_LINK_INTERFACE_LANGUAGES CXX
  INTERFACE_COMPILE_FEATURES cxx_std_20
  INTERFACE_INCLUDE_DIRECTORIES "$(prefix)/include/smlp"
  INTERFACE_COMPILE_OPTIONS "$(subst $(space),;,$(strip -fopenmp $(DEPENDENCY_CFLAGS)))"
  INTERFACE_LINK_LIBRARIES "$(subst $(space),;,$(strip -fopenmp $(instrumentation) $(LIBS)))")
endef
define CMAKE_VERSION_FILE
set(PACKAGE_VERSION "$(VERSION)")
if(NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
endef
export PKG_CONFIG_FILE CMAKE_FILE CMAKE_VERSION_FILE
completions := share/bash-completion/completions share/zsh/site-functions

install: all
	@mkdir -p $(addprefix $(DESTDIR)$(prefix)/,bin lib/pkgconfig lib/cmake/smlp lib/systemd/system share/man/man1 $(completions))
	@scripts/manuals.sh $(PROGRAM) $(DESTDIR)$(prefix)/share/man/man1
	@install -m 644 scripts/completion/smlp.bash $(DESTDIR)$(prefix)/share/bash-completion/completions/smlp
	@install -m 644 scripts/completion/_smlp $(DESTDIR)$(prefix)/share/zsh/site-functions/_smlp
	@install -m 755 $(or $(with_mpi),$(PROGRAM)) $(DESTDIR)$(prefix)/bin/smlp
	@install -m 644 $(LIBRARY) $(DESTDIR)$(prefix)/lib/libsmlp.a
	@printf '%s\n' "$$PKG_CONFIG_FILE" > $(DESTDIR)$(prefix)/lib/pkgconfig/smlp.pc
	@printf '%s\n' "$$CMAKE_FILE" > $(DESTDIR)$(prefix)/lib/cmake/smlp/smlp-config.cmake
	@printf '%s\n' "$$CMAKE_VERSION_FILE" > $(DESTDIR)$(prefix)/lib/cmake/smlp/smlp-config-version.cmake
	@sed 's|@prefix@|$(prefix)|' scripts/smlp-serve.service > $(DESTDIR)$(prefix)/lib/systemd/system/smlp-serve.service
	@for header in $(headers); do \
	  mkdir -p $(DESTDIR)$(prefix)/include/smlp/$$(dirname $$header) && \
	  install -m 644 $$header $(DESTDIR)$(prefix)/include/smlp/$$header || exit 1; done
	@echo "installed smlp, libsmlp.a, headers, smlp.pc, smlp-config.cmake, smlp-serve.service, man pages and completions under $(DESTDIR)$(prefix)"

deb: all
	@rm -rf $(BUILD_DIR)/deb
	@umask 022 && $(MAKE) install DESTDIR=$(abspath $(BUILD_DIR))/deb PREFIX=/usr >/dev/null
	@scripts/debian_package.sh $(BUILD_DIR)/deb $(VERSION) $(BUILD_DIR)

uninstall:
	rm -f $(addprefix $(DESTDIR)$(prefix)/,bin/smlp lib/libsmlp.a lib/pkgconfig/smlp.pc lib/cmake/smlp/smlp-config.cmake \
	  lib/cmake/smlp/smlp-config-version.cmake lib/systemd/system/smlp-serve.service \
	  share/man/man1/smlp.1 share/man/man1/smlp-*.1 share/bash-completion/completions/smlp share/zsh/site-functions/_smlp)
	rm -rf $(DESTDIR)$(prefix)/include/smlp \
	  $(patsubst %/_paillier.so,%,$(wildcard $(DESTDIR)$(prefix)/lib*/python3*/*-packages/smlp/_paillier.so))

# ---- care ----
format:
	@CLANG_FORMAT=$(CLANG_FORMAT) scripts/check_format.sh --fix

check-format:
	@CLANG_FORMAT=$(CLANG_FORMAT) scripts/check_format.sh

check-layering:
	@scripts/check_layering.sh

clean:
	rm -rf build build-*/

help:
	@echo 'make                  build/smlp and build/libsmlp.a (installs missing dependencies first)'
	@echo 'make test             build and run every test; TEST_OPTIONS="-tc=*name*" runs doctest cases by name,'
	@echo '                      TESTS=tests/paillier/dgk_test.cpp builds these test files alone'
	@echo 'make test-ranks       two ranks by Open MPI beside one process; with SANITIZE=.. what it is for'
	@echo 'make test-slurm       the job script of docs/deployment.md under a Slurm of its own; installs Slurm'
	@echo 'make demo             train on the encrypted breast-cancer table; PROTOCOLS=hybrid for another preset'
	@echo 'make soak             train over TLS under faults for SOAK_SECONDS=1800, comparing every model'
	@echo 'make bench            micro-benchmarks beside GMP and OpenSSL; BENCH_OPTIONS="--bits 2048 --rounds 9"; builds also'
	@echo '                      build/bench/kernels, matmul, protocol, training, transfers, ranks and large_table (--help)'
	@echo 'make reproduce        all experiments of bench/experiments, with figures and report in docs/results; a run that was'
	@echo '                      stopped goes on. QUICK=1 is a small version, in build/results-quick;'
	@echo '                      REPRODUCE_OPTIONS="--only paper", --list or --dry-run (--help)'
	@echo 'make fuzz             libFuzzer on frames, keys and files, with clang: the same FUZZ_RUNS=500 inputs each time, or new ones for'
	@echo '                      FUZZ_SECONDS=600; FUZZ_OPTIONS="csv idx" runs these fuzzers alone'
	@echo 'make coverage         line coverage of each folder; fails below 90 %'
	@echo 'make python           the package for Python, build/python/smlp; test-python tests it, python-install installs it'
	@echo '                      in the site-packages of PREFIX=/usr/local, below DESTDIR='
	@echo 'make install          program, library, headers, files for pkg-config and CMake, unit of systemd; PREFIX=/usr/local DESTDIR='
	@echo 'make deb              build/smlp_VERSION_ARCHITECTURE.deb with what install puts, for Debian and its kin'
	@echo 'make uninstall        remove what install and python-install put there'
	@echo 'make format           clang-format-16 on every source; check-format only looks'
	@echo 'make check-layering   includes point down: mlp -> protocols -> paillier'
	@echo 'make clean            remove build and build-*'
	@echo
	@echo 'variables: BUILD=release|debug  SANITIZE=address,undefined  SANITIZE=thread CXX=clang++-16'
	@echo '           COVERAGE=1  WERROR=1  MPI=1 (trainings on many machines: docs/scaling.md)  CXX CPPFLAGS CXXFLAGS LDFLAGS LDLIBS'
