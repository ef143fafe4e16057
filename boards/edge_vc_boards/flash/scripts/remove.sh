# ROOT SERVICE: removes the service, the releases, the virtual environments and the wheels.
set -eu
root=$1
# Wait for anything still running there, from a lost connection or another flash.
if [ -d "$root" ] && command -v flock >/dev/null; then
  exec 9>"$root/.flash-lock"
  flock -w 300 9 || { echo "another flash is at work there" >&2; exit 2; }
fi
if [ "$2" = yes ] && [ -e /etc/systemd/system/edge-vc.service ]; then
  systemctl --quiet disable --now edge-vc || :
  rm -f /etc/systemd/system/edge-vc.service /etc/systemd/system/edge-vc.service.before
  systemctl daemon-reload
fi
if [ -d "$root/releases" ] && [ -x "$root/venv/bin/edge-vc-rt" ]; then
  "$root/venv/bin/edge-vc-rt" uninstall --root "$root"
fi
rm -rf "$root/venv" "$root/venvs" "$root/wheels" "$root/incoming" "$root/.in-venv" "$root/.flash-lock"
[ ! -d "$root" ] || rmdir "$root" 2>/dev/null || echo "$root: holds other files and stays"
