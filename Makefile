# SPDX-License-Identifier: MIT
# The front door. Meson does the work; this file knows which packages it needs
# and which commands a person wants.
#
#   make run           build gowtf and start it on the examples
#   make test          everything there is to test; make test-quick: in a minute
#   make bench         how fast it is, beside others
#   make install       PREFIX=/usr/local DESTDIR=

B ?= build
ASAN ?= build-asan
PREFIX ?= /usr/local
NINJA = ninja -C

BUILD_PACKAGES = gcc libc6-dev meson ninja-build pkg-config libyaml-dev libjansson-dev \
	libsqlite3-dev libmicrohttpd-dev libsodium-dev tzdata nodejs npm ca-certificates
TEST_PACKAGES = $(BUILD_PACKAGES) libcmocka-dev python3 binutils clang-format mandoc strace curl
BROWSER_PACKAGES = chromium fonts-dejavu-core

.PHONY: all run test test-quick test-browser sanitize bench install clean format packages-build \
	packages-test packages-browser

all: packages-build $(B)/build.ninja
	@$(NINJA) $(B)

run: packages-build $(B)/build.ninja
	@$(NINJA) $(B) gowtf
	@exec $(B)/gowtf serve --workflows examples -C $(B)/home

packages-build:
	@tools/packages.sh $(BUILD_PACKAGES)
packages-test:
	@tools/packages.sh $(TEST_PACKAGES)
packages-browser: packages-test
	@tools/packages.sh $(BROWSER_PACKAGES)

# Whoever only runs it needs no test library; `make test` turns the tests on, and
# takes no warning for an answer. (Not under sanitizers, which make gcc see ghosts.)
$(B)/build.ninja:
	meson setup $(B) -Dtests=false --prefix $(PREFIX)
$(B)/tests.on: | $(B)/build.ninja
	meson configure $(B) -Dtests=true -Dwerror_all=true
	@touch $@
$(ASAN)/build.ninja:
	meson setup $(ASAN) -Dui=false -Db_sanitize=address,undefined -Db_lundef=false

# Each suite runs to its end whatever the one before it said; the tally, made
# from what the runners wrote down, is the verdict.
test: packages-browser $(B)/tests.on $(ASAN)/build.ninja
	@rm -f $(B)/meson-logs/testlog.json $(ASAN)/meson-logs/testlog.json
	@$(NINJA) $(B)
	@ASAN_OPTIONS=detect_leaks=0 $(NINJA) $(ASAN)
	-@meson test -C $(B) --no-rebuild --print-errorlogs
	-@GOWTF_QUICK=1 meson test -C $(ASAN) --no-rebuild --print-errorlogs \
		--suite unit --suite sim --suite system
	@python3 tests/tally.py $(B)/meson-logs/testlog.json $(ASAN)/meson-logs/testlog.json

test-quick: packages-test $(B)/tests.on
	@rm -f $(B)/meson-logs/testlog.json
	@$(NINJA) $(B)
	-@GOWTF_QUICK=1 meson test -C $(B) --no-rebuild --print-errorlogs --suite unit --suite check \
		--suite system
	@python3 tests/tally.py $(B)/meson-logs/testlog.json

test-browser: packages-browser $(B)/tests.on
	@$(NINJA) $(B)
	@meson test -C $(B) --no-rebuild --print-errorlogs --suite browser

sanitize: packages-test $(ASAN)/build.ninja
	@ASAN_OPTIONS=detect_leaks=0 $(NINJA) $(ASAN)
	@GOWTF_QUICK=1 meson test -C $(ASAN) --no-rebuild --print-errorlogs --suite unit --suite sim \
		--suite system

bench: packages-test $(B)/tests.on
	@$(NINJA) $(B)
	@meson test -C $(B) --benchmark --verbose

install: packages-build $(B)/build.ninja
	@$(NINJA) $(B)
	meson install -C $(B) --no-rebuild

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(B) $(ASAN)
