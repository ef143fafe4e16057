# ROOT ID BUNDLE SERVICE HEALTH [OPTION...]: switches to the virtual environment ID and installs
# BUNDLE with it; if that fails, both are as they were, and so is the unit. SERVICE is yes where systemd runs the
# release, restart where its unit or its environment has changed as well. HEALTH is a script.
set -eu
umask 022
root=$1 id=$2 bundle=$3 service=$4 health=$5
shift 5
# What a cut connection left running there ends first.
if command -v flock >/dev/null; then
  exec 9>"$root/.flash-lock"
  flock -w 300 9 || { echo "another flash is at work there" >&2; exit 2; }
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
rm -rf "$root/incoming" "$root"/wheels/.part-*
for other in "$root"/venvs/*; do  # the one before stays
  [ "$other" = "$root/venvs/$id" ] || [ "venvs/${other##*/}" = "$old" ] || rm -rf "$other"
done
