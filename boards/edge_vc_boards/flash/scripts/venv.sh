# Makes ROOT/venvs/ID from the wheels in ROOT/wheels, without a network, atomically.
set -eu
umask 022
root=$1 id=$2
# Wait for anything still running there, from a lost connection or another flash.
if command -v flock >/dev/null; then
  exec 9>"$root/.flash-lock"
  flock -w 300 9 || { echo "another flash is at work there" >&2; exit 2; }
fi
new=$root/venvs/$id
[ ! -e "$new/.complete" ] || exit 0
rm -rf "$new"
mkdir -p "$root/venvs"
undo() { rm -rf "$new"; }
trap 'exit 129' HUP INT TERM
trap undo EXIT
if ! python3 -m venv "$new"; then
  # venv does not report why pip could not be installed.
  [ ! -x "$new/bin/python3" ] || "$new/bin/python3" -m ensurepip --default-pip >&2 || :
  exit 1
fi
if ! "$new/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
  --no-index --find-links "$root/wheels" --require-hashes -r "$root/wheels/$id.txt"; then
  rm -f "$root/wheels/hashes"  # sent again by the next call: one of them may be damaged
  exit 1
fi
"$new/bin/edge-vc-rt" --version
sync
: >"$new/.complete"
trap - EXIT
