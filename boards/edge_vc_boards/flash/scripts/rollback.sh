# ROOT SERVICE REASON: makes the release before current again and restarts the service.
set -eu
umask 022
code=0
"$1/venv/bin/edge-vc-rt" rollback --root "$1" --reason "$3" --json || code=$?
[ "$2" != yes ] || [ "$code" = 2 ] || systemctl restart edge-vc
exit "$code"
