#!/usr/bin/env bash
# The Debian package: built, installed in a root of its own, looked at, used and purged without a trace.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "deb: $1" >&2; exit 1; }

package=$(umask 077 && make -s --no-print-directory -C "$root" deb | tail -n 1)
[ -s "$package" ] || fail "make deb made no package: $package"
# Whatever the umask, everybody may read what is installed.
closed=$(dpkg-deb -c "$package" | awk '$1 !~ /^[dl-]r..r..r../')
[ -z "$closed" ] || fail "not everybody may read $closed"
# What dpkg-shlibdeps says is shown where it fails.
cp -r "$root/build/deb" "$folder/broken" && rm -r "$folder/broken/DEBIAN"
gunzip "$folder"/broken/usr/share/man/man1/*.gz && mv "$folder"/broken/usr/lib/*/pkgconfig "$folder/broken/usr/lib"
mkdir "$folder/bin"
printf '#!/bin/sh\necho "no dependency information" >&2\nexit 2\n' >"$folder/bin/dpkg-shlibdeps" && chmod 755 "$folder/bin/dpkg-shlibdeps"
! PATH=$folder/bin:$PATH "$root/scripts/debian_package.sh" "$folder/broken" 1 "$folder" >"$folder/said" 2>&1 || fail 'a package without Depends is made'
grep -q 'no dependency information' "$folder/said" || fail "dpkg-shlibdeps is not shown: $(cat "$folder/said")"

# Depends: the package of every library that the program is linked with, and versions for them.
dpkg-deb -x "$package" "$folder/tree"
depends=$(dpkg-deb -f "$package" Depends)
ldd "$folder/tree/usr/bin/smlp" >"$folder/libraries"
for library in $(readelf -d "$folder/tree/usr/bin/smlp" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
  file=$(sed -n "s|^\s*$library => \([^ ]*\) .*|\1|p" "$folder/libraries")
  [ -n "$file" ] || continue  # the loader
  of=$(dpkg -S "$(realpath "$file")" 2>/dev/null || dpkg -S "$file")
  of=${of%%:*}
  [[ ", $depends," == *", $of "* || ", $depends," == *", $of,"* ]] || fail "$library is of $of, which is not in '$depends'"
done

# As dpkg installs it, in a root without anything: scripts run outside of it, and are told where it is.
database=$folder/root/var/lib/dpkg
mkdir -p "$database"/{info,updates,triggers} "$folder/root/etc"
touch "$database/status" "$database/available" "$folder/root/etc/passwd" "$folder/root/etc/group"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(fakeroot)
in_root() {
  "${as_root[@]}" dpkg --root="$folder/root" --force-depends --force-script-chrootless --force-not-root --log="$folder/log" "$@" \
    >"$folder/said" 2>&1 || fail "dpkg $*: $(cat "$folder/said")"
}
in_root -i "$package"
[ "$(dpkg-query --admindir="$database" -W -f '${Status} ${Version}' smlp)" = \
  "install ok installed $("$folder/root/usr/bin/smlp" --version | cut -d' ' -f2)" ] || fail "it is not installed: $(cat "$folder/said")"
in_root -V smlp
[ ! -s "$folder/said" ] || fail "files differ from their sums: $(cat "$folder/said")"
for file in usr/lib/libsmlp.a usr/include/smlp/paillier/paillier.h "usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/pkgconfig/smlp.pc" usr/lib/systemd/system/smlp-serve.service \
  usr/lib/sysusers.d/smlp.conf usr/share/man/man1/smlp-serve.1.gz usr/share/doc/smlp/copyright; do
  [ -s "$folder/root/$file" ] || fail "it has no $file"
done
grep -q '^ExecStart=/usr/bin/smlp serve' "$folder/root/usr/lib/systemd/system/smlp-serve.service" || fail 'the unit starts another program'
"$folder/root/usr/bin/smlp" keygen --bits 1024 --insecure-key --out "$folder/keys" >/dev/null || fail 'the program does not run'
if command -v systemd-sysusers >/dev/null; then
  grep -q '^smlp:' "$folder/root/etc/passwd" || fail 'there is no user smlp'
fi
# Man pages without a complaint of the formatter.
for page in "$folder"/root/usr/share/man/man1/*.1.gz; do
  complaints=$(LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
  [ -z "$complaints" ] || fail "$(basename "$page"): $complaints"
done
if command -v lintian >/dev/null; then
  # Whoever publishes it gives an address (DEBEMAIL).
  lintian --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog --fail-on error "$package" >"$folder/lintian" 2>&1 || fail "lintian: $(grep '^E:' "$folder/lintian")"
fi

wants=$folder/root/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants" && ln -s /usr/lib/systemd/system/smlp-serve.service "$wants"  # systemctl enable
in_root -P smlp
[ ! -L "$wants/smlp-serve.service" ] || fail 'purging leaves a link that leads nowhere'
left=$(find "$folder/root" -path "$database" -prune -o -path "$folder/root/etc" -prune -o ! -type d -print)
[ -z "$left" ] || fail "purging leaves $left"
