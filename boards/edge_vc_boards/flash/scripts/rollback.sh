# ROOT SERVICE REASON: makes the previous release current again and restarts the service.
set -eu
umask 022
root=$1
# Wait for anything still running there, from a lost connection or another flash.
if [ -d "$root" ] && command -v flock >/dev/null; then
  exec 9>"$root/.flash-lock"
  flock -w 300 9 || { echo "another flash is at work there" >&2; exit 2; }
fi
code=0
"$root/venv/bin/edge-vc-rt" rollback --root "$root" --reason "$3" --json || code=$?
[ "$2" != yes ] || [ "$code" = 2 ] || systemctl restart edge-vc
exit "$code"
