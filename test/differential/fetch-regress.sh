#!/bin/sh
# Gets PostgreSQL 15's own regression suite into a cache folder outside the repository, with apt only and
# without changing the machine's package lists: the source package for the SQL files, the -dev package for
# the server headers, gcc for regress.so. (pg_regress itself comes with Debian's postgresql-15.) Prints the folder. Run again it only prints it.
# It does not install anything; PostgreSQL 15 (Debian's postgresql-15) and gcc must be there.
set -eu

CACHE="${WEIR_CACHE:-${TMPDIR:-/tmp}/weir-cache}"
SUITE="$CACHE/regress-15"
LIBRARY=/usr/lib/postgresql/15/lib

if [ -f "$SUITE/ready" ]; then
  echo "$SUITE"
  exit 0
fi
fail() { echo "fetch-regress: $1" >&2; exit 1; }
for tool in apt-get dpkg dpkg-source gcc; do
  command -v "$tool" >/dev/null 2>&1 || fail "$tool is missing"
done
[ -x "$LIBRARY/pgxs/src/test/regress/pg_regress" ] || fail "PostgreSQL 15 is not installed in /usr/lib/postgresql/15"

rm -rf "$SUITE" "$CACHE/regress-work"
mkdir -p "$SUITE" "$CACHE/regress-work/lists/partial" "$CACHE/regress-work/parts"
cd "$CACHE/regress-work"

# The machine's own sources with source packages added, in lists of our own.
# apt drops its rights for downloads where it can; these folders are ours, so it must not.
for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
  [ -f "$file" ] || continue
  case "$file" in
    *.sources) sed 's/^Types:.*/Types: deb deb-src/' "$file" > parts/debian.sources ;;
    *) sed -n 's/^deb \(.*\)/deb \1\ndeb-src \1/p' "$file" > parts/debian.list ;;
  esac
done
APT_OPTIONS="-q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$PWD/parts -o Dir::State::lists=$PWD/lists
  -o Dir::Cache=$PWD -o Dir::Cache::archives=$PWD -o APT::Sandbox::User=root"
apt-get $APT_OPTIONS update >update.log 2>&1 || fail "apt-get update failed: $(tail -1 update.log)"
# Mirrors do not always carry the newest version's source. Any 15.x does: both runs use the same files.
versions=$(apt-cache $APT_OPTIONS showsrc postgresql-15 2>/dev/null | sed -n 's/^Version: //p' | sort -rV | uniq)
found=
for version in $versions; do
  apt-get $APT_OPTIONS source --download-only "postgresql-15=$version" >source.log 2>&1 && found=$version && break
done
[ -n "$found" ] || fail "no source package: $(tail -1 source.log 2>/dev/null)"
apt-get $APT_OPTIONS download postgresql-server-dev-15 >dev.log 2>&1 || fail "no -dev package: $(tail -1 dev.log)"

dpkg -x postgresql-server-dev-15_*.deb dev
dpkg-source --no-check -x "postgresql-15_$found.dsc" source >unpack.log 2>&1 || fail "dpkg-source: $(tail -1 unpack.log)"
cp -R source/src/test/regress/. "$SUITE/"

# The `triggers` and `misc` tests load these three libraries from the folder named by --dlpath.
mkdir -p "$SUITE/libraries"
gcc -O1 -fPIC -shared -w -I dev/usr/include/postgresql/15/server -o "$SUITE/libraries/regress.so" "$SUITE/regress.c" ||
  fail "regress.c does not compile"
cp "$LIBRARY/autoinc.so" "$LIBRARY/refint.so" "$SUITE/libraries/"

cd "$CACHE"
rm -rf "$CACHE/regress-work"
# The server and pg_regress run as another user than root.
chmod -R a+rX "$SUITE"
touch "$SUITE/ready"
echo "$SUITE"
