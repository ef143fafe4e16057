# Runs in the new release's folder: converts one hop, then lets the service run for SECONDS.
root=$1 seconds=$2
"$root/venv/bin/python" -c 'from pathlib import Path
from edge_vc_runtime.install.checks import first_hop
from edge_vc_runtime.install.error import InstallCheckError
try:
    first_hop(Path.cwd())
except InstallCheckError as error:
    raise SystemExit(str(error))' || exit 1
systemctl restart edge-vc || exit 1
before=$(systemctl show --property=NRestarts --value edge-vc)
sleep "$seconds"
after=$(systemctl show --property=NRestarts --value edge-vc)
if ! systemctl --quiet is-active edge-vc || [ "$before" != "$after" ]; then
  last=$(journalctl --quiet --unit=edge-vc --lines=1 --output=cat 2>/dev/null)
  echo "the service does not stay up: ${last:-no line in its journal}" >&2
  exit 1
fi
