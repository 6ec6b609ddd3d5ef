#!/usr/bin/env bash
# Makes a Debian package of an installed tree: what a package has beside what `make install` puts. `make deb` calls it.
#   scripts/debian_package.sh TREE VERSION FOLDER
# The Depends are those of the program's shared libraries, by dpkg-shlibdeps.
set -euo pipefail

[ $# -eq 3 ] || { echo "usage: $0 TREE VERSION FOLDER" >&2; exit 2; }
command -v dpkg-shlibdeps >/dev/null || { echo "$0: dpkg-shlibdeps is missing: install dpkg-dev" >&2; exit 1; }
tree=$(realpath "$1") version=$2 folder=$(realpath "$3")
architecture=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-The SMLP developers} <${DEBEMAIL:-smlp@localhost}>"
changes=$(dirname "$0")/../CHANGELOG.md
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

strip --strip-unneeded --remove-section=.comment "$tree/usr/bin/smlp"
strip --strip-debug --enable-deterministic-archives "$tree/usr/lib/libsmlp.a"
gzip -9n "$tree"/usr/share/man/man1/*.1

# It names libraries of one architecture.
mkdir -p "$tree/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)"
mv "$tree/usr/lib/pkgconfig" "$tree/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)"

# The user that the unit names, made by systemd.
mkdir -p "$tree/usr/lib/sysusers.d"
echo 'u smlp - "SMLP key holder" /var/lib/smlp' >"$tree/usr/lib/sysusers.d/smlp.conf"

documents=$tree/usr/share/doc/smlp
mkdir -p "$documents"
cat >"$documents/copyright" <<'TEXT'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2026 The SMLP developers
License: Apache-2.0
 On Debian systems the text of the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.
TEXT
printf 'smlp (%s) unstable; urgency=medium\n\n  * What changed is in CHANGELOG.md.\n\n -- %s  %s\n' "$version" "$maintainer" \
  "$(date -R -u -r "$changes")" | gzip -9n >"$documents/changelog.gz"
gzip -9nc "$changes" >"$documents/CHANGELOG.md.gz"

mkdir -p "$work/debian"
printf 'Source: smlp\n\nPackage: smlp\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O -e"$tree/usr/bin/smlp" 2>"$work/errors") || {
  cat "$work/errors" >&2
  echo "$0: dpkg-shlibdeps does not find the packages of the program's libraries" >&2
  exit 1
}
depends=${depends#shlibs:Depends=}

mkdir -p "$tree/DEBIAN"
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
cat >"$tree/DEBIAN/control" <<TEXT
Package: smlp
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Section: science
Priority: optional
Installed-Size: $(du -sk --apparent-size "$tree/usr" | cut -f1)
Depends: $depends
Recommends: systemd
Suggests: g++, libgmp-dev, libntl-dev, libssl-dev, libboost-program-options-dev, libhdf5-dev, zlib1g-dev, nlohmann-json3-dev, libgrpc++-dev, libprotobuf-dev, prometheus-cpp-dev
Description: multilayer perceptrons on Paillier-encrypted tables
 Trains and classifies on tables that stay encrypted: a server computes on
 ciphertexts, with the help of a key holder that never sees a value in the
 clear.
 .
 The package has the program, the service of a key holder for systemd, and the
 library with its headers; what is suggested is needed to build against it.
TEXT
cat >"$tree/DEBIAN/postinst" <<'TEXT'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers ${DPKG_ROOT:+--root="$DPKG_ROOT"} smlp.conf
  fi
  # A key holder that runs may be restarted at any moment; one that has no key yet does not run.
  if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload || true
    deb-systemd-invoke try-restart smlp-serve.service || true
  fi
fi
TEXT
cat >"$tree/DEBIAN/prerm" <<'TEXT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  deb-systemd-invoke stop smlp-serve.service || true
fi
TEXT
# What `systemctl enable` made leads nowhere then.
cat >"$tree/DEBIAN/postrm" <<'TEXT'
#!/bin/sh
set -e
if [ "$1" = purge ]; then
  rm -f "$DPKG_ROOT"/etc/systemd/system/*.wants/smlp-serve.service
  if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
    systemctl --system daemon-reload || true
  fi
fi
TEXT
chmod 755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm" "$tree/DEBIAN/postrm"

package=$folder/smlp_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$tree" "$work/package" >/dev/null
mv "$work/package" "$package"
echo "$package"
