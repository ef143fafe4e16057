# ROOT ID BUNDLE SERVICE HEALTH [OPTION...]: switches to the virtual environment ID and installs
# BUNDLE with it; if that fails, both are restored, and so is the unit. SERVICE is yes if systemd runs the
# release, or restart if its unit or its environment has also changed. HEALTH is a script.
set -eu
umask 022
root=$1 id=$2 bundle=$3 service=$4 health=$5
shift 5
# Wait for anything still running there, from a lost connection or another flash.
if command -v flock >/dev/null; then
  exec 9>"$root/.flash-lock"
  flock -w 300 9 || { echo "another flash is at work there" >&2; exit 2; }
fi
if [ ! -e "$bundle" ]; then  # another flash of the same one was faster
  sum=$(sha256sum 2>/dev/null <"$root/current/bundle.evc" | cut -c1-64)
  [ "${bundle##*/}" != "$sum.evc" ] || bundle=$root/current/bundle.evc
fi
if [ ! -e "$root/venvs/$id/.complete" ] || [ ! -e "$bundle" ]; then
  echo "another flash has removed what this one sent; run the same command again" >&2
  exit 2
fi
old=$(readlink "$root/venv" || :)
point() {
  rm -f "$root/.in-venv"
  ln -s "$1" "$root/.in-venv"
  mv -fT "$root/.in-venv" "$root/venv"
}
unit=/etc/systemd/system/edge-vc.service
back() {
  if [ -n "$old" ] && [ "$old" != "venvs/$id" ]; then point "$old"; fi
  if [ "$service" != no ] && [ -e "$unit.before" ]; then
    mv -f "$unit.before" "$unit"
    systemctl daemon-reload
  fi
}
point "venvs/$id"
code=0
said=$("$root/venv/bin/edge-vc-rt" install "$bundle" --root "$root" --json "$@") || code=$?
printf '%s\n' "$said"
if [ "$code" != 0 ]; then
  back
  if [ "$code" = 1 ] && [ "$service" != no ]; then
    if [ -e "$root/current" ]; then systemctl restart edge-vc || :; else systemctl stop edge-vc || :; fi
  fi
  exit "$code"
fi
case $service:$said in
no:*) ;;
restart:*'"changed": false'*)
  if ! (cd "$root/current" && sh -c "$health" edge-vc-health "$root" 5); then
    back
    systemctl restart edge-vc || :
    exit 1
  fi
  ;;
*) systemctl --quiet is-active edge-vc || systemctl start edge-vc ;;
esac
[ "$service" = no ] || rm -f "$unit.before"
# Files that another flash is sending are kept; leftovers are removed after an hour.
case $bundle in "$root"/incoming/*) rm -f "$bundle" ;; esac
for folder in "$root/incoming" "$root/wheels"; do
  [ ! -d "$folder" ] ||
    find "$folder" \( -name '.part-*' -o -name '*.evc' \) -mmin +60 -exec rm -f {} + || :
done
rmdir "$root/incoming" 2>/dev/null || :
for other in "$root"/venvs/*; do  # the previous one is kept
  [ "$other" = "$root/venvs/$id" ] || [ "venvs/${other##*/}" = "$old" ] || rm -rf "$other"
done
